"""A server that sends a byte now and then, for ever: every client gives it up, and whoever is to stop is heard."""

import asyncio
import fcntl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from structlog.testing import capture_logs

from ops.composing import management
from ops.composing.payroll import open_client
from ops.composing.workers import losses_on
from producers.calling import trying
from producers.calling.errors import ProviderUnreachable
from producers.calling.tokens import RenewedTokens
from producers.feeds.feed import keep_feeding
from producers.feeds.passing import PollUnavailable, Turn
from producers.feeds.polling import PolledAddress
from producers.normalising import NormaliseContext
from producers.payroll.provider import Span
from producers.payroll.scheduling import Rhythm, Schedule
from runtime.calling import AnswerTooSlow, new_client
from runtime.clock import SystemClock
from runtime.sections_feeds import PollingFeed
from runtime.sections_payroll import PayrollSettings
from runtime.settings import RabbitSettings, Settings
from solid.client import SolidClient
from solid.errors import OutcomeUnknown
from solid.transport import PacedTransport, direct_transport
from tests.fakes import FakeClock
from tests.unit.producers.feeds.feeding import FakeBroker
from tests.unit.producers.feeds.polled import FakeCursors
from tests.unit.producers.payroll.providers import ENTITY
from tests.unit.producers.payroll.pulls import gusto_settings
from tests.unit.solid.support import DIALECT, INVOICE, KEY, WritingLimiter

ZONE = ZoneInfo("UTC")
SECONDS = 0.4
"""A client's timeout, which is for each wait: bytes come far more often."""

FOR_EVER = 15
"""Within so many seconds everything has ended; the server would go on."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SHAPES = {
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a body without length": (HEAD + b"Connection: close\r\n\r\n", b" "),
    "a header": (HEAD + b"X-Long: ", b"x"),
    "a status": (b"HTTP/1.1 200 ", b"O"),
    "interim answers": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "packed": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\0", b"n"),
}


@dataclass
class Dripping:
    """Answers whoever asks with a beginning, and then with a little now and then."""

    shape: str = "a body"
    refused: str | None = None
    """What is answered with 401, at once."""
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.refused is not None and self.refused in (await reader.readuntil(b"\r\n\r\n")).decode():
                writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
            self.asked.set()
            begin, drop = SHAPES[self.shape]
            writer.write(begin)
            while True:
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(SECONDS / 20)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def dripping(shape: str = "a body", *, refused: str | None = None) -> AsyncIterator[Dripping]:
    """A server on this machine."""
    there = Dripping(shape, refused)
    server = await asyncio.start_server(there.answer, "127.0.0.1", 0)
    there.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield there
    finally:
        server.close()


def polled(there: Dripping, *, seconds: float = SECONDS) -> PolledAddress:
    settings = PollingFeed(source="shopify", url=f"{there.url}/x", timeout_seconds=seconds, calls_per_minute=1_000_000)
    broker = FakeBroker()
    return PolledAddress("shop", settings, NormaliseContext(), broker, FakeCursors(broker), FakeClock())


def payroll(there: Dripping, folder: Path, *, seconds: float = SECONDS) -> PayrollSettings:
    return gusto_settings(folder, base_url=there.url, token_url=f"{there.url}/oauth/token", timeout_seconds=seconds)


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_whole_call_has_a_deadline_whatever_drips(shape: str) -> None:
    async with dripping(shape) as there, asyncio.timeout(FOR_EVER), new_client(timeout=SECONDS) as client:
        with pytest.raises(AnswerTooSlow, match=f"not whole after {SECONDS:g} s"):
            await client.get(there.url)


async def ask_feed(there: Dripping, folder: Path) -> None:
    del folder
    feed = polled(there)
    with pytest.raises(PollUnavailable, match=r"feeds\.shop \(127.0.0.1\): no answer: the answer was not whole after"):
        await feed.look(Turn(asyncio.Event(), FakeClock(), patient=False))
    await feed.close()


async def ask_provider(there: Dripping, folder: Path) -> None:
    async with open_client("made", payroll(there, folder), FakeClock()) as client:
        with pytest.raises(ProviderUnreachable, match=r"payroll\.made: .*the answer was not whole after"):
            await client.runs(ENTITY, Span(date(2026, 4, 1), date(2026, 4, 30)))


async def ask_management(there: Dripping, folder: Path) -> None:
    del folder
    rabbit = RabbitSettings.model_validate({"url": "amqp://broker", "management_url": there.url})
    with capture_logs() as logs:
        assert await losses_on(Settings(rabbitmq=rabbit)) == ()
    assert "the answer was not whole after" in logs[0]["error"]


async def ask_solid(there: Dripping, folder: Path) -> None:
    del folder
    solid = SolidClient(
        base_url=there.url,
        api_key=lambda: KEY,
        dialect=DIALECT,
        transport=PacedTransport(direct_transport(), WritingLimiter()),
        timeout=httpx2.Timeout(SECONDS),
        clock=FakeClock(),
    )
    async with solid:
        with pytest.raises(OutcomeUnknown, match="AnswerTooSlow"):
            await solid.create(INVOICE)


@pytest.mark.parametrize(
    ("ask", "refused"),
    [
        pytest.param(ask_feed, None, id="a polled address"),
        pytest.param(ask_provider, None, id="a payroll provider"),
        pytest.param(ask_provider, "GET", id="the renewal of its tokens"),
        pytest.param(ask_management, None, id="the management API"),
        pytest.param(ask_solid, None, id="Solid"),
    ],
)
async def test_every_client_gives_up_and_says_so(
    ask: Callable[[Dripping, Path], Awaitable[None]],
    refused: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trying, "PAUSES_SECONDS", ())
    monkeypatch.setattr(management, "TIMEOUT_SECONDS", SECONDS)
    async with dripping(refused=refused) as there, asyncio.timeout(FOR_EVER):
        await ask(there, tmp_path)


async def feed_until(stop: asyncio.Event, there: Dripping, folder: Path) -> None:
    del folder
    await keep_feeding(polled(there, seconds=FOR_EVER), stop, SystemClock())


async def pull_until(stop: asyncio.Event, there: Dripping, folder: Path) -> None:
    rhythm = Rhythm(schedule="* * * * *", zone=ZONE, months_back=1, first=None)
    async with open_client("made", payroll(there, folder, seconds=FOR_EVER), SystemClock()) as client:

        async def pull(span: Span) -> None:
            await client.runs(ENTITY, span)

        async def pulls() -> Mapping[date, datetime]:
            return {}

        await Schedule(name="made", rhythm=rhythm, pull=pull, pulls=pulls, clock=SystemClock()).run(stop)


async def look_until(stop: asyncio.Event, there: Dripping, folder: Path) -> None:
    """As `watch_topology` ends its watch."""
    looking = asyncio.create_task(ask_management(there, folder))
    await stop.wait()
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


@pytest.mark.parametrize("run", [feed_until, pull_until, look_until], ids=["a feed", "a pull", "the watch"])
async def test_whoever_is_to_stop_is_heard_while_a_call_is_under_way(
    run: Callable[[asyncio.Event, Dripping, Path], Awaitable[None]], tmp_path: Path
) -> None:
    stop = asyncio.Event()
    async with dripping() as there, asyncio.timeout(FOR_EVER):
        running = asyncio.ensure_future(run(stop, there, tmp_path))
        await there.asked.wait()
        stop.set()
        await running


def test_who_waits_for_tokens_that_another_process_renews_can_be_told_to_stop(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text('{"access_token": "a1", "refresh_token": "r1"}')
    other, released = path.with_name("tokens.lock").open("w"), threading.Event()
    fcntl.flock(other, fcntl.LOCK_EX)

    def release() -> None:
        released.set()
        other.close()

    async def never(_: str) -> Mapping[str, Any]:
        raise AssertionError

    async def stopped() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await RenewedTokens(path, where="payroll.made", grant=never).renew("a1")

    timer = threading.Timer(10, release)
    timer.start()
    asyncio.run(stopped())  # which waits for its threads
    timer.cancel()
    assert not released.is_set()
    other.close()
