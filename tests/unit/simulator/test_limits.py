"""The sliding window: the limit that is kept and the measure that judges it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.limits import SlidingWindow, worst_window
from tests.unit.simulator.client import Client, Time

TIMES = st.lists(st.integers(0, 60), max_size=60)


def brute_force(times: list[int], window: int) -> int:
    return max((sum(start <= at < start + window for at in times) for start in times), default=0)


@given(TIMES, st.integers(1, 20))
def test_the_worst_window_is_the_one_brute_force_finds(times: list[int], window: int) -> None:
    assert worst_window(times, window) == brute_force(times, window)


@given(TIMES, st.integers(1, 20), st.integers(1, 8))
def test_what_is_let_in_never_breaks_the_allowance_and_nothing_is_refused_needlessly(
    times: list[int], window: int, allowance: int
) -> None:
    limiter = SlidingWindow(allowance, window)
    let_in: list[int] = []
    for at in sorted(times):
        recent = sum(at - earlier < window for earlier in let_in)
        wait = limiter.admit("key", at)
        assert (wait is None) == (recent < allowance)
        if wait is None:
            let_in.append(at)
        else:
            assert sum(at + wait - earlier < window for earlier in let_in) < allowance
    assert worst_window(let_in, window) <= allowance


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


async def test_each_key_has_an_allowance_of_its_own(solid: Client) -> None:
    await solid.switch(allowance=1)
    assert (await solid.get("/accounts")).status_code == 200
    assert (await solid.get("/accounts")).status_code == 429
    await solid.switch(key="n" * 64)
    solid.http.headers["X-API-Key"] = "n" * 64
    assert (await solid.get("/accounts")).status_code == 200


@pytest.mark.parametrize(("as_200", "header"), [(True, False), (False, True)])
async def test_the_refusal_can_hide_its_status_and_its_header(solid: Client, *, as_200: bool, header: bool) -> None:
    await solid.switch(allowance=0, rate_limit_as_200=as_200, rate_limit_header=header)
    reply = await solid.get("/accounts")
    assert reply.status_code == (200 if as_200 else 429)
    assert ("Retry-After" in reply.headers) is header
    assert (await solid.judge())["count_429"] == 1
