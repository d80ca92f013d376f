"""The composition root: from settings to running parts. Nothing else builds a link, a client or an engine."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import structlog
import uvicorn
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from messaging.brake import Brake
from messaging.bucket import Bucket
from messaging.connection import Link
from messaging.errors import BrokerUnreachable
from messaging.mint import Mint, bucket_depth
from messaging.publisher import Publisher
from producers.webhooks.receiver import create_app
from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings
from solid.client import SolidClient
from solid.dialect import Dialect
from solid.transport import Limiter, PacedTransport, direct_transport
from store import migrate
from store.cases import Cases
from store.earlier import EarlierRecords
from store.engine import connect
from store.inbox import Inbox
from workers.applying import Applier, Timing
from workers.books import load_books
from workers.earlier import Earlier
from workers.sweeping import Sweeper
from workers.worker import Parts, Worker

log = structlog.get_logger()


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database, migrated to the newest schema."""
    migrate.upgrade(settings.store.url)
    engine = connect(settings.store.url)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_link(settings: Settings, name: str) -> AsyncIterator[Link]:
    """A supervised connection to the broker; nothing is connected yet."""
    rabbit = settings.rabbitmq
    link = Link(
        rabbit.address(),
        name=f"relay {name} {os.getpid()}",
        connect_timeout=rabbit.connect_timeout_seconds,
        heartbeat=rabbit.heartbeat_seconds,
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
    return tuple(sorted({settings.company, *settings.stripe.accounts.values()}))


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


@asynccontextmanager
async def open_solid(settings: Settings, limiter: Limiter, clock: Clock) -> AsyncIterator[SolidClient]:
    """Solid's client; every call it makes takes a token from the limiter."""
    solid = settings.solid
    solid.key()
    timeout = httpx.Timeout(solid.timeout_seconds, connect=solid.connect_timeout_seconds)
    client = SolidClient(
        base_url=solid.base_url,
        api_key=solid.key,
        dialect=dialect_of(settings),
        transport=PacedTransport(direct_transport(ca_file=solid.ca_file), limiter),
        timeout=timeout,
        clock=clock,
    )
    async with client:
        yield client


def bucket_on(link: Link, settings: Settings, clock: Clock) -> Bucket:
    """The company's token bucket, reached over a link."""
    return Bucket(link, company=settings.company, depth=bucket_depth(settings.bucket.burst), clock=clock)


def mint_on(link: Link, settings: Settings, clock: Clock) -> Mint:
    """A standby mint of the company."""
    bucket = settings.bucket
    return Mint(
        link,
        company=settings.company,
        rate=bucket.rate,
        burst=bucket.burst,
        brake=Brake(bucket.probe_gap_seconds, bucket.longest_probe_gap_seconds),
        clock=clock,
        window_seconds=bucket.window_seconds,
    )


@asynccontextmanager
async def open_worker(settings: Settings, clock: Clock) -> AsyncIterator[Worker]:
    """One worker with all its parts, ready to run.

    Raises:
        ConfigurationError: books, key or dialect are missing or wrong.
    """
    books = load_books(settings.books)
    worker = settings.worker
    async with (
        open_store(settings) as engine,
        open_link(settings, "worker") as consuming,
        open_link(settings, "mint") as minting,
        open_publisher(settings, clock, "worker") as publisher,
    ):
        bucket = bucket_on(consuming, settings, clock)
        async with open_solid(settings, bucket, clock) as solid:
            owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
            inbox = Inbox(engine, owner=owner, lease=timedelta(seconds=worker.lease_seconds), clock=clock)
            timing = Timing(worker.settle_seconds, worker.lease_seconds, settings.solid.timeout_seconds)
            earlier = Earlier(
                solid=solid,
                records=EarlierRecords(engine, clock),
                inbox=inbox,
                company=settings.company,
                settle=timedelta(seconds=worker.settle_seconds),
                clock=clock,
            )
            applier = Applier(
                solid=solid, inbox=inbox, earlier=earlier, company=settings.company, timing=timing, clock=clock
            )
            yield Worker(
                Parts(
                    consuming=consuming,
                    publisher=publisher,
                    bucket=bucket,
                    mint=mint_on(minting, settings, clock),
                    solid=solid,
                    dialect=dialect_of(settings),
                    inbox=inbox,
                    applier=applier,
                    sweeper=Sweeper(
                        solid=solid,
                        inbox=inbox,
                        cases=Cases(engine, clock),
                        company=settings.company,
                        after=timedelta(seconds=worker.sweep_after_seconds),
                        clock=clock,
                    ),
                    books=books,
                    company=settings.company,
                    settings=worker,
                    retry_delays=settings.rabbitmq.retry_delays_seconds,
                    clock=clock,
                )
            )


@asynccontextmanager
async def open_receiver(settings: Settings, clock: Clock) -> AsyncIterator[Starlette]:
    """The webhook receiver's application. A broker that is down is no reason not to start: it answers 503 meanwhile.

    Raises:
        ConfigurationError: there is no signing secret.
    """
    secrets = settings.stripe.signing_secrets()
    async with open_publisher(settings, clock, "receiver") as publisher:
        try:
            await publisher.ready()
        except BrokerUnreachable as error:
            log.warning("receiver.broker_unreachable", error=str(error))
        yield create_app(
            publisher=publisher,
            clock=clock,
            company=settings.company,
            max_body_bytes=settings.receiver.max_body_bytes,
            retry_after_seconds=settings.receiver.retry_after_seconds,
            stripe_secrets=secrets,
            tolerance_seconds=settings.stripe.tolerance_seconds,
            stripe_accounts=settings.stripe.accounts,
        )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the roles share one set."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Starlette, settings: Settings, stop: asyncio.Event) -> None:
    """Serve HTTP until `stop` is set; requests under way are answered first.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    host, port = settings.receiver.host, settings.receiver.port
    try:
        listening = socket.create_server((host, port))
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}. Set receiver.host and receiver.port."
        raise ConfigurationError(msg) from error
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=15, server_header=False)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopped = asyncio.create_task(stop.wait())
    log.info("receiver.listening", host=host, port=listening.getsockname()[1])
    try:
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopped.cancel()
        listening.close()
