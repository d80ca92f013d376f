"""What workers measure, for Prometheus: deliveries, tokens, calls, brakes, doubts; and what any process uses.

Each in a registry of its own. Labels are companies, streams, lanes and words of the relay's own: never an id, a name or
an amount.
"""

import time
from http import HTTPStatus
from typing import Final, get_args

import httpx2
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.bucket import Bucket, Token
from messaging.lanes import current_lane
from messaging.mint import Mint
from runtime.clock import Clock
from solid.answers import NOTHING_SENT
from solid.errors import Cause
from store.doubts import count_doubts
from store.errors import StoreUnavailable

log = structlog.get_logger()

CAUSES: Final[tuple[str, ...]] = (*get_args(Cause), "topology")
WAITS_SECONDS: Final = (0.1, 0.5, 2.0, 10.0, 30.0, 60.0, 300.0)
DOUBTS_ARE_GOOD_FOR_SECONDS: Final = 15.0
_STATUSES: Final = frozenset(HTTPStatus)


class WorkerMetrics:
    """The figures of one worker process, however many companies it serves. `text` is what Prometheus reads."""

    def __init__(self) -> None:
        """Start at zero in a new registry."""
        self.registry = CollectorRegistry()
        self.deliveries = self._counter(
            "relay_deliveries", "Deliveries by what became of them.", "company", "stream", "outcome"
        )
        self.tokens = self._counter("relay_tokens_taken", "Tokens taken, each for one call.", "company", "lane")
        self.waits = Histogram(
            "relay_token_wait_seconds",
            "Seconds that calls waited for their token.",
            ["company", "lane"],
            buckets=WAITS_SECONDS,
            registry=self.registry,
        )
        self.calls = self._counter("relay_solid_calls", "Calls to Solid by HTTP status.", "company", "outcome")
        self.served = self._gauge("relay_company_served", "1 while this process serves the company, else 0.", "company")
        self.brake = self._gauge("relay_brake", "1 for the cause that pulled the brake, else 0.", "company", "cause")
        self.share = self._gauge("relay_rate_share", "Share of the full rate in use: below 1 after 429.", "company")
        self.doubts = self._gauge("relay_writes_in_doubt", "Writes of which no answer is known.", "company")
        self._mints: dict[str, Mint] = {}
        self._store: tuple[AsyncEngine, Clock] | None = None
        self._doubts_at: float | None = None

    def watch(self, company: str, mint: Mint) -> None:
        """Tell of this company's brake and rate, whenever its mint is the elected one."""
        self._mints[company] = mint

    def watch_store(self, engine: AsyncEngine, clock: Clock) -> None:
        """Tell how many writes are in doubt."""
        self._store = (engine, clock)

    def delivered(self, company: str, stream: str | None, outcome: str) -> None:
        """A delivery was settled, or could not be."""
        self.deliveries.labels(company, stream or "none", outcome).inc()

    async def text(self) -> bytes:
        """All of it as it is now. A store that cannot be used leaves its figure out."""
        self._look_at_mints()
        await self._count_doubts()
        return generate_latest(self.registry)

    def _look_at_mints(self) -> None:
        """Only the elected mint knows: of the others' companies nothing is told, so that sums stay right."""
        self.brake.clear()
        self.share.clear()
        for company, mint in self._mints.items():
            state = mint.state()
            if state is not None:
                for cause in CAUSES:
                    self.brake.labels(company, cause).set(state.brake == cause)
                self.share.labels(company).set(state.share_of_rate)

    async def _count_doubts(self) -> None:
        if self._store is None:
            return
        engine, clock = self._store
        if self._doubts_at is not None and clock.monotonic() - self._doubts_at < DOUBTS_ARE_GOOD_FOR_SECONDS:
            return
        try:
            counts = await count_doubts(engine, tuple(self._mints), now=clock.now())
        except StoreUnavailable as error:
            log.warning("metrics.store_unavailable", error=str(error))
            self.doubts.clear()
            return
        self._doubts_at = clock.monotonic()
        for company, count in counts.items():
            self.doubts.labels(company).set(count)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)


class ProcessMetrics:
    """What any process uses: memory, open files, processor time."""

    def __init__(self) -> None:
        """Look at this process."""
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="relay", registry=self.registry)

    async def text(self) -> bytes:
        """All of it as it is now."""
        return generate_latest(self.registry)


class MeasuredBucket:
    """A company's bucket that counts what is taken. Satisfies `solid.transport.Limiter`."""

    def __init__(self, bucket: Bucket, metrics: WorkerMetrics, company: str) -> None:
        self._bucket = bucket
        self._metrics = metrics
        self._company = company

    async def take(self) -> Token:
        """See `Bucket.take`."""
        lane, began = current_lane(), time.monotonic()
        token = await self._bucket.take()
        self._metrics.tokens.labels(self._company, lane).inc()
        self._metrics.waits.labels(self._company, lane).observe(time.monotonic() - began)
        return token

    async def report(self, token: Token, *, cause: str | None, retry_after: float | None = None) -> None:
        """See `Bucket.report`."""
        await self._bucket.report(token, cause=cause, retry_after=retry_after)


class MeasuredTransport(httpx2.AsyncBaseTransport):
    """Counts the calls that go out: by status (one that HTTP does not know: `other`), or `not_sent`, or `no_answer`."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, metrics: WorkerMetrics, company: str) -> None:
        self._inner = inner
        self._calls = metrics.calls
        self._company = company

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        outcome = "no_answer"
        try:
            response = await self._inner.handle_async_request(request)
            outcome = str(response.status_code) if response.status_code in _STATUSES else "other"
        except NOTHING_SENT:
            outcome = "not_sent"
            raise
        finally:
            self._calls.labels(self._company, outcome).inc()
        return response

    async def aclose(self) -> None:
        """Close the transport within."""
        await self._inner.aclose()
