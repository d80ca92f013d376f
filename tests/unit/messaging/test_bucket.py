"""The worker's side of the bucket, where a broker's timing cannot be had on demand."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from messaging.bucket import PROBE, Bucket, Token
from messaging.connection import Link
from messaging.lanes import Lane, due_by, on_lane
from runtime.marks import Mark
from runtime.stalls import StallWatch
from tests.fakes import NOON, FakeClock

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage


@dataclass(slots=True)
class FakeToken:
    """A token as it comes from the mint."""

    type: str | None = None
    correlation_id: Lane = "live"
    body: bytes = b""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def stalls(clock: FakeClock) -> StallWatch:
    return StallWatch(clock, 0.25)


@pytest.fixture
def bucket(stalls: StallWatch, clock: FakeClock) -> Bucket:
    link = Link(SecretStr("amqp://guest:guest@127.0.0.1:1/"), name="never connected")
    return Bucket(link, company="main", stalls=stalls, clock=clock)


async def come(bucket: Bucket, token: FakeToken | None = None) -> None:
    await bucket._on_token(cast("AbstractIncomingMessage", token or FakeToken()))


async def taking(bucket: Bucket, lane: Lane = "live", *, due: datetime | None = None) -> "asyncio.Task[Token]":
    with on_lane(lane), due_by(due):
        task = asyncio.create_task(bucket.take())
    await asyncio.sleep(0)
    return task


async def test_a_token_passes_over_a_taker_that_was_cancelled_this_very_moment(bucket: Bucket) -> None:
    gone, patient = await taking(bucket), await taking(bucket)
    gone.cancel()
    await come(bucket)
    assert await patient == Token()
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_token_that_nobody_waits_for_is_not_kept(bucket: Bucket) -> None:
    await come(bucket)
    later = await taking(bucket)
    assert not later.done()
    assert bucket._wanted() == {"live": [1, 2, 0]}, "one came for nothing, one is wanted"
    later.cancel()


async def test_first_come_first_served_and_a_probe_is_known_as_one(bucket: Bucket) -> None:
    first, second = await taking(bucket), await taking(bucket)
    await come(bucket, FakeToken(PROBE))
    await come(bucket)
    assert (await first, await second) == (Token(probe=True), Token(probe=False))
    assert bucket.longest_wait == 0


async def test_a_run_with_a_deadline_goes_before_the_stock_that_came_first(bucket: Bucket) -> None:
    stock = [await taking(bucket, "batch") for _ in range(500)]
    later = await taking(bucket, "batch", due=NOON + timedelta(hours=2))
    sooner = await taking(bucket, "batch", due=NOON + timedelta(hours=1))
    assert bucket._wanted()["due"] == {"batch": (NOON + timedelta(hours=1)).timestamp()}
    order: list[asyncio.Task[Token]] = []
    for task in (*stock, later, sooner):
        task.add_done_callback(order.append)
    for _ in range(4):
        await come(bucket, FakeToken(correlation_id="batch"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert order == [sooner, later, *stock[:2]]
    assert "due" not in bucket._wanted(), "nobody who waits now has a deadline"
    for task in stock:
        task.cancel()


async def test_a_deadline_passes_nobody_on_another_lane(bucket: Bucket) -> None:
    live, run = await taking(bucket), await taking(bucket, "batch", due=NOON)
    await come(bucket)
    assert await live == Token()
    assert not run.done()
    run.cancel()


async def test_a_token_goes_to_whoever_waits_on_its_lane(bucket: Bucket) -> None:
    live, batch = await taking(bucket), await taking(bucket, "batch")
    await come(bucket, FakeToken(correlation_id="batch"))
    assert (live.done(), batch.done()) == (False, False)
    assert await batch == Token()
    assert bucket._wanted() == {"live": [0, 1, 0], "batch": [1, 1, 0]}
    live.cancel()


async def test_a_token_that_waited_while_the_process_stood_still_is_not_spent(
    bucket: Bucket, stalls: StallWatch, clock: FakeClock
) -> None:
    watching = asyncio.create_task(stalls.run())
    await asyncio.sleep(0)
    taker = await taking(bucket)
    watching.cancel()
    clock.advance(30)
    await come(bucket)
    await asyncio.sleep(0)
    assert not taker.done()
    assert bucket._wanted() == {"live": [1, 2, 0]}, "it asks for another"
    taker.cancel()


async def test_a_token_of_no_lane_is_nobodys(bucket: Bucket) -> None:
    taker = await taking(bucket)
    await come(bucket, FakeToken(correlation_id=None))  # type: ignore[arg-type]  # a stand-in with what is used
    assert bucket._wanted() == {"live": [0, 1, 0]}
    taker.cancel()


async def test_who_waits_for_an_answer_waits_on_though_a_probe_fails(bucket: Bucket, clock: FakeClock) -> None:
    first = await taking(bucket)
    clock.advance(40)
    await come(bucket, FakeToken(PROBE))
    assert await first == Token(probe=True)
    again = await taking(bucket)
    clock.advance(30)
    assert bucket.longest_wait == 70
    again.cancel()


@dataclass(slots=True)
class Claiming:
    """A store in which so many claims were made."""

    count: int = 0

    def mark(self) -> Mark:
        return Mark("inbox", self.count, "me")

    def verified(self) -> Mark | None:
        return None

    def astray(self) -> bool:
        return False

    async def admit(self, mark: Mark) -> None:
        assert mark.inbox == "inbox"


async def test_a_call_waits_for_a_token_that_says_that_the_broker_knows_of_its_claim(
    stalls: StallWatch, clock: FakeClock
) -> None:
    store = Claiming()
    link = Link(SecretStr("amqp://guest:guest@127.0.0.1:1/"), name="never connected")
    bucket = Bucket(link, company="main", stalls=stalls, clock=clock, standing=store)
    store.count = 4
    early = await taking(bucket)
    store.count = 5
    late = await taking(bucket)
    early.cancel()
    await asyncio.sleep(0)
    await come(bucket, FakeToken(body=b'["inbox", 4, "me"]'))
    await asyncio.sleep(0)
    assert not late.done()
    await come(bucket, FakeToken(body=b'["inbox", 5, "me"]'))
    assert await late == Token()
