"""Whose turn it is: shares by weight, nobody starves, nothing is left unused."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from messaging.lanes import LANES, Lane, Turns, current_lane, lane_of, on_lane
from runtime.settings import BucketSettings

weights = st.fixed_dictionaries({lane: st.integers(1, 50) for lane in LANES})
wanting = st.lists(st.sampled_from(LANES), min_size=1, unique=True)


@given(weights=weights, wanting=wanting, rounds=st.integers(1, 4))
def test_over_a_round_each_lane_gets_exactly_its_weight(
    weights: dict[Lane, int], wanting: list[Lane], rounds: int
) -> None:
    turns = Turns(weights)
    total = rounds * sum(weights[lane] for lane in wanting)
    counts = Counter(turns.next(wanting) for _ in range(total))
    assert counts == {lane: rounds * weights[lane] for lane in wanting}


@given(weights=weights, wanted=st.lists(wanting, min_size=1, max_size=200))
def test_a_lane_that_keeps_asking_waits_a_bounded_number_of_turns(
    weights: dict[Lane, int], wanted: list[list[Lane]]
) -> None:
    turns, since = Turns(weights), 0
    for others in wanted:
        since = 0 if turns.next({*others, "background"}) == "background" else since + 1
        assert since <= 4 * sum(weights.values())


@given(weights=weights, lane=st.sampled_from(LANES))
def test_a_lane_alone_gets_every_turn(weights: dict[Lane, int], lane: Lane) -> None:
    turns = Turns(weights)
    assert {turns.next([lane]) for _ in range(50)} == {lane}


def test_turns_of_the_default_weights_are_spread_and_not_in_blocks() -> None:
    turns = Turns(BucketSettings().lanes)
    order = [turns.next(LANES) for _ in range(15)]
    assert Counter(order) == {"live": 8, "batch": 4, "replay": 2, "background": 1}
    assert "live live live" not in " ".join(order)


def test_a_lane_that_was_away_does_not_save_up() -> None:
    turns = Turns({"live": 1, "batch": 1, "replay": 1, "background": 1})
    for _ in range(100):
        turns.next(["live"])
    assert Counter(turns.next(["live", "batch"]) for _ in range(10)) == {"live": 5, "batch": 5}


def test_the_lane_of_a_delivery() -> None:
    assert [lane_of(stream, replayed=False) for stream in ("sales", "contacts", "inventory", "payroll", None)] == [
        "live",
        "live",
        "batch",
        "batch",
        "live",
    ]
    assert lane_of("payroll", replayed=True) == "replay"


async def test_a_task_is_on_the_lane_it_was_started_on() -> None:
    async def lane() -> Lane:
        await asyncio.sleep(0)
        return current_lane()

    with on_lane("background"):
        inside = asyncio.create_task(lane())
    outside = asyncio.create_task(lane())
    assert (await inside, await outside, current_lane()) == ("background", "live", "live")
