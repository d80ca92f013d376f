"""A pay run with a deadline on a real broker: it goes before the stock that waits, in its own process and in others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from messaging.brake import Brake
from messaging.bucket import Bucket
from messaging.lanes import due_by, on_lane
from messaging.mint import Mint
from runtime.settings import BucketSettings
from runtime.stalls import StallWatch
from tests.integration.wiring import CLOCK, linked, running, soon, until

pytestmark = pytest.mark.alone

PACE = BucketSettings(allowance=600, window_seconds=12, burst=3, jitter_seconds=0.04)
"""Fifty tokens a second, and two under way at most."""

DEADLINE = datetime(2026, 4, 23, 22, tzinfo=UTC)
WAITING = 500
CALLS = 20


@pytest.fixture
async def buckets(amqp_url: str, company: str) -> AsyncIterator[tuple[Bucket, Bucket]]:
    """Two workers' buckets, and a mint."""
    async with AsyncExitStack() as stack:
        minting, one, other = [await stack.enter_async_context(linked(amqp_url, name)) for name in ("mint", "a", "b")]
        mint = Mint(
            minting,
            company=company,
            rate=PACE.rate,
            burst=PACE.burst,
            jitter_seconds=PACE.jitter_seconds,
            weights=PACE.lanes,
            brake=Brake(1, 5),
            clock=CLOCK,
            window_seconds=PACE.window_seconds,
        )
        stalls = StallWatch(CLOCK, 1)  # the machine may be busy
        pair = [Bucket(link, company=company, stalls=stalls, clock=CLOCK) for link in (one, other)]
        await stack.enter_async_context(running(mint.run(), *(bucket.run() for bucket in pair)))
        yield pair[0], pair[1]


async def _stock_served_beside(bucket: Bucket, run_bucket: Bucket, *, deadline: datetime | None) -> int:
    """How many of 500 waiting stock movements get their call between the first and the last call of a pay run."""
    served: list[float] = []

    async def move() -> None:
        await bucket.take()
        served.append(CLOCK.monotonic())

    with on_lane("batch"):
        stock = [asyncio.create_task(move()) for _ in range(WAITING)]
        try:
            await until(lambda: len(served) >= 3)
            before = len(served)
            with due_by(deadline):
                await soon(asyncio.gather(*(run_bucket.take() for _ in range(CALLS))), within_seconds=60)
            return len(served) - before
        finally:
            for task in stock:
                task.cancel()
            await asyncio.gather(*stock, return_exceptions=True)


async def test_a_run_with_a_deadline_goes_before_five_hundred_stock_events(buckets: tuple[Bucket, Bucket]) -> None:
    bucket, _ = buckets
    assert await _stock_served_beside(bucket, bucket, deadline=DEADLINE) <= CALLS / 2


async def test_so_it_does_where_another_process_holds_the_stock(buckets: tuple[Bucket, Bucket]) -> None:
    bucket, run_bucket = buckets
    assert await _stock_served_beside(bucket, run_bucket, deadline=DEADLINE) <= CALLS / 2


async def test_without_a_deadline_it_has_its_turn_among_processes_and_no_more(buckets: tuple[Bucket, Bucket]) -> None:
    bucket, run_bucket = buckets
    assert await _stock_served_beside(bucket, run_bucket, deadline=None) > CALLS / 2
