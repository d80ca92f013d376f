"""An admin takes exchanges, queues and bindings away while the relay runs: nothing that was given back is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aio_pika import Message
from aio_pika.abc import AbstractChannel

from messaging import watching
from messaging.connection import Link
from messaging.drain import backlog
from messaging.errors import MessagingError
from messaging.publisher import Publisher
from messaging.topology import (
    EVENTS_EXCHANGE,
    HOME_EXCHANGE,
    UNROUTED,
    replay_key,
    replay_queue,
    retry_queue,
    routing_key,
    stream_queue,
)
from messaging.watching import TopologyWatch, nothing_to_look_at
from schemas.envelope import encode
from staging.broker import Broker
from tests.integration.administering import policy_on
from tests.integration.wiring import CLOCK, linked, paid_out, publisher_on, running

MANY = 40
"""More than RabbitMQ forwards at once from a retry queue: what cannot be forwarded blocks the rest."""


def delay_of(company: str) -> float:
    """A retry queue of this test's own: the broker is shared."""
    return 1 + int(company[1:], 16) % 100_000 / 1e6


def watch_on(
    link: Link, company: str, look: Callable[[], object] = nothing_to_look_at, *, delay: float | None = None
) -> TopologyWatch:
    """A watch that looks five times a second."""
    return TopologyWatch(
        link,
        companies=[company],
        retry_delays=[delay or delay_of(company)],
        look=look,  # type: ignore[arg-type]  # a stand-in with what is used
        clock=CLOCK,
        every_seconds=0.2,
    )


@asynccontextmanager
async def retrying(
    url: str, company: str, *, delay: float | None = None
) -> AsyncIterator[tuple[Publisher, AbstractChannel]]:
    """Many retries under way in a queue of their own, and an admin's channel."""
    delay = delay or delay_of(company)
    async with linked(url) as link, linked(url, "admin") as admin:
        publisher = Publisher(link, clock=CLOCK, companies=[company], retry_delays=[delay], timeout=5)
        await publisher.ready()
        await (await (await admin.channel()).get_queue(UNROUTED, ensure=False)).purge()
        await retry_many(publisher, company)
        yield publisher, await admin.channel()


async def retry_many(publisher: Publisher, company: str, *, after_seconds: float = 1) -> None:
    await asyncio.gather(
        *(
            publisher.retry(
                encode(event),
                key=routing_key(company, event.type),
                message_id=event.id,
                headers={},
                after_seconds=after_seconds,
            )
            for event in (paid_out(company, number) for number in range(MANY))
        )
    )


async def until_waiting(url: str, queue: str, count: int, *, within_seconds: float = 40) -> None:
    """Far sooner than the three minutes after which RabbitMQ tries again what it could not forward."""
    async with linked(url, "counting") as link, asyncio.timeout(within_seconds):
        while (await backlog(link, (queue,)))[queue] != count:  # noqa: ASYNC110 - a queue cannot be waited on
            await asyncio.sleep(0.1)


async def unbind(channel: AbstractChannel, company: str) -> None:
    queue = await channel.get_queue(stream_queue(company, "sales"), ensure=False)
    for exchange in (EVENTS_EXCHANGE, HOME_EXCHANGE):
        await queue.unbind(exchange, f"{company}.sales.#")


async def delete_stream(channel: AbstractChannel, company: str) -> None:
    await channel.queue_delete(stream_queue(company, "sales"))


async def delete_events(channel: AbstractChannel, company: str) -> None:
    await unbind(channel, company)
    await channel.exchange_delete(EVENTS_EXCHANGE)


@pytest.mark.parametrize(
    "take_away", [unbind, *(pytest.param(more, marks=pytest.mark.long) for more in (delete_stream, delete_events))]
)
async def test_what_is_given_back_while_its_home_is_gone_comes_home_once_that_is_repaired(
    managed_broker: Broker, company: str, take_away: Callable[[AbstractChannel, str], "asyncio.Future[None]"]
) -> None:
    async with retrying(managed_broker.url, company) as (_, admin):
        await take_away(admin, company)
        await until_waiting(managed_broker.url, UNROUTED, MANY)
        async with linked(managed_broker.url, "watch") as link, running(watch_on(link, company).run()):
            await until_waiting(managed_broker.url, stream_queue(company, "sales"), MANY)
            await until_waiting(managed_broker.url, UNROUTED, 0)


async def test_a_watch_repairs_what_is_taken_away_and_says_which_queues_were_gone(
    managed_broker: Broker, company: str, capsys: pytest.CaptureFixture[str]
) -> None:
    retry = retry_queue(delay_of(company))
    async with (
        retrying(managed_broker.url, company) as (publisher, admin),
        linked(managed_broker.url, "watch") as link,
        running((watch := watch_on(link, company)).run()),
    ):
        heard: list[str] = []
        watch.lost.append(lambda: heard.append("lost"))
        await until_waiting(managed_broker.url, stream_queue(company, "sales"), MANY)
        for queue in (retry, UNROUTED, replay_queue(company), "relay.sales.dlq"):
            await admin.queue_delete(queue)
        for exchange in (retry, HOME_EXCHANGE, UNROUTED, EVENTS_EXCHANGE):
            await admin.exchange_delete(exchange)
        for queue in (retry, UNROUTED, replay_queue(company), "relay.sales.dlq"):
            await until_waiting(managed_broker.url, queue, 0)
        await until_published(publisher, company)
    assert "topology.repaired" in capsys.readouterr().out
    assert heard, "what waited in them is to be told again"


async def until_published(publisher: Publisher, company: str) -> None:
    """What was taken away while a retry is published makes it fail, and the delivery stays: then the next one works."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await retry_many(publisher, company)
            except MessagingError:
                await asyncio.sleep(0.1)


async def test_a_policy_that_lets_unused_queues_expire_does_not_delete_retries(
    managed_broker: Broker, company: str
) -> None:
    """A declaration is no use of a queue to RabbitMQ: without the watch the queue is gone before its time."""
    delay, retry = 12 + delay_of(company), retry_queue(12 + delay_of(company))
    async with (
        policy_on(managed_broker, "fleeting", pattern=f"^{retry}$", expires=6000),
        linked(managed_broker.url, "watch") as link,
        retrying(managed_broker.url, company, delay=delay),
        running(watch_on(link, company, delay=delay).run()),
    ):
        await until_waiting(managed_broker.url, stream_queue(company, "sales"), MANY)


async def test_retry_queues_of_an_older_relay_go_on_as_they_are(amqp_url: str, company: str) -> None:
    """Their arguments cannot change: they give back to `relay.events`, as they always have."""
    name = retry_queue(delay_of(company))
    older: dict[str, Any] = {
        "x-queue-type": "quorum",
        "x-message-ttl": int(delay_of(company) * 1000),
        "x-dead-letter-exchange": EVENTS_EXCHANGE,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": 1_000_000,
    }
    async with linked(amqp_url, "older") as link:
        channel = await link.channel()
        await channel.declare_exchange(EVENTS_EXCHANGE, "topic", durable=True)
        queue = await channel.declare_queue(name, durable=True, arguments=older)
        await queue.bind(await channel.declare_exchange(name, "fanout", durable=True), "")
    async with retrying(amqp_url, company):
        await until_waiting(amqp_url, stream_queue(company, "sales"), MANY)


async def test_what_cannot_be_repaired_pulls_the_brake_until_it_is_mended(amqp_url: str, company: str) -> None:
    problems: list[str] = []
    pulled: asyncio.Queue[float] = asyncio.Queue()

    async def look() -> Sequence[str]:
        return problems

    async with linked(amqp_url, "watch") as link:
        watch = watch_on(link, company, look)
        watch.brakes.append(pulled.put)
        channel = await link.channel()
        await channel.declare_queue(stream_queue(company, "sales"), durable=True)
        async with running(watch.run()), asyncio.timeout(30):
            assert await pulled.get() > watch._every, "it holds until the next look"
            assert stream_queue(company, "sales") in (watch.problem or "")
            problems.append("a policy would lose dead letters")
            await channel.queue_delete(stream_queue(company, "sales"))
            while watch.problem != problems[0]:  # noqa: ASYNC110 - an attribute
                await asyncio.sleep(0.05)
            problems.clear()
            while watch.problem is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_a_watch_stops_whenever_it_is_told_to(amqp_url: str, company: str) -> None:
    """A cancellation that aio_pika's own time-outs lose would leave a worker that never ends."""
    async with linked(amqp_url, "watch") as link:
        await publisher_on(link, company).ready()
        for number in range(150):
            watching = asyncio.create_task(watch_on(link, company).run())
            await asyncio.sleep(number / 1000)
            watching.cancel()
            async with asyncio.timeout(20):
                await asyncio.wait({watching})


async def test_what_has_no_home_stays_unrouted_for_a_person(managed_broker: Broker, company: str) -> None:
    foreign = paid_out("nobody")
    async with retrying(managed_broker.url, company) as (publisher, _), linked(managed_broker.url, "watch") as link:
        await publisher.retry(
            encode(foreign), key=routing_key("nobody", foreign.type), message_id="1", headers={}, after_seconds=1
        )
        async with running(watch_on(link, company).run()):
            await until_waiting(managed_broker.url, stream_queue(company, "sales"), MANY)
            await until_waiting(managed_broker.url, UNROUTED, 1)


async def test_what_has_no_home_does_not_hide_what_lies_behind_it(
    managed_broker: Broker, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BROUGHT_HOME_AT_ONCE", 3)
    key, foreign = "nobody.sales.payout.paid.v1", [encode(paid_out("nobody", number)) for number in range(7)]
    async with linked(managed_broker.url) as link, linked(managed_broker.url, "watch") as watched:
        await publisher_on(link, company).ready()
        channel = await link.channel()
        await (queue := await channel.get_queue(UNROUTED, ensure=False)).purge()
        exchange = await channel.get_exchange(UNROUTED, ensure=False)
        for body in foreign:
            await exchange.publish(Message(body, message_id="id"), key)
        await exchange.publish(Message(encode(paid_out(company))), f"{company}.sales.payout.paid.v1")
        async with running(watch_on(watched, company).run()):
            await until_waiting(managed_broker.url, stream_queue(company, "sales"), 1)
        kept: set[tuple[str | None, bytes]] = set()
        async with asyncio.timeout(30):  # whoever is stopped between a copy and its ack leaves both
            while kept != {(key, body) for body in foreign}:
                message = await queue.get(fail=False)
                kept |= {(message.routing_key, message.body)} if message else set()


async def test_a_retry_of_a_replay_comes_home_to_the_replays(amqp_url: str, company: str) -> None:
    async with retrying(amqp_url, company) as (publisher, _):
        event = paid_out(company)
        key = replay_key(routing_key(company, event.type))
        await publisher.publish_raw(encode(event), key=key, message_id="live", headers={})
        await publisher.retry(encode(event), key=key, message_id="retried", headers={}, after_seconds=1)
        await until_waiting(amqp_url, replay_queue(company), 2)
