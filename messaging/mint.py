"""The mint: the one process that hands out a company's tokens.

Every worker carries one; the broker elects: the mint queue has a single active consumer, and whoever hears anything
on it is that one, and mints. Nothing that lies in the queue matters: those who do not mint say something now and then
(the baton), so a queue that was purged, limited or deleted is without a mint for seconds. After every election and
every loss of the broker the bucket starts empty.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError
from aiolimiter import AsyncLimiter

from messaging.brake import Brake
from messaging.bucket import BATON, BRAKE, PROBE, RELEASE, WANT
from messaging.connection import Link, end_of, keep, within
from messaging.lanes import Lane, Turns
from messaging.marks import ASTRAY, RESTORED, TOLD, Referee
from messaging.pace import Pace
from messaging.topology import declare_bucket, mint_queue, mint_state_queue
from messaging.wants import Wants
from runtime.clock import Clock

log = structlog.get_logger()

SILENCE_NOTICED_SECONDS = 0.5
"""A bucket that has died with tokens under way says nothing: the mint looks by itself, too."""

REPORT_EVERY_SECONDS = 1.0
UNCHANGED_SECONDS = 5.0
"""A report that says the same again is left only this often."""

BATON_EVERY_SECONDS = 2.0
"""Whoever does not mint sends a baton this often: whichever consumer is active hears it, and mints."""


@dataclass(frozen=True, slots=True)
class MintState:
    """What the elected mint does now: the cause of the brake, None when it is off, and the share of the full rate."""

    brake: str | None
    share_of_rate: float


class Mint:
    """A standby mint of one company: `run` takes part in the election and mints while elected."""

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        link: Link,
        *,
        company: str,
        rate: float,
        burst: int,
        jitter_seconds: float,
        weights: Mapping[Lane, int],
        brake: Brake,
        clock: Clock,
        window_seconds: float = 60,
        nothing_kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._link = link
        self._company = company
        self._rate = rate
        self._burst = burst
        self._brake = brake
        self._referee = Referee(company, nothing_kept=nothing_kept)
        self._untold: set[str] = set()
        self._clock = clock
        self._window = window_seconds
        self._weights = weights
        self._most_under_way = max(int(rate * jitter_seconds), 1)
        self._wants = self._no_wants()
        self._pace = Pace(window_seconds)
        self._minted: deque[tuple[float, Lane]] = deque()
        self._settled: deque[tuple[float, Lane, int]] = deque()
        self._changed = asyncio.Event()
        self._elected = False

    def state(self) -> MintState | None:
        """What it does now; None while another one mints."""
        if not self._elected:
            return None
        now = self._clock.monotonic()
        return MintState(self._brake.cause or self._referee.cause(now=now), self._pace.share(now=now))

    async def run(self) -> None:
        """Stand by, and mint while elected, for ever. Safe to cancel: another mint takes over at once."""
        await keep(self._session, name=f"mint {self._company}", clock=self._clock)

    async def _session(self) -> None:
        channel = await self._link.channel(prefetch=20)
        minting: list[asyncio.Task[None]] = []
        failed = asyncio.get_running_loop().create_future()
        self._wants = self._no_wants()  # what was sent before may not have arrived

        async def on_message(message: AbstractIncomingMessage) -> None:
            await self._referee.read(channel)
            if message.type != BATON:
                self._listen(message)
                await self._tell_marks(channel)
            if not minting and not lost.done():
                minting.append(asyncio.create_task(self._mint(channel)))
                minting[0].add_done_callback(lambda t: _pass_on(t, failed))
            await message.ack()

        async def offer() -> None:
            if not minting:
                await within(10, channel.default_exchange.publish(_message(BATON), mint_queue(self._company)))

        try:
            await declare_bucket(channel, self._company)
            lost = await end_of(channel)
            queue = await channel.get_queue(mint_queue(self._company), ensure=False)
            await within(10, queue.consume(on_message))
            await _until_over(lost, failed, offer)
        finally:
            for task in minting:
                task.cancel()
            await asyncio.gather(*minting, return_exceptions=True)
            with contextlib.suppress(Exception):
                await channel.close()

    async def _tell_marks(self, channel: AbstractChannel) -> None:
        """Whoever's store is not known to hold the broker's mark is told it, instead of a token."""
        while self._untold:
            reply_to = self._untold.pop()
            message = aio_pika.Message(await self._referee.keep(channel), type=TOLD)
            await within(10, channel.default_exchange.publish(message, reply_to, mandatory=False))

    def _listen(self, message: AbstractIncomingMessage) -> None:
        """Hear a word, whatever it is: one that cannot be read may not stay with the mint and make it deaf."""
        try:
            self._hear(message.type, message.reply_to, json.loads(message.body))
        except Exception as error:  # noqa: BLE001 - anybody may have put it there
            log.warning("mint.unreadable_word", company=self._company, error=type(error).__name__)

    def _hear(self, kind: str | None, reply_to: str | None, said: Mapping[str, Any]) -> None:
        now = self._clock.monotonic()
        if kind == WANT and reply_to is not None:
            if not self._referee.admits(said, now=now):
                self._untold.add(reply_to)
                return
            news = self._wants.heard(reply_to, said, now=now)
            self._settled.extend((now, lane, count) for lane, count in news.items() if count)
        elif kind == BRAKE:
            self._pull(str(said["cause"]), said["retry_after"], probe=bool(said["probe"]), now=now)
        elif kind == RELEASE and self._brake.release():
            log.info("brake.released", company=self._company, after_seconds=round(now - self._brake.since, 1))
        elif kind == ASTRAY:
            self._referee.went_astray(said, now=now)
        elif kind == RESTORED:
            self._referee.restored(said)
        self._changed.set()

    def _pull(self, cause: str, retry_after: float | None, *, probe: bool, now: float) -> None:
        if self._brake.pull(cause, now=now, retry_after=retry_after, probe=probe):
            if cause == "rate_limited":
                self._pace.refused(now=now)
            share = round(self._pace.share(now=now), 3)
            log.warning("brake.pulled", company=self._company, cause=cause, share_of_rate=share)

    async def _mint(self, channel: AbstractChannel) -> None:
        log.info("mint.elected", company=self._company, rate=round(self._rate, 3))
        self._elected = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._report_state(channel))
                while True:
                    await self._pay_out(channel)
                    await self._stand_still(channel)
        finally:
            self._elected = False

    def _no_wants(self) -> Wants:
        return Wants(Turns(self._weights), self._most_under_way)

    async def _pay_out(self, channel: AbstractChannel) -> None:
        """Hand out tokens at the rate to those who want them, until the brake is pulled. Starts with nothing."""
        limiter = AsyncLimiter(self._burst, self._burst / self._rate)
        await limiter.acquire(self._burst)
        while not self._brake.on:
            self._changed.clear()
            if not self._wants.can_send(now=self._clock.monotonic()):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SILENCE_NOTICED_SECONDS if self._wants.waiting() else None):
                        await self._changed.wait()
                continue
            await self._pay(limiter)
            if not self._brake.on:
                await self._hand_out(channel, "")

    async def _pay(self, limiter: AsyncLimiter) -> None:
        """Wait for what a token costs at the present share, which may be more than the limiter holds at once."""
        cost = 1 / self._pace.share(now=self._clock.monotonic())
        while cost > 0:
            await limiter.acquire(min(cost, self._burst))
            cost -= self._burst

    async def _stand_still(self, channel: AbstractChannel) -> None:
        """While the brake is on: no tokens but single probes, when they are due and somebody wants one."""
        while self._brake.on:
            self._changed.clear()
            due = self._brake.next_probe - self._clock.monotonic()
            if due <= 0 and await self._hand_out(channel, PROBE):
                self._brake.probed(now=self._clock.monotonic())
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(due if due > 0 else None):
                    await self._changed.wait()

    async def _hand_out(self, channel: AbstractChannel, kind: str) -> bool:
        """One token to whoever's turn it is; a bucket that is gone is forgotten, and the next one gets it.

        False when nobody wants one.
        """
        while (turn := self._wants.next(now=self._clock.monotonic())) is not None:
            reply_to, lane = turn
            token = _message(kind, lane, body=await self._referee.keep(channel))
            try:
                await within(10, channel.default_exchange.publish(token, reply_to, mandatory=True))
            except DeliveryError:
                self._wants.forget(reply_to)
                continue
            now = self._clock.monotonic()
            self._minted.append((now, lane))
            while self._minted[0][0] < now - self._window:
                self._minted.popleft()
            return True
        return False

    async def _report_state(self, channel: AbstractChannel) -> None:
        """Leave a report for `relay status`: only the latest is kept, and it expires by itself."""
        left: dict[str, Any] = {}
        left_at = -UNCHANGED_SECONDS
        while True:
            now = self._clock.monotonic()
            state = self._state(now)
            if state != left or now - left_at >= UNCHANGED_SECONDS:
                left, left_at = state, now
                message = aio_pika.Message(json.dumps({"at": datetime.now(UTC).isoformat(), **state}).encode())
                to = mint_state_queue(self._company)
                await within(10, channel.default_exchange.publish(message, to, mandatory=True))
            await self._clock.sleep(REPORT_EVERY_SECONDS)

    def _state(self, now: float) -> dict[str, Any]:
        recent = [lane for at, lane in self._minted if at >= now - self._window]
        while self._settled and self._settled[0][0] < now - self._window:
            self._settled.popleft()
        settled = Counter[Lane]()
        for _, lane, count in self._settled:
            settled[lane] += count
        return {
            "by": f"{socket.gethostname()}, process {os.getpid()}",
            "rate": self._rate,
            "share_of_rate": round(self._pace.share(now=now), 3),
            "minted": len(recent),
            "lanes": dict(Counter(recent)),
            "settled": dict(settled),
            "waiting": self._wants.waiting(),
            "window_seconds": self._window,
            "brake": self._brake.cause or self._referee.cause(now=now),
            "astray": self._referee.astray(now=now),
            "braked_seconds": round(now - self._brake.since) if self._brake.on else None,
        }


def _message(kind: str, lane: Lane | None = None, *, body: bytes = b"") -> aio_pika.Message:
    return aio_pika.Message(body, type=kind or None, correlation_id=lane)


def _pass_on(task: asyncio.Task[None], failed: asyncio.Future[None]) -> None:
    if task.cancelled():
        return
    error = _cause(task.exception())  # asked for in any case: else asyncio complains that nobody did
    if not failed.done():
        failed.set_exception(error)
        failed.exception()  # likewise: the session may have ended for another reason meanwhile


def _cause(error: BaseException | None) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error or ConnectionError("the mint stopped")


async def _until_over(
    lost: asyncio.Future[None], failed: asyncio.Future[None], offer: Callable[[], Awaitable[None]]
) -> None:
    """Wait for the end of the channel or of the minting; `offer` at once, and now and then."""
    ends: set[asyncio.Future[Any]] = {lost, failed}
    try:
        while not any(end.done() for end in ends):
            await offer()
            await asyncio.wait(ends, timeout=BATON_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
    finally:
        failed.cancel()
