"""`relay payouts` on a real store: what the inbox has, what waits for a person, and what nobody has told yet."""

import asyncio
from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.commands.relay import app
from ops.composing.workers import open_store
from ops.standing.payouts import Recorded, none_recorded, payouts_status
from runtime.settings import ConfigurationError, Settings
from store.claims import EventRef, Fresh, Intent
from store.dead_letters import DeadLetters, Letter
from store.inbox import Inbox
from store.sales.payouts import Payout, PayoutItem, Payouts
from tests.fakes import FakeClock

PAYOUT = Payout(
    payout="po_1",
    fact="stripe:payout:po_1",
    amount=Decimal("97.00"),
    currency="USD",
    arrival=date(2026, 11, 30),
    automatic=True,
    status="paid",
)
SALE = PayoutItem(
    transaction="txn_1",
    kind="charge",
    source="ch_1",
    facts=("stripe:charge:ch_1",),
    type="sales.payment.succeeded.v1",
    gross=Decimal("100.00"),
    fee=Decimal("3.00"),
    tax=Decimal(0),
    net=Decimal("97.00"),
    currency="USD",
)
IN_THE_BOOKS = {
    "stripe:charge:ch_1:payment": "100.00",
    "stripe:charge:ch_1:fee": "3.00",
    "stripe:payout:po_1": "97.00",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.commands.running.configure_logs", lambda *_: None)  # it would outlive the test
    monkeypatch.setenv("RELAY_STORE__URL", url)
    monkeypatch.setenv("RELAY_RABBITMQ__URL", "amqp://127.0.0.1:1/")
    return Settings(store={"url": url})


async def keep(settings: Settings, clock: FakeClock, payout: Payout = PAYOUT, *, without: str = "") -> None:
    """A payout of one sale, of which all is in the books but what is named."""
    async with open_store(settings) as engine:
        await Payouts(engine, clock).keep("main", payout, [SALE])
        inbox = Inbox(engine, owner="a", lease=timedelta(seconds=60), clock=clock)
        event = EventRef(source="/api/stripe", id="txn_1", type="sales.payment.succeeded.v1", subject="ch_1")
        for external_id, amount in IN_THE_BOOKS.items():
            if external_id == without:
                continue
            intent = Intent(external_id, "entry", "hash", amount=Decimal(amount), currency="USD")
            [claim] = await inbox.claim("main", event, [intent])
            assert isinstance(claim, Fresh)
            await inbox.applied("main", external_id, claim.epoch, solid_id="s-1")


async def status(
    settings: Settings, clock: FakeClock, *, payout: str | None = None, recorded: Recorded = none_recorded
) -> list[dict[str, Any]]:
    found = await payouts_status(settings, clock, company=None, payout=payout, recorded=recorded)
    return list(found["payouts"])


async def test_a_payout_that_is_all_in_the_books_is_proven(settings: Settings, clock: FakeClock) -> None:
    await keep(settings, clock)
    [found] = await status(settings, clock)
    assert (found["state"], found["bank_line"], found["missing"]) == ("proven", Decimal("97.00"), [])
    assert await status(settings, clock, payout="po_9") == []


async def test_a_negative_payout_is_compared_with_its_sign(settings: Settings, clock: FakeClock) -> None:
    negative = Payout(
        payout="po_1",
        fact="stripe:payout:po_1",
        amount=Decimal("-97.00"),
        currency="USD",
        arrival=date(2026, 11, 30),
        automatic=False,
        status="paid",
    )
    await keep(settings, clock, negative)
    [found] = await status(settings, clock)
    assert (found["state"], found["bank_line"]) == ("not_listed", Decimal("-97.00"))


async def test_what_is_missing_is_told_with_the_reason_of_its_dead_letter(settings: Settings, clock: FakeClock) -> None:
    await keep(settings, clock, without="stripe:charge:ch_1:fee")
    [found] = await status(settings, clock)
    assert (found["state"], [each["why"] for each in found["missing"]]) == ("missing", [None])
    async with open_store(settings) as engine:
        letter = Letter(
            id="l-1",
            queue="relay.sales.dlq",
            reason="unmapped:account:processing_fees",
            error="",
            attempts=1,
            headers={},
            body=b"",
            company="main",
            subject="ch_1",
        )
        await DeadLetters(engine, clock).add(letter)
    [found] = await status(settings, clock)
    assert [each["why"] for each in found["missing"]] == ["unmapped:account:processing_fees"]


async def test_what_a_summary_has_recorded_is_in_the_books(settings: Settings, clock: FakeClock) -> None:
    await keep(settings, clock, without="stripe:charge:ch_1:payment")

    async def recorded(company: str, external_ids: Collection[str]) -> list[str]:
        assert company == "main"
        return [each for each in external_ids if each == "stripe:charge:ch_1:payment"]

    assert [each["state"] for each in await status(settings, clock)] == ["missing"]
    assert [each["state"] for each in await status(settings, clock, recorded=recorded)] == ["proven"]


async def test_an_unknown_company_is_refused(settings: Settings, clock: FakeClock) -> None:
    with pytest.raises(ConfigurationError, match="company branch is not known; known: main"):
        await payouts_status(settings, clock, company="branch", payout=None)


def test_the_command_tells_by_its_exit_code_whether_all_hold(settings: Settings, clock: FakeClock) -> None:
    asyncio.run(keep(settings, clock))
    done = CliRunner().invoke(app, ["payouts"])
    assert (done.exit_code, "po_1" in done.stdout) == (0, True), done.output
    assert CliRunner().invoke(app, ["payouts", "po_9"]).exit_code == 1
