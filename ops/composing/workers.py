"""The composition root: from settings to running parts. Nothing else builds a link, a client or an engine."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from messaging.brake import Brake
from messaging.bucket import Bucket
from messaging.connection import Link
from messaging.errors import BrokerUnreachable, UnsafeTopology
from messaging.mint import Mint
from messaging.publisher import Publisher
from messaging.watching import TopologyWatch
from ops.composing.broker_safety import losses_of, relay_of
from ops.composing.management import read_state
from ops.composing.webhooks import webhooks_of
from ops.http.metrics import MeasuredTransport, WorkerMetrics
from producers.webhooks.measures import Measures
from producers.webhooks.receiver import create_app
from runtime.clock import Clock
from runtime.lifecycle import in_background
from runtime.marks import Mark
from runtime.settings import ConfigurationError, Settings
from runtime.stalls import StallWatch
from solid.client import SolidClient
from solid.dialect import Dialect
from solid.transport import Limiter, PacedTransport, direct_transport
from store import migrate
from store.databases.postgresql import Access
from store.engine import connect
from store.letters.sealing import Sealing
from store.marks import Marks
from workers.books.books import Books, load_books

log = structlog.get_logger()


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database, migrated to the newest schema: at the start of a role, or of a command."""
    settings.store.password()  # a file that cannot be read is a mistake at start, and a store that is away later
    await migrate.upgraded(*_address_of(settings))
    async with open_migrated_store(settings) as engine:
        yield engine


@asynccontextmanager
async def open_migrated_store(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database as it is, for what a role does now and then: the role has migrated it when it started."""
    engine = connect(*_address_of(settings))
    try:
        yield engine
    finally:
        await engine.dispose()


def _address_of(settings: Settings) -> tuple[str, Access]:
    store = settings.store
    password = None if store.password_file is None else store.password
    return store.url.get_secret_value(), Access(password=password, ca_file=store.ca_file)


def sealing_of(settings: Settings) -> Sealing:
    """What seals and opens bodies of dead letters. Raises ConfigurationError: its keys cannot be read."""
    return Sealing(settings.store.body_keys())


@asynccontextmanager
async def open_link(settings: Settings, name: str) -> AsyncIterator[Link]:
    """A supervised connection to the broker; nothing is connected yet."""
    rabbit = settings.rabbitmq
    rabbit.address()  # a file that cannot be read is a mistake at start, and a broker that is away later
    link = Link(
        rabbit.address,
        name=f"relay {name} {os.getpid()}",
        connect_timeout=rabbit.connect_timeout_seconds,
        heartbeat=rabbit.heartbeat_seconds,
        ca_file=rabbit.ca_file,
    )
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def open_publisher(settings: Settings, clock: Clock, name: str) -> AsyncIterator[Publisher]:
    """A publisher on a connection of its own: a broker short of memory blocks publishers, and consumers go on."""
    async with open_link(settings, f"{name} publishing") as link:
        yield Publisher(
            link,
            clock=clock,
            companies=companies_of(settings),
            retry_delays=settings.rabbitmq.retry_delays_seconds,
            timeout=settings.rabbitmq.publish_timeout_seconds,
        )


def companies_of(settings: Settings) -> tuple[str, ...]:
    """All companies whose events this relay takes."""
    paid = {company for account in settings.payroll.values() for company in account.entities.values()}
    fed = {*settings.shopify.shops.values(), *(feed.company for feed in settings.feeds.values() if feed.company)}
    return tuple(sorted({settings.company, *settings.served, *settings.stripe.accounts.values(), *paid, *fed}))


def books_of(settings: Settings) -> Books:
    """The company's books. Raises ConfigurationError: they cannot be used, or the company's settings are wrong."""
    settings.refuse_wrong()
    return load_books(settings.books)


def dialect_of(settings: Settings) -> Dialect:
    """Solid's dialect as configured.

    Raises:
        ConfigurationError: `solid.dialect` is incomplete or wrong.
    """
    try:
        return Dialect.model_validate(settings.solid.dialect)
    except ValidationError as error:
        problems = "; ".join(f"solid.dialect.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        msg = f'{problems}. At least `money` must be said, for example [solid.dialect] money = "decimal_string".'
        raise ConfigurationError(msg) from None


def transport_of(settings: Settings) -> httpx2.AsyncBaseTransport:
    """What really sends to Solid.

    Raises:
        ConfigurationError: `solid.ca_file` cannot be read, or is no certificate.
    """
    return direct_transport(ca_file=settings.solid.ca_file, proxy=settings.solid.proxy)


@asynccontextmanager
async def open_solid(
    settings: Settings,
    limiter: Limiter,
    clock: Clock,
    *,
    key: Callable[[], str] | None = None,
    metrics: WorkerMetrics | None = None,
) -> AsyncIterator[SolidClient]:
    """Solid's client; every call it makes takes a token from the limiter, and asks `key`, where that is not the file's.

    Raises:
        ConfigurationError: the key cannot be read, or the company's settings are wrong.
    """
    settings.refuse_wrong()
    solid = settings.solid
    direct: httpx2.AsyncBaseTransport = transport_of(settings)
    if metrics is not None:
        direct = MeasuredTransport(direct, metrics, settings.company)
    solid.key()
    timeout = httpx2.Timeout(solid.timeout_seconds, connect=solid.connect_timeout_seconds)
    client = SolidClient(
        base_url=solid.base_url,
        api_key=key or solid.key,
        dialect=dialect_of(settings),
        transport=PacedTransport(direct, limiter),
        timeout=timeout,
        clock=clock,
    )
    async with client:
        yield client


@asynccontextmanager
async def watch_stalls(settings: Settings, clock: Clock) -> AsyncIterator[StallWatch]:
    """A watch that notices when this process stands still for longer than the bucket's jitter allows."""
    watch = StallWatch(clock, settings.bucket.jitter_seconds)
    async with in_background(watch.run()):
        yield watch


@dataclass(frozen=True, slots=True)
class StoreStanding:
    """What one company's bucket must know of the store. Satisfies `messaging.marks.Standing`."""

    marks: Marks
    company: str

    def mark(self) -> Mark | None:
        """See `Marks.seen`."""
        return self.marks.seen(self.company)

    def verified(self) -> Mark | None:
        """See `Marks.verified`."""
        return self.marks.verified(self.company)

    def astray(self) -> bool:
        """See `Marks.astray`."""
        return self.marks.astray(self.company)

    async def admit(self, mark: Mark) -> None:
        """See `Marks.admit`."""
        await self.marks.admit(self.company, mark)


def bucket_on(
    link: Link, settings: Settings, stalls: StallWatch, clock: Clock, *, marks: Marks | None = None
) -> Bucket:
    """The company's token bucket, reached over a link; without `marks` for who claims nothing."""
    standing = StoreStanding(marks, settings.company) if marks else None
    return Bucket(link, company=settings.company, stalls=stalls, clock=clock, standing=standing)


def mint_on(link: Link, settings: Settings, clock: Clock, *, nothing_kept: Callable[[], None] = lambda: None) -> Mint:
    """A standby mint of the company. Probes are never more frequent than tokens: they are calls like any other."""
    bucket = settings.bucket
    shortest_gap = 1 / bucket.rate
    return Mint(
        link,
        company=settings.company,
        rate=bucket.rate,
        burst=bucket.burst,
        jitter_seconds=bucket.jitter_seconds,
        weights=bucket.lanes,
        brake=Brake(max(bucket.probe_gap_seconds, shortest_gap), max(bucket.longest_probe_gap_seconds, shortest_gap)),
        clock=clock,
        window_seconds=bucket.window_seconds,
        nothing_kept=nothing_kept,
    )


@asynccontextmanager
async def watch_topology(settings: Settings, link: Link, clock: Clock) -> AsyncIterator[TopologyWatch]:
    """A watch over the exchanges, queues and bindings of all companies; see `messaging.watching`."""
    watch = TopologyWatch(
        link,
        companies=companies_of(settings),
        retry_delays=settings.rabbitmq.retry_delays_seconds,
        look=lambda: losses_on(settings),
        clock=clock,
    )
    async with in_background(watch.run()):
        yield watch


async def losses_on(settings: Settings) -> Sequence[str]:
    """Which settings of the broker would lose facts, as far as its management API is given and answers."""
    rabbit = settings.rabbitmq
    if rabbit.management_url is None and rabbit.management_url_file is None:
        return ()
    try:
        state = await read_state(rabbit)
    except ConfigurationError as error:
        log.warning("topology.settings_not_seen", error=str(error))
        return ()
    return losses_of(state, relay_of(companies_of(settings), rabbit.retry_delays_seconds))


@asynccontextmanager
async def open_receiver(settings: Settings, clock: Clock, *, measures: Measures) -> AsyncIterator[Starlette]:
    """The webhook receiver's application. It starts without the broker, or without its permission: 503 meanwhile.

    Raises:
        ConfigurationError: there is no signing secret.
    """
    sources = webhooks_of(settings)
    async with open_publisher(settings, clock, "receiver") as publisher:
        try:
            await publisher.ready()
        except (BrokerUnreachable, UnsafeTopology) as error:
            log.warning("receiver.broker_not_ready", error=str(error))
        yield create_app(
            publisher=publisher,
            clock=clock,
            sources=sources,
            max_body_bytes=settings.receiver.max_body_bytes,
            retry_after_seconds=settings.receiver.retry_after_seconds,
            measures=measures,
        )
