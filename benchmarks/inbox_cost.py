"""What the inbox costs: the same worker with it and without it, against a simulator without a limit.

Two measures. `pipeline`: deliveries from a list, no broker and no tokens, where the inbox weighs most. `worker`: the
whole worker on a real broker. Runs with and without alternate in one process, and the median of the pairs counts: the
machine may be busy, but it is as busy for both.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from statistics import median
from typing import Any, Final

import httpx2
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.events import payouts, sales
from benchmarks.no_inbox import NoInbox, NothingEarlier
from benchmarks.staging import Setting, publish
from messaging.bucket import Token
from ops.composing.companies import open_workers
from ops.composing.waiting_company import WaitingCompany
from runtime.clock import SystemClock
from runtime.settings import Settings
from schemas.envelope import Event, encode
from solid.client import SolidClient
from solid.dialect import Dialect
from solid.transport import PacedTransport, direct_transport
from staging.processes import SIMULATOR_KEY
from store.cases import Cases
from store.earlier import EarlierRecords
from store.engine import connect
from store.inbox import Inbox
from store.migrate import upgrade
from store.sales.captures import Captures
from workers.applying import Applier, Timing
from workers.books.books import sample_books
from workers.chart import Chart
from workers.earlier import Earlier, KnowsEarlier
from workers.pipeline import Pipeline
from workers.retry import RetryPolicy
from workers.worker import Worker

AT_A_TIME: Final = 16
"""As many deliveries as a worker holds by default."""

TIMING: Final = Timing(settle=60, lease=60, call=30)
CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True)
class Run:
    """One run: events a second, and milliseconds of processor time an event."""

    rate: float
    cpu_ms: float


class Unlimited:
    """Gives a token to everyone at once."""

    async def take(self) -> Token:
        """Give one."""
        return Token()

    async def report(
        self,
        token: Any,  # noqa: ANN401 - as in the port
        *,
        cause: str | None,
        retry_after: float | None,
    ) -> None:
        """Nobody is interested."""


@dataclass(slots=True)
class Listed:
    """A delivery from a list."""

    body: bytes
    settled: bool = False
    headers: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    deferred: int = 0

    async def ack(self) -> None:
        """Be settled."""
        self.settled = True

    async def redeliver(self, *, after_seconds: float, counts: bool) -> None:
        """Not be settled: the benchmark will say so."""

    async def dead_letter(self, *, reason: str, error: str) -> None:
        """Not be settled: the benchmark will say so."""


async def compare_pipelines(
    setting: Setting, engine: AsyncEngine, make: Callable[..., Iterable[Event]], *, events: int, rounds: int
) -> dict[str, float]:
    """The pipeline with an inbox in this database, and without one."""
    numbers = count()
    inbox = Inbox(engine, owner="benchmark", lease=timedelta(seconds=TIMING.lease), clock=CLOCK)
    async with _open_client(setting.simulator.base_url) as client:
        chart = Chart(await client.accounts())

        async def run(inbox: Inbox) -> Run:
            bare = isinstance(inbox, NoInbox)
            earlier = NothingEarlier() if bare else _earlier(client, engine, inbox, company=setting.company)
            pipeline = _pipeline(client, chart, inbox, earlier, Captures(engine, CLOCK), company=setting.company)
            await _handle(pipeline, make(setting.company, f"warm{next(numbers)}", AT_A_TIME))
            return await _measured(events, _handle(pipeline, make(setting.company, f"run{next(numbers)}", events)))

        pairs = [await _pair(run, inbox, inbox_first=bool(number % 2)) for number in range(rounds)]
    return _figures(pairs)


async def compare_workers(setting: Setting, settings: Settings, *, events: int, rounds: int) -> dict[str, float]:
    """The whole worker with its inbox, and without one; by the times at which Solid saw the calls."""
    numbers = count()

    async def run(*, with_inbox: bool) -> Run:
        await publish(
            setting.stage.rabbitmq_url, setting.company, payouts(setting.company, f"w{next(numbers)}", events)
        )
        before = await asyncio.to_thread(setting.state)
        busy = time.process_time()
        async with open_workers(settings, CLOCK) as [worker]:
            await _work_until(
                worker if with_inbox or isinstance(worker, WaitingCompany) else _without_inbox(worker),
                lambda: setting.await_writes(before["writes"] + events),
            )
        busy = time.process_time() - busy
        calls = await asyncio.to_thread(setting.calls, before["calls"])
        times = [call["monotonic"] for call in calls if call["method"] == "POST"]
        return Run((events - 1) / (max(times) - min(times)), 1000 * busy / events)

    pairs: list[tuple[Run, Run]] = []
    for number in range(rounds):
        first = await run(with_inbox=bool(number % 2))
        second = await run(with_inbox=not number % 2)
        pairs.append((first, second) if number % 2 else (second, first))
    return _figures(pairs)


def calls_per_write(setting: Setting, before: Mapping[str, int]) -> float:
    """Calls that Solid saw for each record since then; what a worker reads once at its start is left out."""
    at_start = ("/accounts", "/openapi.json")
    calls = [call for call in setting.calls(before["calls"]) if not call["path"].endswith(at_start)]
    written: int = setting.state()["writes"] - before["writes"]
    return round(len(calls) / written, 4)


def open_database(url: str) -> AsyncEngine:
    """A pool on a migrated database."""
    upgrade(url)
    return connect(url)


async def compare(setting: Setting, settings: Settings, *, events: int, rounds: int) -> dict[str, Any]:
    """All measures on the store of the settings."""
    engine = open_database(settings.store.url.get_secret_value())
    try:
        pipelines = {
            name: await compare_pipelines(setting, engine, make, events=events, rounds=rounds)
            for name, make in (("payouts", payouts), ("sales", sales))
        }
    finally:
        await engine.dispose()
    before = setting.state()
    workers = await compare_workers(setting, settings, events=2 * events, rounds=max(rounds // 2, 2))
    return {
        "store": settings.store.url.get_secret_value().partition(":")[0].partition("+")[0],
        "pipeline": pipelines,
        "worker": workers,
        "calls_per_write": calls_per_write(setting, before),
    }


@asynccontextmanager
async def _open_client(base_url: str) -> AsyncIterator[SolidClient]:
    client = SolidClient(
        base_url=base_url,
        api_key=lambda: SIMULATOR_KEY,
        dialect=Dialect(money="decimal_string"),
        transport=PacedTransport(direct_transport(), Unlimited()),
        timeout=httpx2.Timeout(TIMING.call, connect=5),
        clock=CLOCK,
    )
    async with client:
        yield client


def _earlier(client: SolidClient, engine: AsyncEngine, inbox: Inbox, *, company: str) -> Earlier:
    records = EarlierRecords(engine, CLOCK)
    settle, cases = timedelta(seconds=TIMING.settle), Cases(engine, CLOCK)
    return Earlier(solid=client, records=records, inbox=inbox, cases=cases, company=company, settle=settle, clock=CLOCK)


def _pipeline(  # noqa: PLR0913 - one a part
    client: SolidClient, chart: Chart, inbox: Inbox, earlier: KnowsEarlier, captures: Captures, *, company: str
) -> Pipeline:
    async def read_chart() -> Chart:
        return chart

    return Pipeline(
        books=sample_books(),
        chart=chart,
        read_chart=read_chart,
        inbox=inbox,
        captures=captures,
        applier=Applier(solid=client, inbox=inbox, earlier=earlier, company=company, timing=TIMING, clock=CLOCK),
        earlier=earlier,
        completions={},
        policy=RetryPolicy((10,), max_attempts=1, max_deferrals=1),
        settle_seconds=TIMING.settle,
        company=company,
        clock=CLOCK,
    )


async def _handle(pipeline: Pipeline, events: Iterable[Event]) -> None:
    deliveries = [Listed(encode(event)) for event in events]
    rest = iter(deliveries)

    async def some() -> None:
        for delivery in rest:
            await pipeline.handle(delivery)

    await asyncio.gather(*(some() for _ in range(AT_A_TIME)))
    if not all(delivery.settled for delivery in deliveries):
        msg = "not every event was applied: the figures mean nothing"
        raise RuntimeError(msg)


async def _measured(events: int, work: Awaitable[None]) -> Run:
    started, busy = time.perf_counter(), time.process_time()
    await work
    took, busy = time.perf_counter() - started, time.process_time() - busy
    return Run(events / took, 1000 * busy / events)


async def _pair(run: Callable[[Inbox], Awaitable[Run]], inbox: Inbox, *, inbox_first: bool) -> tuple[Run, Run]:
    """One run with the inbox and one without, in this order or the other; given back in this order."""
    if inbox_first:
        with_inbox = await run(inbox)
        return with_inbox, await run(NoInbox())
    without = await run(NoInbox())
    return await run(inbox), without


async def _work_until(worker: Worker | WaitingCompany, done: Callable[[], None]) -> None:
    """Let the worker work until `done` returns, in a thread. A worker that ends before has failed."""
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    waiting = asyncio.create_task(asyncio.to_thread(done))
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await working
    await waiting


def _without_inbox(worker: Worker) -> Worker:
    """The same worker, its inbox switched off."""
    parts = worker._parts  # noqa: SLF001 - what the composition root put together is taken apart here only
    inbox = NoInbox()
    applier = Applier(
        solid=parts.solid,
        inbox=inbox,
        earlier=NothingEarlier(),
        company=parts.company,
        timing=TIMING,
        clock=parts.clock,
    )
    return Worker(replace(parts, inbox=inbox, applier=applier))


def _figures(pairs: list[tuple[Run, Run]]) -> dict[str, float]:
    """Medians; the cost is that of the usual pair."""
    kept = median(mine.rate / bare.rate for mine, bare in pairs)
    return {
        "with_per_second": round(median(mine.rate for mine, _ in pairs), 1),
        "without_per_second": round(median(bare.rate for _, bare in pairs), 1),
        "cost_percent": round(100 * (1 - kept), 1),
        "cpu_ms_with": round(median(mine.cpu_ms for mine, _ in pairs), 2),
        "cpu_ms_without": round(median(bare.cpu_ms for _, bare in pairs), 2),
    }
