"""Publishing on a real broker: stored means confirmed, and everything else raises."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from messaging import headers as h
from messaging.connection import Link
from messaging.drain import backlog
from messaging.errors import BrokerUnreachable, PublishFailed, Unroutable, UnsafeTopology
from messaging.publisher import Publisher
from messaging.topology import RAW_DLQ, retry_queue, stream_queue
from schemas.envelope import decode
from staging.broker import Broker
from staging.broker.handshake import free_ports
from tests.integration.wiring import CLOCK, DELAYS, cable_to, consuming, link_to, linked, paid_out, publisher_on, soon


@pytest.fixture
async def link(amqp_url: str) -> AsyncIterator[Link]:
    async with linked(amqp_url) as link:
        yield link


@pytest.fixture
def publisher(link: Link, company: str) -> Publisher:
    return publisher_on(link, company)


async def waiting(link: Link, name: str) -> int | None:
    return (await backlog(link, (name,)))[name]


async def test_a_published_event_is_in_its_stream_when_publish_returns(
    link: Link, publisher: Publisher, company: str
) -> None:
    await publisher.publish(paid_out(company))
    assert await waiting(link, stream_queue(company, "sales")) == 1


async def test_an_event_arrives_as_it_left_persistent_and_under_its_own_name(
    link: Link, publisher: Publisher, company: str
) -> None:
    event = paid_out(company)
    await publisher.publish(event)
    async with consuming(link, publisher, company) as (_, taken):
        delivery = await taken.get()
    assert decode(delivery.body) == event
    assert delivery.key == f"{company}.sales.payout.paid.v1"
    assert delivery.message.message_id == f"/webhooks/stripe#{event.id}"
    assert delivery.message.delivery_mode == 2
    assert delivery.headers[h.PARTITION] == "po_1"
    assert (delivery.attempt, delivery.deferred) == (1, 0)


async def test_many_publishes_at_once_are_each_confirmed(link: Link, publisher: Publisher, company: str) -> None:
    await asyncio.gather(*(publisher.publish(paid_out(company, number)) for number in range(200)))
    assert await waiting(link, stream_queue(company, "sales")) == 200


async def test_an_event_that_no_queue_takes_is_an_error(publisher: Publisher) -> None:
    with pytest.raises(Unroutable, match=r"no queue for routing key 'nobody\.sales"):
        await publisher.publish(paid_out("nobody"))


async def test_the_publisher_goes_on_after_a_returned_message(link: Link, publisher: Publisher, company: str) -> None:
    with pytest.raises(Unroutable):
        await publisher.publish(paid_out("nobody"))
    await publisher.publish(paid_out(company))
    assert await waiting(link, stream_queue(company, "sales")) == 1


async def test_raw_input_is_kept_byte_for_byte_with_its_error(link: Link, publisher: Publisher) -> None:
    before = await waiting(link, RAW_DLQ) or 0
    await publisher.keep_raw(
        b"\x00not json\xff", source="/webhooks/stripe", company="main", reason="not_json", error="no JSON"
    )
    assert await waiting(link, RAW_DLQ) == before + 1


async def test_without_a_broker_publishing_fails_at_once(company: str) -> None:
    async with linked(f"amqp://guest:guest@127.0.0.1:{free_ports(1)[0]}/") as nowhere:
        with pytest.raises(BrokerUnreachable, match=r"Is it running, and is rabbitmq\.url right\?"):
            await publisher_on(nowhere, company).ready()
        with pytest.raises(PublishFailed):
            await publisher_on(nowhere, company).publish(paid_out(company))


async def test_a_wrong_password_is_told_without_showing_it(amqp_url: str) -> None:
    async with linked(amqp_url.replace("guest:guest", "guest:hunter2")) as link:
        with pytest.raises(BrokerUnreachable) as refused:
            await link.connection()
    assert "hunter2" not in str(refused.value)


async def test_after_a_cut_connection_the_next_publish_makes_a_new_one(amqp_url: str, company: str) -> None:
    async with cable_to(amqp_url) as cable, linked(cable.url) as link:
        publisher = publisher_on(link, company)
        await publisher.publish(paid_out(company, 1))
        cable.cut()
        for _ in range(3):  # the loss may be seen only while publishing: then the caller sends again
            try:
                await publisher.publish(paid_out(company, 2))
            except PublishFailed:
                continue
            break
        assert link.generation == 2
        async with linked(amqp_url) as other:
            assert await waiting(other, stream_queue(company, "sales")) in (2, 3)


async def test_a_publish_that_is_not_confirmed_in_time_fails_and_the_next_one_reconnects(
    own_broker: Broker, company: str
) -> None:
    async with linked(own_broker.url) as link:
        publisher = publisher_on(link, company, timeout=8)
        await publisher.publish(paid_out(company, 1))
        own_broker.pause()
        started = CLOCK.monotonic()
        try:
            with pytest.raises(PublishFailed, match="within 8 s"):
                await publisher.publish(paid_out(company, 2))
            assert CLOCK.monotonic() - started < 20, "a broker that hangs does not hang the publisher"
        finally:
            own_broker.resume()
        await soon(publisher.publish(paid_out(company, 3)))
        assert link.generation == 2
        assert await waiting(link, stream_queue(company, "sales")) in (2, 3), "the unconfirmed one may be stored"


@pytest.mark.parametrize("what", ["stream", "retry"])
async def test_a_queue_with_other_arguments_is_refused_with_a_plain_message(
    amqp_url: str, company: str, what: str
) -> None:
    delay = 0.2 + int(company[1:], 16) % 10_000 / 1e6  # a delay of this test's own
    name = stream_queue(company, "sales") if what == "stream" else retry_queue(delay)
    async with linked(amqp_url) as link:
        channel = await link.channel()
        await channel.declare_queue(name, durable=True)
        publisher = Publisher(link, clock=CLOCK, companies=[company], retry_delays=[delay])
        with pytest.raises(UnsafeTopology) as refused:
            await publisher.ready()
    assert name in str(refused.value)
    assert "exists with other arguments" in str(refused.value)
    assert "delete it" in str(refused.value)


async def test_declaring_again_changes_nothing(link: Link, company: str) -> None:
    for _ in range(2):
        await publisher_on(link, company).ready()
    assert await waiting(link, stream_queue(company, "sales")) == 0
    assert [await waiting(link, retry_queue(delay)) for delay in DELAYS] == [0, 0]


async def test_a_dropped_connection_is_replaced_only_once_for_all_who_saw_it_fail(amqp_url: str) -> None:
    link = link_to(amqp_url)
    first = await link.connection()
    seen = link.generation
    link.drop("one saw it", seen=seen)
    second = await link.connection()
    link.drop("another saw the same", seen=seen)
    assert await link.connection() is second
    assert first is not second
    await link.close()
