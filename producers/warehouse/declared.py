"""Numbers, days and instants exactly as they are declared to be written, and never guessed.

It must not know rows or columns beyond the name of a field. No refusal shows a cell.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from producers.warehouse.options import RowOptions

_WITH_UNIT: Final = re.compile(r"(.*?[0-9])\s*([^\W\d_][^\d]{0,19})", re.DOTALL)
_HOURS: Final = re.compile(r"%[HIcTXs]")
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_MOST_DIGITS: Final = 16
_MOST_DECIMALS: Final = 12
_YEARS: Final = range(2000, 2100)


def is_bounded(number: Decimal) -> bool:
    """Whether a number has as few digits as a text may: sums and hashes of others could take all memory."""
    return (
        number.is_finite() and number.adjusted() < _MOST_DIGITS and int(number.as_tuple().exponent) >= -_MOST_DECIMALS
    )


class RowRefused(Exception):
    """A row that cannot be turned into events; the rows around it may be fine. Parts as in `Refused`."""

    def __init__(self, reason: str, message: str, *, field: str | None = None) -> None:
        """Keep the parts."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Moment:
    """When: `time` in UTC; `day` where the source gives a day; `local_day` is the day that the source wrote."""

    time: datetime
    day: date | None
    local_day: date


def split_unit(text: str, unit: str | None) -> tuple[str, str | None]:
    """Split `12 EA` into its number and its unit, which must be that of the column of units."""
    found = _WITH_UNIT.fullmatch(text)
    if found is None:
        return text, unit
    own = found.group(2).strip()
    if unit is not None and unit.casefold() != own.casefold():
        raise RowRefused("units_disagree", "the quantity and the column of units name two units", field="unit")
    return found.group(1), own


def number_reader(point: str, thousands: str) -> Callable[[str, str], Decimal]:
    """Make the reader of numbers that are written as declared, and of no others."""
    spaces = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
    grouped = rf"|[0-9]{{1,3}}(?:{spaces}[0-9]{{3}})+" if thousands else ""
    form = re.compile(rf"[+-]?(?:[0-9]{{1,16}}{grouped})(?:{re.escape(point)}[0-9]{{1,12}})?", re.ASCII)
    dropped = re.compile(spaces) if thousands else None
    said = f"thousands separator {thousands!r}" if thousands else "no thousands separator"
    message = f"not a number with decimal separator {point!r} and {said}: options decimal and thousands declare others"

    def read(text: str, name: str) -> Decimal:
        if form.fullmatch(text) is None:
            unit = name == "quantity" and _WITH_UNIT.fullmatch(text)
            hint = "; option quantity_has_unit reads a unit behind it" if unit else ""
            raise RowRefused("bad_number", message + hint, field=name)
        plain = dropped.sub("", text) if dropped else text
        return Decimal(plain.replace(point, "."))

    return read


def moment_reader(options: RowOptions) -> Callable[[str, str], Moment | date]:
    """Make the reader of days and instants that are written as declared, and of no others."""
    zone = ZoneInfo(options.time_zone) if options.time_zone else None
    forms = options.date_format

    def read(text: str, name: str) -> Moment | date:
        found = _declared(text, forms, name) if forms else _iso(text, name)
        if found.year not in _YEARS:
            raise RowRefused("bad_date", "a day is from 2000 to 2099", field=name)
        return _instant(found, zone, name) if isinstance(found, datetime) else found

    return read


def _declared(text: str, forms: tuple[str, ...], name: str) -> date | datetime:
    found: set[date | datetime] = set()
    for form in forms:
        try:
            parsed = datetime.strptime(text, form)  # noqa: DTZ007  (the zone is given or refused by the caller)
        except ValueError:
            continue
        found.add(parsed if _HOURS.search(form) else parsed.date())
    if len(found) > 1:
        raise RowRefused("ambiguous_date", "two of the declared forms read it as two days", field=name)
    if not found:
        raise RowRefused("bad_date", f"not in a declared form: {' or '.join(forms)}", field=name)
    return found.pop()


def _iso(text: str, name: str) -> date | datetime:
    try:
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_TIME.fullmatch(text):
            return datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+"))
    except ValueError:
        pass
    raise RowRefused("bad_date", "not ISO 8601 such as 2026-01-31: option date_format declares others", field=name)


def _instant(found: datetime, zone: ZoneInfo | None, name: str) -> Moment:
    local_day = found.date()
    if found.tzinfo is None:
        if zone is None:
            raise RowRefused("time_without_zone", "a time without offset needs the option time_zone", field=name)
        early, late = (found.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() != late.utcoffset():
            message = "the clocks were changed then: this time came twice or never; give an offset"
            raise RowRefused("ambiguous_time", message, field=name)
        found = early
    return Moment(found.astimezone(UTC), None, local_day)
