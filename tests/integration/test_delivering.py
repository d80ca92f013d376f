"""Deliveries on a real broker: settled once, or handed over again; retries and dead letters keep their identity."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from messaging import headers as h
from messaging.connection import Link
from messaging.delivery import Delivery
from messaging.drain import DeadMessage, backlog, drain_dead_letters
from messaging.errors import PublishFailed
from messaging.publisher import Publisher
from messaging.topology import CRASH_LOOP_LIMIT, RAW_DLQ, stream_queue
from tests.integration.wiring import CLOCK, cable_to, consuming, linked, paid_out, publisher_on, soon, until


@pytest.fixture
async def link(amqp_url: str) -> AsyncIterator[Link]:
    async with linked(amqp_url) as link:
        yield link


@pytest.fixture
async def publisher(amqp_url: str, company: str) -> AsyncIterator[Publisher]:
    async with linked(amqp_url, "publishing") as link:
        publisher = publisher_on(link, company)
        await publisher.publish(paid_out(company))
        yield publisher


async def next_of(taken: "asyncio.Queue[Delivery]") -> Delivery:
    async with asyncio.timeout(10):
        return await taken.get()


async def left_in(link: Link, company: str) -> int | None:
    name = stream_queue(company, "sales")
    return (await backlog(link, (name,)))[name]


async def given_back(link: Link, company: str, count: int) -> None:
    """Wait until so many lie in the queue again: RabbitMQ 4 says that a channel is closed a moment before they do."""
    async with asyncio.timeout(10):
        while await left_in(link, company) != count:
            pass


async def dead_of(link: Link, company: str) -> list[DeadMessage]:
    """Take the dead letters of a company; those of other tests go with them, unseen."""
    found: list[DeadMessage] = []

    async def keep(message: DeadMessage) -> None:
        found.append(message)

    await drain_dead_letters(link, keep)
    return [message for message in found if (message.key or "").startswith(f"{company}.")]


async def test_a_retry_comes_back_after_its_delay_with_one_attempt_more_under_its_own_key(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        first = await next_of(taken)
        started = CLOCK.monotonic()
        await first.redeliver(after_seconds=0.15, counts=True)
        second = await next_of(taken)
        assert 0.19 <= CLOCK.monotonic() - started < 20, "the shortest delay that is not shorter than asked for"
        assert (second.attempt, second.deferred) == (2, 0)
        assert (second.body, second.key) == (first.body, first.key)
        assert second.message.message_id == first.message.message_id
        assert second.headers[h.PARTITION] == first.headers[h.PARTITION], "order within the key is kept on a retry"
        await second.ack()
        assert taken.empty()
    assert await left_in(link, company) == 0


async def test_a_defer_uses_no_attempt(link: Link, publisher: Publisher, company: str) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        await (await next_of(taken)).redeliver(after_seconds=0, counts=True)
        await (await next_of(taken)).redeliver(after_seconds=0, counts=False)
        third = await next_of(taken)
        assert (third.attempt, third.deferred) == (2, 1)
        await third.ack()


async def test_a_wait_longer_than_every_retry_queue_takes_the_longest(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        started = CLOCK.monotonic()
        await (await next_of(taken)).redeliver(after_seconds=3600, counts=False)
        again = await next_of(taken)
        assert 0.49 <= CLOCK.monotonic() - started < 5
        await again.ack()


async def test_a_dead_letter_carries_its_reason_and_can_be_read_whole(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        await (await next_of(taken)).redeliver(after_seconds=0, counts=True)
        delivery = await next_of(taken)
        await delivery.dead_letter(reason="refused:X", error="X: Solid said no — “nein”")
    [letter] = await dead_of(link, company)
    assert (letter.queue, letter.reason, letter.attempts) == ("relay.sales.dlq", "refused:X", 2)
    assert letter.error == "X: Solid said no — “nein”"
    assert (letter.body, letter.key) == (delivery.body, delivery.key)
    assert letter.content_type == "application/cloudevents+json"
    assert letter.died_at is not None
    assert await left_in(link, company) == 0


async def test_what_is_not_settled_when_the_channel_closes_is_handed_over_again(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        assert (await next_of(taken)).message.redelivered is False
    async with consuming(link, publisher, company) as (_, taken):
        again = await next_of(taken)
        assert again.message.redelivered is True
        assert again.attempt == 1, "attempts are counted by us, not by the broker"
        await again.ack()
    assert await left_in(link, company) == 0


async def test_what_is_not_settled_when_the_connection_is_cut_goes_to_the_next_consumer(
    amqp_url: str, link: Link, publisher: Publisher, company: str
) -> None:
    async with (
        cable_to(amqp_url) as cable,
        linked(cable.url) as doomed,
        consuming(doomed, publisher, company) as (consumer, taken),
    ):
        held = await next_of(taken)
        async with consuming(link, publisher, company) as (_, heirs):
            assert heirs.empty(), "one consumer is active, the other stands by"
            cable.cut()
            await soon(consumer.lost.wait())
            again = await next_of(heirs)
            assert again.body == held.body
            await again.ack()
    assert await left_in(link, company) == 0


async def test_no_more_than_the_prefetch_is_in_hand_at_once(link: Link, publisher: Publisher, company: str) -> None:
    await asyncio.gather(*(publisher.publish(paid_out(company, number)) for number in range(2, 15)))
    async with consuming(link, publisher, company) as (consumer, taken):
        await until(lambda: taken.qsize() >= 10)
        await consumer.stop()  # its answer comes after every delivery
        assert taken.qsize() == 10
        assert await left_in(link, company) == 4


async def test_a_consumer_whose_queue_is_deleted_knows_that_it_is_lost(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (consumer, taken):
        await next_of(taken)
        channel = await link.channel()
        await channel.queue_delete(stream_queue(company, "sales"))
        await soon(consumer.lost.wait())


async def test_stopping_takes_no_more_deliveries_and_lets_those_in_hand_be_settled(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (consumer, taken):
        held = await next_of(taken)
        await consumer.stop()
        await publisher.publish(paid_out(company, 2))
        await held.ack()
    assert taken.empty()
    assert await left_in(link, company) == 1


async def test_a_retry_that_cannot_be_published_settles_nothing(link: Link, amqp_url: str, company: str) -> None:
    async with cable_to(amqp_url) as cable, linked(cable.url) as broken:
        publisher = publisher_on(broken, company)
        await publisher.publish(paid_out(company))
        async with consuming(link, publisher, company) as (_, taken):
            delivery = await next_of(taken)
            cable.url = ""
            await broken.close()
            broken._address = SecretStr("amqp://guest:guest@127.0.0.1:1/")
            with pytest.raises(PublishFailed):
                await delivery.redeliver(after_seconds=0, counts=True)
            assert delivery.settled is None
    await given_back(link, company, 1)


async def test_a_delivery_is_settled_once(link: Link, publisher: Publisher, company: str) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        delivery = await next_of(taken)
        await delivery.ack()
        with pytest.raises(RuntimeError, match="is ack already"):
            await delivery.ack()


async def test_a_message_that_kills_its_worker_every_time_ends_as_a_dead_letter(
    link: Link, publisher: Publisher, company: str
) -> None:
    """The broker's own limit, the net under a worker that dies before it can settle."""
    async with consuming(link, publisher, company) as (_, taken):
        for _ in range(CRASH_LOOP_LIMIT + 1):
            await (await next_of(taken)).message.reject(requeue=True)
    found: list[DeadMessage] = []
    async with asyncio.timeout(10):
        while not found:
            found += await dead_of(link, company)
    [letter] = found
    assert letter.reason == "broker:delivery_limit"
    assert letter.key == f"{company}.sales.payout.paid.v1"
    assert "does the worker die on it?" in letter.error


async def test_a_dead_letter_that_was_not_kept_comes_again_with_the_same_id(
    link: Link, publisher: Publisher, company: str
) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        await (await next_of(taken)).dead_letter(reason="held", error="cannot tell")
    seen: list[str] = []

    async def die_over(message: DeadMessage) -> None:
        if (message.key or "").startswith(f"{company}."):
            seen.append(message.id)
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await drain_dead_letters(link, die_over)
    [letter] = await dead_of(link, company)
    assert seen == [letter.id]
    assert await dead_of(link, company) == []


async def test_two_deaths_of_one_event_are_two_letters(link: Link, publisher: Publisher, company: str) -> None:
    async with consuming(link, publisher, company) as (_, taken):
        await (await next_of(taken)).dead_letter(reason="refused:X", error="no")
        await publisher.publish(paid_out(company))
        await (await next_of(taken)).dead_letter(reason="refused:X", error="no")
    letters = await dead_of(link, company)
    assert len({letter.id for letter in letters}) == 2


async def test_raw_input_is_drained_with_its_source_and_reason(link: Link, publisher: Publisher, company: str) -> None:
    await publisher.keep_raw(
        company.encode(), source="/webhooks/stripe", company="main", reason="not_json", error="no JSON"
    )
    found: list[DeadMessage] = []

    async def keep(message: DeadMessage) -> None:
        found.append(message)

    await drain_dead_letters(link, keep)
    [letter] = [message for message in found if message.body == company.encode()]
    shown: dict[str, Any] = {"queue": letter.queue, "reason": letter.reason, "error": letter.error}
    assert shown == {"queue": RAW_DLQ, "reason": "not_json", "error": "no JSON"}
    assert letter.headers[h.SOURCE] == "/webhooks/stripe"


async def test_a_queue_that_is_not_there_does_not_hide_the_others(amqp_url: str, company: str) -> None:
    async with linked(amqp_url) as link:
        await publisher_on(link, company).ready()
        sales = stream_queue(company, "sales")
        missing = stream_queue("nobody", "sales")
        assert await backlog(link, (missing, sales, missing)) == {missing: None, sales: 0}
        assert list(await backlog(link, (missing, sales))) == [missing, sales]
