"""A look-up that could not tell is made again, and only after the last attempt does a person hear of it."""

import pytest

from workers.classify import Circumstances, classify
from workers.errors import HeldForPerson, Undecided
from workers.outcomes import DeadLetter, Retry
from workers.retry import RetryPolicy


def at(attempt: int) -> Circumstances:
    policy = RetryPolicy(delays_seconds=(10, 60), max_attempts=3, max_deferrals=8)
    return Circumstances(attempt=attempt, deferred=0, seed="evt_1", settle_seconds=30, policy=policy)


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_list_that_moved_is_looked_at_again_after_the_settle_time(attempt: int) -> None:
    outcome = classify(Undecided("the list moved"), at(attempt))
    assert isinstance(outcome, Retry)
    assert outcome.after_seconds >= 30


def test_a_list_that_always_moves_comes_before_a_person() -> None:
    assert classify(Undecided("the list moved"), at(3)) == DeadLetter("undecided", "the list moved")


def test_a_look_up_that_cannot_ever_tell_comes_before_a_person_at_once() -> None:
    assert classify(HeldForPerson("look yourself"), at(1)) == DeadLetter("held", "look yourself")
