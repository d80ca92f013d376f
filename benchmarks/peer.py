"""One process of the comparison: calls Solid's stand-in as fast as its limiter lets it, once SIGUSR1 says go.

Each limiter is used as its documentation shows, with Solid's allowance as its rate: calls in a window. A call that was
refused with 429 is waited for as long as `Retry-After` says. Only the limiter differs from one kind to the next.
"""

import argparse
import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

import httpx2
import structlog
from aiolimiter import AsyncLimiter
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter
from redis.exceptions import RedisError

from messaging.bucket import Bucket
from ops.composing.workers import bucket_on, mint_on, open_link, watch_stalls
from runtime.clock import SystemClock
from runtime.logs import configure_logs
from runtime.settings import Settings

CALLERS: Final = 8
PROCESSES: Final = 4
TOO_MANY: Final = 429
REDIS_AWAY_SECONDS: Final = 0.05

Send = Callable[[], Awaitable[httpx2.Response]]


class Paced(Protocol):
    """A limiter in use."""

    async def call(self, send: Send) -> None:
        """Send once it may, and heed what came back."""
        ...


class InProcess:
    """aiolimiter, one a process: it knows nothing of the other processes."""

    def __init__(self, calls: int, window_seconds: float) -> None:
        self._limiter = AsyncLimiter(calls, window_seconds)

    async def call(self, send: Send) -> None:
        """Send within the limiter's block."""
        async with self._limiter:
            response = await send()
        await _heed(response)


class InRedis:
    """A window of the library `limits`, counted in Redis for all processes. No answer of Redis, no call."""

    def __init__(self, strategy: RateLimiter, limit: RateLimitItemPerSecond) -> None:
        self._strategy = strategy
        self._limit = limit

    async def call(self, send: Send) -> None:
        """Ask until the window has room, waiting for as long as it says."""
        while not await self._has_room():
            pass
        await _heed(await send())

    async def _has_room(self) -> bool:
        try:
            if await self._strategy.hit(self._limit, "solid"):
                return True
            window = await self._strategy.get_window_stats(self._limit, "solid")
            await asyncio.sleep(max(window.reset_time - time.time(), 0.001))
        except (RedisError, OSError):
            await asyncio.sleep(REDIS_AWAY_SECONDS)
        return False


class InBroker:
    """The relay's token bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def call(self, send: Send) -> None:
        """Spend a token, and report what came of it; waiting is the mint's affair."""
        token = await self._bucket.take()
        response = await send()
        cause = "rate_limited" if response.status_code == TOO_MANY else None
        await self._bucket.report(token, cause=cause, retry_after=_retry_after(response))


@asynccontextmanager
async def limiter_of(kind: str, *, allowance: int, window_seconds: float, redis_port: int) -> AsyncIterator[Paced]:
    """The limiter of a kind (`benchmarks.peers.KINDS`)."""
    if kind == "relay":
        async with _in_broker() as paced:
            yield paced
    elif kind.startswith("redis"):
        storage = RedisStorage(f"async+redis://127.0.0.1:{redis_port}", implementation="redispy")
        strategy = FixedWindowRateLimiter if kind == "redis_fixed_window" else MovingWindowRateLimiter
        yield InRedis(strategy(storage), RateLimitItemPerSecond(allowance, int(window_seconds)))
    else:
        share = allowance // PROCESSES if kind == "aiolimiter_divided" else allowance
        yield InProcess(share, window_seconds)


@asynccontextmanager
async def _in_broker() -> AsyncIterator[Paced]:
    """What a worker has: a bucket, and a mint that stands by."""
    settings, clock = Settings(), SystemClock()
    async with (
        open_link(settings, "bucket") as link,
        open_link(settings, "mint") as minting,
        watch_stalls(settings, clock) as stalls,
    ):
        bucket = bucket_on(link, settings, stalls, clock)
        jobs = [asyncio.create_task(job) for job in (mint_on(minting, settings, clock).run(), bucket.run())]
        try:
            yield InBroker(bucket)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)


async def _heed(response: httpx2.Response) -> None:
    if response.status_code == TOO_MANY:
        await asyncio.sleep(_retry_after(response) or 1)


def _retry_after(response: httpx2.Response) -> float | None:
    said = response.headers.get("Retry-After")
    return None if said is None else float(said)


async def run(asked: argparse.Namespace) -> None:
    """Wait for the word, then call for ever."""
    go = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, go.set)
    headers = {"X-API-Key": asked.key}
    pace = {"allowance": asked.allowance, "window_seconds": asked.window, "redis_port": asked.redis_port}
    async with (
        httpx2.AsyncClient(base_url=asked.url, headers=headers, timeout=30, trust_env=False) as http,
        limiter_of(asked.kind, **pace) as paced,
    ):
        structlog.get_logger().info("peer.ready")
        await go.wait()
        await asyncio.gather(*(_call_for_ever(http, paced) for _ in range(CALLERS)))


async def _call_for_ever(http: httpx2.AsyncClient, paced: Paced) -> None:
    async def send() -> httpx2.Response:
        return await http.get("/api/v1/contacts", params={"display_name": "Nobody"})

    while True:
        await paced.call(send)


def main() -> None:
    """Read what to be."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.peer", description=__doc__)
    arguments.add_argument("kind")
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--key", required=True)
    arguments.add_argument("--allowance", type=int, required=True)
    arguments.add_argument("--window", type=float, required=True)
    arguments.add_argument("--redis-port", type=int, default=0)
    configure_logs("info", "json")
    asyncio.run(run(arguments.parse_args()))


if __name__ == "__main__":
    main()
