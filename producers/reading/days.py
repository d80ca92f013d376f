"""Days and instants as documents write them: what is not plainly one is refused, and nothing is guessed.

It must not know any format beyond how it writes a day. No refusal shows what stood there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from producers.normalising import Rejected

YEARS: Final = range(2000, 2100)
"""A day of another year is a slip."""

EPOCHS: Final[Mapping[str, int]] = {"unix": 1, "unix_ms": 1000}
"""Forms of times that are numbers, and how many of them make a second."""

_HOURS: Final = re.compile(r"%[HIcTXs]")
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_MILLISECONDS: Final = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS: Final = 16
_PIVOT: Final = 80


@dataclass(frozen=True, slots=True)
class Moment:
    """When: `time` in UTC; `day` where the source gives a day; `local_day` is the day that the source wrote."""

    time: datetime
    day: date | None
    local_day: date


@dataclass(frozen=True, slots=True)
class DateForms:
    """How days and instants are written: strptime forms and epochs, and the zone of times that name none.

    Without a form it is ISO 8601, which is read beside every form too that does not begin with `%Y-`.
    """

    forms: tuple[str, ...] = ()
    time_zone: str | None = None

    def read(self, text: str, name: str) -> Moment | date:
        """Give the day or the instant of a field.

        Raises Rejected: `bad_date`, `ambiguous_date`, `time_without_zone`, `ambiguous_time`.
        """
        written = self._written(text, name)
        return self._instant(written, name) if isinstance(written, datetime) else written

    def day(self, text: str, name: str) -> date:
        """Give the calendar day that stands there, whatever the hour. Raises Rejected: `bad_date`, `ambiguous_date`."""
        written = self._written(text, name)
        return written.date() if isinstance(written, datetime) else written

    def _written(self, text: str, name: str) -> date | datetime:
        readings = {reading for form in self.forms if (reading := _in_form(text, form)) is not None}
        if len(readings) > 1:
            raise Rejected("ambiguous_date", "two of the declared forms read it as two days", field=name)
        if not readings and not any(form.startswith("%Y-") for form in self.forms):
            readings = {iso for iso in (_iso(text),) if iso is not None}
        if not readings:
            declared = " or ".join(self.forms)
            message = f"not in a declared form: {declared}" if declared else _NOT_ISO
            raise Rejected("bad_date", message, field=name)
        written = readings.pop()
        if written.year not in YEARS:
            raise Rejected("bad_date", "a day is from 2000 to 2099", field=name)
        return written

    def _instant(self, written: datetime, name: str) -> Moment:
        local_day = written.date()
        if written.tzinfo is None:
            if self.time_zone is None:
                raise Rejected("time_without_zone", "a time without offset needs the option time_zone", field=name)
            zone = ZoneInfo(self.time_zone)
            early, late = (written.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
            if early.utcoffset() != late.utcoffset():
                message = "the clocks were changed then: this time came twice or never; give an offset"
                raise Rejected("ambiguous_time", message, field=name)
            written = early
        return Moment(written.astimezone(UTC), None, local_day)


_NOT_ISO: Final = "not ISO 8601 such as 2026-01-31: the option dates declares others"


def compact_day(text: str, *, field: str) -> date:
    """Give the day of CCYYMMDD or YYMMDD, the two forms EDI has (80 to 99 are of the last century).

    Raises Rejected: `bad_date`.
    """
    plain = text.strip()
    if not (plain.isascii() and plain.isdigit() and len(plain) in {6, 8}):
        raise Rejected("bad_date", "a day is CCYYMMDD or YYMMDD", field=field)
    century = "" if len(plain) == len("CCYYMMDD") else "19" if int(plain[:2]) >= _PIVOT else "20"
    day = _day(_iso(f"{century}{plain[:-4]}-{plain[-4:-2]}-{plain[-2:]}"))
    if day is None:
        raise Rejected("bad_date", "there is no such day, or not from 2000 to 2099", field=field)
    return day


def iso_day(text: str, *, field: str) -> date:
    """Give the day of an xsd:date, whose time zone is left out. Raises Rejected: `bad_date`."""
    day = _day(_iso(text.strip()[: len("YYYY-MM-DD")]))
    if day is None:
        raise Rejected("bad_date", "a day is YYYY-MM-DD, from 2000 to 2099", field=field)
    return day


def day_of_text(text: str) -> date | None:
    """Give the day of ISO 8601 (with or without a time) or of Xero's `/Date(milliseconds+offset)/`; None for others."""
    milliseconds = _MILLISECONDS.fullmatch(text)
    if milliseconds is None:
        return _day(_iso(text))
    offset = milliseconds[2] or "+0000"
    minutes = int(f"{offset[0]}1") * (int(offset[1:3]) * 60 + int(offset[3:]))
    try:
        return _day(_EPOCH + timedelta(milliseconds=int(milliseconds[1]), minutes=minutes))
    except OverflowError:
        return None


def instant_of_text(text: str) -> datetime | None:
    """Give the instant of an ISO 8601 time with its offset, in UTC; None for others."""
    time = _iso(text)
    if not isinstance(time, datetime) or time.tzinfo is None or time.year not in YEARS:
        return None
    return time.astimezone(UTC)


def _day(written: date | datetime | None) -> date | None:
    """The day that stands there, where it is of our years."""
    if written is None or written.year not in YEARS:
        return None
    return written.date() if isinstance(written, datetime) else written


def _in_form(text: str, form: str) -> date | datetime | None:
    try:
        if form in EPOCHS:
            return _since_1970(text, form)
        parsed = datetime.strptime(text, form)  # noqa: DTZ007  (the zone is given or refused by the caller)
    except (ValueError, OverflowError):
        return None
    return parsed if _HOURS.search(form) else parsed.date()


def _since_1970(text: str, form: str) -> datetime | None:
    """None: it counts nothing, or to no year of ours."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        return None
    instant = _EPOCH + timedelta(seconds=1) * int(text) / EPOCHS[form]
    return instant if instant.year in YEARS else None


def _iso(text: str) -> date | datetime | None:
    try:
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_TIME.fullmatch(text):
            return datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+"))
    except ValueError:
        pass
    return None
