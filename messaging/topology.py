"""Every exchange and queue of the relay: names, arguments, bindings, and the one place that declares them.

Nothing here publishes or consumes. The shape follows `docs/architecture.md`; each argument that keeps a fact
safe on RabbitMQ 3.10 and on 4.x alike carries its reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused

from messaging.errors import UnsafeTopology

STREAMS = ("sales", "contacts", "inventory", "payroll")
EVENTS_EXCHANGE = "relay.events"
RAW_DLQ = "relay.raw.dlq"

CRASH_LOOP_LIMIT = 100
"""Hand-overs without a settlement before the broker itself dead-letters: a worker that dies on a message every time.

Set, because 4.0 would otherwise say 20 and 3.10 none. Giving deliveries back counts on 4.x, so it must be generous.
"""

CLASSIC = {"x-queue-type": "classic"}
"""Said, because a virtual host of 4.x may make unnamed queues quorum queues, whose length limit is not exact."""

DEAD_LETTER_LIMIT = 1_000_000
"""As good as none, on every version: -1 is known to 4.x only."""

BASE_TYPES = {"contacts": "contacts.#", "inventory": "inventory.#", "payroll": "payroll.#", "sales": "sales.#"}


def stream_queue(company: str, stream: str) -> str:
    """The queue of one company's stream of events."""
    return f"relay.{company}.{stream}"


def dead_letter_queue(stream: str) -> str:
    """The dead-letter queue of a stream, shared by all companies."""
    return f"relay.{stream}.dlq"


def dead_letter_queues() -> tuple[str, ...]:
    """All dead-letter queues, `raw` (authentic input that could not be normalised) last."""
    return (*(dead_letter_queue(stream) for stream in STREAMS), RAW_DLQ)


def retry_queue(delay_seconds: float) -> str:
    """The queue (and its exchange) that holds a message for one fixed time.

    The time is in the name: another delay is another queue, for the arguments of a queue cannot change.
    """
    return f"relay.retry.{delay_seconds:g}s"


def mint_queue(company: str) -> str:
    """Where the mints of a company are elected, and hear who wants tokens and what pulls the brake."""
    return f"relay.{company}.mint"


def mint_state_queue(company: str) -> str:
    """Holds the mint's latest report, for `relay status`."""
    return f"relay.{company}.mint.state"


def routing_key(company: str, event_type: str) -> str:
    """Under which key an event travels."""
    return f"{company}.{event_type}"


def stream_of(key: str) -> str | None:
    """The stream a routing key belongs to; None when no stream is meant by it."""
    _, _, rest = key.partition(".")
    first = rest.partition(".")[0]
    return first if first in STREAMS else None


async def declare_events(channel: AbstractChannel, companies: Iterable[str], retry_delays: Sequence[float]) -> None:
    """Declare the exchange, the streams of each company, the retry queues and the dead-letter queues.

    Idempotent: every process declares what it uses at start and after each reconnect.

    Raises:
        UnsafeTopology: a queue of that name exists with other arguments.
    """
    with _explained():
        await channel.declare_exchange(EVENTS_EXCHANGE, "topic", durable=True)
        for name in dead_letter_queues():
            await _declare_dead_letter_queue(channel, name)
        for company in companies:
            for stream in STREAMS:
                await _declare_stream(channel, company, stream)
        for delay in retry_delays:
            await _declare_retry(channel, delay)


@contextmanager
def _explained() -> Iterator[None]:
    """An argument of a queue cannot change, a missing permission does not come by itself: say what to do."""
    try:
        yield
    except ChannelAccessRefused as error:
        msg = (
            f"RabbitMQ refuses a declaration: {error}. The user of rabbitmq.url needs permission to configure, write "
            r"and read: rabbitmqctl set_permissions USER '^relay\.' '^(relay\..*|amq\.default)$' '^relay\.'"
        )
        raise UnsafeTopology(msg) from error
    except ChannelPreconditionFailed as error:
        msg = (
            f"RabbitMQ refuses a declaration: {error}. A queue of this name exists with other arguments: "
            "stop all workers, let it run empty, delete it, start again."
        )
        raise UnsafeTopology(msg) from error


async def _declare_dead_letter_queue(channel: AbstractChannel, name: str) -> None:
    """No TTL and no length limit: a dead letter waits for a person for as long as it takes.

    Its own limit is off: the desk takes each message once, but a desk that dies many times may not drop one.
    """
    arguments: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": DEAD_LETTER_LIMIT}
    await channel.declare_queue(name, durable=True, arguments=arguments)


async def _declare_stream(channel: AbstractChannel, company: str, stream: str) -> None:
    queue = await channel.declare_queue(
        stream_queue(company, stream),
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-single-active-consumer": True,
            "x-delivery-limit": CRASH_LOOP_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letter_queue(stream),
            # the default, at-most-once, loses the message when the broker stops at the wrong moment
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    await queue.bind(EVENTS_EXCHANGE, f"{company}.{BASE_TYPES[stream]}")


async def _declare_retry(channel: AbstractChannel, delay_seconds: float) -> None:
    """One TTL a queue: mixed TTLs would block behind the head. The key is kept, so an expired message finds home."""
    name = retry_queue(delay_seconds)
    exchange = await channel.declare_exchange(name, "fanout", durable=True)
    queue = await channel.declare_queue(
        name,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-message-ttl": int(delay_seconds * 1000),
            "x-dead-letter-exchange": EVENTS_EXCHANGE,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-delivery-limit": DEAD_LETTER_LIMIT,
        },
    )
    await queue.bind(exchange, "")


async def declare_bucket(channel: AbstractChannel, company: str) -> None:
    """Declare the mint's queue and its report. Tokens themselves travel through queues that live with their bucket."""
    with _explained():
        await channel.declare_queue(
            mint_queue(company), durable=True, arguments={**CLASSIC, "x-single-active-consumer": True}
        )
        await channel.declare_queue(
            mint_state_queue(company), durable=True, arguments={**CLASSIC, "x-max-length": 1, "x-message-ttl": 15_000}
        )
