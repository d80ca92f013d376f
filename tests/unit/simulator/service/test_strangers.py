"""A stranger on a company's key: the allowance is really shared, and none of the stranger's calls are ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.service.keys import name_of
from simulator.service.limits import Limit, Limiter
from simulator.service.simulation import DEMO_KEY
from simulator.service.strangers import Strangers
from tests.unit.simulator.client import Client, Json, Time

NAME = name_of(DEMO_KEY)


async def test_a_stranger_uses_up_the_allowance_and_is_judged_apart(solid: Client, moment: Time) -> None:
    await solid.switch(allowance=3, window_seconds=10, stranger={"rate_per_second": 0.5, "seconds": 100})
    moment.seconds += 3  # the stranger called at 0 and at 2
    assert (await solid.get("/accounts")).status_code == 200
    refused = await solid.get("/accounts")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    moment.seconds += 7  # refused at 4, 6 and 8, let in at 10: before ours
    assert (await solid.get("/accounts")).status_code == 429
    verdict = await solid.judge()
    assert verdict["stranger"] == {"let_in": 3, "refused": 3}
    assert (verdict["calls"], verdict["rate_limited"], verdict["worst_window"]) == (3, 2, 3)
    assert verdict["by_key"] == {NAME: {"calls": 3, "refused": 2, "worst_window": 3}}
    assert len(solid.simulation.calls) == 3


async def test_a_stranger_leaves_when_the_time_is_over(solid: Client, moment: Time) -> None:
    assert (await solid.switch(stranger={"rate_per_second": 3, "seconds": 2}))["strangers"] == [NAME]
    moment.seconds += 1.9
    assert (await solid.judge())["stranger"] == {"let_in": 6, "refused": 0}
    moment.seconds += 100
    assert (await solid.judge())["stranger"] == {"let_in": 6, "refused": 0}
    assert (await solid.switch())["strangers"] == []


async def test_a_stranger_is_sent_away_and_what_was_called_stays(solid: Client, moment: Time) -> None:
    await solid.switch(stranger={"rate_per_second": 1, "seconds": 100})
    moment.seconds += 2.5
    await solid.switch(stranger={"rate_per_second": 0, "seconds": 0})
    moment.seconds += 50
    assert (await solid.judge())["stranger"] == {"let_in": 3, "refused": 0}


async def test_a_limit_that_is_switched_counts_the_stranger_under_the_old_one_until_then(
    solid: Client, moment: Time
) -> None:
    await solid.switch(allowance=100, stranger={"rate_per_second": 1, "seconds": 100})
    moment.seconds += 4.5
    await solid.switch(allowance=0)
    moment.seconds += 2
    assert (await solid.judge())["stranger"] == {"let_in": 5, "refused": 2}


async def test_a_stranger_slows_only_the_key_that_is_shared(solid: Client, moment: Time) -> None:
    other = "b" * 64
    await solid.switch(key=other, keep_old_key=True)
    await solid.switch(allowance=1, stranger={"key": NAME, "rate_per_second": 1, "seconds": 5})
    moment.seconds += 1
    assert (await solid.get("/accounts")).status_code == 429
    assert (await solid.http.get("/api/v1/accounts", headers={"X-API-Key": other})).status_code == 200
    assert (await solid.judge(key=name_of(other)))["stranger"] == {"let_in": 0, "refused": 0}
    assert (await solid.judge(key=NAME, since=1000.5))["stranger"] == {"let_in": 0, "refused": 1}


@pytest.mark.parametrize(
    ("stranger", "said"),
    [
        (3, "stranger: must be an object of key, rate_per_second, seconds"),
        ({"rate": 3}, "stranger: must be an object of key, rate_per_second, seconds"),
        ({"rate_per_second": 3}, "stranger.seconds: must be a number of seconds"),
        ({"seconds": 3}, "stranger.rate_per_second: must be a number of calls a second"),
        ({"rate_per_second": 3, "seconds": 3, "key": "00000000"}, "stranger.key: must be the short name of a good key"),
        ({"rate_per_second": -1, "seconds": 3}, "stranger: rate_per_second must be zero or more"),
        ({"rate_per_second": 1e6, "seconds": 2}, "stranger: rate_per_second must be zero or more, and the calls"),
    ],
)
async def test_a_wrong_stranger_is_refused_by_name(solid: Client, stranger: Json, said: str) -> None:
    reply = await solid.control.post("/switch", json={"stranger": stranger})
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(said)


async def test_with_many_keys_a_stranger_needs_to_be_told_which(solid: Client) -> None:
    await solid.switch(key="b" * 64, keep_old_key=True)
    reply = await solid.control.post("/switch", json={"stranger": {"rate_per_second": 1, "seconds": 1}})
    assert reply.json()["error"].startswith("stranger.key:")


@given(st.lists(st.integers(0, 12), max_size=20), st.integers(1, 6))
def test_when_a_stranger_is_accounted_for_makes_no_difference(pauses: list[int], allowance: int) -> None:
    end = 1000.0 + sum(pauses)
    often, once = (Strangers() for _ in range(2))
    for strangers, stops in ((often, pauses), (once, [sum(pauses)])):
        limiter, at = Limiter(Limit(allowance, 10)), 1000.0
        strangers.start("key", at=at, rate_per_second=0.75, seconds=60)
        for pause in stops:
            at += pause
            strangers.settle(limiter, at)
        strangers.settle(limiter, end)
    assert often.calls == once.calls
    assert all(call.monotonic <= end for call in often.calls)
