"""Links, publishers and events for tests on a real broker, and a cable that can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from messaging.connection import Link
from messaging.consumer import Consumer
from messaging.delivery import Delivery
from messaging.publisher import Publisher
from messaging.topology import stream_queue
from runtime.clock import SystemClock
from schemas.envelope import Event
from tests.unit.producers.made import only_event, payout, stripe_event

DELAYS = (0.2, 0.5)
CLOCK = SystemClock()
Deliveries = asyncio.Queue[Delivery]


def paid_out(company: str, number: int = 1) -> Event:
    """A payout of a company."""
    event = only_event(stripe_event("payout.paid", payout(id=f"po_{number}"), id=f"evt_{company}_{number}"))
    return event.model_copy(update={"company": company})


def link_to(url: str, name: str = "test", *, connect_timeout: float = 5) -> Link:
    """A link that gives up soon; not connected yet."""
    return Link(SecretStr(url), name=name, connect_timeout=connect_timeout, heartbeat=10)


@asynccontextmanager
async def linked(url: str, name: str = "test") -> AsyncIterator[Link]:
    """A link for the length of a block."""
    link = link_to(url, name)
    try:
        yield link
    finally:
        await link.close()


def publisher_on(link: Link, company: str, *, timeout: float = 5) -> Publisher:
    """A publisher for one company."""
    return Publisher(link, clock=CLOCK, companies=[company], retry_delays=DELAYS, timeout=timeout)


@asynccontextmanager
async def consuming(link: Link, publisher: Publisher, company: str) -> AsyncIterator[tuple[Consumer, Deliveries]]:
    """A consumer of a company's sales, whose deliveries land unsettled in a queue."""
    taken: Deliveries = asyncio.Queue()
    consumer = Consumer(link, publisher, queues={stream_queue(company, "sales"): 10})
    await consumer.open(taken.put, companies=[company], retry_delays=DELAYS)
    try:
        yield consumer, taken
    finally:
        await consumer.close()


async def soon(awaitable: Awaitable[object], *, within_seconds: float = 10) -> object:
    """Wait for it, but not for ever."""
    async with asyncio.timeout(within_seconds):
        return await awaitable


async def until(true: Callable[[], bool], *, within_seconds: float = 10) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(within_seconds):
        while not true():  # noqa: ASYNC110 - what is waited for has no event to wait on
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*jobs: Awaitable[None]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run in the background for the length of a block; a job that fails meanwhile fails the test."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield tasks
    finally:
        failed = [task for task in tasks if task.done() and not task.cancelled() and task.exception()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in failed:
            task.result()


@dataclass(slots=True)
class Cable:
    """A TCP proxy before the broker: `cut` drops every connection at once, without a goodbye."""

    url: str
    ends: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut(self) -> None:
        """Pull the plug; the next connection goes through again."""
        ends, self.ends = self.ends, []
        for end in ends:
            end.transport.abort()


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[Cable]:
    """A cable to a broker."""
    parts = urlsplit(url)
    cable = Cable("")

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection(parts.hostname, parts.port)
        cable.ends += [writer, out]
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):  # the loop may end first
            await asyncio.gather(_pump(reader, out), _pump(there, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    cable.url = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
    try:
        yield cable
    finally:
        server.close()
        cable.cut()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    target.close()
