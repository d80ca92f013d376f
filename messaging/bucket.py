"""The worker's side of the token bucket: ask for a token, spend it at once, report what Solid made of the call.

No token, no call: when the broker cannot be reached, nothing is sent, never the opposite. Tokens come to a queue of
this bucket's own, and only as many as somebody waits for: none is kept for later.
"""

import asyncio
import contextlib
import json
import math
import socket
from bisect import insort
from collections.abc import Callable, Coroutine
from copy import copy
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from messaging.connection import BROKEN, Link, end_of, keep, within
from messaging.errors import BrokerUnreachable
from messaging.lanes import LANES, Lane, current_deadline, current_lane
from messaging.marks import ASTRAY, BEFORE, TOLD, Standing, mark_in, said_of
from messaging.topology import declare_bucket, mint_queue
from runtime.clock import Clock
from runtime.marks import Mark
from runtime.stalls import StallWatch

log = structlog.get_logger()

PROBE: Final = "probe"
BRAKE: Final = "brake"
RELEASE: Final = "release"
BATON: Final = "baton"
WANT: Final = "want"
DUE: Final = "due"
"""Beside the lanes in what a bucket wants: lane → when the first that has a deadline is due, in seconds since 1970."""

LONGEST_LOOK_SECONDS: Final = 0.25
"""A token that had to wait longer than this for the store would come on top of newer ones."""

SAY_AGAIN_SECONDS: Final = 0.5
"""Whoever waits says so this often: a mint that has just been elected hears it then."""


class NoToken(Exception):
    """The bucket hands out nothing now: the worker is giving its deliveries back, or stopping."""


@dataclass(frozen=True, slots=True)
class Token:
    """Permission for one call. A probe is the single call that tries whether Solid answers again."""

    probe: bool = False


@dataclass(order=True, slots=True)
class _Taker:
    """Somebody in line: what is due first goes first, then who came first."""

    due: float
    turn: int
    future: "asyncio.Future[Token]" = field(compare=False)
    claimed: int = field(compare=False)
    """The mark's count when it came: the broker must have that before its call may leave."""


class Bucket:
    """Tokens for one company. Satisfies `solid.transport.Limiter`.

    Whoever takes a token gets it on the lane of the task (`messaging.lanes.on_lane`), before those of the lane that
    are due later (`messaging.lanes.due_by`). With a `standing`, nobody gets any while the store of this process is not
    the one that was last used, or an older state of it.
    """

    def __init__(
        self, link: Link, *, company: str, stalls: StallWatch, clock: Clock, standing: Standing | None = None
    ) -> None:
        self._link = link
        self._company = company
        self._stalls = stalls
        self._clock = clock
        self._standing = standing
        self._waiting: dict[Lane, list[_Taker]] = {lane: [] for lane in LANES}
        self._turns = count()
        self._received: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self._settled: dict[Lane, int] = dict.fromkeys(LANES, 0)
        self._changed = asyncio.Event()
        self._refusing = False
        self._wanting_since: float | None = None
        self._last_mark: list[Any] | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    @property
    def longest_wait(self) -> float:
        """Seconds that calls have been wanted and none was answered; 0 when nobody waits for a token.

        A probe that fails is no answer: whoever waited before it goes on waiting.
        """
        if not self._anybody_waits() or self._wanting_since is None:
            return 0.0
        return self._clock.monotonic() - self._wanting_since

    async def take(self) -> Token:
        """Wait for a token; within a lane what is due first, then first come, first served. Safe to cancel.

        Raises:
            NoToken: the bucket was told to refuse.
            Exception: whatever the standing says of a store that is the wrong one or cannot be asked.
        """
        if self._refusing:
            raise NoToken
        taker, line = self._taker(), self._waiting[current_lane()]
        if self._wanting_since is None:
            self._wanting_since = self._clock.monotonic()
        insort(line, taker)
        self._changed.set()
        try:
            return await taker.future
        finally:
            with contextlib.suppress(ValueError):
                line.remove(taker)

    async def report(self, token: Token, *, cause: str | None, retry_after: float | None = None) -> None:
        """Tell the mint what became of the call: a `cause` pulls the brake, an answered probe releases it.

        Silent where there is nothing to say. A report that cannot be sent is logged: the mint's probes find out.
        """
        if cause is None:
            self._wanting_since = self._clock.monotonic() if self._anybody_waits() else None
            if not token.probe:
                return
        body = {"cause": cause, "retry_after": retry_after, "probe": token.probe}
        await self._tell(BRAKE if cause else RELEASE, body)

    async def _tell(self, kind: str, body: dict[str, Any]) -> None:
        """A word to the mint; where it cannot be sent, that is logged."""
        message = aio_pika.Message(json.dumps(body).encode(), type=kind)
        try:
            async with asyncio.timeout(5):
                channel = await self._open()
                await channel.default_exchange.publish(message, mint_queue(self._company))
        except (*BROKEN, BrokerUnreachable) as error:
            cause = body["cause"]
            log.warning("brake.not_reported", company=self._company, cause=cause, error=type(error).__name__)

    def settled(self) -> None:
        """A delivery was settled on the lane of the task: the mint learns what one costs."""
        self._settled[current_lane()] += 1

    def refuse(self) -> None:
        """Hand out nothing from now on; everyone in line gets `NoToken`."""
        self._refusing = True
        self._send_away(NoToken)

    def _send_away(self, why: Callable[[], Exception]) -> None:
        """Everyone in line gets an exception of their own."""
        for line in self._waiting.values():
            for taker in line:
                if not taker.future.done():
                    taker.future.set_exception(why())
            line.clear()
        self._changed.set()

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
                channel = await self._link.channel()
                await declare_bucket(channel, self._company)
                self._channel = channel
            return self._channel

    async def _serve(self) -> None:
        """Nothing is opened before the first token is wanted: a company without work costs nothing."""
        if not self._anybody_waits():
            await self._changed.wait()
        channel = await self._open()
        told: dict[str, Any] = {}
        try:
            lost = await end_of(channel)
            queue = await within(10, channel.declare_queue(exclusive=True, auto_delete=True))
            self._received = dict.fromkeys(LANES, 0)
            await within(10, queue.consume(self._on_token, no_ack=True))
            while not lost.done():
                self._changed.clear()
                wanted, waits = self._wanted(), self._anybody_waits()
                if wanted != told or waits:
                    await self._say(channel, queue.name, wanted)
                    told = wanted
                await _first(lost, self._changed.wait(), within_seconds=SAY_AGAIN_SECONDS if waits else None)
        finally:
            await self._leave(channel)

    async def _leave(self, channel: AbstractChannel) -> None:
        """Close the channel, and with it the queue: the next session has both of its own."""
        if self._channel is channel:
            self._channel = None
        with contextlib.suppress(*BROKEN):
            await within(2, channel.close())

    def _taker(self) -> _Taker:
        deadline = current_deadline()
        due = math.inf if deadline is None else deadline.timestamp()
        mark = self._standing.mark() if self._standing and not self._standing.astray() else None
        claimed = 0 if mark is None else mark.count  # whoever is astray has claimed nothing
        return _Taker(due, next(self._turns), asyncio.get_running_loop().create_future(), claimed)

    def _wanted(self) -> dict[str, Any]:
        """Lane → received, received or waited for, deliveries settled; of lanes on which anything was ever wanted.

        And under `DUE`, where somebody has a deadline, when the first is due on each lane; and what `said_of` says.
        """
        counts = {
            lane: [self._received[lane], self._received[lane] + len(self._waiting[lane]), self._settled[lane]]
            for lane in LANES
        }
        due: dict[str, float] = {lane: line[0].due for lane, line in self._waiting.items() if line}
        due = {lane: first for lane, first in due.items() if first < math.inf}
        wanted: dict[str, Any] = {lane: count for lane, count in counts.items() if count[1]}
        return {**wanted, **({DUE: due} if due else {}), **said_of(self._standing)}

    async def _say(self, channel: AbstractChannel, reply_to: str, wanted: dict[str, Any]) -> None:
        body = json.dumps({**wanted, BEFORE: self._last_mark}).encode()
        message = aio_pika.Message(body, type=WANT, reply_to=reply_to)
        await within(10, channel.default_exchange.publish(message, mint_queue(self._company)))
        self._last_mark = wanted.get("mark")

    async def _on_token(self, message: AbstractIncomingMessage) -> None:
        arrived = self._clock.monotonic()
        lane = next((lane for lane in LANES if lane == message.correlation_id), None)
        if lane is not None:
            self._received[lane] += 1
            self._changed.set()  # the mint must know that it has arrived
        elif message.type != TOLD:
            log.warning("token.unreadable", company=self._company)
            return
        kept = mark_in(message.body)
        held = kept is None or await self._holds(kept)
        if message.type == TOLD or lane is None or not held:
            self._changed.set()
            return
        late = self._clock.monotonic() - arrived > LONGEST_LOOK_SECONDS
        if self._stalls.just_stalled or late:  # it may have waited here, and would come on top of newer ones
            log.info("token.outdated", company=self._company, lane=lane)
            return
        self._give(Token(probe=message.type == PROBE), lane, kept)

    def _give(self, token: Token, lane: Lane, kept: Mark | None) -> None:
        """To the first in line whose claim the broker knows of; an older mint says nothing of claims."""
        line = self._waiting[lane]
        line[:] = [taker for taker in line if not taker.future.done()]
        for taker in line:
            if kept is None or taker.claimed <= kept.count:
                line.remove(taker)
                taker.future.set_result(token)
                return

    async def _holds(self, kept: Mark) -> bool:
        """Whether the store holds the broker's mark; if not, everyone in line hears why, and the mint too."""
        if self._standing is None:
            return True
        try:
            await self._standing.admit(kept)
        except Exception as error:  # noqa: BLE001 - handed to those in line, whatever it is
            why = error
            self._send_away(lambda: copy(why))
            mark, cause = self._standing.mark(), getattr(error, "cause", None)
            if cause is not None and mark is not None:
                log.error("store.astray", company=self._company, cause=cause, kept=kept, seen=mark)  # noqa: TRY400
                await self._tell(ASTRAY, {"cause": cause, "by": socket.gethostname()})
            return False
        return True

    def _anybody_waits(self) -> bool:
        return any(not taker.future.done() for line in self._waiting.values() for taker in line)


async def _first(
    lost: "asyncio.Future[None]", other: Coroutine[Any, Any, bool], *, within_seconds: float | None
) -> None:
    """Wait for the other thing, for the loss of the channel, or for so many seconds."""
    task = asyncio.create_task(other)
    ends: set[asyncio.Future[Any]] = {lost, task}
    try:
        await asyncio.wait(ends, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
