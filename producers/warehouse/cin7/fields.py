"""Reading the fields of a Cin7 Core document: numbers never as floats, days without a time, SKUs exactly.

It must not know what a document means. No refusal shows a value.
"""

from collections.abc import Callable
from typing import TypeVar

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.reading.texts import LONGEST
from schemas.money import Money

T = TypeVar("T")


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
    if not isinstance(value, str) or len(value) > LONGEST or not value.replace("\u00a0", " ").isprintable():
        raise Rejected("bad_text", "a text has at most 255 characters, all printable", field=fields.at(name))
    return value.strip() or None


def cost(fields: Fields, name: str, currency: str) -> Money | None:
    """Give what a unit costs, or None when the document does not say. Raises Rejected: `bad_number`."""
    amount = fields.number_or_none(name)
    if amount is None:
        return None
    try:
        cost = Money.of(amount, currency)
    except ValueError:
        raise Rejected("bad_number", f"not an amount of {currency}", field=fields.at(name)) from None
    if cost.amount < 0:
        raise Rejected("negative_cost", "a cost is not negative", field=fields.at(name))
    return cost
