"""What happens to one delivery: decode, plan, check what must come first, complete the plan, apply, settle.

One log line says how it went.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, assert_never

import structlog

from messaging import headers as h
from messaging.lanes import due_by
from runtime.clock import Clock
from schemas.envelope import Event, decode
from store.inbox import EventRef, Inbox
from workers import prerequisites
from workers.applying import Applier
from workers.books.books import Books
from workers.chart import Chart
from workers.classify import Circumstances, classify
from workers.completing import Completion
from workers.earlier import KnowsEarlier
from workers.occasion import Occasion
from workers.outcomes import Applied, DeadLetter, Defer, GiveBack, Outcome, Retry
from workers.plans import plan, stream_of
from workers.plans.periods import place_in_open_period
from workers.plans.writes import Parked, Plan
from workers.retry import RetryPolicy
from workers.sales.afterwards import InboxGroups, writes_afterwards

log = structlog.get_logger()

CHART_GOOD_FOR_SECONDS = 30.0


class Hand(Protocol):
    """The delivery, as the pipeline sees it."""

    @property
    def body(self) -> bytes: ...  # noqa: D102
    @property
    def headers(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def attempt(self) -> int: ...  # noqa: D102
    @property
    def deferred(self) -> int: ...  # noqa: D102
    async def ack(self) -> None: ...  # noqa: D102
    async def redeliver(self, *, after_seconds: float, counts: bool) -> None: ...  # noqa: D102
    async def dead_letter(self, *, reason: str, error: str) -> None: ...  # noqa: D102


@dataclass(slots=True)
class Pipeline:
    """Handles the deliveries of one company."""

    books: Books
    chart: Chart
    read_chart: Callable[[], Awaitable[Chart]]
    inbox: Inbox
    applier: Applier
    earlier: KnowsEarlier
    completions: Mapping[str, Completion]
    policy: RetryPolicy
    settle_seconds: float
    company: str
    clock: Clock
    _chart_read_at: float = field(init=False)

    def __post_init__(self) -> None:
        """The chart is as old as the pipeline."""
        self._chart_read_at = self.clock.monotonic()

    async def handle(self, delivery: Hand) -> Outcome:
        """Take one delivery from its bytes to its settlement; returns the outcome it was settled with.

        GiveBack settles nothing: the message stays with the broker. Cancellation settles nothing either.

        Raises:
            PublishFailed: a retry or dead letter could not be published; nothing is settled.
        """
        started = self.clock.monotonic()
        event: Event | None = None
        try:
            event = decode(delivery.body)
            outcome: Outcome = Applied(await self._apply(event, delivery))
        except Exception as error:  # noqa: BLE001 - classify knows every kind, and a bug is one of them
            outcome = classify(error, self._circumstances(delivery, event))
        await settle(delivery, outcome)
        _say(outcome, event, delivery, seconds=self.clock.monotonic() - started)
        return outcome

    async def _apply(self, event: Event, delivery: Hand) -> int:
        if event.company != self.company:
            msg = f"the event is company {event.company}'s, and this worker writes the books of {self.company}"
            raise Parked(f"wrong_company:{event.company}", msg)
        planned = plan(event, self.books)
        if h.WAIVED in delivery.headers:
            planned = planned.waived()
        earlier, day = self.earlier if delivery.deferred else None, self.books.day_of(event.time)
        await prerequisites.check(self.inbox, self.company, planned.requires, earlier=earlier, day=day)
        completion = self.completions.get(stream_of(event))
        if completion is not None:
            planned = await completion.complete(planned, event)
        with due_by(planned.deadline):
            count = await self._written(event, planned)
            groups = InboxGroups(self.inbox, self.company)
            further = await writes_afterwards(planned.afterwards, groups=groups, books=self.books)
            if not further:
                return count
            placed = place_in_open_period(Plan(writes=further), self.books, stream=stream_of(event))
            return count + await self._written(event, placed)

    async def _written(self, event: Event, planned: Plan) -> int:
        try:
            return await self.applier.apply(self._occasion(event), planned)
        except Parked as parked:
            if not (parked.reason.startswith("unmapped:account:") and await self._chart_was_old()):
                raise
        return await self.applier.apply(self._occasion(event), planned)

    def _occasion(self, event: Event) -> Occasion:
        return Occasion(EventRef.of(event), event.time, self.chart)

    async def _chart_was_old(self) -> bool:
        """Read the chart again, once a while: somebody may have made the missing account since."""
        if self.clock.monotonic() - self._chart_read_at < CHART_GOOD_FOR_SECONDS:
            return False
        self._chart_read_at = self.clock.monotonic()
        self.chart = await self.read_chart()
        return True

    def _circumstances(self, delivery: Hand, event: Event | None) -> Circumstances:
        return Circumstances(
            attempt=delivery.attempt,
            deferred=delivery.deferred,
            seed=event.id if event else "",
            settle_seconds=self.settle_seconds,
            policy=self.policy,
        )


async def settle(delivery: Hand, outcome: Outcome) -> None:
    """Do with the delivery what the outcome says: exactly one settlement, or none for GiveBack."""
    match outcome:
        case Applied():
            await delivery.ack()
        case Retry(after_seconds=after):
            await delivery.redeliver(after_seconds=after, counts=True)
        case Defer(after_seconds=after):
            await delivery.redeliver(after_seconds=after, counts=False)
        case DeadLetter(reason=reason, error=error):
            await delivery.dead_letter(reason=reason, error=error)
        case GiveBack():
            pass
        case _ as never:
            assert_never(never)


def _say(outcome: Outcome, event: Event | None, delivery: Hand, *, seconds: float) -> None:
    """The one canonical line of a delivery. No payload: ids and figures only."""
    fields: dict[str, Any] = {
        "outcome": type(outcome).__name__,
        "type": event.type if event else None,
        "event_id": event.id if event else None,
        "subject": event.subject if event else None,
        "attempt": delivery.attempt,
        "deferred": delivery.deferred,
        "seconds": round(seconds, 3),
    }
    match outcome:
        case Applied(writes=writes):
            log.info("delivery.settled", **fields, writes=writes)
        case DeadLetter(reason=reason, error=error):
            shown = {"error": error} if reason.startswith("bug:") else {}  # what Solid says may name a person
            log.warning("delivery.settled", **fields, reason=reason, **shown)
        case _:
            log.info("delivery.settled", **fields, reason=outcome.reason)
