"""Asking Stripe: what it refuses is said as a person needs it, overload is waited out, and the key stands nowhere."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producers.calling.errors import NotThere, ProviderError, ProviderUnreachable, TokenRefused
from producers.stripe.api.client import VERSION
from staging.stripe_api import ACCOUNT, KEY
from tests.fakes import FakeClock
from tests.unit.producers.stripe.api.stand_in import PAYOUTS, TRANSACTIONS, api_of, key_file, sold, stripe

LIVE = KEY.replace("test", "live")


async def test_every_call_says_the_key_and_one_version(tmp_path: Path) -> None:
    with stripe() as server:
        async with api_of(server, tmp_path, FakeClock()) as api:
            assert await api.account() == ACCOUNT
            await api.get(PAYOUTS)
    assert server.versions == {VERSION}


async def test_an_overload_is_waited_out_for_as_long_as_stripe_says(tmp_path: Path) -> None:
    clock = FakeClock()
    with stripe() as server:
        server.limited, server.retry_after = 2, "7"
        async with api_of(server, tmp_path, clock) as api:
            await api.get(TRANSACTIONS)
    assert clock.slept == [7.0, 7.0]
    assert len(server.calls) == 3


async def test_an_overload_without_end_ends_the_reading(tmp_path: Path) -> None:
    with stripe() as server:
        server.limited, server.retry_after = 1000, None
        async with api_of(server, tmp_path, FakeClock()) as api:
            with pytest.raises(ProviderUnreachable, match="429"):
                await api.get(TRANSACTIONS)


async def test_a_key_that_may_not_read_is_refused_with_the_right_it_lacks(tmp_path: Path) -> None:
    with stripe() as server:
        server.forbidden = {PAYOUTS}
        async with api_of(server, tmp_path, FakeClock()) as api:
            with pytest.raises(TokenRefused, match=r"GET /v1/payouts .* no right to read this .rak_payout_read"):
                await api.get(PAYOUTS)


async def test_a_wrong_key_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    with stripe(key="rk_test_another000000000000") as server:
        async with api_of(server, tmp_path, FakeClock()) as api:
            with pytest.raises(TokenRefused, match=r"does not know the key in .*stripe_key"):
                await api.get(PAYOUTS)


async def test_an_account_that_the_key_cannot_read_is_refused_by_its_name(tmp_path: Path) -> None:
    with stripe() as server:
        async with api_of(server, tmp_path, FakeClock()) as api:
            with pytest.raises(TokenRefused, match="may not read account acct_stranger"):
                await api.get(PAYOUTS, account="acct_stranger")


@pytest.mark.parametrize(("key", "is_live", "said"), [(KEY, True, "key of test mode"), (LIVE, False, "real money")])
async def test_a_key_of_the_other_mode_is_refused_before_it_is_used(
    tmp_path: Path, *, key: str, is_live: bool, said: str
) -> None:
    with stripe(key=key) as server:
        async with api_of(server, tmp_path, FakeClock(), key=key, is_live=is_live) as api:
            with pytest.raises(TokenRefused, match=said):
                await api.get(PAYOUTS)
    assert server.calls == []


async def test_an_answer_of_the_other_mode_is_refused_whatever_the_key_looks_like(tmp_path: Path) -> None:
    with stripe(key=LIVE) as server:
        server.add(TRANSACTIONS, sold(1))
        async with api_of(server, tmp_path, FakeClock(), key=LIVE, is_live=True) as api:
            with pytest.raises(TokenRefused, match="livemode false"):
                await api.get(TRANSACTIONS, (("expand[]", "data.source"),))


async def test_a_file_that_holds_no_key_of_stripe_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    with stripe() as server:
        async with api_of(server, tmp_path, FakeClock()) as api:
            key_file(tmp_path, "whsec_not_a_key_at_all_0123")
            with pytest.raises(TokenRefused, match="a key of Stripe") as refused:
                await api.get(PAYOUTS)
    assert "not_a_key" not in str(refused.value)


async def test_a_new_key_in_the_file_is_used_at_the_next_call(tmp_path: Path) -> None:
    with stripe() as server:
        async with api_of(server, tmp_path, FakeClock()) as api:
            await api.get(PAYOUTS)
            server.key = "rk_test_renewed0000000000"
            key_file(tmp_path, server.key)
            await api.get(PAYOUTS)


async def test_the_key_is_in_no_log_and_no_message(tmp_path: Path) -> None:
    said: list[str] = []
    with stripe() as server, capture_logs() as logs:
        server.forbidden, server.limited, server.retry_after = {PAYOUTS}, 5, None
        async with api_of(server, tmp_path, FakeClock()) as api:
            for path in (TRANSACTIONS, PAYOUTS, "/v2/nothing"):
                try:
                    await api.get(path)
                except ProviderError as error:
                    said += [str(error), repr(error), repr(error.__cause__)]
            said.append(repr(api))
    assert len(said) == 10
    assert KEY not in f"{said}{logs}"


async def test_what_is_not_there_is_said_by_its_path(tmp_path: Path) -> None:
    with stripe() as server:
        async with api_of(server, tmp_path, FakeClock()) as api:
            with pytest.raises(NotThere, match="/v2/nothing"):
                await api.get("/v2/nothing")
