"""Order and repetition do not matter: whatever comes when, and how often, the books end the same."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.searching import examples, search
from tests.unit.workers.model.order import Relay, books_of, check, shuffled
from tests.unit.workers.model.stories import tell

PERMUTATIONS = 4


@search
@settings(max_examples=examples(25), deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_same_books(chance: random.Random) -> None:
    check(tell(chance), chance, PERMUTATIONS)


def test_the_stories_have_something_to_wait_for_and_something_to_repeat() -> None:
    """A property over stories in which nothing happens would prove nothing."""
    waited = parked = booked = repeated = 0
    for number in range(50):
        chance = random.Random(number)  # noqa: S311 - to be had again
        story = tell(chance)
        relay = Relay(books_of(story))
        ending = relay.play(story.events)
        waited += bool(ending.waiting)
        parked += bool(ending.parked)
        booked += len(ending.records)
        repeated += len(story.events) - len({event.data.fact for event in story.events})
        backwards = relay.play(list(reversed(shuffled(story, chance))))
        assert backwards == ending
    assert min(waited, parked) >= 5
    assert booked >= 300
    assert repeated >= 100
