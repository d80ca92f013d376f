"""A worker: takes deliveries while Solid takes calls, gives them back when it does not, drains when told to stop.

A session begins when Solid has answered (the chart of accounts is read, which is also the probe after a night) and
ends when the worker is told to stop, when a token has been waited for too long, or when broker or store are lost.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from messaging import headers as h
from messaging.bucket import NoToken
from messaging.connection import BROKEN, Words, said_of
from messaging.consumer import Consumer
from messaging.delivery import Delivery
from messaging.errors import MessagingError
from messaging.lanes import lane_of, on_lane
from messaging.topology import company_queues, replay_queue, stream_of
from runtime.errors import ConfigurationError
from runtime.lifecycle import ToldToStop, in_background, rest, unless
from solid import expectations
from solid.errors import DialectMismatch, Refused, SolidError, Unavailable
from store.errors import StoreUnavailable
from workers.chart import Chart
from workers.completing import COMPLETIONS, RECORDINGS
from workers.in_books import InBooks
from workers.outcomes import Applied, DeadLetter, Defer, GiveBack, Outcome, Retry
from workers.parts import Parts
from workers.pipeline import Pipeline
from workers.retry import RetryPolicy
from workers.sales.closing import Closer
from workers.stock.book import STREAM as STOCK_STREAM
from workers.stock.merging import Merger

log = structlog.get_logger()

Result = TypeVar("Result")
Background = Sequence["asyncio.Task[None]"]

NAMES: Mapping[type[Outcome], str] = {
    Applied: "applied",
    Retry: "retry",
    Defer: "defer",
    DeadLetter: "dead_letter",
    GiveBack: "given_back",
}
REPLAYED_AT_ONCE = 2
"""Enough to use what others leave of the allowance; more would only stand in line before what comes live."""

WATCH_SECONDS = 0.5
SHORTEST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0


class Worker:
    """One worker of one company. `run` returns after a graceful drain."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._troubled = asyncio.Event()
        self._dialect_checked = False
        self._kinds_checked = False
        self._settled_any = False
        self._words = Words(parts.clock)

    @property
    def company(self) -> str:
        """Whose books it writes."""
        return self._parts.company

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises:
            DialectMismatch: Solid's API is not the one that the settings describe; nothing was posted.
            ConfigurationError: at the start, an account of the books is of a kind that its role cannot be.
        """
        parts = self._parts
        async with in_background(parts.bucket.run(), parts.mint.run()) as background:
            pause = SHORTEST_PAUSE_SECONDS
            while not stop.is_set():
                self._settled_any = False
                try:
                    await self._prepare_and_consume(stop, background)
                except (*BROKEN, MessagingError, StoreUnavailable, SolidError) as error:
                    if isinstance(error, DialectMismatch):
                        raise
                    problem = f"Solid refuses: {error.code}" if isinstance(error, Refused) else said_of(error)
                    if self._words.new(problem):
                        log.warning("worker.interrupted", company=parts.company, error=problem)
                    self._troubled.set()
                if self._settled_any:  # the trouble before is over
                    pause = SHORTEST_PAUSE_SECONDS
                if self._troubled.is_set():
                    await rest(stop, parts.clock.sleep(pause))
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _prepare_and_consume(self, stop: asyncio.Event, background: Background) -> None:
        """Ask store and Solid whether work can be done, then consume until the session is over."""
        self._troubled.clear()
        await self._parts.inbox.check_in(self._parts.company)
        await self._parts.earlier.renew()
        if not self._dialect_checked:
            await self._unless(stop, background, self._check_dialect())
        chart = await self._unless(stop, background, self._chart())
        if chart is not None:
            self._refuse_wrong_kinds(chart)
            await self._session(chart, stop, background)

    def _refuse_wrong_kinds(self, chart: Chart) -> None:
        """Nothing is booked until they are mended: Solid takes income that is booked to a liability.

        At the start only. What an account becomes later parks what needs it, and stops nothing else.
        """
        if wrong := not self._kinds_checked and chart.wrong(self._parts.books):
            raise ConfigurationError(f"books of {self._parts.company}: {' '.join(wrong)}")
        self._kinds_checked = True

    async def _check_dialect(self) -> None:
        problems = expectations.check(self._parts.dialect, await self._answered(self._parts.solid.openapi))
        if problems:
            msg = "Solid's API is not the one [solid.dialect] describes: " + "; ".join(problems)
            raise DialectMismatch(msg)
        self._dialect_checked = True

    async def _chart(self) -> Chart:
        """The chart of accounts: read anew at each session, and so the first call after every pause."""
        chart = Chart(await self._answered(self._parts.solid.accounts), self._parts.books)
        for problem in chart.missing(self._parts.books):
            log.warning("books.account_missing", problem=problem)
        for problem in chart.wrong(self._parts.books):
            log.warning("books.account_of_wrong_kind", problem=problem)
        return chart

    async def _answered(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Make the call until Solid takes calls again; the brake paces it."""
        while True:
            try:
                return await call()
            except Unavailable as error:
                log.info("solid.waited_for", cause=error.cause)

    async def _session(self, chart: Chart, stop: asyncio.Event, background: Background) -> None:
        parts = self._parts
        queues = dict.fromkeys(company_queues(parts.company), parts.settings.prefetch)
        queues[replay_queue(parts.company)] = min(REPLAYED_AT_ONCE, parts.settings.prefetch)
        consumer = Consumer(parts.consuming, parts.publisher, queues=queues)
        pipeline = self._pipeline(chart)
        sweeping = asyncio.create_task(self._sweep())
        merging = asyncio.create_task(self._merge(self._parts.merger, said="stock.not_merged"))
        closing = asyncio.create_task(self._merge(self._parts.closer, said="summaries.not_closed"))
        try:
            await consumer.open(
                lambda delivery: self._handle(pipeline, delivery),
                companies=[parts.company],
                retry_delays=parts.retry_delays,
            )
            log.info("worker.consuming", company=parts.company)
            why = await self._until_over(consumer, stop, background)
            log.info("worker.stopped_consuming", company=parts.company, why=why)
            await consumer.stop()
            if why == "told to stop":
                await consumer.tasks.finish(parts.settings.drain_seconds)
                await parts.merger.once()
        finally:
            sweeping.cancel()
            merging.cancel()
            closing.cancel()
            await asyncio.gather(sweeping, merging, closing, return_exceptions=True)
            await self._wind_up(consumer)

    async def _sweep(self) -> None:
        """Sweep while the session lasts; a store that is lost ends it."""
        try:
            with on_lane("background"):
                await self._parts.sweeper.run()
        except NoToken:
            pass
        except StoreUnavailable:
            self._troubled.set()
        except Exception:
            log.exception("sweep.ended")
            self._troubled.set()

    async def _merge(self, merger: Merger | Closer, *, said: str) -> None:
        """Make entries of many facts while the session lasts; a store or a broker that is lost ends it."""
        try:
            await merger.run()
        except (StoreUnavailable, MessagingError) as error:
            log.warning(said, error=said_of(error))
            self._troubled.set()
        except Exception:
            log.exception(said)
            self._troubled.set()

    def _pipeline(self, chart: Chart) -> Pipeline:
        parts, settings = self._parts, self._parts.settings
        return Pipeline(
            books=parts.books,
            chart=chart,
            read_chart=self._chart,
            inbox=InBooks(parts.inbox, parts.summaries),
            captures=parts.captures,
            applier=parts.applier,
            earlier=parts.earlier,
            completions={stream: made(parts) for stream, made in COMPLETIONS.items()},
            recordings={stream: made(parts) for stream, made in RECORDINGS.items()},
            policy=RetryPolicy(parts.retry_delays, settings.max_attempts, settings.max_deferrals),
            settle_seconds=settings.settle_seconds,
            company=parts.company,
            clock=parts.clock,
        )

    async def _handle(self, pipeline: Pipeline, delivery: Delivery) -> None:
        """One delivery. Whatever could not be settled ends the session, so that the broker hands it over again."""
        became, stream = "not_settled", stream_of(delivery.key)
        try:
            with on_lane(lane_of(stream, replayed=h.REPLAY_OF in delivery.headers)):
                outcome = await pipeline.handle(delivery)
                became = NAMES[type(outcome)]
                self._parts.bucket.settled()
                if stream == STOCK_STREAM:
                    self._parts.merger.told.set()
        except (*BROKEN, MessagingError) as error:
            log.warning("delivery.not_settled", error=said_of(error))
            self._troubled.set()
        except Exception:
            log.exception("delivery.not_settled")
            self._troubled.set()
            raise
        else:
            self._settled_any = self._settled_any or not isinstance(outcome, GiveBack)
            if isinstance(outcome, GiveBack) and outcome.reason != "no_token":
                self._dialect_checked = False
                self._troubled.set()
        finally:
            self._parts.count(self._parts.company, stream, became)

    async def _until_over(self, consumer: Consumer, stop: asyncio.Event, background: Background) -> str:
        """Watch the session: which reason ends it comes back as words for the log."""
        hold = self._parts.settings.hold_seconds
        async with in_background(*(event.wait() for event in (stop, consumer.lost, self._troubled))) as ends:
            while True:
                _raise_failure(background)
                if stop.is_set():
                    return "told to stop"
                if consumer.lost.is_set():
                    return "the broker was lost"
                if self._troubled.is_set():
                    return "a delivery was given back"
                if self._parts.bucket.longest_wait > hold:
                    return f"no token for {hold:g} s"
                await asyncio.wait(ends, timeout=WATCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)

    async def _wind_up(self, consumer: Consumer) -> None:
        """Let calls under way end, start no new ones, give the rest back, once."""
        bucket = self._parts.bucket
        bucket.refuse()
        try:
            if not await consumer.tasks.finish(self._parts.applier.longest_call):
                log.warning("worker.cancelled_deliveries")
            await consumer.tasks.cancel()
            await consumer.close()
        finally:
            bucket.accept()

    async def _unless(
        self, stop: asyncio.Event, background: Background, work: Coroutine[Any, Any, Result]
    ) -> Result | None:
        """Do the work unless told to stop first (then None), or a background task fails."""
        with contextlib.suppress(ToldToStop):
            return await unless(stop, work, beside=background)
        return None


def _raise_failure(background: Background) -> None:
    for task in background:
        if task.done():
            task.result()
