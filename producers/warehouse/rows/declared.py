"""Numbers, days and instants exactly as they are declared to be written, and never guessed.

It must not know rows or columns beyond the name of a field. No refusal shows a cell.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from producers.normalising import Rejected
from producers.warehouse.rows.options import EPOCHS, RowOptions

_WITH_UNIT: Final = re.compile(r"(.*?[0-9][-\u2212)]?)(?:\s*([^\W\d_][^\d]{0,19})|\s+([^\W\d_].{0,19}))", re.DOTALL)
"""A unit that holds a digit, such as m2, stands apart: `1e3` is no unit of `1`."""

_BELOW_ZERO: Final = "-\u2212()"
_SEPARATORS: Final = {" ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}
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
    own = (found.group(2) or found.group(3)).strip()
    if unit is not None and unit.casefold() != own.casefold():
        raise Rejected(
            reason="units_disagree", message="the quantity and the column of units name two units", field="unit"
        )
    return found.group(1), own


def without_sign(text: str, sign: str | None) -> str:
    """Give an amount without the sign of its currency, which may stand before it or behind."""
    return text if sign is None else text.replace(sign, "", 1).strip()


def number_reader(point: str, thousands: str) -> Callable[[str, str], Decimal]:
    """Make the reader of numbers that are written as declared, and of no others.

    Less than zero is `-5`, `5-` or `(5)`: all three say one thing only.
    """
    between = _SEPARATORS.get(thousands, re.escape(thousands))
    grouped = rf"|[0-9]{{1,3}}(?:{between}[0-9]{{3}})+" if thousands else ""
    fraction = rf"{re.escape(point)}[0-9]{{1,12}}"
    number = rf"(?:(?:[0-9]{{1,16}}{grouped})(?:{fraction})?|{fraction})"
    form = re.compile(rf"[-+\u2212]?{number}|{number}[-\u2212]|\({number}\)", re.ASCII)
    dropped = re.compile(between) if thousands else None
    said = f"thousands separator {thousands!r}" if thousands else "no thousands separator"
    message = f"not a number with decimal separator {point!r} and {said}: options decimal and thousands declare others"

    def read(text: str, name: str) -> Decimal:
        if form.fullmatch(text) is None:
            unit = name == "quantity" and _WITH_UNIT.fullmatch(text)
            hint = "; option quantity_has_unit reads a unit behind it" if unit else ""
            raise Rejected(reason="bad_number", message=message + hint, field=name)
        plain = dropped.sub("", text) if dropped else text
        size = Decimal(plain.strip(_BELOW_ZERO).replace(point, "."))
        return -size if plain[0] in _BELOW_ZERO or plain[-1] in _BELOW_ZERO else size

    return read


def moment_reader(options: RowOptions) -> Callable[[str, str], Moment | date]:
    """Make the reader of days and instants that are written as declared, and of no others."""
    zone = ZoneInfo(options.time_zone) if options.time_zone else None
    forms = options.date_format

    def read(text: str, name: str) -> Moment | date:
        found = _declared(text, forms, name) if forms else _iso(text, name)
        if found.year not in _YEARS:
            raise Rejected(reason="bad_date", message="a day is from 2000 to 2099", field=name)
        return _instant(found, zone, name) if isinstance(found, datetime) else found

    return read


def _declared(text: str, forms: tuple[str, ...], name: str) -> date | datetime:
    found: set[date | datetime] = set()
    for form in forms:
        try:
            parsed = _since_1970(text, form) if form in EPOCHS else datetime.strptime(text, form)  # noqa: DTZ007  (the zone is given or refused by the caller)
        except (ValueError, OverflowError):
            continue
        found.add(parsed if form in EPOCHS or _HOURS.search(form) else parsed.date())
    if len(found) > 1:
        raise Rejected(reason="ambiguous_date", message="two of the declared forms read it as two days", field=name)
    if not found:
        raise Rejected(reason="bad_date", message=f"not in a declared form: {' or '.join(forms)}", field=name)
    return found.pop()


def _since_1970(text: str, form: str) -> datetime:
    """Raises ValueError and OverflowError: it counts nothing, or to no year of ours."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise ValueError
    found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1) * int(text) / EPOCHS[form]
    if found.year not in _YEARS:
        raise ValueError
    return found


def _iso(text: str, name: str) -> date | datetime:
    try:
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_TIME.fullmatch(text):
            return datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+"))
    except ValueError:
        pass
    raise Rejected(
        reason="bad_date", message="not ISO 8601 such as 2026-01-31: option date_format declares others", field=name
    )


def _instant(found: datetime, zone: ZoneInfo | None, name: str) -> Moment:
    local_day = found.date()
    if found.tzinfo is None:
        if zone is None:
            raise Rejected(
                reason="time_without_zone", message="a time without offset needs the option time_zone", field=name
            )
        early, late = (found.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if early.utcoffset() != late.utcoffset():
            message = "the clocks were changed then: this time came twice or never; give an offset"
            raise Rejected(reason="ambiguous_time", message=message, field=name)
        found = early
    return Moment(found.astimezone(UTC), None, local_day)
