"""Publishing: persistent, mandatory, confirmed, within a time-out. Nothing is stored until the broker said so."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError
from pamqp.commands import Basic

from messaging import headers as h
from messaging.connection import BROKEN, Link
from messaging.errors import BrokerUnreachable, PublishFailed, Unroutable
from messaging.topology import (
    EVENTS_EXCHANGE,
    RAW_DLQ,
    dead_letter_queue,
    declared_channel,
    retry_queue,
    routing_key,
    stream_of,
)
from runtime.clock import Clock
from schemas.envelope import Event, encode

if TYPE_CHECKING:
    from aiormq.channel import Channel as LowerChannel

LONGEST_REASON = 200
LONGEST_ERROR = 2000
"""Characters of text in a header: all headers of a message must fit one frame."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event as it goes over the wire: its bytes, and what the broker is told besides."""

    body: bytes
    key: str
    message_id: str
    partition: str


class Publishes(Protocol):
    """Where events go; every method returns once the broker has confirmed, and else raises PublishFailed."""

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        """Publish some; publishing them again is harmless: they keep their identity."""
        ...

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        """Put authentic input that cannot be normalised before a person, with why, to be replayed."""
        ...


def encoded(event: Event) -> Encoded:
    """Prepare an event to be published."""
    return encoded_as(event, encode(event))


def encoded_as(event: Event, body: bytes) -> Encoded:
    """Prepare an event to be published with the bytes that it was stored with."""
    return Encoded(body, routing_key(event.company, event.type), event_key(event), event.partitionkey)


class Publisher:
    """Publishes on one channel of its own link; any doubt drops the link, and the next call makes a new one.

    Every method returns only after the broker has confirmed, and raises `PublishFailed` otherwise: the message
    may then be stored or not, and sending it again is right (all consumers are idempotent).
    """

    def __init__(
        self, link: Link, *, clock: Clock, companies: Sequence[str], retry_delays: Sequence[float], timeout: float = 10
    ) -> None:
        self._link = link
        self._clock = clock
        self._companies = companies
        self._delays = sorted(retry_delays)
        self._timeout = timeout
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, event: Event, *, headers: Mapping[str, Any] | None = None) -> None:
        """Publish an event to its stream.

        Raises:
            PublishFailed: not confirmed in time.
            Unroutable: no queue takes events of this company or type.
        """
        key = routing_key(event.company, event.type)
        known = {h.PARTITION: event.partitionkey, **(headers or {})}
        await self.publish_raw(encode(event), key=key, message_id=event_key(event), headers=known)

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        """Publish many at once, all under way together; returns when the broker has confirmed every one.

        They are handed over in their order. As the time-out is that of one publish, give it some hundreds at most.

        Raises:
            PublishFailed: at least one was not confirmed in time, the others may be; publish all of them again.
            Unroutable: no queue takes one of them.
        """
        if not messages:
            return
        async with self._sending(messages[0].key) as channel:
            # a fifth less work than by aio_pika's exchange, and of a long file most of the work is this
            lower = cast("LowerChannel", await channel.get_underlay_channel())
            await asyncio.gather(
                *(
                    lower.basic_publish(
                        message.body,
                        exchange=EVENTS_EXCHANGE,
                        routing_key=message.key,
                        properties=_properties(message),
                        mandatory=True,
                        wait=False,  # for the socket; the confirm is waited for
                    )
                    for message in messages
                )
            )

    async def publish_raw(self, body: bytes, *, key: str, message_id: str | None, headers: Mapping[str, Any]) -> None:
        """Publish an encoded event under a known routing key (replay uses this: the bytes stay as they were)."""
        await self._send(EVENTS_EXCHANGE, key, _message(body, message_id=message_id, headers=headers))

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        """Put authentic input that cannot be normalised before a person: raw body and error, to the raw queue."""
        headers = {
            h.SOURCE: source,
            h.COMPANY: company,
            h.REASON: reason[:LONGEST_REASON],
            h.ERROR: error[:LONGEST_ERROR],
            h.DIED_AT: self._clock.now().isoformat(),
        }
        await self._send("", RAW_DLQ, _message(body, message_id=None, headers=headers))

    async def retry(
        self, body: bytes, *, key: str, message_id: str | None, headers: Mapping[str, Any], after_seconds: float
    ) -> None:
        """Hand a message over to a retry queue; see `nearest_delay`."""
        delay = nearest_delay(self._delays, after_seconds)
        await self._send(retry_queue(delay), key, _message(body, message_id=message_id, headers=headers))

    async def dead_letter(  # noqa: PLR0913 - the parts of a message, and why it died
        self, body: bytes, *, key: str, message_id: str | None, headers: Mapping[str, Any], reason: str, error: str
    ) -> None:
        """Publish to the dead-letter queue of the message's stream, with the cause in the headers."""
        stream = stream_of(key)
        queue = dead_letter_queue(stream) if stream else RAW_DLQ
        added = {
            h.REASON: reason[:LONGEST_REASON],
            h.ERROR: error[:LONGEST_ERROR],
            h.KEY: key,
            h.DIED_AT: self._clock.now().isoformat(),
        }
        await self._send("", queue, _message(body, message_id=message_id, headers={**headers, **added}))

    async def ready(self) -> None:
        """Make the connection and declare the topology now, so that a wrong broker shows at start.

        Raises:
            BrokerUnreachable, UnsafeTopology: see there.
        """
        await self._open()

    async def _open(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._channel = await declared_channel(self._link, self._companies, self._delays)
            return self._channel

    async def _send(self, exchange: str, key: str, message: aio_pika.Message) -> None:
        async with self._sending(key) as channel:
            target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
            await target.publish(message, key, mandatory=True)

    @asynccontextmanager
    async def _sending(self, key: str) -> AsyncIterator[AbstractChannel]:
        """The channel, for as long as a publish may take; failures told in our words, a doubtful link dropped."""
        seen: int | None = None
        channel: AbstractChannel | None = None
        try:
            async with asyncio.timeout(self._timeout):
                channel = await self._open()
                seen = self._link.generation
                yield channel
        except PublishError as error:
            self._channel = None  # so that the next call declares the queues again
            msg = f"RabbitMQ has no queue for routing key {key!r}"
            raise Unroutable(msg) from error
        except DeliveryError as error:
            msg = f"RabbitMQ refused a message for {key!r}"
            raise PublishFailed(msg) from error
        except (*BROKEN, BrokerUnreachable) as error:
            if self._channel is channel:
                self._channel = None  # a dropped connection takes a moment to close, and so do its channels
            self._link.drop("a publish was not confirmed", seen=seen)
            msg = f"RabbitMQ did not confirm a message for {key!r} within {self._timeout:g} s: {type(error).__name__}"
            raise PublishFailed(msg) from error


def nearest_delay(delays: Sequence[float], wanted: float) -> float:
    """The shortest delay that is not shorter than wanted, or, where that is more than twice as long, the one before.

    Coming too early costs one more deferral; coming far too late costs hours.
    """
    later = next((delay for delay in delays if delay >= wanted), None)
    if later is not None and later <= wanted * 2:
        return later
    earlier = [delay for delay in delays if delay < wanted]
    return earlier[-1] if earlier else delays[0]


def event_key(event: Event) -> str:
    """The pair that names an event, as one text: a redelivery has the same."""
    return f"{event.source}#{event.id}"


def _properties(event: Encoded) -> Basic.Properties:
    """The same as those of `_message`."""
    return Basic.Properties(
        content_type=h.CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=event.message_id,
        headers={h.PARTITION: event.partition},
    )


def _message(body: bytes, *, message_id: str | None, headers: Mapping[str, Any]) -> aio_pika.Message:
    return aio_pika.Message(
        body,
        content_type=h.CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message_id,
        headers=dict(headers),
    )
