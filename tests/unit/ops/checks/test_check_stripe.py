"""What `relay check` asks Stripe: whose the key is, what it may read, and which events are missing."""

from pathlib import Path

import pytest

from ops.checks.findings import Checklist
from ops.checks.stripe import check_stripe
from producers.stripe.subscribed import ALL
from runtime.settings import Settings
from staging.stripe_api import KEY, StripeApiServer
from tests.fakes import FakeClock
from tests.unit.producers.made import CREATED
from tests.unit.producers.stripe.api.stand_in import PAYOUTS, key_file, stripe

ENDPOINTS = "/v1/webhook_endpoints"
OURS = "https://relay.example/webhooks/stripe"
SECRET = "whsec_0123456789abcdef01"


async def checked(server: StripeApiServer, folder: Path, **said: object) -> Checklist:
    own = {"api_key_file": str(key_file(folder, server.key)), "api_base_url": server.url, "test_mode": True}
    checklist = Checklist()
    await check_stripe(checklist, Settings.model_validate({"stripe": own | {"secrets": [SECRET]} | said}), FakeClock())
    return checklist


def endpoint(*types: str, url: str = OURS, status: str = "enabled") -> dict[str, object]:
    return {"id": f"we_{url}", "url": url, "status": status, "enabled_events": list(types), "created": CREATED}


async def test_a_good_key_is_told_with_its_account_and_mode_and_without_a_letter_of_it(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(ENDPOINTS, endpoint(*ALL))
        checklist = await checked(server, tmp_path)
    first, second = checklist.findings
    assert first.ok
    assert "account acct_standin, in test mode" in first.text
    assert second.ok
    assert not second.note
    assert KEY not in str(checklist)


async def test_every_right_that_is_missing_is_named(tmp_path: Path) -> None:
    with stripe() as server:
        server.forbidden = {PAYOUTS, "/v1/disputes"}
        [finding] = (await checked(server, tmp_path)).findings
    assert not finding.ok
    assert "/v1/payouts" in finding.text
    assert "/v1/disputes" in finding.text


async def test_a_wrong_key_another_mode_and_another_account_are_wrong(tmp_path: Path) -> None:
    with stripe() as server:
        wrong = [
            await checked(server, tmp_path, api_key_file=str(tmp_path / "none")),
            await checked(server, tmp_path, test_mode=False),
            await checked(server, tmp_path, accounts={"acct_mine": "main"}),
        ]
    assert [each.ok for checklist in wrong for each in checklist.findings] == [False, False, False]


@pytest.mark.parametrize("types", [["*"], sorted(ALL)])
async def test_all_that_is_used_may_be_subscribed_by_name_or_as_all(tmp_path: Path, types: list[str]) -> None:
    with stripe() as server:
        server.add(ENDPOINTS, endpoint(*types))
        checklist = await checked(server, tmp_path)
    assert not any(finding.note for finding in checklist.findings)


async def test_what_is_not_subscribed_is_warned_of_by_name(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(
            ENDPOINTS,
            endpoint(*(ALL.keys() - {"payout.failed"})),
            endpoint("payout.failed", url="https://elsewhere.example/"),
        )
        checklist = await checked(server, tmp_path, url=OURS)
    [note] = [finding for finding in checklist.findings if finding.note]
    assert note.text.endswith("subscribe to payout.failed (payouts that come back)")


async def test_an_endpoint_that_is_switched_off_sends_nothing(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(ENDPOINTS, endpoint("*", status="disabled"))
        checklist = await checked(server, tmp_path)
    assert "no webhook endpoint" in checklist.findings[-1].text


async def test_a_key_that_may_not_see_endpoints_is_good_and_says_so(tmp_path: Path) -> None:
    with stripe() as server:
        server.forbidden = {ENDPOINTS}
        checklist = await checked(server, tmp_path)
    assert all(finding.ok for finding in checklist.findings)
    assert checklist.findings[-1].text.endswith(", ".join(ALL))


async def test_without_a_key_it_is_said_what_stays_in_clearing(tmp_path: Path) -> None:
    with stripe() as server:
        checklist = await checked(server, tmp_path, api_key_file=None)
    stays, subscribe = checklist.findings
    assert "stay in Stripe Clearing" in stays.text
    assert subscribe.text == f"subscribe to {', '.join(ALL)}"
    assert server.calls == []


async def test_who_does_not_use_stripe_hears_nothing_of_it() -> None:
    checklist = Checklist()
    await check_stripe(checklist, Settings(), FakeClock())
    assert checklist.findings == []
