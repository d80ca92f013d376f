"""Keeps the relay's exchanges, queues and bindings as they must be while it runs, and brings home what was unrouted.

Whoever administers the broker may delete a queue or a binding, or set a policy, at any time. What is missing is
declared again; what was given back meanwhile lies in `relay.unrouted` and is sent home; queues that nobody consumes are
used now and then, so that a policy `expires` leaves them alone. What cannot be mended here pulls the brake until a
person has mended it. Reads and changes no event.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError

from messaging import headers as h
from messaging.connection import BROKEN, Link, Words, heed_cancellation, said_of, within
from messaging.drain import backlog, death_of
from messaging.errors import MessagingError, UnsafeTopology
from messaging.topology import (
    EVENTS_EXCHANGE,
    UNROUTED,
    company_queues,
    dead_letter_queues,
    declared_channel,
    retry_queue,
)
from runtime.clock import Clock

log = structlog.get_logger()

WATCH_EVERY_SECONDS: Final = 5.0
SLOWLY: Final = 12
"""What costs more is done every so many rounds: once a minute."""

HANDED_OUT_OFTEN: Final = 100_000
"""So many hand-overs, and a message is stored anew: their count may never come near a queue's limit."""

BROUGHT_HOME_AT_ONCE: Final = 500

Look = Callable[[], Awaitable[Sequence[str]]]
"""Asks the management API, where there is one, which settings would lose facts: a sentence for each."""

PullBrake = Callable[[float], Awaitable[None]]
"""Pulls the brake of one company for so many seconds, and tells its mint why."""


async def nothing_to_look_at() -> Sequence[str]:
    """Stand in where no management API is set."""
    return ()


class TopologyWatch:
    """One a process, for all its companies. `problem` is what a person must mend; None while all is well.

    `lost` are called when a queue was gone: what waited in it is too.
    """

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        link: Link,
        *,
        companies: Sequence[str],
        retry_delays: Sequence[float],
        look: Look,
        clock: Clock,
        every_seconds: float = WATCH_EVERY_SECONDS,
    ) -> None:
        self.problem: str | None = None
        self.brakes: list[PullBrake] = []
        self.lost: list[Callable[[], None]] = []
        self._link = link
        self._companies = companies
        self._delays = retry_delays
        self._look = look
        self._clock = clock
        self._every = every_seconds
        self._words = Words(clock)
        self._declared: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look again and again, for ever, through every loss of the broker. Safe to cancel."""
        number = 0
        while True:
            try:
                await self._settle_on(await self._round(slowly=number % SLOWLY == 0))
            except (*BROKEN, MessagingError) as error:  # the broker is away: everybody else notices too
                log.info("topology.not_seen", error=said_of(error))
            except Exception:
                log.exception("topology.not_seen")
            heed_cancellation()
            number += 1
            await self._clock.sleep(self._every)

    async def _round(self, *, slowly: bool) -> str | None:
        """Mend what can be mended; what cannot comes back as a sentence."""
        names = self._names()
        missing = [name for name in await self._missing(names) if name in self._declared]
        try:
            channel = await declared_channel(self._link, self._companies, self._delays)
        except UnsafeTopology as unsafe:
            return str(unsafe)
        self._declared = frozenset(names)
        try:
            if missing:
                log.error("topology.repaired", missing=missing, lost="what waited in a queue that was deleted")
                for hear in self.lost:
                    hear()
            unrouted = await self._bring_home(channel)
            if unrouted and self._words.new(f"{unrouted} unrouted"):
                log.warning("topology.unrouted", messages=unrouted, queue=UNROUTED)
            for name in (*self._retries(), *(dead_letter_queues() if slowly else ())):
                await self._use(channel, name)
        finally:
            await within(5, channel.close())
        if slowly or self.problem:
            return "; ".join(await self._look()) or None
        return None

    def _retries(self) -> tuple[str, ...]:
        return tuple(retry_queue(delay) for delay in self._delays)

    def _names(self) -> tuple[str, ...]:
        streams = (name for company in self._companies for name in company_queues(company))
        return (*streams, *dead_letter_queues(), *self._retries())

    async def _missing(self, names: tuple[str, ...]) -> list[str]:
        return [name for name, count in (await backlog(self._link, names)).items() if count is None]

    async def _settle_on(self, problem: str | None) -> None:
        if problem is not None and self._words.new(problem):
            log.error("topology.unsafe", problem=problem)
        elif problem is None and self.problem is not None:
            log.info("topology.safe_again")
        self.problem = problem
        if problem is not None:
            for brake in self.brakes:
                await brake(self._every * 3)

    async def _bring_home(self, channel: AbstractChannel) -> int:
        """Publish what is unrouted to its stream again; returns how many still have none, which stay.

        Where these are not all that is there, they go to the end: the next look begins behind them.
        """
        queue = await channel.get_queue(UNROUTED, ensure=False)
        events = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
        left: list[AbstractIncomingMessage] = []
        put_back = _store_anew
        for _ in range(BROUGHT_HOME_AT_ONCE):
            message = await within(10, queue.get(fail=False, timeout=None))
            if message is None:
                put_back = _put_back
                break
            try:
                await within(10, events.publish(_copy(message), message.routing_key or "", mandatory=True))
            except DeliveryError:
                left.append(message)
            else:
                await message.ack()
        for message in left:
            await put_back(channel, UNROUTED, message)
        return len(left)

    async def _use(self, channel: AbstractChannel, name: str) -> None:
        """Fetch a message and put it back: a declaration is no use of a queue to RabbitMQ, and this is."""
        queue = await channel.get_queue(name, ensure=False)
        message = await within(10, queue.get(fail=False, timeout=None))
        if message is not None:
            await _put_back(channel, name, message)


async def _put_back(channel: AbstractChannel, name: str, message: AbstractIncomingMessage) -> None:
    """Where it was; one that was handed out very often is stored anew and so counted from the start."""
    if h.count(message.headers, "x-delivery-count", 0) < HANDED_OUT_OFTEN:
        await message.nack(requeue=True)
    else:
        await _store_anew(channel, name, message)


async def _store_anew(channel: AbstractChannel, name: str, message: AbstractIncomingMessage) -> None:
    """At the end of the queue; whoever dies between leaves both, which is one fact all the same."""
    if name == UNROUTED:
        exchange, key = await channel.get_exchange(UNROUTED, ensure=False), message.routing_key or ""
        anew = _copy(message)
    else:
        exchange, key = channel.default_exchange, name
        anew = _copy(message, **death_of(name, message))
    await within(10, exchange.publish(anew, key, mandatory=True))
    await message.ack()


def _copy(message: AbstractIncomingMessage, **more: str) -> aio_pika.Message:
    """The same message, with our headers alone."""
    return aio_pika.Message(
        message.body,
        content_type=message.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message.message_id,
        headers={**h.ours(message.headers), **more},
    )
