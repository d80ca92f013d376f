"""The settings of Cin7 Core, and its fields: numbers never as floats, days without a time, SKUs exactly.

It must not know what a document means. No refusal shows a value.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.reading.texts import LONGEST
from producers.warehouse.goods import GoodsOptions
from schemas.money import Money

_Word = Annotated[str, Field(min_length=1, max_length=100)]


class Cin7Options(GoodsOptions):
    """How an installation of Cin7 Core speaks.

    `adjustment` says what the field of that name in a line of existing stock is. `reasons` maps its accounts, by code
    or by name, to our reasons.
    """

    max_bytes: Annotated[int, Field(gt=0, le=1 << 30)] = 64 << 20
    adjustment: Literal["new_quantity", "change"] = "new_quantity"
    reasons: Mapping[_Word, _Word] = Field(default_factory=dict)


def text(fields: Fields, name: str) -> str | None:
    """Give a text of 1 to 255 printable characters, or None when absent. Raises Rejected: `bad_text`."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST or not value.replace("\u00a0", " ").isprintable():
        raise Rejected("bad_text", "a text has at most 255 characters, all printable", field=fields.at(name))
    return value.strip() or None


def sku(line: Fields) -> str:
    """Give the item of a line. Raises Rejected: `missing_field`, `bad_text`."""
    found = text(line, "SKU")
    if found is None:
        raise line.missing("SKU")
    return found


def place(fields: Fields) -> str | None:
    """Give the name of a location, else its id."""
    return text(fields, "Location") or text(fields, "LocationID")


def status(fields: Fields) -> str | None:
    """Give a document's status in capitals, or None."""
    found = fields.token_or_none("Status") or text(fields, "Status")
    return found.upper() if found else None


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
