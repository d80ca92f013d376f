"""Pulling when the provider fails: tokens that expire, passing and lasting failures, answers that are none."""

import httpx2
import pytest

from producers.calling.errors import ProviderUnreachable, TokenRefused, UnexpectedAnswer
from tests.unit.producers.payroll.providers import (
    MARKS,
    answered,
    broken,
    payroll,
)
from tests.unit.producers.payroll.pulls import Bench, bench

__all__ = ["bench"]


async def test_a_token_that_expires_in_mid_pull_is_renewed_once_and_the_pull_goes_on(bench: Bench) -> None:
    bench.gusto.payrolls = [payroll(f"run-{number}") for number in range(3)]
    bench.gusto.after = lambda gusto: gusto.tokens.discard("access-1")
    assert [outcome.became for outcome in await bench.pull()] == ["told"] * 3
    assert bench.gusto.grants == 1
    assert bench.tokens == {"access_token": "access-2", "refresh_token": "refresh-2"}


async def test_new_tokens_are_on_the_disk_before_the_new_one_is_used(bench: Bench) -> None:
    bench.gusto.tokens = set()
    kept_when_used: set[str] = set()
    bench.gusto.after = lambda _: kept_when_used.add(bench.tokens["refresh_token"])
    await bench.pull()
    assert kept_when_used == {"refresh-2"}


async def test_a_renewal_that_is_refused_says_what_to_do(bench: Bench) -> None:
    bench.gusto.tokens, bench.gusto.refresh = set(), "another"
    with pytest.raises(TokenRefused, match=r"payroll\.gusto.*refused to renew.*Authorise the relay anew"):
        await bench.pull()
    assert bench.tokens["refresh_token"] == "refresh-1"


@pytest.mark.parametrize(
    "fault", [answered(500), answered(502), broken(httpx2.ReadTimeout), broken(httpx2.ConnectError)]
)
async def test_a_passing_failure_is_tried_again(bench: Bench, fault: object) -> None:
    bench.gusto.payrolls = [payroll()]
    bench.gusto.faults = [fault, fault]  # type: ignore[list-item]  # a fault of any kind
    assert [outcome.became for outcome in await bench.pull()] == ["told"]
    assert bench.clock.slept == [1.0, 2.0]


async def test_a_lasting_failure_ends_the_pull_with_its_name(bench: Bench) -> None:
    bench.gusto.faults = [answered(503)] * 5
    with pytest.raises(ProviderUnreachable, match=r"payroll\.gusto: GET .* failed 5 times \(503\)"):
        await bench.pull()


@pytest.mark.parametrize("said", ["7", "Thu, 15 Jan 2026 12:00:07 GMT"])
async def test_the_provider_says_how_long_to_wait(bench: Bench, said: str) -> None:
    bench.gusto.payrolls = [payroll()]
    bench.gusto.faults = [answered(429, **{"Retry-After": said})]
    assert [outcome.became for outcome in await bench.pull()] == ["told"]
    assert bench.clock.slept == [7.0]


async def test_a_provider_that_asks_for_an_hour_is_left_alone(bench: Bench) -> None:
    bench.gusto.faults = [answered(429, **{"Retry-After": "3600"})]
    with pytest.raises(ProviderUnreachable, match="asks to wait 3600 s"):
        await bench.pull()
    assert bench.clock.slept == []


async def test_an_answer_that_is_no_json_is_an_error_without_its_content(bench: Bench) -> None:
    bench.gusto.faults = [lambda _: httpx2.Response(200, text=f"<html>{MARKS[0]}")]
    with pytest.raises(UnexpectedAnswer) as raised:
        await bench.pull()
    assert MARKS[0] not in repr(raised.value)
