"""Reading the fields of a Cin7 Core document: numbers never as floats, days without a time, SKUs exactly.

It must not know what a document means. No refusal shows a value.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.reading.numbers import number_of
from schemas.money import Money

T = TypeVar("T")

_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(T[0-9:.]+Z?)?", re.ASCII)
_YEARS: Final = range(2000, 2100)
_LONGEST: Final = 255


def must(fields: Fields, name: str, read: Callable[[Fields, str], T | None]) -> T:
    """Give what `read` gives. Raises Rejected: `missing_field` where it is absent, and what `read` raises."""
    value = read(fields, name)
    if value is None:
        raise fields.missing(name)
    return value


def text(fields: Fields, name: str) -> str | None:
    """Give a text of 1 to 255 printable characters, or None when absent. Raises Rejected: `bad_text`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or not value.replace("\u00a0", " ").isprintable():
        raise Rejected("bad_text", "a text has at most 255 characters, all printable", field=fields.at(name))
    return value.strip() or None


def number(fields: Fields, name: str) -> Decimal | None:
    """Give a number, or None when absent. Raises Rejected: `bad_number`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None:
        raise Rejected("bad_number", "a number belongs here", field=fields.at(name))
    return number


def cost(fields: Fields, name: str, currency: str) -> Money | None:
    """Give what a unit costs, or None when the document does not say. Raises Rejected: `bad_number`."""
    amount = number(fields, name)
    if amount is None:
        return None
    try:
        cost = Money.of(amount, currency)
    except ValueError:
        raise Rejected("bad_number", f"not an amount of {currency}", field=fields.at(name)) from None
    if cost.amount < 0:
        raise Rejected("negative_cost", "a cost is not negative", field=fields.at(name))
    return cost


def day(fields: Fields, name: str) -> date | None:
    """Give the calendar day of a field, or None when absent. Raises Rejected: `bad_date`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    written = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        found = date.fromisoformat(written[1]) if written else None
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        message = "a day belongs here, such as 2026-01-31T00:00:00, from 2000 to 2099"
        raise Rejected("bad_date", message, field=fields.at(name))
    return found
