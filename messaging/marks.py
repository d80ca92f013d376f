"""The broker's copy of an inbox's mark, and who may have tokens: only a process whose store holds what the copy says.

The elected mint alone reads and writes the copy. It is confirmed by the broker before the token of a claim is handed
out, so it is never behind what was sent. Must not know what a store is: whether it holds a mark, the process says.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel

from messaging.connection import Link, within
from messaging.topology import declare_bucket, mark_queue, mint_queue
from runtime.marks import Mark

log = structlog.get_logger()

TOLD: Final = "told"
"""To a bucket, instead of a token: this is the mark that your store must hold."""

ASTRAY: Final = "astray"
"""From a bucket: my store does not hold it, and why."""

BEFORE: Final = "before"
"""Beside a mark: the one that this bucket has said last. Whoever holds the newer holds that too."""

RESTORED: Final = "restored"
"""From a person: this mark counts from now on."""

ASTRAY_FOR_SECONDS: Final = 150.0
"""A worker whose store is the wrong one looks again once a minute, and says so again."""


class Standing(Protocol):
    """What a bucket must know of the store of its process, for one company."""

    def mark(self) -> Mark | None:
        """The newest mark of the inbox that this process has seen; None when it claims nothing."""
        ...

    def verified(self) -> Mark | None:
        """The newest mark of the broker that was found in the store."""
        ...

    def astray(self) -> bool:
        """Whether the store lacks what this process has seen of it before."""
        ...

    async def admit(self, mark: Mark) -> None:
        """Make sure that the store holds it; an exception with a `cause` says that it does not."""
        ...


def said_of(standing: Standing | None) -> dict[str, Any]:
    """What a bucket says of its store, beside what it wants."""
    mark = standing.mark() if standing else None
    if standing is None or mark is None:
        return {}
    if standing.astray():
        return {ASTRAY: mark.as_json()}
    verified = standing.verified()
    return {"mark": mark.as_json(), "verified": verified.as_json() if verified else None}


class Referee:
    """The mint's part: what the broker keeps, and whose store holds it. Starts with `read`, at each election.

    `nothing_kept` is called where the broker has no mark: it is new to the company, or has lost its disk.
    """

    def __init__(self, company: str, *, nothing_kept: Callable[[], None] = lambda: None) -> None:
        self._company = company
        self._nothing_kept = nothing_kept
        self._mark: Mark | None = None
        self._kept: Mark | None = None
        self._keeping = asyncio.Lock()
        self._channel: AbstractChannel | None = None
        self._astray: dict[str, tuple[str, float]] = {}
        self._admitted_at = float("-inf")

    async def read(self, channel: AbstractChannel) -> None:
        """Take over what the broker keeps, once a channel. Nobody else reads it: it would be missing here meanwhile."""
        async with self._keeping:
            if self._channel is channel:
                return
            queue = await channel.get_queue(mark_queue(self._company), ensure=False)
            messages = []
            while (message := await within(10, queue.get(fail=False))) is not None:
                messages.append(message)
            self._kept = None
            for message in messages:  # the last one is the newest
                await message.nack(requeue=True)
                self._kept = _read(message.body, self._company) or self._kept
            if self._kept is None:
                self._nothing_kept()
            self._mark = self._kept or self._mark
            self._channel = channel

    def admits(self, said: Mapping[str, Any], *, now: float) -> bool:
        """Whether a bucket that says this may have tokens; its mark is the newest from then on.

        One without a store (`relay check`, an older relay) may. Where the broker keeps nothing, the first word counts.

        Raises:
            TypeError, ValueError: it said something else.
        """
        if ASTRAY in said:
            self._mark = self._mark or Mark.from_json(said[ASTRAY])
            return False
        if "mark" not in said:
            return True
        mark = Mark.from_json(said["mark"])
        held = [mark, *(Mark.from_json(said[other]) for other in ("verified", BEFORE) if said.get(other))]
        if self._mark is None or self._mark in held or _same_hand(self._mark, mark):
            if self._mark is None or mark.count > self._mark.count:
                self._mark = mark
            self._admitted_at = now
            return True
        return False

    def went_astray(self, said: Mapping[str, Any], *, now: float) -> None:
        """A process has found that its store does not hold the mark."""
        self._astray[str(said["by"])] = (str(said["cause"]), now)

    def restored(self, said: Mapping[str, Any]) -> None:
        """A person has said which mark counts."""
        self._mark = Mark.from_json(said["mark"])
        self._astray.clear()

    def cause(self, *, now: float) -> str | None:
        """Why nothing is posted: who asked last has the wrong store. None when somebody with the right one did."""
        causes = self.astray(now=now)
        newest = max((at for _, at in self._astray.values()), default=float("-inf"))
        return next(iter(causes.values())) if causes and newest > self._admitted_at else None

    def astray(self, *, now: float) -> dict[str, str]:
        """Process → cause, of those that asked lately and whose store is the wrong one."""
        return {by: cause for by, (cause, at) in self._astray.items() if now - at < ASTRAY_FOR_SECONDS}

    async def keep(self, channel: AbstractChannel) -> bytes:
        """Have the broker confirm the newest mark; gives it as the body of a message."""
        async with self._keeping:
            mark = self._mark
            if mark is not None and mark != self._kept:
                copy = _message(mark)
                await within(10, channel.default_exchange.publish(copy, mark_queue(self._company), mandatory=True))
                self._kept = mark
            return b"" if mark is None else json.dumps(mark.as_json()).encode()


async def replace_mark(link: Link, company: str, mark: Mark) -> None:
    """From now on this is the mark that a store must hold. For `relay restored`.

    Raises:
        BrokerUnreachable, TimeoutError: it may have been replaced or not; do it again.
    """
    channel = await link.channel()
    try:
        await declare_bucket(channel, company)
        await within(10, channel.default_exchange.publish(_message(mark), mark_queue(company)))
        message = aio_pika.Message(
            json.dumps({"mark": mark.as_json()}).encode(),
            type=RESTORED,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await within(10, channel.default_exchange.publish(message, mint_queue(company)))
    finally:
        await channel.close()


def mark_in(body: bytes) -> Mark | None:
    """The mark that a token or a word of the mint carries; None where there is none. Raises ValueError."""
    return Mark.from_json(json.loads(body)) if body else None


def _same_hand(kept: Mark, mark: Mark) -> bool:
    """Whether an older relay, whose marks have no word, raised the one and then the other. Of ours no two are alike."""
    return (kept.by, kept.inbox) == (mark.by, mark.inbox) and mark.count >= kept.count


def _read(body: bytes, company: str) -> Mark | None:
    try:
        return mark_in(body)
    except (TypeError, ValueError):
        log.error("mark.unreadable", company=company)  # noqa: TRY400 - the body is anybody's
        return None


def _message(mark: Mark) -> aio_pika.Message:
    body = json.dumps(mark.as_json()).encode()
    return aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
