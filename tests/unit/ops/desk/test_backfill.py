"""`relay backfill stripe`: what is missing is published, what is known is not, and who stops it can go on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from ops.composing.known import KnownHere
from ops.desk import backfill as backfilling
from ops.desk.backfill import Backfilled, Wanted, backfill
from ops.showing.backfill import show_backfilled
from runtime.errors import ConfigurationError
from runtime.settings import Settings
from schemas.envelope import Event, encode
from schemas.sales import PaymentRefunded, RefundPending
from staging.stripe_api import StripeApiServer
from store import migrate
from store.claims import EventRef, Intent
from store.dead_letters import DeadLetters, Letter
from store.engine import connect
from store.inbox import Inbox
from store.sales.lines import Recording
from store.sales.payouts import Payouts
from store.sales.summaries import SummaryStore
from store.sales.told import SalesStore
from tests.fakes import FakeClock
from tests.unit.producers.made import CREATED, charge, dispute, refund, transaction
from tests.unit.producers.receiving import FakePublisher
from tests.unit.producers.stripe.api.stand_in import (
    DAY,
    EVENTS,
    PAYOUTS,
    TRANSACTIONS,
    event,
    key_file,
    own_of,
    paid_out,
    sold,
    stripe,
)
from tests.unit.producers.told import intent, invoice, invoice_payment
from workers.books.books import load_books
from workers.plans import plan
from workers.plans.writes import ContactWrite
from workers.sales.names import names_of
from workers.sales.noting import noted
from workers.sales.sale import known
from workers.sales.units import units_of

BOOKS = 'base_currency = "USD"\n' + resources.files("workers.books").joinpath("sample_books.toml").read_text()
SINCE = date(2025, 11, 1)


@dataclass
class Desk:
    """A store, a stand-in for Stripe, and backfills of it."""

    folder: Path
    server: StripeApiServer
    clock: FakeClock = field(default_factory=FakeClock)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    said: dict[str, Any] = field(default_factory=dict)
    steps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'relay.db'}"

    @property
    def settings(self) -> Settings:
        own: dict[str, Any] = {
            "api_key_file": str(key_file(self.folder, self.server.key)),
            "api_base_url": self.server.url,
        }
        own |= {"test_mode": True, "api_calls_per_minute": 60_000}
        books = self.folder / "books.toml"
        books.write_text(BOOKS)
        return Settings.model_validate({"stripe": own | self.said, "store": {"url": self.url}, "books": str(books)})

    async def fill(self, *, dry: bool = False, company: str | None = None, stop_at: int | None = None) -> Backfilled:
        stop = asyncio.Event()

        def progress(_: str, done: int, of: int) -> None:
            self.steps.append((done, of))
            if done == stop_at:
                stop.set()

        wanted = Wanted(since=SINCE, company=company, is_dry=dry)
        return await backfill(self.settings, self.clock, wanted, stop=stop, progress=progress)

    async def post(self, told: Event) -> None:
        """Have what an event writes in the books."""
        engine = connect(self.url)
        inbox = Inbox(engine, owner="w", lease=timedelta(seconds=60), clock=self.clock)
        planned = plan(told, load_books(self.folder / "books.toml"))
        for write in planned.writes:
            if not isinstance(write, ContactWrite):
                intent = Intent(external_id=write.external_id, kind=write.kind, payload_hash=write.payload_hash)
                [claim] = await inbox.claim(told.company, EventRef("s", told.id, told.type, told.subject), [intent])
                await inbox.applied(told.company, write.external_id, claim.epoch, solid_id="1")  # type: ignore[union-attr]
        await engine.dispose()

    async def record(self, told: Event) -> None:
        """Have what an event writes in lines of a summary."""
        engine, books = connect(self.url), load_books(self.folder / "books.toml")
        inbox = Inbox(engine, owner="w", lease=timedelta(seconds=60), clock=self.clock)
        event = EventRef("s", told.id, told.type, told.subject)
        units = units_of(plan(told, books), books)
        recording = Recording(told.company, told.data.fact, "stripe", event, units)
        await SummaryStore(engine, self.clock, inbox.marks).record(recording)
        await engine.dispose()

    async def note(self, told: Event) -> None:
        """Have what an event tells of a sale noted."""
        engine, books = connect(self.url), load_books(self.folder / "books.toml")
        await SalesStore(engine, self.clock).change(
            told.company, names_of(told.data), lambda bodies: noted(known(bodies), told, books, whole=True).body()
        )
        await engine.dispose()

    async def park(self, told: Event, reason: str) -> None:
        """Put an event before a person."""
        engine = connect(self.url)
        letter = Letter(
            id=told.id,
            queue="relay.sales.dlq",
            reason=reason,
            error="e",
            attempts=1,
            headers={},
            body=encode(told),
            company=told.company,
            event_id="evt_of_a_webhook",
            event_type=told.type,
            subject=told.subject,
        )
        await DeadLetters(engine, self.clock).add(letter)
        await engine.dispose()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    migrate.upgrade(f"sqlite:///{tmp_path / 'relay.db'}")
    with stripe() as server:
        made = Desk(tmp_path, server)

        @asynccontextmanager
        async def publisher(*_: object) -> AsyncIterator[FakePublisher]:
            yield made.publisher

        monkeypatch.setattr(backfilling, "open_publisher", publisher)
        yield made


def fill(server: StripeApiServer) -> None:
    """Add a sale and its payout of two months ago, a lost dispute of then, and a capture of last week."""
    payout = paid_out(1, 1912, at=CREATED - 59 * DAY)
    server.add(TRANSACTIONS, sold(1, at=CREATED - 60 * DAY, payout="po_1"), own_of(payout))
    server.add(PAYOUTS, payout)
    taken = transaction(-25000, 1500, created=CREATED - 60 * DAY)
    server.add("/v1/disputes", dispute(taken, status="lost", created=CREATED - 70 * DAY, livemode=False))
    server.add(EVENTS, event(1, "charge.captured", charge(id="ch_8"), at=CREATED - 7 * DAY))


async def test_what_is_missing_is_published_the_oldest_first(desk: Desk) -> None:
    fill(desk.server)
    done = await desk.fill()
    assert done.ended
    assert [each.data.fact for each in desk.publisher.events] == [
        "stripe:dispute:dp_1:withdrawn",
        "stripe:dispute:dp_1:lost",
        "stripe:charge:ch_1",
        "stripe:payout:po_1",
        "stripe:charge:ch_8",
    ]
    assert desk.steps[-1] == (11, 11)


async def test_what_a_line_of_a_summary_holds_is_not_published_again(desk: Desk) -> None:
    desk.server.add(TRANSACTIONS, sold(1, at=CREATED - 60 * DAY), sold(2, at=CREATED - 59 * DAY))
    await desk.fill()
    first, second = desk.publisher.events
    await desk.record(first)
    desk.publisher.events.clear()
    done = await desk.fill()
    assert [told.data.fact for told in desk.publisher.events] == [second.data.fact]
    assert done.told.known == 1


async def test_payouts_are_kept_with_what_belongs_to_them(desk: Desk) -> None:
    fill(desk.server)
    await desk.fill()
    engine = connect(desk.url)
    [item] = await Payouts(engine, desk.clock).items("main", "po_1")
    await engine.dispose()
    assert item.transaction == "txn_1"


async def test_a_dry_run_says_what_would_be_published_with_counts_and_money(desk: Desk) -> None:
    fill(desk.server)
    figures = (await desk.fill(dry=True)).as_json()
    assert desk.publisher.events == []
    assert figures["events"] == {
        "sales.dispute.opened.v1": {"count": 1, "money": {"USD": "250.00"}},
        "sales.dispute.lost.v1": {"count": 1, "money": {"USD": "250.00"}},
        "sales.payment.succeeded.v1": {"count": 2, "money": {"USD": "40.00"}},
        "sales.payout.paid.v1": {"count": 1, "money": {"USD": "19.12"}},
    }
    engine = connect(desk.url)
    assert await Payouts(engine, desk.clock).one("main", "po_1") is None
    await engine.dispose()


async def test_what_the_books_have_is_not_published_again(desk: Desk) -> None:
    fill(desk.server)
    await desk.fill()
    for told in desk.publisher.events:
        await desk.post(told)
    desk.publisher.events.clear()
    done = await desk.fill()
    assert desk.publisher.events == []
    assert done.told.known == 5


def tell_of_a_sale(server: StripeApiServer) -> None:
    """Add what was told of a sale that is not taxed: its payment intent, its invoice, and which is of which."""
    told = {
        "payment_intent.succeeded": intent(),
        "invoice.paid": invoice(tax=0),
        "invoice_payment.paid": invoice_payment(),
    }
    server.add(
        EVENTS, *(event(number, kind, told[kind], at=CREATED - DAY + number) for number, kind in enumerate(told))
    )


async def test_what_is_noted_of_a_sale_and_writes_nothing_is_not_published_again(desk: Desk) -> None:
    tell_of_a_sale(desk.server)
    assert (await desk.fill()).told.events.total() == 3
    for told in desk.publisher.events:
        await desk.note(told)
    done = await desk.fill()
    assert (done.told.events.total(), done.told.known) == (0, 3)


async def test_what_another_event_names_of_a_sale_is_not_what_the_sale_tells_of_itself(desk: Desk) -> None:
    tell_of_a_sale(desk.server)
    await desk.fill()
    [link] = [told for told in desk.publisher.events if told.type == "sales.sale.linked.v1"]
    await desk.note(link)
    assert set((await desk.fill()).told.events) == {"sales.payment.expected.v1", "sales.sale.told.v1"}


async def test_what_is_recorded_for_an_entry_is_not_published_again(desk: Desk) -> None:
    desk.server.add(TRANSACTIONS, sold(1, at=CREATED - DAY))
    await desk.fill()
    [sale] = desk.publisher.events
    await desk.record(sale)
    assert (await desk.fill()).told.events.total() == 0


async def test_a_pending_refund_that_came_is_not_published_again(desk: Desk) -> None:
    back = refund(charge="ch_1", status="pending", object="refund", livemode=False)
    desk.server.add(EVENTS, event(1, "refund.created", back, at=CREATED - DAY))
    await desk.fill()
    [pending] = desk.publisher.events
    assert pending.type == "sales.payment.refund_pending.v1"
    asked = pending.data
    assert isinstance(asked, RefundPending)
    data = PaymentRefunded(
        fact=asked.becomes, refund="re_1", charge="ch_1", of="stripe:charge:ch_1", amount=asked.amount
    )
    await desk.post(pending.model_copy(update={"type": "sales.payment.refunded.v1", "data": data}))
    assert (await desk.fill()).told.events.total() == 0


async def test_a_sale_whose_fee_is_missing_is_published(desk: Desk) -> None:
    fill(desk.server)
    await desk.fill()
    [sale] = [told for told in desk.publisher.events if told.data.fact == "stripe:charge:ch_1"]
    await desk.post(sale.model_copy(update={"data": sale.data.model_copy(update={"settlement": None})}))
    desk.publisher.events.clear()
    await desk.fill()
    assert "stripe:charge:ch_1" in [told.data.fact for told in desk.publisher.events]


async def test_what_a_dead_letter_waits_for_is_not_published_again(desk: Desk) -> None:
    fill(desk.server)
    await desk.fill()
    [lost] = [told for told in desk.publisher.events if told.type == "sales.dispute.lost.v1"]
    await desk.park(lost, "prerequisite:stripe:dispute:dp_1:withdrawn")
    desk.publisher.events.clear()
    await desk.fill()
    assert "stripe:dispute:dp_1:lost" not in [told.data.fact for told in desk.publisher.events]


async def test_who_waits_for_a_settlement_is_told_it(desk: Desk) -> None:
    fill(desk.server)
    await desk.fill()
    [sale] = [told for told in desk.publisher.events if told.data.fact == "stripe:charge:ch_1"]
    await desk.park(sale, "unmapped:currency:EUR")
    desk.publisher.events.clear()
    await desk.fill()
    assert "stripe:charge:ch_1" in [told.data.fact for told in desk.publisher.events]


async def test_what_cannot_be_read_comes_before_a_person_once(desk: Desk) -> None:
    desk.server.add(TRANSACTIONS, sold(1) | {"net": 1, "created": CREATED - DAY})
    await desk.fill()
    [kept] = desk.publisher.kept
    engine = connect(desk.url)
    raw = Letter(
        id="r", queue="relay.raw.dlq", reason=kept["reason"], error="e", attempts=0, headers={}, body=kept["body"]
    )
    await DeadLetters(engine, desk.clock).add(raw)
    await engine.dispose()
    done = await desk.fill()
    assert len(desk.publisher.kept) == 1
    assert done.told.known == 1


async def test_who_stops_it_is_told_where_and_how_to_go_on(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    fill(desk.server)
    done = await desk.fill(stop_at=5)
    show_backfilled(done, as_json=False)
    said = capsys.readouterr()
    assert not done.ended
    assert done.until.date() == SINCE + timedelta(days=35)
    assert "stopped. All before 2025-12-06 (UTC) is done" in said.err
    assert "go on with: relay backfill stripe --since 2025-12-06" in said.err
    assert "stripe:charge:ch_8" not in [told.data.fact for told in desk.publisher.events]


async def test_a_refused_key_says_where_it_stopped_and_not_that_nothing_is_missing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.server.forbidden = {TRANSACTIONS}
    done = await desk.fill(dry=True)
    assert not done.ended
    assert "no right to read this" in str(done.problem)
    show_backfilled(done, company="north", as_json=False)
    said = capsys.readouterr()
    assert "nothing would be published" in said.out
    assert "is missing" not in said.out
    assert "API keys. Nothing is done yet; go on with: " in said.err
    assert said.err.endswith("relay backfill stripe --since 2025-11-01 --company north --dry-run\n")


async def test_only_the_accounts_of_a_company_are_read(desk: Desk) -> None:
    desk.said = {"accounts": {"acct_standin": "main", "acct_1": "second"}}
    desk.server.of["acct_1"] = {TRANSACTIONS: [sold(2, at=CREATED - DAY)]}
    desk.server.add(TRANSACTIONS, sold(1, at=CREATED - DAY))
    await desk.fill(company="second")
    assert [(told.company, told.id) for told in desk.publisher.events] == [("second", "txn_2")]
    with pytest.raises(ConfigurationError, match="no account of Stripe is company third's"):
        await desk.fill(company="third")


async def test_without_a_key_it_is_said_which_setting_is_missing(desk: Desk) -> None:
    settings = Settings.model_validate({"store": {"url": desk.url}})
    with pytest.raises(ConfigurationError, match=r"stripe\.api_key_file"):
        await backfill(settings, desk.clock, Wanted(since=SINCE), stop=asyncio.Event(), progress=lambda *_: None)


async def test_of_books_that_cannot_be_read_nothing_is_known(desk: Desk) -> None:
    fill(desk.server)
    await desk.fill()
    settings = desk.settings.model_copy(update={"books": desk.folder / "none.toml"})
    engine = connect(desk.url)
    told = desk.publisher.events
    assert list(await KnownHere(settings, engine, desk.clock).lacking(told)) == told
    await engine.dispose()
