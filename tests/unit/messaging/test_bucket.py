"""The worker's side of the bucket, where a broker's timing cannot be had on demand."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest
from pydantic import SecretStr

from messaging.bucket import PROBE, Bucket, Token
from messaging.connection import Link
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage


class FakeToken:
    """A token as it comes from the queue."""

    def __init__(self, kind: str | None = None) -> None:
        self.type = kind
        self.settled: list[str] = []

    async def ack(self) -> None:
        """See `AbstractIncomingMessage.ack`."""
        self.settled.append("ack")

    async def nack(self, *, requeue: bool) -> None:
        """See `AbstractIncomingMessage.nack`."""
        self.settled.append(f"nack requeue={requeue}")


@pytest.fixture
def bucket() -> Bucket:
    link = Link(SecretStr("amqp://guest:guest@127.0.0.1:1/"), name="never connected")
    return Bucket(link, company="main", depth=3, clock=FakeClock())


async def come(bucket: Bucket, token: FakeToken) -> None:
    await bucket._on_token(cast("AbstractIncomingMessage", token))


async def taking(bucket: Bucket) -> "asyncio.Task[Token]":
    task = asyncio.create_task(bucket.take())
    await asyncio.sleep(0)
    return task


async def test_a_token_passes_over_a_taker_that_was_cancelled_this_very_moment(bucket: Bucket) -> None:
    gone, patient = await taking(bucket), await taking(bucket)
    gone.cancel()
    token = FakeToken()
    await come(bucket, token)
    assert await patient == Token()
    assert token.settled == ["ack"]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_token_that_nobody_waits_for_goes_back(bucket: Bucket) -> None:
    gone = await taking(bucket)
    gone.cancel()
    token = FakeToken()
    await come(bucket, token)
    assert token.settled == ["nack requeue=True"]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_first_come_first_served_and_a_probe_is_known_as_one(bucket: Bucket) -> None:
    first, second = await taking(bucket), await taking(bucket)
    await come(bucket, FakeToken(PROBE))
    await come(bucket, FakeToken())
    assert (await first, await second) == (Token(probe=True), Token(probe=False))
    assert bucket.longest_wait == 0
