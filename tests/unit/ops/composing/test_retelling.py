"""What the broker lost of several companies: told again once each, whatever cannot be told of one of them."""

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog.testing import capture_logs

from messaging.errors import Unroutable
from messaging.publisher import Encoded
from ops.composing.retelling import Retelling
from producers.payroll.telling import Teller
from runtime.clock import Clock
from schemas.envelope import decode, encode
from store import migrate
from store.dead_letters import DeadLetters
from store.engine import connect, transact
from store.errors import Raced
from store.marks import Marks
from store.outbox import Outbox
from store.payroll_runs import NewVersion, PayrollRuns, RunDates, RunKey
from store.sales.summaries import SummaryStore
from store.schema import OUTBOX
from store.stock import StockStore
from tests.contract.store.samples import letter
from tests.fakes import FakeClock

GOLDEN = decode((Path(__file__).parents[3] / "contract" / "golden" / "payroll.run.paid.v1.json").read_bytes())
ROUNDS = 6


class Turning(FakeClock):
    """Sleeps are over at once and counted."""

    pauses = 0

    async def sleep(self, seconds: float) -> None:
        self.pauses += 1
        self.advance(seconds)
        await asyncio.sleep(0)


@dataclass
class Broker:
    """Counts what it takes; a company in `refused` has no queue."""

    refused: set[str] = field(default_factory=set)
    taken: Counter[str] = field(default_factory=Counter)

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        for message in messages:
            if message.key.split(".", maxsplit=1)[0] in self.refused:
                raise Unroutable(message.key)
            self.taken[decode(message.body).id] += 1

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        raise AssertionError((body, source, company, reason, error))


@dataclass
class Bench:
    """A store of two companies, what the broker has of them, and who tells again."""

    engine: AsyncEngine
    clock: Turning
    broker: Broker = field(default_factory=Broker)
    merged: Counter[str] = field(default_factory=Counter)

    @property
    def runs(self) -> PayrollRuns:
        return PayrollRuns(self.engine, self.clock)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.engine, self.clock)

    @property
    def letters(self) -> DeadLetters:
        return DeadLetters(self.engine, self.clock)

    async def run_told(self, company: str, name: str, *, event: bytes | None = None, pending: bool = False) -> None:
        own = encode(GOLDEN.model_copy(update={"id": f"{company}-{name}", "company": company}))
        new = NewVersion(
            version=1, fact=name, fingerprint="", event=own if event is None else event, live=True, dates=RunDates()
        )
        row = await self.runs.advance(RunKey(company, "gusto", "e", name), lambda _: new)
        if row is not None and not pending:
            await self.outbox.published(row.outbox or 0)

    async def entry_published(self, company: str) -> None:
        now = self.clock.now()
        row = {"company": company, "stream": "stock", "key": f"{company}-entry", "body": b"x", "added_at": now}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(OUTBOX), row | {"published_at": now})

        await transact(self.engine, work)

    async def publish_merged(self, company: str) -> None:
        """What the company's merger does when it is told."""
        for waiting in await self.outbox.unpublished("stock", [company]):
            self.merged[waiting.key] += 1
            await self.outbox.published(waiting.id)

    @asynccontextmanager
    async def telling(self, *companies: str, stock: StockStore | None = None) -> AsyncIterator["asyncio.Task[None]"]:
        retelling = Retelling(
            stock=stock or StockStore(self.engine, self.clock),
            summaries=SummaryStore(self.engine, self.clock, Marks(self.engine, owner="a")),
            letters=self.letters,
            runs=self.runs,
            teller=Teller(self.runs, self.outbox, self.broker),
            clock=self.clock,
        )
        mergers: list[asyncio.Task[None]] = []

        def published(company: str) -> None:
            mergers.append(asyncio.create_task(self.publish_merged(company)))

        for company in companies:
            retelling.lost(company, functools.partial(published, company))
        task = asyncio.create_task(retelling.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, *mergers, return_exceptions=True)

    async def until(self, done: Callable[[], bool], task: "asyncio.Task[None]") -> None:
        async with asyncio.timeout(30):
            while not done():
                assert not task.done(), "telling again has ended for good"
                await asyncio.sleep(0.005)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    await migrate.upgraded(url)
    engine = connect(url)
    yield Bench(engine, Turning())
    await engine.dispose()


async def test_what_no_queue_takes_of_one_company_makes_no_flood_of_another_and_holds_up_none(bench: Bench) -> None:
    for company in ("a", "b", "c"):
        await bench.run_told(company, "run")
        await bench.entry_published(company)
    bench.broker.refused = {"b"}
    async with bench.telling("a", "b", "c") as task:
        await bench.until(lambda: bench.clock.pauses >= ROUNDS, task)
        assert bench.broker.taken == {"a-run": 1, "c-run": 1}
        assert bench.merged == {"a-entry": 1, "b-entry": 1, "c-entry": 1}
        bench.broker.refused.clear()
        await bench.until(lambda: bench.broker.taken["b-run"] == 1, task)


async def test_a_company_that_is_gone_holds_up_none(bench: Bench) -> None:
    await bench.run_told("gone", "run", pending=True)
    await bench.run_told("main", "run")
    bench.broker.refused = {"gone"}
    async with bench.telling("main") as task:
        await bench.until(lambda: bench.broker.taken["main-run"] == 1, task)
    assert bench.clock.pauses == 0


async def test_a_run_that_another_version_stored_ends_nothing_and_keeps_no_other_from_being_told(bench: Bench) -> None:
    odd = b'{"of": "another version of the relay"}'
    await bench.run_told("a", "odd", event=odd)
    await bench.run_told("a", "odd-too", event=odd, pending=True)
    await bench.run_told("a", "run")
    await bench.run_told("b", "run")
    async with bench.telling("a", "b") as task:
        await bench.until(lambda: bench.clock.pauses >= ROUNDS, task)
        assert bench.broker.taken == {"a-run": 1, "b-run": 1}


@pytest.mark.parametrize("error", [Raced("again and again"), RuntimeError("nobody thought of it")])
async def test_whatever_a_store_says_the_rest_is_told_once_and_that_is_asked_again(
    bench: Bench, error: Exception
) -> None:
    await bench.letters.add(letter("replayed", company="a", event_id="lost"))
    await bench.letters.set_state("replayed", "waiting", "replayed")
    await bench.run_told("a", "run")
    await bench.entry_published("a")
    stock = Failing(bench.engine, bench.clock, error)
    with capture_logs() as logs:
        async with bench.telling("a", stock=stock) as task:
            await bench.until(lambda: bench.clock.pauses >= ROUNDS, task)
            assert bench.broker.taken == {"a-run": 1}
            assert [each.id for each in await bench.letters.list()] == ["replayed"]
            stock.error = None
            await bench.until(lambda: bench.merged["a-entry"] == 1, task)
    assert {log["what"] for log in logs if log["event"] == "broker.lost_not_told_again"} == {"merged_entries"}


class Failing(StockStore):
    """Raises `error`, while there is one."""

    def __init__(self, engine: AsyncEngine, clock: Clock, error: Exception) -> None:
        super().__init__(engine, clock)
        self.error: Exception | None = error

    async def tell_again(self, company: str, batch: str | None = None) -> int:
        if self.error is not None:
            raise self.error
        return await super().tell_again(company, batch)
