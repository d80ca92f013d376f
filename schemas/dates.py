"""The days and times of events, within the years that they can have: what is outside is no date but a placeholder.

It must not know which event a date is of.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

YEARS: Final = range(2000, 2100)
"""Nothing is booked before or after: `9999-12-31` is how a source says that it knows no date."""


def _within(day: date) -> date:
    if day.year not in YEARS:
        msg = f"a date is from {YEARS.start} to {YEARS.stop - 1}"
        raise ValueError(msg)
    return day


def _in_utc(time: datetime) -> datetime:
    _within(time)
    return time.astimezone(UTC)


Day = Annotated[date, AfterValidator(_within)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""In UTC, whatever offset it came with."""
