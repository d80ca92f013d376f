"""What an elected mint puts into the bucket, on a channel that notes it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from messaging.brake import Brake
from messaging.connection import Link
from messaging.mint import Mint
from tests.fakes import FakeClock

FAST, SLOW = 1000.0, 5.0


@dataclass(slots=True)
class Bucketful:
    """Stands in for channel, queue and exchange: `log` has what came to the token queue, in order."""

    log: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def default_exchange(self) -> "Bucketful":
        """See `AbstractChannel.default_exchange`."""
        return self

    async def get_queue(self, _: str, *, ensure: bool) -> "Bucketful":
        """See `AbstractChannel.get_queue`."""
        assert not ensure
        return self

    async def purge(self) -> None:
        """See `AbstractQueue.purge`."""
        self._note("emptied")

    async def publish(self, message: Any, _: str) -> None:  # noqa: ANN401 - aio_pika's message
        """See `AbstractExchange.publish`."""
        self._note(message.type or "token")

    def _note(self, what: str) -> None:
        self.log.append(what)
        self.more.set()

    async def until(self, length: int) -> None:
        """Wait until so much has happened."""
        async with asyncio.timeout(10):
            while len(self.log) < length:
                self.more.clear()
                await self.more.wait()


@pytest.fixture
def brake() -> Brake:
    return Brake(first_gap=5, longest_gap=30)


def mint_of(brake: Brake, *, rate: float) -> Mint:
    link = Link(SecretStr("amqp://guest:guest@127.0.0.1:1/"), name="never connected")
    return Mint(link, company="main", rate=rate, burst=5, brake=brake, clock=FakeClock())


async def test_an_elected_mint_empties_the_bucket_before_its_first_token(brake: Brake) -> None:
    bucket = Bucketful()
    paying = asyncio.create_task(mint_of(brake, rate=FAST)._pay_out(bucket))  # type: ignore[arg-type]
    await bucket.until(3)
    brake.pull("closed", now=0, retry_after=None, probe=False)
    await paying
    assert bucket.log[:3] == ["emptied", "token", "token"]


async def test_no_token_follows_once_the_brake_is_pulled(brake: Brake) -> None:
    bucket = Bucketful()
    paying = asyncio.create_task(mint_of(brake, rate=SLOW)._pay_out(bucket))  # type: ignore[arg-type]
    await bucket.until(1)
    brake.pull("closed", now=0, retry_after=None, probe=False)
    await paying
    assert bucket.log == ["emptied"], "though its turn to mint one had come"


async def test_under_the_brake_the_bucket_is_emptied_and_a_probe_waits_for_its_time(brake: Brake) -> None:
    bucket, mint = Bucketful(), mint_of(brake, rate=FAST)
    brake.pull("closed", now=0, retry_after=None, probe=False)
    standing = asyncio.create_task(mint._stand_still(bucket))  # type: ignore[arg-type]
    await bucket.until(1)
    await asyncio.sleep(0)
    assert bucket.log == ["emptied"], "the first probe is not due yet"
    brake.release()
    mint._changed.set()
    async with asyncio.timeout(10):
        await standing


async def test_a_probe_goes_alone_into_an_empty_bucket(brake: Brake) -> None:
    bucket, mint = Bucketful(), mint_of(brake, rate=FAST)
    brake.pull("closed", now=-5, retry_after=None, probe=False)
    standing = asyncio.create_task(mint._stand_still(bucket))  # type: ignore[arg-type]
    await bucket.until(3)
    await asyncio.sleep(0)
    assert bucket.log == ["emptied", "emptied", "probe"]
    brake.release()
    mint._changed.set()
    async with asyncio.timeout(10):
        await standing
