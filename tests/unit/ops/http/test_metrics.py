"""What workers measure: each figure under its name, nothing about persons, and nothing global."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine

from messaging.brake import Brake
from messaging.bucket import BRAKE, RELEASE, Token
from messaging.connection import Link
from messaging.lanes import on_lane
from messaging.mint import Mint
from ops.http.metrics import MeasuredBucket, MeasuredTransport, WorkerMetrics
from ops.http.serving import metrics_app
from runtime.settings import BucketSettings
from tests.fakes import FakeClock


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics()


async def read(metrics: WorkerMetrics) -> dict[tuple[str, ...], float]:
    """Name and labels' values (by the order of the labels' names) → figure."""
    text = (await metrics.text()).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def mint() -> Mint:
    link = Link(SecretStr("amqp://guest:guest@127.0.0.1:1/"), name="never connected")
    lanes, brake = BucketSettings().lanes, Brake(5, 30)
    return Mint(
        link, company="north", rate=10, burst=5, jitter_seconds=1, weights=lanes, brake=brake, clock=FakeClock()
    )


@asynccontextmanager
async def elected(mint: Mint) -> AsyncIterator[None]:
    class Silent:
        """A channel that takes reports."""

        default_exchange = property(lambda self: self)

        async def publish(self, *_: object) -> None:
            """See `AbstractExchange.publish`."""
            await asyncio.Event().wait()

    minting = asyncio.create_task(mint._mint(Silent()))  # type: ignore[arg-type]  # a stand-in with what is used
    await asyncio.sleep(0)
    yield
    minting.cancel()
    await asyncio.gather(minting, return_exceptions=True)


async def test_deliveries_are_counted_by_stream_and_outcome(metrics: WorkerMetrics) -> None:
    metrics.delivered("north", "sales", "applied")
    metrics.delivered("north", "sales", "applied")
    metrics.delivered("north", None, "dead_letter")
    found = await read(metrics)
    assert found["relay_deliveries_total", "north", "applied", "sales"] == 2
    assert found["relay_deliveries_total", "north", "dead_letter", "none"] == 1


async def test_a_taken_token_is_counted_on_its_lane_and_what_is_reported_goes_on(metrics: WorkerMetrics) -> None:
    class Generous:
        reported: Any = None

        async def take(self) -> Token:
            """Give one."""
            return Token()

        async def report(self, token: Token, *, cause: str | None, retry_after: float | None) -> None:
            """Note it."""
            self.reported = (token, cause, retry_after)

    inner = Generous()
    bucket = MeasuredBucket(inner, metrics, "north")  # type: ignore[arg-type]  # a stand-in with what is used
    with on_lane("batch"):
        token = await bucket.take()
    await bucket.report(token, cause="closed", retry_after=3)
    found = await read(metrics)
    assert found["relay_tokens_taken_total", "north", "batch"] == 1
    assert found["relay_token_wait_seconds_count", "north", "batch"] == 1
    assert inner.reported == (token, "closed", 3)


async def test_a_taker_that_gives_up_took_nothing(metrics: WorkerMetrics) -> None:
    class Empty:
        async def take(self) -> Token:
            """Give none."""
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await MeasuredBucket(Empty(), metrics, "north").take()  # type: ignore[arg-type]  # a stand-in with what is used
    assert await read(metrics) == {}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx2.Response(201), "201"),
        (httpx2.Response(429), "429"),
        (httpx2.Response(999), "other"),
        (httpx2.ConnectError("closed"), "not_sent"),
        (httpx2.ReadTimeout("hangs"), "no_answer"),
        (asyncio.CancelledError(), "no_answer"),
    ],
    ids=str,
)
async def test_calls_are_counted_by_what_came_back(
    metrics: WorkerMetrics, answer: httpx2.Response | BaseException, outcome: str
) -> None:
    def handle(_: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    transport = MeasuredTransport(httpx2.MockTransport(handle), metrics, "north")
    await asyncio.gather(
        transport.handle_async_request(httpx2.Request("GET", "http://solid/accounts")), return_exceptions=True
    )
    assert await read(metrics) == {("relay_solid_calls_total", "north", outcome): 1}


async def test_brake_and_share_are_told_by_the_elected_mint_only(metrics: WorkerMetrics) -> None:
    here = mint()
    metrics.watch("north", here)
    assert await read(metrics) == {}
    async with elected(here):
        here._hear(BRAKE, None, {"cause": "rate_limited", "retry_after": None, "probe": False})
        found = await read(metrics)
        assert found["relay_brake", "rate_limited", "north"] == 1
        assert found["relay_brake", "unauthorised", "north"] == 0
        assert found["relay_rate_share", "north"] == pytest.approx(0.9)
        here._hear(RELEASE, None, {})
        assert (await read(metrics))["relay_brake", "rate_limited", "north"] == 0
    assert await read(metrics) == {}, "another one mints now, and tells"


async def test_a_store_that_cannot_be_used_leaves_its_figure_out_and_no_other(metrics: WorkerMetrics) -> None:
    metrics.delivered("north", "sales", "applied")
    engine = create_async_engine("sqlite+aiosqlite:////no/such/folder/relay.db")
    metrics.watch_store(engine, FakeClock())
    metrics.watch("north", mint())
    assert list(await read(metrics)) == [("relay_deliveries_total", "north", "applied", "sales")]
    await engine.dispose()
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:  # a connection that failed says so to this loop, a moment later
            await asyncio.to_thread(thread.join, 10)


async def test_prometheus_reads_it_over_http(metrics: WorkerMetrics) -> None:
    metrics.delivered("north", "sales", "applied")
    transport = httpx2.ASGITransport(metrics_app(metrics.text))
    async with httpx2.AsyncClient(transport=transport, base_url="http://worker") as http:
        answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'relay_deliveries_total{company="north",outcome="applied",stream="sales"} 1.0' in answer.text


async def test_nothing_is_global() -> None:
    first, second = WorkerMetrics(), WorkerMetrics()
    first.delivered("north", "sales", "applied")
    assert await read(second) == {}
    assert not [family for family in REGISTRY.collect() if family.name.startswith("relay_")]
