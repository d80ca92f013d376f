"""One supervised connection to RabbitMQ.

aio-pika's robust connection can hang after some failures, so it is not used: a plain connection is made when
one is needed, dropped as soon as anything about it is doubtful (a publish time-out, a lost heartbeat), and
made again. Whoever consumes runs inside `keep`, which starts its session again on the next connection.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    AMQPError,
    ChannelClosed,
    ChannelInvalidStateError,
    ConnectionClosed,
    ProbableAuthenticationError,
)
from pydantic import SecretStr

from messaging.errors import BrokerUnreachable, MessagingError
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.tls import distrust, trusting
from runtime.tracebacks import words_of

log = structlog.get_logger()

BROKEN = (
    AMQPError,
    ChannelInvalidStateError,
    ConnectionError,
    TimeoutError,
    OSError,
    RuntimeError,
    StopAsyncIteration,  # aiormq's word for a server that hangs up during the handshake, as one does that is stopping
)
"""What aio-pika and the sockets below it raise when the connection is no longer good."""

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
SAID_AGAIN_SECONDS = 60.0

Result = TypeVar("Result")


class Link:
    """A connection that is made on demand and made again when lost. One task may drop it for all."""

    def __init__(
        self,
        address: SecretStr | Callable[[], SecretStr],
        *,
        name: str,
        connect_timeout: float = 10,
        heartbeat: int = 10,
        ca_file: Path | None = None,
    ) -> None:
        """An `address` that can be asked is asked at each connect: a new password in its file needs no restart.

        `ca_file` is the certificate of a private authority, which is read at each connect too.
        """
        self._address = address
        self._name = name
        self._timeout = connect_timeout
        self._heartbeat = heartbeat
        self._ca_file = ca_file
        self._connection: AbstractConnection | None = None
        self._generation = 0
        self._lock = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def generation(self) -> int:
        """Grows with each connection made: says which one a failure was seen on."""
        return self._generation

    async def connection(self) -> AbstractConnection:
        """The open connection, made now if there is none.

        Raises:
            BrokerUnreachable: none could be made within the connect time-out.
        """
        async with self._lock:
            if self._connection is None or self._connection.is_closed:
                self._connection = await self._connect()
                self._generation += 1
            return self._connection

    async def channel(self, *, prefetch: int | None = None) -> AbstractChannel:
        """A new channel with publisher confirms; a returned message raises.

        Raises:
            BrokerUnreachable: no connection, or no channel on it within the connect time-out.
        """
        connection = await self.connection()
        seen = self._generation
        try:
            async with asyncio.timeout(self._timeout):
                channel = connection.channel(publisher_confirms=True, on_return_raises=True)
                await channel.initialize()
                if prefetch is not None:
                    await channel.set_qos(prefetch_count=prefetch)
        except BROKEN as error:
            self.drop("no channel could be opened", seen=seen)
            msg = f"RabbitMQ opens no channel: {said_of(error)}"
            raise BrokerUnreachable(msg) from error
        return channel

    def drop(self, why: str, *, seen: int | None = None) -> None:
        """Give the connection up, whatever its state; the next use makes a new one. Never waits.

        `seen` is the generation the failure was seen on: a younger connection is left alone.
        """
        if seen is not None and seen != self._generation:
            return
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed:
            return
        log.warning("connection.dropped", link=self._name, why=why)
        task = asyncio.create_task(_close(connection))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close in good order."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await _close(connection)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _connect(self) -> AbstractConnection:
        try:
            address = self._address if isinstance(self._address, SecretStr) else self._address()
            trust = None if self._ca_file is None else trusting("rabbitmq.ca_file", self._ca_file)
        except ConfigurationError as error:
            raise BrokerUnreachable(str(error)) from error
        try:
            async with asyncio.timeout(self._timeout):
                return await aio_pika.connect(
                    address.get_secret_value(),
                    heartbeat=self._heartbeat,
                    ssl_context=trust,
                    client_properties={"connection_name": self._name},
                )
        except ProbableAuthenticationError as error:
            msg = (
                "RabbitMQ refuses user or password of rabbitmq.url (or of the file of rabbitmq.url_file, which is read "
                "at each try). Correct it there, or in RabbitMQ: rabbitmqctl change_password USER"
            )
            raise BrokerUnreachable(msg) from error
        except BROKEN as error:
            msg = f"RabbitMQ cannot be reached: {type(error).__name__}. Is it running, and is rabbitmq.url right?"
            if (why := distrust(error)) is not None:
                msg = (
                    f"RabbitMQ's certificate is not accepted: {why}. Name the certificate of the authority that signed "
                    "it with rabbitmq.ca_file, and in rabbitmq.url a host that the certificate names."
                )
            raise BrokerUnreachable(msg) from error


async def _close(connection: AbstractConnection) -> None:
    with contextlib.suppress(*BROKEN):
        async with asyncio.timeout(2):
            await connection.close()


async def end_of(channel: AbstractChannel) -> "asyncio.Future[None]":
    """Done once nothing more comes on this channel: it is closed, or the broker has ended a subscription on it.

    The broker does so when the queue is deleted or its node dies; the channel stays open then, and silent.
    """
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def over(*_: object) -> None:
        if not end.done():
            end.set_result(None)

    channel.close_callbacks.add(over)
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(over)
    return end


def said_of(error: Exception) -> str:
    """What may be told of a failure: our own words, the operating system's, and those with which the broker closes."""
    return str(error) if isinstance(error, ChannelClosed | ConnectionClosed) else words_of(error)


async def within(seconds: float, call: Awaitable[Result]) -> Result:
    """The call's answer, or TimeoutError. Safe to cancel.

    A time-out given to aio_pika itself ends in `asyncio.wait_for`, which loses a cancellation now and then before
    Python 3.12: a worker would then never stop.
    """
    async with asyncio.timeout(seconds):
        return await call


def heed_cancellation() -> None:
    """Raise CancelledError where the running task was cancelled and somebody below has lost that.

    aiormq turns a cancellation into its own word for a closed channel when both come at once.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Words:
    """What was said already: the same again is said only once in a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: str | None = None
        self._at = 0.0

    def new(self, text: str) -> bool:
        """Whether it is something else, or was said long ago; it counts as said now."""
        now = self._clock.monotonic()
        if text == self._said and now - self._at < SAID_AGAIN_SECONDS:
            return False
        self._said, self._at = text, now
        return True


async def keep(session: Callable[[], Awaitable[None]], *, name: str, clock: Clock) -> None:
    """Run `session` for ever: again after each failure of the broker, with growing pauses.

    A session that returns is started again too. A queue or a permission that is refused is waited for like a broker
    that is away: a person mends it, and nobody has to start anything again. Every other exception ends it. Safe to
    cancel.
    """
    pause, words = FIRST_PAUSE_SECONDS, Words(clock)
    while True:
        started = clock.monotonic()
        try:
            await session()
        except (*BROKEN, MessagingError) as error:
            problem = said_of(error)
            if words.new(problem):
                log.warning("session.interrupted", session=name, error=problem)
        if clock.monotonic() - started > LONGEST_PAUSE_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        heed_cancellation()
        await clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
