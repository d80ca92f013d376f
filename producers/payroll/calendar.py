"""The calendar of pay periods: which there should be, and which run belongs to which. Pure; days are the company's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from producers.payroll.provider import Span
from runtime.sections_payroll import Frequency

_WEEKS: Final = {"weekly": timedelta(weeks=1), "biweekly": timedelta(weeks=2)}
_MIDDLE: Final = 15
MONTHS_AT_ONCE: Final = 6


def periods(frequency: Frequency, *, first: date, until: date) -> Iterator[Span]:
    """The pay periods from the one that starts on `first` (or holds it) to the last that starts by `until`.

    Weekly and biweekly ones count from `first`; semimonthly ones end on the 15th and the last day; monthly ones are
    calendar months.
    """
    start = first if frequency in _WEEKS else _start_of(frequency, first)
    while start <= until:
        after = start + _WEEKS[frequency] if frequency in _WEEKS else _after(frequency, start)
        yield Span(start, after - timedelta(days=1))
        start = after


def month(first: date) -> Span:
    """The calendar month of a day."""
    return Span(first.replace(day=1), next_month(first) - timedelta(days=1))


def pieces(span: Span) -> Iterator[Span]:
    """A span in parts of a few whole months: providers limit how much one list may span."""
    first = span.first
    while first <= span.last:
        following = first
        for _ in range(MONTHS_AT_ONCE):
            following = next_month(following)
        yield Span(first, min(span.last, following - timedelta(days=1)))
        first = following


def next_month(day: date) -> date:
    """The first day of the month after that of a day."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def months_before(day: date, number: int) -> date:
    """The first day of the month so many months earlier."""
    counted = day.year * 12 + day.month - 1 - number
    return date(counted // 12, counted % 12 + 1, 1)


def _start_of(frequency: Frequency, day: date) -> date:
    second_half = frequency == "semimonthly" and day.day > _MIDDLE
    return day.replace(day=_MIDDLE + 1 if second_half else 1)


def _after(frequency: Frequency, start: date) -> date:
    return start.replace(day=_MIDDLE + 1) if frequency == "semimonthly" and start.day == 1 else next_month(start)


@dataclass(frozen=True, slots=True)
class Placed:
    """Dates of a run, as far as they are known."""

    pay_date: date | None
    period_start: date | None
    period_end: date | None

    def lies_in(self, period: Span) -> bool:
        """Whether the run is of this period: by the day its own period ends, else by the day it is paid."""
        day = self.period_end or self.pay_date
        return day is not None and period.holds(day)
