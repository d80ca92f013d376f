"""Cin7 Core stock adjustments and stocktakes into changes of stock, one event a line.

Pure. A line of new stock has a quantity and a cost. A line of existing stock has the quantity on hand before it and
an `Adjustment`, which is the quantity after it: people who read it off real adjustments say so (60 on hand, Adjustment
110, variance +50), and the API's own write model calls it the new value of the quantity on hand. An installation where
it is the change itself says so by the option `adjustment = "change"`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.warehouse.cin7 import fields as read
from producers.warehouse.rows.cells import KNOWN_REASONS, plain_word
from producers.warehouse.rows.options import Cin7Options
from schemas.inventory import StockAdjusted
from schemas.money import Money

EXISTING: Final = ("ExistingStockLines", "NonZeroStockOnHandProducts")
NEW: Final = ("NewStockLines", "ZeroStockOnHandProducts")

_COST_OF_GOODS: Final = ("cost of goods", "cost of sales", "cogs")
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class _Line:
    fields: Fields
    delta: Decimal
    cost: Money | None


def changes(document: Fields, options: Cin7Options, *, currency: str) -> tuple[StockAdjusted, ...]:
    """Give the changes of a completed adjustment; a line that changes nothing is left out.

    Raises Rejected: `bad_number` and its like, and `amounts_disagree` where the journal says another value.
    """
    lines = [line for line in (*_new(document, currency), *_existing(document, options, currency)) if line.delta]
    _check_journal(document, lines)
    reason = _reason(document, lines, options)
    task, on = document.identifier("TaskID"), read.day(document, "EffectiveDate")
    number = read.text_or_none(document, "StocktakeNumber")
    names: dict[str, int] = {}
    found = []
    for line in lines:
        name = _name(line)
        names[name] = times = names.get(name, 0) + 1
        found.append(
            StockAdjusted(
                fact=f"cin7:adjustment:{task}:{name}" + (f":{times}" if times > 1 else ""),
                item=read.text(line.fields, "SKU"),
                place=place_of(line.fields) or place_of(document),
                lot=read.text_or_none(line.fields, "BatchSN"),
                delta=line.delta,
                reason=reason,
                unit_cost=line.cost,
                day=on,
                document=number or task,
            )
        )
    return tuple(found)


def place_of(fields: Fields) -> str | None:
    """Give the name of a line's location, else its id."""
    return read.text_or_none(fields, "Location") or read.text_or_none(fields, "LocationID")


def _new(document: Fields, currency: str) -> Iterator[_Line]:
    for name in NEW:
        for line in document.sections(name) or ():
            quantity = read.number(line, "Quantity")
            if quantity < 0:
                message = "new stock is not negative"
                raise Rejected(reason="bad_number", message=message, field=line.at("Quantity"))
            yield _Line(line, quantity, read.cost_or_none(line, "UnitCost", currency))


def _existing(document: Fields, options: Cin7Options, currency: str) -> Iterator[_Line]:
    for name in EXISTING:
        for line in document.sections(name) or ():
            adjustment = read.number_or_none(line, "Adjustment")
            if adjustment is None:
                continue
            if options.adjustment == "new_quantity":
                if adjustment < 0:
                    message = (
                        'a quantity on hand is not negative: if it is the change itself, set adjustment = "change"'
                    )
                    raise Rejected(reason="negative_quantity", message=message, field=line.at("Adjustment"))
                adjustment -= read.number(line, "QuantityOnHand")
            yield _Line(line, adjustment, read.cost_or_none(line, "UnitCost", currency))


def _name(line: _Line) -> str:
    """Name a line, which has no id, by what it is about: the order of lines may change."""
    parts = (
        read.text_or_none(line.fields, name) for name in ("SKU", "LocationID", "Location", "BatchSN", "ExpiryDate")
    )
    about = "\x1f".join([line.fields.path.partition("[")[0], *(part or "" for part in parts)])
    return sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _check_journal(document: Fields, lines: Sequence[_Line]) -> None:
    """Where every line has a cost, they make what the journal says, but for a cent of rounding a line."""
    journal = document.sections("Transactions")
    if not journal or not lines:
        return
    values = [line.delta * line.cost.amount for line in lines if line.cost is not None]
    if len(values) < len(lines):
        return
    said = sum((abs(read.number(entry, "Amount")) for entry in journal), Decimal(0))
    moved, net = sum((abs(value) for value in values), Decimal(0)), abs(sum(values, Decimal(0)))
    if min(abs(said - moved), abs(said - net)) > _CENT * max(len(lines), len(journal)):
        message = f"the lines make {moved:f}, and the journal says {said:f}"
        raise Rejected(reason="amounts_disagree", message=message, field=document.at("Transactions"))


def _reason(document: Fields, lines: Sequence[_Line], options: Cin7Options) -> str:
    """Say why, from the account against which Cin7 posted: its name stands in the journal behind its code.

    By the option `reasons` (code or name); a cost-of-goods account is `cost_of_goods_sold`; a name that is a reason
    of ours is that; any other account is `cin7:<code>`. Without account, a document with a number is a stocktake.
    """
    code, name = _account(document, lines)
    declared = {word.casefold(): ours for word, ours in options.reasons.items()}
    for word in (code, name):
        if word and word.casefold() in declared:
            return declared[word.casefold()]
    if name and any(word in name.casefold() for word in _COST_OF_GOODS):
        return "cost_of_goods_sold"
    if name and plain_word(name) in KNOWN_REASONS:
        return plain_word(name)
    if code or name:
        return f"cin7:{code or name}"
    return "stocktake" if read.text_or_none(document, "StocktakeNumber") else "cin7:adjustment"


def _account(document: Fields, lines: Sequence[_Line]) -> tuple[str | None, str | None]:
    """The code and the name of the account against Inventory: Credit where stock went up, else Debit."""
    code = read.text_or_none(document, "Account")
    sides = {"Credit" if line.delta > 0 else "Debit" for line in lines}
    for entry in document.sections("Transactions") or ():
        for side in ("Credit", "Debit"):
            told, _, name = (read.text_or_none(entry, side) or "").partition(":")
            if (code and told.strip().casefold() == code.casefold()) or (not code and sides == {side}):
                return told.strip() or None, name.strip() or None
    return code, None
