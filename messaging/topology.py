"""Every exchange and queue of the relay: names, arguments, bindings, and the one place that declares them.

Nothing here publishes or consumes. The shape follows `docs/architecture.md`; each argument that keeps a fact
safe on RabbitMQ 3.10 and on 4.x alike carries its reason.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused

from messaging.connection import Link
from messaging.errors import UnsafeTopology
from schemas import catalog

STREAMS = catalog.STREAMS
REPLAY = "replay"
EVENTS_EXCHANGE = "relay.events"
RAW_DLQ = "relay.raw.dlq"

HOME_EXCHANGE = "relay.home"
"""Where retry queues give back to. Apart from `relay.events`: a publisher is told of what no stream takes, and a retry
queue has nobody to tell."""

UNROUTED = "relay.unrouted"
"""The queue, and the alternate exchange of `relay.home`, for what was given back while its stream was not there."""

CRASH_LOOP_LIMIT = 100
"""Hand-overs without a settlement before the broker itself dead-letters: a worker that dies on a message every time.

Set, because 4.0 would otherwise say 20 and 3.10 none. Giving deliveries back counts on 4.x, so it must be generous.
"""

CLASSIC = {"x-queue-type": "classic"}
"""Said, because a virtual host of 4.x may make unnamed queues quorum queues, whose length limit is not exact."""

DEAD_LETTER_LIMIT = 1_000_000
"""As good as none, on every version: -1 is known to 4.x only."""

BASE_TYPES = {stream: f"{stream}.#" for stream in (*STREAMS, REPLAY)}


class OlderRetryQueue(Exception):
    """The retry queue of this delay was declared by a relay that gave back to `relay.events`."""

    def __init__(self, delay_seconds: float) -> None:
        super().__init__(retry_queue(delay_seconds))
        self.delay_seconds = delay_seconds


def stream_queue(company: str, stream: str) -> str:
    """The queue of one company's stream of events."""
    return f"relay.{company}.{stream}"


def dead_letter_queue(stream: str) -> str:
    """The dead-letter queue of a stream, shared by all companies."""
    return f"relay.{stream}.dlq"


def replay_queue(company: str) -> str:
    """The queue of what a person sends again, of all streams: live facts do not stand behind it."""
    return stream_queue(company, REPLAY)


def company_queues(company: str) -> tuple[str, ...]:
    """All queues whose deliveries a company's worker takes."""
    return tuple(stream_queue(company, stream) for stream in BASE_TYPES)


def dead_letter_queues() -> tuple[str, ...]:
    """All queues that the desk empties: of each stream, raw input that could not be normalised, and unrouted."""
    return (*(dead_letter_queue(stream) for stream in STREAMS), RAW_DLQ, UNROUTED)


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


def mark_queue(company: str) -> str:
    """Holds the newest mark of the company's inbox: how a store that was swapped or went back in time is noticed."""
    return f"relay.{company}.mint.mark"


def routing_key(company: str, event_type: str) -> str:
    """Under which key an event travels."""
    return f"{company}.{event_type}"


def replay_key(key: str) -> str:
    """Under which key an event travels that a person sends again; its retries come home by it too."""
    company, _, rest = key.partition(".")
    return key if rest.startswith(f"{REPLAY}.") else f"{company}.{REPLAY}.{rest}"


def stream_of(key: str) -> str | None:
    """The stream a routing key belongs to, of a replay that of its event; None when no stream is meant by it."""
    _, _, rest = key.partition(".")
    first = rest.removeprefix(f"{REPLAY}.").partition(".")[0]
    return first if first in STREAMS else None


async def declared_channel(link: Link, companies: Iterable[str], retry_delays: Sequence[float]) -> AbstractChannel:
    """A new channel, once all is declared: the retry queues of an older relay are left as they are.

    Raises:
        BrokerUnreachable, UnsafeTopology: see there.
    """
    older: set[float] = set()
    companies = tuple(companies)
    while True:
        channel = await link.channel()
        try:
            await declare_events(channel, companies, retry_delays, older=older)
        except OlderRetryQueue as found:  # which has closed the channel
            older.add(found.delay_seconds)
        else:
            return channel


async def declare_events(
    channel: AbstractChannel,
    companies: Iterable[str],
    retry_delays: Sequence[float],
    *,
    older: Collection[float] = (),
) -> None:
    """Declare the exchanges, the streams of each company, the retry queues and the dead-letter queues.

    Idempotent: every process declares what it uses at start, after each reconnect, and now and then.

    Raises:
        UnsafeTopology: a queue of that name exists with other arguments.
        OlderRetryQueue: a retry queue that is not in `older` gives back to `relay.events`.
    """
    with _explained():
        await channel.declare_exchange(EVENTS_EXCHANGE, "topic", durable=True)
        for name in dead_letter_queues():
            await _declare_dead_letter_queue(channel, name)
        unrouted = await channel.declare_exchange(UNROUTED, "fanout", durable=True)
        await (await channel.get_queue(UNROUTED, ensure=False)).bind(unrouted, "")
        alternate: dict[str, Any] = {"alternate-exchange": UNROUTED}
        await channel.declare_exchange(HOME_EXCHANGE, "topic", durable=True, arguments=alternate)
        for company in companies:
            for stream in BASE_TYPES:
                await _declare_stream(channel, company, stream)
        for delay in retry_delays:
            await _declare_retry(channel, delay, home=EVENTS_EXCHANGE if delay in older else HOME_EXCHANGE)


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
            # one key for all: a replay that kills its worker every time dies in the queue of sales, whatever it is
            "x-dead-letter-routing-key": dead_letter_queue("sales" if stream == REPLAY else stream),
            # the default, at-most-once, loses the message when the broker stops at the wrong moment
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    for exchange in (EVENTS_EXCHANGE, HOME_EXCHANGE):
        await queue.bind(exchange, f"{company}.{BASE_TYPES[stream]}")


async def _declare_retry(channel: AbstractChannel, delay_seconds: float, *, home: str) -> None:
    """One TTL a queue: mixed TTLs would block behind the head. The key is kept, so an expired message finds home."""
    name = retry_queue(delay_seconds)
    exchange = await channel.declare_exchange(name, "fanout", durable=True)
    arguments: dict[str, Any] = {
        "x-queue-type": "quorum",
        "x-message-ttl": int(delay_seconds * 1000),
        "x-dead-letter-exchange": home,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": DEAD_LETTER_LIMIT,
    }
    try:
        queue = await channel.declare_queue(name, durable=True, arguments=arguments)
    except ChannelPreconditionFailed as error:
        if home == HOME_EXCHANGE and f"current is '{EVENTS_EXCHANGE}'" in str(error):
            raise OlderRetryQueue(delay_seconds) from error
        raise
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
        await channel.declare_queue(
            mark_queue(company),
            durable=True,
            arguments={"x-queue-type": "quorum", "x-max-length": 1, "x-delivery-limit": DEAD_LETTER_LIMIT},
        )
