"""Reading the fields of a Cin7 Core document: numbers never as floats, days without a time, SKUs exactly.

It must not know what a document means. No refusal shows a value.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.reading.numbers import number_of
from schemas.money import Money

_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(T[0-9:.]+Z?)?", re.ASCII)
_YEARS: Final = range(2000, 2100)
_LONGEST: Final = 255


def text(fields: Fields, name: str) -> str:
    """Give a text of 1 to 255 printable characters. Raises Rejected: `missing_field`, `bad_text`."""
    found = text_or_none(fields, name)
    if found is None:
        raise fields.missing(name)
    return found


def text_or_none(fields: Fields, name: str) -> str | None:
    """Give such a text, or None when absent. Raises Rejected: `bad_text`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or not value.replace("\u00a0", " ").isprintable():
        message = "a text has at most 255 characters, all printable"
        raise Rejected(reason="bad_text", message=message, field=fields.at(name))
    return value.strip() or None


def number(fields: Fields, name: str) -> Decimal:
    """Give a number. Raises Rejected: `missing_field`, `bad_number`."""
    found = number_or_none(fields, name)
    if found is None:
        raise fields.missing(name)
    return found


def number_or_none(fields: Fields, name: str) -> Decimal | None:
    """Give a number, or None when absent. Raises Rejected: `bad_number`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None:
        raise Rejected(reason="bad_number", message="a number belongs here", field=fields.at(name))
    return number


def cost_or_none(fields: Fields, name: str, currency: str) -> Money | None:
    """Give what a unit costs, or None when the document does not say. Raises Rejected: `bad_number`."""
    amount = number_or_none(fields, name)
    if amount is None:
        return None
    try:
        cost = Money.of(amount, currency)
    except ValueError:
        message = f"not an amount of {currency}"
        raise Rejected(reason="bad_number", message=message, field=fields.at(name)) from None
    if cost.amount < 0:
        raise Rejected(reason="negative_cost", message="a cost is not negative", field=fields.at(name))
    return cost


def day(fields: Fields, name: str) -> date:
    """Give the calendar day of a field. Raises Rejected: `missing_field`, `bad_date`."""
    found = day_or_none(fields, name)
    if found is None:
        raise fields.missing(name)
    return found


def day_or_none(fields: Fields, name: str) -> date | None:
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
        raise Rejected(reason="bad_date", message=message, field=fields.at(name))
    return found
