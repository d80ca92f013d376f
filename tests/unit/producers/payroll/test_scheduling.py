"""The schedule and the calendar: when a pull is due, what it catches up with, and which periods there should be."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from producers.calling.errors import ProviderUnreachable
from producers.payroll.provider import Span
from producers.payroll.scheduling import (
    AGAIN_AFTER,
    Rhythm,
    Schedule,
    lies_in,
    month,
    months_before,
    months_of,
    periods,
    pieces,
)
from runtime.sections_payroll import Frequency
from tests.fakes import FakeClock
from tests.unit.producers.payroll.providers import MARKS

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)


def rhythm(first: date | None = None, *, zone: ZoneInfo = NEW_YORK, months_back: int = 1) -> Rhythm:
    return Rhythm(schedule="0 7 * * *", zone=zone, months_back=months_back, first=first)


def spans_of(first: date | None, pulls: dict[date, datetime], now: datetime = START) -> list[tuple[str, str]]:
    return [(str(span.first)[:7], str(span.last)[:7]) for span in rhythm(first).spans(now, pulls)]


def test_seven_in_new_york_is_seven_there_in_summer_and_winter() -> None:
    assert rhythm().after(datetime(2026, 1, 15, 12, 30, tzinfo=UTC)).astimezone(UTC).hour == 12
    assert rhythm().after(datetime(2026, 7, 15, 11, 30, tzinfo=UTC)).astimezone(UTC).hour == 11
    assert rhythm().before(START).astimezone(UTC) == datetime(2026, 4, 15, 11, tzinfo=UTC)


def test_a_pull_takes_the_months_around_today() -> None:
    assert spans_of(None, {}) == [("2026-03", "2026-05")]


def test_months_that_were_never_pulled_after_their_end_are_caught_up() -> None:
    after = datetime(2026, 3, 2, tzinfo=UTC)
    pulls = {date(2026, 1, 1): after, date(2026, 2, 1): datetime(2026, 2, 20, tzinfo=UTC)}
    assert spans_of(date(2026, 1, 5), pulls) == [("2026-02", "2026-05")]
    assert spans_of(date(2026, 1, 5), {date(2026, 2, 1): after}) == [("2026-01", "2026-01"), ("2026-03", "2026-05")]


def test_years_are_caught_up_in_pieces() -> None:
    assert spans_of(date(2025, 1, 1), {}) == [("2025-01", "2026-05")]
    found = [(str(one.first), str(one.last)) for one in pieces(Span(date(2025, 1, 1), date(2026, 5, 31)))]
    assert found == [("2025-01-01", "2025-06-30"), ("2025-07-01", "2025-12-31"), ("2026-01-01", "2026-05-31")]


class Pulls:
    """What a schedule pulled, and when."""

    def __init__(self, clock: FakeClock, stop: asyncio.Event, most: int) -> None:
        self.clock, self.stop, self.most = clock, stop, most
        self.at: list[datetime] = []
        self.pulls: dict[date, datetime] = {}
        self.failing = 0

    async def pull(self, span: Span) -> None:
        self.at.append(self.clock.now())
        if len(self.at) >= self.most:
            self.stop.set()
        if self.failing:
            self.failing -= 1
            raise ProviderUnreachable
        self.pulls |= dict.fromkeys(months_of(span), self.clock.now())

    async def known(self) -> dict[date, datetime]:
        return self.pulls


async def run_schedule(pulls: Pulls, pull: Callable[[Span], Awaitable[None]] | None = None) -> None:
    schedule = Schedule(name="made", rhythm=rhythm(), pull=pull or pulls.pull, pulls=pulls.known, clock=pulls.clock)
    async with asyncio.timeout(60):
        await schedule.run(pulls.stop)


async def test_a_pull_that_was_missed_is_made_at_once_and_then_daily() -> None:
    pulls = Pulls(FakeClock(START), asyncio.Event(), most=3)
    await run_schedule(pulls)
    eleven = datetime(2026, 4, 16, 11, tzinfo=UTC)
    assert pulls.at == [START, eleven, eleven + timedelta(days=1)]


async def test_what_was_pulled_after_the_last_time_waits_for_the_next() -> None:
    pulls = Pulls(FakeClock(START), asyncio.Event(), most=1)
    pulls.pulls[date(2026, 4, 1)] = START - timedelta(minutes=30)
    await run_schedule(pulls)
    assert pulls.at == [datetime(2026, 4, 16, 11, tzinfo=UTC)]


async def test_a_pull_that_failed_is_tried_again_before_the_next_time() -> None:
    pulls = Pulls(FakeClock(START), asyncio.Event(), most=3)
    pulls.failing = 2
    await run_schedule(pulls)
    assert [at - START for at in pulls.at] == [timedelta(0), AGAIN_AFTER, 2 * AGAIN_AFTER]


async def test_a_mistake_in_one_account_ends_nothing_and_shows_no_value() -> None:
    pulls = Pulls(FakeClock(START), asyncio.Event(), most=2)

    async def pull(span: Span) -> None:
        await pulls.pull(span)
        if len(pulls.at) == 1:
            raise KeyError(MARKS[0])

    with capture_logs() as logs:
        await run_schedule(pulls, pull)
    assert [at - START for at in pulls.at] == [timedelta(0), AGAIN_AFTER]
    assert [line["error"] for line in logs] == ["KeyError"]


async def test_a_pull_under_way_is_cancelled_when_the_process_stops() -> None:
    clock, stop, cancelled = FakeClock(START), asyncio.Event(), asyncio.Event()
    pulls = Pulls(clock, stop, most=99)

    async def pull(_: Span) -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await run_schedule(pulls, pull)
    assert cancelled.is_set()


@pytest.mark.parametrize(
    ("frequency", "first", "expected"),
    [
        ("weekly", date(2026, 4, 1), [("04-01", "04-07"), ("04-08", "04-14"), ("04-15", "04-21")]),
        ("biweekly", date(2026, 3, 30), [("03-30", "04-12"), ("04-13", "04-26")]),
        ("semimonthly", date(2026, 3, 20), [("03-16", "03-31"), ("04-01", "04-15")]),
        ("monthly", date(2026, 2, 10), [("02-01", "02-28"), ("03-01", "03-31"), ("04-01", "04-30")]),
    ],
)
def test_the_periods_there_should_be(frequency: Frequency, first: date, expected: list[tuple[str, str]]) -> None:
    found = periods(frequency, first=first, until=date(2026, 4, 15))
    assert [(f"{span.first:%m-%d}", f"{span.last:%m-%d}") for span in found] == expected


@given(
    frequency=st.sampled_from(["weekly", "biweekly", "semimonthly", "monthly"]),
    first=st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    days=st.integers(0, 400),
)
def test_every_day_is_in_exactly_one_period(frequency: Frequency, first: date, days: int) -> None:
    day = first + timedelta(days=days)
    found = list(periods(frequency, first=first, until=day))
    assert sum(span.holds(day) for span in found) == 1
    assert sum(lies_in(span, period_end=day, pay_date=None) for span in found) == 1
    assert all(one.last + timedelta(days=1) == two.first for one, two in itertools.pairwise(found))


def test_months_are_counted_over_the_year() -> None:
    assert months_before(date(2026, 1, 31), 1) == date(2025, 12, 1)
    assert month(date(2024, 2, 10)) == Span(date(2024, 2, 1), date(2024, 2, 29))
    assert months_of(Span(date(2026, 1, 2), date(2026, 3, 31))) == [date(2026, 2, 1), date(2026, 3, 1)]
