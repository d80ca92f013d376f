"""What a broker does, seen by doing it: whether it is new enough, and takes, keeps and returns messages as it must.

Works over AMQP alone, on queues of its own that disappear. Touches no message of the relay, and cannot see policies:
`ops/composing/management.py` reads those.
"""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import AMQPError, DeliveryError, PublishError
from aiormq.exceptions import ChannelAccessRefused

from messaging.connection import BROKEN, Link, within
from messaging.topology import EVENTS_EXCHANGE, routing_key

OLDEST = (3, 10)
_GONE_AFTER_MS = 60_000
_CLEANUP_SECONDS = 1

Trial = Callable[[AbstractChannel], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Server:
    """How a broker introduces itself."""

    product: str
    version: str

    def problem(self) -> str | None:
        """Why the relay is not safe on it; None when it is."""
        if self.product != "RabbitMQ":
            return f"this is {self.product} {self.version}, not RabbitMQ: it need not keep what RabbitMQ promises"
        version = re.match(r"(\d+)\.(\d+)", self.version)
        if version and (int(version[1]), int(version[2])) < OLDEST:
            return f"RabbitMQ {self.version} is too old: at-least-once dead-lettering came with 3.10. Update it"
        return None


async def server_of(link: Link) -> Server:
    """Which broker this is. Raises BrokerUnreachable."""
    transport = (await link.connection()).transport
    properties = transport.connection.server_properties if transport else {}
    return Server(
        product=str(properties.get("product", "an unnamed broker")), version=str(properties.get("version", "?"))
    )


async def probe(link: Link, *, company: str, largest_bytes: int, within_seconds: float) -> list[str]:
    """Try what the relay does to a broker; returns a sentence for each thing that did not go as it must.

    Each trial has `within_seconds`. Leaves nothing behind; a queue of a probe that dies goes after a minute.

    Raises:
        BrokerUnreachable: the connection is lost.
    """
    trials: tuple[Trial, ...] = (
        lambda channel: _keeps(channel, b"probe"),
        lambda channel: _keeps(channel, bytes(largest_bytes)),
        lambda channel: _returns(channel, company),
        _has_streams,
    )
    problems: list[str] = []
    for trial in trials:
        problem = await _tried(link, trial, within_seconds)
        if problem:
            problems.append(problem)
            if trial is trials[0]:
                break  # where nothing is kept, the others only say it again
    return problems


async def _tried(link: Link, trial: Trial, within_seconds: float) -> str | None:
    channel = await link.channel()
    try:
        async with asyncio.timeout(within_seconds):
            return await trial(channel)
    except TimeoutError:
        return (
            f"it did not take a message within {within_seconds:g} s: a memory or disk alarm blocks all who publish, or "
            "a majority of its nodes is away. `rabbitmqctl status` and `rabbitmqctl cluster_status` say which"
        )
    except ChannelAccessRefused as error:
        return (
            f"it refuses the user of rabbitmq.url something the relay does: {error}. "
            r"rabbitmqctl set_permissions USER '^relay\.' '^(relay\..*|amq\.default)$' '^relay\.'"
        )
    finally:
        with contextlib.suppress(*BROKEN):
            await within(_CLEANUP_SECONDS, channel.close())


async def _keeps(channel: AbstractChannel, body: bytes) -> str | None:
    """A quorum queue takes a message of this size, and gives it back."""
    message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    async with _queue(channel, "quorum") as name:
        try:
            await channel.default_exchange.publish(message, name, mandatory=True)
        except DeliveryError:
            return f"it refuses a message of {len(body)} bytes for a new quorum queue: does a policy limit relay.*?"
        except ChannelAccessRefused:
            raise
        except AMQPError as error:
            return (
                f"it does not take a message of {len(body)} bytes, and receiver.max_body_bytes promises that: {error}. "
                "Raise max_message_size in rabbitmq.conf, or lower receiver.max_body_bytes"
            )
        queue = await channel.get_queue(name, ensure=False)
        kept = await queue.get(no_ack=True, fail=False)
        if kept is None:
            return "a message for a new queue was confirmed and is gone: a policy limits the length or time of relay.*"
    return None


async def _returns(channel: AbstractChannel, company: str) -> str | None:
    """What no queue takes comes back to the sender: only so can a missing queue be noticed."""
    events = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
    key = routing_key(company, "check")
    try:
        await events.publish(aio_pika.Message(b"probe of relay check"), key, mandatory=True)
    except PublishError:
        return None
    return (
        f"{EVENTS_EXCHANGE} has taken a message that no stream takes ({key}): an alternate exchange, or a queue bound "
        'with "#". If a stream were missing, its events would be confirmed and never booked. Remove the alternate '
        'exchange; bind by "*.sales.#" and the like instead of "#"'
    )


async def _has_streams(channel: AbstractChannel) -> str | None:
    """At-least-once dead-lettering silently is at-most-once where the feature flag stream_queue is off."""
    try:
        async with _queue(channel, "stream"):
            return None
    except ChannelAccessRefused:
        raise
    except AMQPError:
        return (
            "the feature flag stream_queue is off: dead letters and retries would be forwarded at most once, and lost "
            "when the broker stops at the wrong moment. rabbitmqctl enable_feature_flag stream_queue"
        )


@asynccontextmanager
async def _queue(channel: AbstractChannel, kind: str) -> AsyncIterator[str]:
    """A queue of this kind under a name like the relay's own."""
    arguments: dict[str, Any] = {"x-queue-type": kind}
    if kind == "quorum":
        arguments["x-expires"] = _GONE_AFTER_MS
    name = f"relay.check.{secrets.token_hex(6)}"
    await channel.declare_queue(name, durable=True, arguments=arguments)
    try:
        yield name
    finally:
        with contextlib.suppress(*BROKEN):  # an alarm blocks the whole connection: then it goes by itself
            await within(_CLEANUP_SECONDS, channel.queue_delete(name))
