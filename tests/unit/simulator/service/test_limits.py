"""The four limit models, each against its own definition, and the measure that judges what came through."""

import copy
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import SwitchError
from simulator.service.limits import MODELS, Limit, Limiter, Model, worst_window
from tests.unit.simulator.client import Client, Time

TIMES = st.lists(st.integers(0, 60), max_size=60).map(sorted)
WINDOWS = st.integers(1, 20)
POWERS_OF_TWO = st.sampled_from([1, 2, 4, 8])  # waits of a bucket are exact in binary
CAPACITIES = st.none() | st.integers(1, 8)
A_BIT = 2.0**-20
LIMITS = st.builds(
    Limit,
    allowance=POWERS_OF_TWO,
    window_seconds=WINDOWS,
    limit_model=st.sampled_from(MODELS),
    limit_capacity=CAPACITIES,
    limit_phase_seconds=st.integers(-30, 30),
    limit_refused_count=st.booleans(),
)


def brute_force(times: list[int], window: int) -> int:
    return max((sum(start <= at < start + window for at in times) for start in times), default=0)


def let_in(limit: Limit, times: list[int]) -> list[int]:
    limiter = Limiter(limit)
    return [at for at in times if limiter.admit("key", at) is None]


def greedy(times: list[int], fits: object) -> list[int]:
    """What a limit lets in that refuses a call only where the calls let in would not fit with it."""
    assert callable(fits)
    accepted: list[int] = []
    for at in times:
        if fits([*accepted, at]):
            accepted.append(at)
    return accepted


@given(TIMES, WINDOWS)
def test_the_worst_window_is_the_one_brute_force_finds(times: list[int], window: int) -> None:
    assert worst_window(times, window) == brute_force(times, window)


@given(TIMES, WINDOWS, st.integers(0, 8))
def test_a_sliding_window_lets_in_all_that_keeps_every_window_within_the_allowance(
    times: list[int], window: int, allowance: int
) -> None:
    def fits(calls: list[int]) -> bool:
        return brute_force(calls, window) <= allowance

    assert let_in(Limit(allowance, window), times) == greedy(times, fits)


@given(TIMES, WINDOWS, st.integers(0, 8), st.integers(-30, 30))
def test_a_fixed_window_lets_in_the_allowance_from_each_boundary_to_the_next(
    times: list[int], window: int, allowance: int, phase: int
) -> None:
    def fits(calls: list[int]) -> bool:
        return max(Counter((at - phase) // window for at in calls).values()) <= allowance

    limit = Limit(allowance, window, limit_model="fixed_window", limit_phase_seconds=phase)
    assert let_in(limit, times) == greedy(times, fits)


@given(TIMES, WINDOWS, st.integers(1, 8), CAPACITIES, st.sampled_from(["token_bucket", "leaky_bucket"]))
def test_a_bucket_lets_in_its_capacity_at_once_and_the_allowance_a_window(
    times: list[int], window: int, allowance: int, capacity: int | None, model: Model
) -> None:
    depth = allowance if capacity is None else capacity

    def fits(calls: list[int]) -> bool:
        newest = calls[-1]
        stretches = ((len(calls) - place, newest - at) for place, at in enumerate(calls))
        return all(count * window <= depth * window + allowance * seconds for count, seconds in stretches)

    limit = Limit(allowance, window, limit_model=model, limit_capacity=capacity)
    assert let_in(limit, times) == greedy(times, fits)


@given(TIMES, LIMITS)
def test_a_refused_call_is_told_the_exact_moment_from_which_it_is_let_in(times: list[int], limit: Limit) -> None:
    limiter = Limiter(limit)
    for at in times:
        wait = limiter.admit("key", at)
        if wait is not None:
            too_early, in_time = copy.deepcopy(limiter), copy.deepcopy(limiter)
            assert too_early.admit("key", at + wait - A_BIT) is not None
            assert in_time.admit("key", at + wait) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=60), LIMITS)
def test_a_key_is_never_slowed_by_another(steps: list[tuple[str, int]], limit: Limit) -> None:
    together, at, answers, times = Limiter(limit), 0, [], []
    for key, pause in steps:
        at += pause
        times.append(at)
        answers.append(together.admit(key, at))
    for key in "abc":
        alone = Limiter(limit)
        mine = [place for place, (name, _) in enumerate(steps) if name == key]
        assert [alone.admit(key, times[place]) for place in mine] == [answers[place] for place in mine]


def answers(limit: Limit, *times: float) -> list[float | None]:
    limiter = Limiter(limit)
    return [limiter.admit("key", at) for at in times]


def test_a_fixed_window_lets_two_allowances_through_around_its_boundary_and_a_sliding_one_does_not() -> None:
    around = (9, 9, 9.5, 10, 10, 10.5)
    fixed = Limit(2, 10, limit_model="fixed_window")
    assert answers(fixed, *around) == [None, None, 0.5, None, None, 9.5]
    assert answers(Limit(2, 10), *around) == [None, None, 9.5, 9, 9, 8.5]
    assert answers(fixed.changed({"limit_phase_seconds": 5}), *around) == [None, None, 5.5, 5, 5, 4.5]


def test_a_full_bucket_and_its_refill_let_almost_two_allowances_into_one_window() -> None:
    bucket = Limit(4, 8, limit_model="token_bucket")
    times = [0, 0, 0, 0, 0, 2, 2, 4, 6]
    assert answers(bucket, *times) == [None, None, None, None, 2, None, 2, None, None]
    assert worst_window(let_in(bucket, times), 8) == 7


def test_a_bucket_may_take_less_at_once_than_the_allowance() -> None:
    small = Limit(4, 8, limit_model="leaky_bucket", limit_capacity=1)
    assert answers(small, 0, 0, 1, 2, 100, 100) == [None, 2, 1, None, None, 2]


@pytest.mark.parametrize("model", MODELS)
def test_an_allowance_of_none_lets_nothing_in(model: Model) -> None:
    assert None not in answers(Limit(0, 10, limit_model=model, limit_capacity=3), 0, 10, 25)


@pytest.mark.parametrize(
    ("model", "wait"),
    [("sliding_window", 10), ("fixed_window", 4), ("token_bucket", 10), ("leaky_bucket", 10)],
)
def test_a_refused_call_counts_where_the_limit_says_so(model: Model, wait: float) -> None:
    limit = Limit(1, 10, limit_model=model)
    assert answers(limit, 0, 6) == [None, 4]
    assert answers(limit.changed({"limit_refused_count": True}), 0, 6) == [None, wait]


@pytest.mark.parametrize("model", ["sliding_window", "token_bucket", "leaky_bucket"])
def test_where_refused_calls_count_a_caller_who_never_pauses_is_never_let_in_again(model: Model) -> None:
    limit = Limit(2, 10, limit_model=model, limit_refused_count=True)
    assert [wait is None for wait in answers(limit, *range(40))] == [True, True, *[False] * 38]
    polite = limit.changed({"limit_refused_count": False})
    assert len(let_in(polite, list(range(40)))) == 8 + (model != "sliding_window")


def test_another_model_begins_with_nothing_used_and_another_allowance_does_not() -> None:
    limiter = Limiter(Limit(1, 10))
    assert limiter.admit("key", 0) is None
    limiter.change(limiter.limit.changed({"allowance": 2}))
    assert [limiter.admit("key", 1) for _ in range(2)] == [None, 9]
    limiter.change(limiter.limit.changed({"limit_model": "token_bucket"}))
    assert [limiter.admit("key", 2) for _ in range(3)] == [None, None, 5]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limit_model": "lava_lamp"}, "limit_model: 'lava_lamp' is not one of sliding_window, fixed_window, token_bu"),
        ({"limit_model": []}, "limit_model"),
        ({"limit_capacity": 0}, "limit_capacity: must be a whole number from 1 on, or null"),
        ({"limit_capacity": 1.5}, "limit_capacity"),
        ({"limit_phase_seconds": float("inf")}, "limit_phase_seconds: must be a number of seconds"),
        ({"limit_refused_count": 1}, "limit_refused_count: must be true or false"),
        ({"allowance": -1}, "allowance: must be a whole number, zero or more"),
        ({"window_seconds": 0}, "window_seconds: must be a number of seconds above zero"),
    ],
)
async def test_a_limit_that_cannot_be_is_refused_by_the_name_of_the_switch(
    solid: Client, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(SwitchError, match=said):
        Limit().changed(changes)
    if float("inf") not in changes.values():  # JSON has no such number
        reply = await solid.control.post("/switch", json=changes)
        assert reply.status_code == 400
        assert reply.json()["error"].startswith(said)


async def test_the_call_after_the_allowance_is_refused_until_the_window_has_slid(solid: Client, moment: Time) -> None:
    await solid.switch(allowance=3, window_seconds=10)
    for _ in range(3):
        assert (await solid.get("/accounts")).status_code == 200
        moment.seconds += 1
    refused = await solid.get("/accounts")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    moment.seconds += 6.5
    assert (await solid.get("/accounts")).status_code == 429
    moment.seconds += 0.5
    assert (await solid.get("/accounts")).status_code == 200
    verdict = await solid.judge()
    assert (verdict["calls"], verdict["count_429"]) == (6, 2)
    assert (verdict["worst_window"], verdict["worst_window_accepted"]) == (5, 3)
    assert verdict["within_allowance"] is False
    assert (await solid.judge(window_seconds=1))["worst_window"] == 2


async def test_the_model_is_switched_and_shown(solid: Client, moment: Time) -> None:
    state = await solid.switch(limit_model="token_bucket", limit_capacity=1, allowance=6, window_seconds=60)
    assert (state["limit_model"], state["limit_capacity"], state["limit_refused_count"]) == ("token_bucket", 1, False)
    moment.seconds += 5
    assert (await solid.get("/accounts")).status_code == 200
    moment.seconds += 2.5
    refused = await solid.get("/accounts")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "8")
    moment.seconds += 7.5
    assert (await solid.get("/accounts")).status_code == 200
    assert [call.counted for call in solid.simulation.calls] == [True, False, True]
    await solid.switch(limit_refused_count=True)
    assert (await solid.get("/accounts")).status_code == 429
    assert solid.simulation.calls[-1].counted


@pytest.mark.parametrize(("as_200", "header"), [(True, False), (False, True)])
async def test_the_refusal_can_hide_its_status_and_its_header(solid: Client, *, as_200: bool, header: bool) -> None:
    await solid.switch(allowance=0, rate_limit_as_200=as_200, rate_limit_header=header)
    reply = await solid.get("/accounts")
    assert reply.status_code == (200 if as_200 else 429)
    assert ("Retry-After" in reply.headers) is header
    assert (await solid.judge())["count_429"] == 1
