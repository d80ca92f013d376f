"""The companies of one process: a worker for each, and what is wrong with one stops nobody else."""

import asyncio
import functools
import os
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.bucket import Bucket, Token
from messaging.connection import Link
from messaging.publisher import Publisher
from messaging.watching import TopologyWatch
from ops.composing.keys import Keys, refuse_shared_key
from ops.composing.retelling import Retelling
from ops.composing.waiting_company import NOT_TO_BE_MADE, WaitingCompany, made
from ops.composing.workers import (
    books_of,
    bucket_on,
    dialect_of,
    mint_on,
    open_link,
    open_publisher,
    open_solid,
    open_store,
    transport_of,
    watch_stalls,
    watch_topology,
)
from ops.http.metrics import MeasuredBucket, WorkerMetrics
from producers.payroll.telling import Teller
from runtime.clock import Clock
from runtime.lifecycle import in_background
from runtime.settings import ConfigurationError, Settings
from runtime.stalls import StallWatch
from solid.client import SolidClient
from solid.errors import DialectMismatch
from store.cases import Cases
from store.dead_letters import DeadLetters
from store.earlier import EarlierRecords
from store.inbox import Inbox
from store.outbox import Outbox
from store.payroll_runs import PayrollRuns
from store.sales.captures import Captures
from store.sales.summaries import SummaryStore
from store.sales.told import SalesStore
from store.stock import StockStore
from workers.applying import Applier, Timing
from workers.earlier import Earlier
from workers.parts import Parts
from workers.sales.closing import Closer
from workers.stock.merging import Merger
from workers.sweeping import Sweeper
from workers.worker import Worker

log = structlog.get_logger()


def _brake_of(bucket: Bucket) -> Callable[[float], Awaitable[None]]:
    """How the watch stops one company: no probe goes out either, for so many seconds."""

    async def brake(seconds: float) -> None:
        await bucket.report(Token(), cause="topology", retry_after=seconds)

    return brake


@dataclass(frozen=True, slots=True)
class Shared:
    """What the workers of one process share, however many companies they serve."""

    engine: AsyncEngine
    consuming: Link
    minting: Link
    publisher: Publisher
    stalls: StallWatch
    inbox: Inbox
    summaries: SummaryStore
    retelling: Retelling
    clock: Clock
    metrics: WorkerMetrics


@asynccontextmanager
async def open_workers(
    settings: Settings, clock: Clock, *, metrics: WorkerMetrics | None = None
) -> AsyncIterator[list[Worker | WaitingCompany]]:
    """A worker for each company that is served, all on the same connections to broker and store.

    A company whose settings, key, books or dialect are wrong waits until they are mended, and stops nobody else.

    The settings must be those of all, not already those of one company (`Settings.of`).

    Raises:
        ConfigurationError: settings, books, key or dialect of the only company, or of each of several, are wrong.
    """
    owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    own = [settings.of(company) for company in settings.served]
    keys = Keys(own, clock)
    async with (
        open_store(settings) as engine,
        open_link(settings, "worker") as consuming,
        open_link(settings, "mint") as minting,
        open_publisher(settings, clock, "worker") as publisher,
        watch_stalls(settings, clock) as stalls,
        watch_topology(settings, minting, clock) as topology,
        AsyncExitStack() as clients,
    ):
        lease = timedelta(seconds=settings.worker.lease_seconds)
        inbox = Inbox(engine, owner=owner, lease=lease, clock=clock)
        metrics = metrics or WorkerMetrics()
        metrics.watch_store(engine, clock)
        summaries = SummaryStore(engine, clock, inbox.marks)
        retelling = await clients.enter_async_context(_retelling(engine, publisher, summaries, clock))
        shared = Shared(engine, consuming, minting, publisher, stalls, inbox, summaries, retelling, clock, metrics)
        workers: list[Worker | WaitingCompany] = []
        for each in own:
            make = functools.partial(_make_worker, each, keys, shared, topology)
            try:
                workers.append(await made(make, clients))
            except NOT_TO_BE_MADE as error:
                served = metrics.served.labels(each.company)
                workers.append(WaitingCompany(each.company, make, error, served=served))
        problems = [each.problem for each in workers if isinstance(each, WaitingCompany)]
        if len(problems) == len(workers):
            raise problems[0]
        yield workers


async def _make_worker(
    settings: Settings,
    keys: Keys,
    shared: Shared,
    topology: TopologyWatch,
    stack: AsyncExitStack,
) -> Worker:
    settings.refuse_wrong()
    key = functools.partial(keys.of, settings.company)
    key()
    bucket = bucket_on(shared.consuming, settings, shared.stalls, shared.clock, marks=shared.inbox.marks)
    limiter = MeasuredBucket(bucket, shared.metrics, settings.company)
    opened = open_solid(settings, limiter, shared.clock, key=key, metrics=shared.metrics)
    merger = _merger(settings, shared)
    lost = functools.partial(shared.retelling.lost, settings.company, merger.told.set)
    solid = await stack.enter_async_context(opened)
    worker = _worker(settings, shared, bucket=bucket, solid=solid, merger=merger, lost=lost)
    topology.brakes.append(_brake_of(bucket))
    topology.lost.append(lost)
    return worker


@asynccontextmanager
async def _retelling(
    engine: AsyncEngine, publisher: Publisher, summaries: SummaryStore, clock: Clock
) -> AsyncIterator[Retelling]:
    runs = PayrollRuns(engine, clock)
    retelling = Retelling(
        stock=StockStore(engine, clock),
        summaries=summaries,
        letters=DeadLetters(engine, clock),
        runs=runs,
        teller=Teller(runs, Outbox(engine, clock), publisher),
        clock=clock,
    )
    async with in_background(retelling.run()):
        yield retelling


def _merger(settings: Settings, shared: Shared) -> Merger:
    inventory = books_of(settings).inventory
    return Merger(
        store=StockStore(shared.engine, shared.clock),
        outbox=Outbox(shared.engine, shared.clock),
        publisher=shared.publisher,
        company=settings.company,
        seconds=inventory.merge_seconds,
        most_lines=inventory.most_lines,
        clock=shared.clock,
    )


def _closer(settings: Settings, shared: Shared) -> Closer:
    return Closer(
        store=shared.summaries,
        outbox=Outbox(shared.engine, shared.clock),
        publisher=shared.publisher,
        company=settings.company,
        books=books_of(settings),
        clock=shared.clock,
    )


def _worker(  # noqa: PLR0913 - one keyword a part that was made before
    settings: Settings,
    shared: Shared,
    *,
    bucket: Bucket,
    solid: SolidClient,
    merger: Merger,
    lost: Callable[[], None],
) -> Worker:
    """The worker of one company."""
    worker, company, clock = settings.worker, settings.company, shared.clock
    mint = mint_on(shared.minting, settings, clock, nothing_kept=lost)
    shared.metrics.watch(company, mint)
    cases = Cases(shared.engine, clock)
    timing = Timing(worker.settle_seconds, worker.lease_seconds, settings.solid.timeout_seconds)
    earlier = Earlier(
        solid=solid,
        records=EarlierRecords(shared.engine, clock),
        inbox=shared.inbox,
        cases=cases,
        company=company,
        settle=timedelta(seconds=worker.settle_seconds),
        clock=clock,
    )
    sweeper = Sweeper(
        solid=solid,
        inbox=shared.inbox,
        cases=cases,
        company=company,
        after=timedelta(seconds=worker.sweep_after_seconds),
        clock=clock,
    )
    return Worker(
        Parts(
            consuming=shared.consuming,
            publisher=shared.publisher,
            bucket=bucket,
            mint=mint,
            solid=solid,
            dialect=dialect_of(settings),
            inbox=shared.inbox,
            captures=Captures(shared.engine, clock),
            applier=Applier(
                solid=solid, inbox=shared.inbox, earlier=earlier, company=company, timing=timing, clock=clock
            ),
            sweeper=sweeper,
            stock=StockStore(shared.engine, clock),
            sales=SalesStore(shared.engine, clock),
            earlier=earlier,
            merger=merger,
            summaries=shared.summaries,
            closer=_closer(settings, shared),
            books=books_of(settings),
            company=company,
            settings=worker,
            retry_delays=settings.rabbitmq.retry_delays_seconds,
            clock=clock,
            count=shared.metrics.delivered,
        )
    )


def problem_of(settings: Settings, all_of_them: Sequence[Settings]) -> str | None:
    """What keeps the company from being worked for, as far as its own files and settings tell; None for nothing."""
    try:
        settings.refuse_wrong()
        refuse_shared_key(settings, all_of_them)
        dialect_of(settings)
        books_of(settings)
        transport_of(settings)
    except ConfigurationError as error:
        return str(error)
    return None


async def run_workers(
    workers: Sequence[Worker | WaitingCompany], stop: asyncio.Event, *, metrics: WorkerMetrics | None = None
) -> None:
    """Run them until `stop` is set. One that cannot go on, for whatever reason, stops alone, where there are others.

    Raises:
        DialectMismatch, ConfigurationError: the only worker cannot go on, or none of several can.
    """
    served = (metrics or WorkerMetrics()).served
    alone = len(workers) == 1
    results = await asyncio.gather(
        *(_told_apart(worker, stop, served.labels(worker.company), alone=alone) for worker in workers)
    )
    failures = [result for result in results if result is not None]
    if failures and len(failures) == len(workers):
        raise failures[0]


async def _told_apart(
    worker: Worker | WaitingCompany, stop: asyncio.Event, served: Gauge, *, alone: bool
) -> Exception | None:
    served.set(1)
    try:
        await worker.run(stop)
    except (DialectMismatch, ConfigurationError) as error:
        if alone:
            raise
        log.error("worker.company_stopped", company=worker.company, error=str(error))  # noqa: TRY400 - it says it all
        return error
    except Exception as error:
        if alone:
            raise
        log.exception("worker.company_stopped", company=worker.company)
        return error
    finally:
        served.set(0)
    return None
