"""The schedule of one account: pull when the cron expression says so, and catch up with what was missed meanwhile.

A failed pull is tried again before the next time comes. It must not know how a pull is made.
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
from producers.calling.errors import PayrollError
from producers.payroll.calendar import month, months_before, next_month
from producers.payroll.provider import Span
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.lifecycle import ToldToStop, rest, unless
from store.errors import StoreError

log = structlog.get_logger()

AGAIN_AFTER: Final = timedelta(minutes=10)
LONGEST_SLEEP_SECONDS: Final = 60.0
"""Slept at once: a clock that is set meanwhile is noticed."""


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

    def spans(self, now: datetime, pulls: Mapping[date, datetime]) -> Iterator[Span]:
        """What to pull now: the months around today, and every earlier one that was never pulled after its end."""
        today = now.astimezone(self.zone).date()
        since = months_before(today, self.months_back)
        wanted = months_before(min(self.first, since), 0) if self.first is not None else since
        missed = []
        while wanted < since:
            pulled = pulls.get(wanted)
            if pulled is None or pulled.astimezone(self.zone).date() <= month(wanted).last:
                missed.append(wanted)
            wanted = next_month(wanted)
        while wanted <= next_month(today):
            missed.append(wanted)
            wanted = next_month(wanted)
        yield from _joined(missed)


def _joined(months: list[date]) -> Iterator[Span]:
    """Months that follow one another as one span."""
    while months:
        number = 1
        while number < len(months) and months[number] == next_month(months[number - 1]):
            number += 1
        yield Span(months[0], month(months[number - 1]).last)
        months = months[number:]


class Schedule:
    """Runs one account's rhythm. `pull` pulls a span; `pulls` gives when each month was pulled, the oldest entity's."""

    def __init__(
        self,
        *,
        name: str,
        rhythm: Rhythm,
        pull: Callable[[Span], Awaitable[None]],
        pulls: Callable[[], Awaitable[Mapping[date, datetime]]],
        clock: Clock,
    ) -> None:
        self._name = name
        self._rhythm = rhythm
        self._pull = pull
        self._pulls = pulls
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Pull at once what was missed, then whenever it is time, until `stop` is set; that cancels a pull."""
        due = await self._first_due()
        while await self._wait_until(due, stop):
            due = self._rhythm.after(self._clock.now()) if await self._pulled(stop) else self._again()

    def _again(self) -> datetime:
        now = self._clock.now()
        return min(now + AGAIN_AFTER, self._rhythm.after(now))

    async def _first_due(self) -> datetime:
        now = self._clock.now()
        try:
            pulls = await self._pulls()
        except (StoreError, ConfigurationError):
            return now
        last = pulls.get(now.astimezone(self._rhythm.zone).date().replace(day=1))
        missed = last is None or last < self._rhythm.before(now)
        return now if missed else self._rhythm.after(now)

    async def _pulled(self, stop: asyncio.Event) -> bool:
        """Pull everything that is due; False when that failed. Returns when `stop` is set."""
        try:
            with suppress(ToldToStop):
                await unless(stop, self._pull_all())
        except (PayrollError, StoreError, MessagingError, ConfigurationError) as error:
            log.warning("payroll.pull_failed", account=self._name, error=str(error))
            return False
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one account, the others are pulled
            log.error("payroll.pull_failed", account=self._name, error=type(error).__name__)  # noqa: TRY400 - no values
            return False
        return True

    async def _pull_all(self) -> None:
        for span in self._rhythm.spans(self._clock.now(), await self._pulls()):
            await self._pull(span)

    async def _wait_until(self, due: datetime, stop: asyncio.Event) -> bool:
        """Wait; False when `stop` was set."""
        while not stop.is_set() and (left := (due - self._clock.now()).total_seconds()) > 0:
            await rest(stop, self._clock.sleep(min(left, LONGEST_SLEEP_SECONDS)))
        return not stop.is_set()
