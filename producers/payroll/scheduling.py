"""The schedule of one account: pull when the cron expression says so, and catch up with what was missed meanwhile.

And its calendar: which pay periods there should be, in the days of the company. A failed pull is tried again before the
next time comes. It must not know how a pull is made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim

from messaging.errors import MessagingError
from producers.calling.errors import ProviderError
from producers.payroll.provider import Span
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.lifecycle import ToldToStop, rest, unless
from runtime.sections_payroll import Frequency
from store.errors import StoreError

log = structlog.get_logger()

AGAIN_AFTER: Final = timedelta(minutes=10)
LONGEST_SLEEP_SECONDS: Final = 60.0
"""Slept at once: a clock that is set meanwhile is noticed."""
_WEEKS: Final = {"weekly": timedelta(weeks=1), "biweekly": timedelta(weeks=2)}
_MIDDLE: Final = 15
MONTHS_AT_ONCE: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When to pull. `first` is the first day of the first period that is of interest; None: none before now."""

    schedule: str
    zone: ZoneInfo
    months_back: int
    first: date | None

    def before(self, now: datetime) -> datetime:
        """The latest time of the schedule that is not after now."""
        return next(CronSim(self.schedule, now.astimezone(self.zone) + timedelta(minutes=1), reverse=True))

    def after(self, now: datetime) -> datetime:
        """The next time of the schedule."""
        return next(CronSim(self.schedule, now.astimezone(self.zone)))

    def spans(self, now: datetime, pulls: Mapping[date, datetime]) -> list[Span]:
        """What to pull now: the months around today and every earlier one not pulled after its end, joined to spans."""
        today = now.astimezone(self.zone).date()
        since = months_before(today, self.months_back)
        wanted = since if self.first is None else min(self.first, since).replace(day=1)
        spans: list[Span] = []
        while wanted <= next_month(today):
            pulled = pulls.get(wanted)
            if wanted >= since or pulled is None or pulled.astimezone(self.zone).date() <= month(wanted).last:
                follows = spans and next_month(spans[-1].last) == wanted
                spans.append(Span(spans.pop().first if follows else wanted, month(wanted).last))
            wanted = next_month(wanted)
        return spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Runs one account's rhythm. `pull` pulls a span; `pulls` gives when each month was pulled, the oldest entity's."""

    name: str
    rhythm: Rhythm
    pull: Callable[[Span], Awaitable[None]]
    pulls: Callable[[], Awaitable[Mapping[date, datetime]]]
    clock: Clock

    async def run(self, stop: asyncio.Event) -> None:
        """Pull at once what was missed, then whenever it is time, until `stop` is set; that cancels a pull."""
        due = await self._first_due()
        while await self._wait_until(due, stop):
            failed = not await self._pulled(stop)
            now = self.clock.now()
            due = min(now + AGAIN_AFTER, self.rhythm.after(now)) if failed else self.rhythm.after(now)

    async def _first_due(self) -> datetime:
        now = self.clock.now()
        try:
            pulls = await self.pulls()
        except (StoreError, ConfigurationError):
            return now
        last = pulls.get(now.astimezone(self.rhythm.zone).date().replace(day=1))
        missed = last is None or last < self.rhythm.before(now)
        return now if missed else self.rhythm.after(now)

    async def _pulled(self, stop: asyncio.Event) -> bool:
        """Pull everything that is due; False when that failed. Returns when `stop` is set."""
        try:
            with suppress(ToldToStop):
                await unless(stop, self._pull_all())
        except (ProviderError, StoreError, MessagingError, ConfigurationError) as error:
            log.warning("payroll.pull_failed", account=self.name, error=str(error))
            return False
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one account, the others are pulled
            log.error("payroll.pull_failed", account=self.name, error=type(error).__name__)  # noqa: TRY400 - no values
            return False
        return True

    async def _pull_all(self) -> None:
        for span in self.rhythm.spans(self.clock.now(), await self.pulls()):
            await self.pull(span)

    async def _wait_until(self, due: datetime, stop: asyncio.Event) -> bool:
        """Wait; False when `stop` was set."""
        while not stop.is_set() and (left := (due - self.clock.now()).total_seconds()) > 0:
            await rest(stop, self.clock.sleep(min(left, LONGEST_SLEEP_SECONDS)))
        return not stop.is_set()


def periods(frequency: Frequency, *, first: date, until: date) -> Iterator[Span]:
    """The pay periods from the one that starts on `first` (or holds it) to the last that starts by `until`.

    Weekly and biweekly ones count from `first`; semimonthly ones end on the 15th and the last day; monthly ones are
    calendar months.
    """
    halves = frequency == "semimonthly"
    start = first if frequency in _WEEKS else first.replace(day=_MIDDLE + 1 if halves and first.day > _MIDDLE else 1)
    while start <= until:
        if frequency in _WEEKS:
            after = start + _WEEKS[frequency]
        else:
            after = start.replace(day=_MIDDLE + 1) if halves and start.day == 1 else next_month(start)
        yield Span(start, after - timedelta(days=1))
        start = after


def month(first: date) -> Span:
    """The calendar month of a day."""
    return Span(first.replace(day=1), next_month(first) - timedelta(days=1))


def pieces(span: Span) -> Iterator[Span]:
    """A span in parts of a few whole months: providers limit how much one list may span."""
    first = span.first
    while first <= span.last:
        following = months_before(first, -MONTHS_AT_ONCE)
        yield Span(first, min(span.last, following - timedelta(days=1)))
        first = following


def months_of(span: Span) -> list[date]:
    """The first days of the months that lie in the span as a whole."""
    first = span.first if span.first.day == 1 else next_month(span.first)
    months = []
    while month(first).last <= span.last:
        months.append(first)
        first = next_month(first)
    return months


def next_month(day: date) -> date:
    """The first day of the month after that of a day."""
    return months_before(day, -1)


def months_before(day: date, number: int) -> date:
    """The first day of the month so many months earlier."""
    counted = day.year * 12 + day.month - 1 - number
    return date(counted // 12, counted % 12 + 1, 1)


def lies_in(period: Span, *, period_end: date | None, pay_date: date | None) -> bool:
    """Whether a run is of this period: by the day its own period ends, else by the day it is paid."""
    day = period_end or pay_date
    return day is not None and period.holds(day)
