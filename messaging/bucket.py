"""The worker's side of the token bucket: take a token, spend it at once, report what Solid made of the call.

No token, no call: when the broker cannot be reached, nothing is sent, never the opposite. The subscription on the
token queue exists only while somebody waits, so that a token is never kept for later.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from messaging.connection import BROKEN, Link, keep, within
from messaging.errors import BrokerUnreachable
from messaging.topology import declare_bucket, mint_queue, token_queue
from runtime.clock import Clock

log = structlog.get_logger()

PROBE = "probe"
BRAKE = "brake"
RELEASE = "release"
BATON = "baton"


class NoToken(Exception):
    """The bucket hands out nothing now: the worker is giving its deliveries back, or stopping."""


@dataclass(frozen=True, slots=True)
class Token:
    """Permission for one call. A probe is the single call that tries whether Solid answers again."""

    probe: bool = False


class Bucket:
    """Tokens for one company. Satisfies `solid.transport.Limiter`."""

    def __init__(self, link: Link, *, company: str, depth: int, clock: Clock) -> None:
        self._link = link
        self._company = company
        self._depth = depth
        self._clock = clock
        self._waiting: deque[tuple[float, asyncio.Future[Token]]] = deque()
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._refusing = False
        self._wanting_since: float | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    @property
    def longest_wait(self) -> float:
        """Seconds that calls have been wanted and none was answered; 0 when nobody waits for a token.

        A probe that fails is no answer: whoever waited before it goes on waiting.
        """
        if not self._waiting or self._wanting_since is None:
            return 0.0
        return self._clock.monotonic() - self._wanting_since

    async def take(self) -> Token:
        """Wait for a token; first come, first served. Safe to cancel.

        Raises:
            NoToken: the bucket was told to refuse.
        """
        if self._refusing:
            raise NoToken
        future: asyncio.Future[Token] = asyncio.get_running_loop().create_future()
        entry = (self._clock.monotonic(), future)
        self._waiting.append(entry)
        self._wanted.set()
        if self._wanting_since is None:
            self._wanting_since = entry[0]
        try:
            return await future
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(entry)
            if not self._waiting:
                self._idle.set()

    async def report(self, token: Token, *, cause: str | None, retry_after: float | None = None) -> None:
        """Tell the mint what became of the call: a `cause` pulls the brake, an answered probe releases it.

        Silent where there is nothing to say. A report that cannot be sent is logged: the mint's probes find out.
        """
        if cause is None:
            self._wanting_since = self._clock.monotonic() if self._waiting else None
            if not token.probe:
                return
        body = {"cause": cause, "retry_after": retry_after, "probe": token.probe}
        message = aio_pika.Message(json.dumps(body).encode(), type=BRAKE if cause else RELEASE)
        try:
            async with asyncio.timeout(5):
                channel = await self._open()
                await channel.default_exchange.publish(message, mint_queue(self._company))
        except (*BROKEN, BrokerUnreachable) as error:
            log.warning("brake.not_reported", company=self._company, cause=cause, error=type(error).__name__)

    def refuse(self) -> None:
        """Hand out nothing from now on; everyone in line gets `NoToken`."""
        self._refusing = True
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(NoToken())

    def accept(self) -> None:
        """Hand out tokens again."""
        self._refusing = False
        self._wanting_since = None

    async def run(self) -> None:
        """Serve those in line, for ever, through every loss of the broker. Safe to cancel."""
        await keep(self._serve, name=f"bucket {self._company}", clock=self._clock)

    async def _open(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                channel = await self._link.channel(prefetch=1)
                await declare_bucket(channel, self._company, depth=self._depth)
                self._channel = channel
            return self._channel

    async def _serve(self) -> None:
        channel = await self._open()
        queue = await channel.get_queue(token_queue(self._company), ensure=False)
        lost = asyncio.ensure_future(channel.closed())
        if self._waiting:
            self._wanted.set()
        try:
            while not lost.done():
                await _first(lost, self._wanted.wait())
                self._wanted.clear()
                self._idle.clear()
                if not self._waiting or lost.done():
                    continue
                tag = await within(10, queue.consume(self._on_token))
                await _first(lost, self._idle.wait())
                if not lost.done():
                    await within(10, queue.cancel(tag))
        finally:
            lost.cancel()

    async def _on_token(self, message: AbstractIncomingMessage) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        if not self._waiting:
            await message.nack(requeue=True)
            return
        _, future = self._waiting.popleft()
        future.set_result(Token(probe=message.type == PROBE))
        if not self._waiting:
            self._idle.set()
        await message.ack()


async def _first(lost: "asyncio.Future[Literal[True]]", other: Coroutine[Any, Any, bool]) -> None:
    """Wait for the other thing, or for the loss of the channel."""
    task = asyncio.create_task(other)
    ends: set[asyncio.Future[Any]] = {lost, task}
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
