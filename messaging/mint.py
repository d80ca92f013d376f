"""The mint: the one process that fills a company's bucket.

Every worker carries one; the broker elects: the mint queue has a single active consumer, and whoever holds its
baton (a message, not acknowledged) mints. When the holder dies the baton goes to the next at once. After every
election and every loss of the broker the bucket starts empty.
"""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError
from aiolimiter import AsyncLimiter

from messaging.brake import Brake
from messaging.bucket import BATON, BRAKE, PROBE, RELEASE
from messaging.connection import Link, keep, within
from messaging.topology import declare_bucket, mint_queue, mint_state_queue, token_queue
from runtime.clock import Clock

log = structlog.get_logger()

CATCH_UP = 2
"""Tokens the pacing may issue at once to make up for a late wake-up; part of the burst."""

REPORT_EVERY_SECONDS = 1.0
REFRESH_SECONDS = 600.0
"""The baton goes back and comes again this often, well within the broker's 30-minute consumer time-out."""


def bucket_depth(burst: int) -> int:
    """How many tokens the queue may hold so that queue and catch-up together never exceed the burst."""
    return max(1, burst - CATCH_UP)


class Mint:
    """A standby mint of one company: `run` takes part in the election and mints while elected."""

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        link: Link,
        *,
        company: str,
        rate: float,
        burst: int,
        brake: Brake,
        clock: Clock,
        window_seconds: float = 60,
    ) -> None:
        self._link = link
        self._company = company
        self._rate = rate
        self._depth = bucket_depth(burst)
        self._brake = brake
        self._clock = clock
        self._window = window_seconds
        self._minted: deque[float] = deque()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Stand by, and mint while elected, for ever. Safe to cancel: another mint takes over at once."""
        await keep(self._session, name=f"mint {self._company}", clock=self._clock)

    async def _session(self) -> None:
        channel = await self._link.channel(prefetch=20)
        held: list[AbstractIncomingMessage] = []
        minting: list[asyncio.Task[None]] = []
        failed = asyncio.get_running_loop().create_future()

        async def on_message(message: AbstractIncomingMessage) -> None:
            if message.type != BATON:
                self._on_report(message.type, json.loads(message.body))
            elif not held:
                held.append(message)
                if not minting:
                    minting.append(asyncio.create_task(self._mint(channel)))
                    minting[0].add_done_callback(lambda t: _pass_on(t, failed))
                return
            await message.ack()

        try:
            await declare_bucket(channel, self._company, depth=self._depth)
            queue = await channel.get_queue(mint_queue(self._company), ensure=False)
            await within(10, queue.consume(on_message))
            await within(10, channel.default_exchange.publish(_message(BATON), mint_queue(self._company)))
            await _until_lost(channel, failed, lambda: self._refresh(held))
        finally:
            for task in minting:
                task.cancel()
            await asyncio.gather(*minting, return_exceptions=True)
            with contextlib.suppress(Exception):
                await channel.close()

    async def _refresh(self, held: list[AbstractIncomingMessage]) -> None:
        if held:
            await held.pop().nack(requeue=True)

    def _on_report(self, kind: str | None, report: Mapping[str, Any]) -> None:
        now = self._clock.monotonic()
        if kind == BRAKE:
            started = self._brake.pull(
                str(report["cause"]), now=now, retry_after=report["retry_after"], probe=bool(report["probe"])
            )
            if started:
                log.warning("brake.pulled", company=self._company, cause=report["cause"])
        elif kind == RELEASE and self._brake.release():
            log.info("brake.released", company=self._company, after_seconds=round(now - self._brake.since, 1))
        self._changed.set()

    async def _mint(self, channel: AbstractChannel) -> None:
        log.info("mint.elected", company=self._company, rate=round(self._rate, 3))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report_state(channel))
            while True:
                await self._pay_out(channel)
                await self._stand_still(channel)

    async def _pay_out(self, channel: AbstractChannel) -> None:
        """Mint at the rate until the brake is pulled. Starts with an empty bucket."""
        await self._purge(channel)
        limiter = AsyncLimiter(CATCH_UP, CATCH_UP / self._rate)
        await limiter.acquire(CATCH_UP)
        while not self._brake.on:
            await limiter.acquire()
            if not self._brake.on:
                await self._issue(channel, "")

    async def _stand_still(self, channel: AbstractChannel) -> None:
        """While the brake is on: no tokens but single probes, when they are due."""
        await self._purge(channel)
        while self._brake.on:
            self._changed.clear()
            due = self._brake.next_probe - self._clock.monotonic()
            if due <= 0:
                await self._purge(channel)
                await self._issue(channel, PROBE)
                self._brake.probed(now=self._clock.monotonic())
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due):
                    await self._changed.wait()

    async def _issue(self, channel: AbstractChannel, kind: str) -> None:
        """One token into the bucket; a full bucket refuses it, and that is that."""
        with contextlib.suppress(DeliveryError):
            await within(10, channel.default_exchange.publish(_message(kind), token_queue(self._company)))
            now = self._clock.monotonic()
            self._minted.append(now)
            while self._minted[0] < now - self._window:
                self._minted.popleft()

    async def _purge(self, channel: AbstractChannel) -> None:
        queue = await channel.get_queue(token_queue(self._company), ensure=False)
        await within(10, queue.purge())

    async def _report_state(self, channel: AbstractChannel) -> None:
        """Leave a report for `relay status`: only the latest is kept, and it expires by itself."""
        while True:
            state = {
                "at": datetime.now(UTC).isoformat(),
                "rate": self._rate,
                "minted": len(self._minted),
                "window_seconds": self._window,
                "brake": self._brake.cause,
                "braked_seconds": self._clock.monotonic() - self._brake.since if self._brake.on else None,
            }
            message = aio_pika.Message(json.dumps(state).encode())
            await within(10, channel.default_exchange.publish(message, mint_state_queue(self._company)))
            await self._clock.sleep(REPORT_EVERY_SECONDS)


def _message(kind: str) -> aio_pika.Message:
    durable = aio_pika.DeliveryMode.PERSISTENT if kind == BATON else aio_pika.DeliveryMode.NOT_PERSISTENT
    return aio_pika.Message(b"", type=kind or None, delivery_mode=durable)


def _pass_on(task: asyncio.Task[None], failed: asyncio.Future[None]) -> None:
    if task.cancelled():
        return
    error = _cause(task.exception())  # asked for in any case: else asyncio complains that nobody did
    if not failed.done():
        failed.set_exception(error)


def _cause(error: BaseException | None) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error or ConnectionError("the mint stopped")


async def _until_lost(
    channel: AbstractChannel, failed: asyncio.Future[None], refresh: Callable[[], Awaitable[None]]
) -> None:
    """Wait for the end of the channel or of the minting; call `refresh` now and then."""
    lost = asyncio.ensure_future(channel.closed())
    ends: set[asyncio.Future[Any]] = {lost, failed}
    try:
        while True:
            done, _ = await asyncio.wait(ends, timeout=REFRESH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if done:
                break
            await refresh()
        if failed.done():
            failed.result()
    finally:
        lost.cancel()
        failed.cancel()
