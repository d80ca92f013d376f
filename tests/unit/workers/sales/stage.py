"""A company whose sales come in one by one or in summaries: the real pipeline, inbox and store, a fake Solid."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from messaging.errors import PublishFailed
from messaging.publisher import Encoded
from schemas.envelope import Event, decode, encode
from schemas.sales import SummaryClosed
from solid.models import Account, NewEntry, NewInvoice, NewPayment
from store.earlier import EarlierRecords
from store.engine import transact
from store.outbox import Outbox
from store.sales.summaries import SummaryStore
from store.sales.told import SalesStore
from store.schema import PAYOUT_FACTS
from tests.unit.workers.bench import COMPANY, TIMING, Bench
from tests.unit.workers.test_pipeline import FakeHand
from workers.books.books import Books, sample_books
from workers.chart import Chart
from workers.completing import InTurn
from workers.in_books import InBooks
from workers.outcomes import Applied, Outcome
from workers.pipeline import Pipeline
from workers.retry import RetryPolicy
from workers.sales.closing import Closer
from workers.sales.exchange import ExchangeBook
from workers.sales.summaries import Summaries
from workers.sales.told import SalesBook

Mode = Literal["each", "day", "payout"]
BOOKS = sample_books().model_copy(update={"base_currency": "USD"})
CHART = Chart([Account(id=name, name=name) for name in (*BOOKS.accounts.values(), "Tax of the State")])
GRACE = timedelta(minutes=60)


def books_in(mode: Mode, *, taxed: bool = False) -> Books:
    """The books in a mode."""
    return BOOKS.model_copy(update={"sales": BOOKS.sales.model_copy(update={"entries": mode, "taxed": taxed})})


@dataclass
class FakeBroker:
    """Takes events, and fails as often as it is told, before or after it has stored the message."""

    waiting: list[Event] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        """See `Publishes.publish_all`."""
        failure = self.failures.pop(0) if self.failures else None
        if failure != "before":
            self.waiting += [decode(message.body) for message in messages]
        if failure is not None:
            raise PublishFailed

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        """See `Publishes.keep_raw`."""
        raise AssertionError((body, source, company, reason, error))


@dataclass
class Stage:
    """One company; `mode` may be switched at any moment, which starts another session of its worker."""

    bench: Bench
    mode: Mode = "each"
    taxed: bool = False
    broker: FakeBroker = field(default_factory=FakeBroker)

    async def open(self) -> "Stage":
        """Let the inbox have begun long ago, as of a company that is at work."""
        self.bench.watch.saw(
            ("inbox", COMPANY, await EarlierRecords(self.bench.engine, self.bench.clock).began(COMPANY))
        )
        self.bench.clock.advance(3 * 3600)
        return self

    @property
    def store(self) -> SummaryStore:
        """The store of the summaries, as another process has it."""
        return SummaryStore(self.bench.engine, self.bench.clock, self.bench.inbox().marks)

    @property
    def closer(self) -> Closer:
        """Who makes entries."""
        outbox = Outbox(self.bench.engine, self.bench.clock)
        return Closer(self.store, outbox, self.broker, COMPANY, books_in(self.mode), self.bench.clock)

    def pipeline(self, mode: Mode | None = None, *, summaries: SummaryStore | None = None) -> Pipeline:
        """A session of a worker."""

        async def chart() -> Chart:
            return CHART

        books, store, inbox = books_in(mode or self.mode, taxed=self.taxed), summaries or self.store, self.bench.inbox()
        known, earlier = InBooks(inbox, store), self.bench.earlier()
        exchange = ExchangeBook(inbox=known, books=books, company=COMPANY)
        sales = SalesStore(self.bench.engine, self.bench.clock)
        book = SalesBook(records=sales, inbox=known, books=books, company=COMPANY)
        last = Summaries(records=store, books=books, company=COMPANY, clock=self.bench.clock, earlier=earlier)
        return Pipeline(
            books=books,
            chart=CHART,
            read_chart=chart,
            inbox=known,
            captures=self.bench.captures(),
            applier=self.bench.applier(),
            earlier=earlier,
            completions={"sales": InTurn((exchange, book))},
            recordings={"sales": last},
            policy=RetryPolicy((10, 60), max_attempts=2, max_deferrals=2),
            settle_seconds=TIMING.settle,
            company=COMPANY,
            clock=self.bench.clock,
        )

    async def tell(self, *events: Event, waived: bool = False) -> list[Outcome]:
        """Hand these over to one session, one after another."""
        pipeline = self.pipeline()
        headers = {"relay-waived": "x"} if waived else {}
        return [await pipeline.handle(FakeHand(encode(event), self.bench, headers)) for event in events]

    async def tell_many(self, events: Iterable[Event], *, at_once: int = 16) -> None:
        """Hand these over, so many at the same time."""
        pipeline, rest = self.pipeline(), iter(events)

        async def some() -> None:
            for event in rest:
                outcome = await pipeline.handle(FakeHand(encode(event), self.bench))
                assert isinstance(outcome, Applied), (outcome, event)

        await asyncio.gather(*(some() for _ in range(at_once)))

    async def close(self, *, after: timedelta = timedelta(days=1) + GRACE) -> list[SummaryClosed]:
        """Let time pass, and book what is due; what came of it."""
        self.bench.clock.advance(after.total_seconds())
        await self.closer.once()
        told, self.broker.waiting = self.broker.waiting, []
        for outcome in await self.tell(*told):
            assert isinstance(outcome, Applied), outcome
        return [event.data for event in told if isinstance(event.data, SummaryClosed)]

    async def listed(self, payout: str, *facts: str) -> None:
        """Say which facts a payout lists."""
        now = self.bench.clock.now()
        rows = [{"company": COMPANY, "fact": fact, "payout": payout, "read_at": now} for fact in facts]

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(PAYOUT_FACTS), rows)

        await transact(self.bench.engine, work)

    def balances(self) -> dict[str, Decimal]:
        """The trial balance of what is in Solid."""
        balances: dict[str, Decimal] = defaultdict(Decimal)
        for _, record in self.bench.solid.records:
            if isinstance(record, NewInvoice):
                balances["Accounts Receivable"] += record.total
                for line in record.lines:
                    balances[line.account_id] -= line.amount
            elif isinstance(record, NewPayment):
                balances[record.deposit_account_id] += record.amount
                balances["Accounts Receivable"] -= record.amount
            elif isinstance(record, NewEntry):
                for each in record.lines:
                    balances[each.account_id] += (each.debit or Decimal(0)) - (each.credit or Decimal(0))
        return {name: amount for name, amount in balances.items() if amount}

    def entries(self) -> list[NewEntry]:
        """The entries in Solid."""
        return [record for _, record in self.bench.solid.records if isinstance(record, NewEntry)]

    def twice(self) -> Counter[str]:
        """What is in Solid more than once."""
        return Counter({name: count for name, count in self.bench.solid.counts.items() if count > 1})

    def calls(self) -> int:
        """How many calls Solid has had."""
        return len(self.bench.solid.calls)
