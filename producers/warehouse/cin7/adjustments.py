"""Cin7 Core stock adjustments and stocktakes into changes of stock, one event a line.

Pure. A line of new stock has a quantity and a cost. A line of existing stock has the quantity on hand before it and
an `Adjustment`, which is the quantity after it: people who read it off real adjustments say so (60 on hand, Adjustment
110, variance +50), and the API's own write model calls it the new value of the quantity on hand. An installation where
it is the change itself says so by the option `adjustment = "change"`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from producers.drafts import digest
from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.fields import Cin7Options
from producers.warehouse.goods import GoodsDocument, GoodsLine, lines_of
from producers.warehouse.reasons import KNOWN_REASONS, plain_word

EXISTING: Final = ("ExistingStockLines", "NonZeroStockOnHandProducts")
NEW: Final = ("NewStockLines", "ZeroStockOnHandProducts")

_COST_OF_GOODS: Final = ("cost of goods", "cost of sales", "cogs")
_CENT: Final = Decimal("0.01")


def adjustment(document: Fields, options: Cin7Options, *, currency: str) -> GoodsDocument:
    """Read a completed adjustment; a line that changes nothing is left out.

    Raises Rejected: `missing_field`, `bad_date`, and `amounts_disagree` where the journal says another value.
    """
    task, number = document.identifier("TaskID"), read.text(document, "StocktakeNumber")
    times: Counter[str] = Counter()

    def changes(line: Fields) -> Iterator[GoodsLine]:
        if delta := _delta(line, options):
            fact = f"cin7:adjustment:{task}:{_name(line)}"
            changed = GoodsLine(
                fact=fact,
                item=read.sku(line),
                quantity=delta,
                unit_cost=read.cost(line, "UnitCost", currency),
                lot=read.text(line, "BatchSN"),
                place=read.place(line),
            )
            times[fact] += 1
            yield changed if times[fact] == 1 else replace(changed, fact=f"{fact}:{times[fact]}")

    lines = lines_of([line for name in (*NEW, *EXISTING) for line in document.sections(name) or ()], changes)
    good = [line for line in lines if isinstance(line, GoodsLine)]
    if len(good) == len(lines):
        _check_journal(document, good)
    return GoodsDocument(
        kind="adjustment",
        lines=lines,
        document=number or task,
        day=document.day("EffectiveDate"),
        place=read.place(document),
        reason=_reason(document, good, options),
    )


def _delta(line: Fields, options: Cin7Options) -> Decimal | None:
    """By how much stock changed; None where a line of existing stock does not say."""
    if line.path.partition("[")[0] in NEW:
        quantity = line.number("Quantity")
        if quantity < 0:
            raise Rejected("bad_number", "new stock is not negative", field=line.at("Quantity"))
        return quantity
    adjustment = line.number_or_none("Adjustment")
    if adjustment is None or options.adjustment == "change":
        return adjustment
    if adjustment < 0:
        message = 'a quantity on hand is not negative: if it is the change itself, set adjustment = "change"'
        raise Rejected("negative_quantity", message, field=line.at("Adjustment"))
    return adjustment - line.number("QuantityOnHand")


def _name(line: Fields) -> str:
    """Name a line, which has no id, by what it is about: the order of lines may change."""
    parts = (read.text(line, name) for name in ("SKU", "LocationID", "Location", "BatchSN", "ExpiryDate"))
    return digest(line.path.partition("[")[0], *(part or "" for part in parts))


def _check_journal(document: Fields, lines: Sequence[GoodsLine]) -> None:
    """Where every line has a cost, they make what the journal says, but for a cent of rounding a line."""
    journal = document.sections("Transactions")
    values = [line.quantity * line.unit_cost.amount for line in lines if line.quantity and line.unit_cost is not None]
    if not journal or not lines or len(values) < len(lines):
        return
    said = sum((abs(entry.number("Amount")) for entry in journal), Decimal(0))
    moved, net = sum(map(abs, values), Decimal(0)), abs(sum(values, Decimal(0)))
    if min(abs(said - moved), abs(said - net)) > _CENT * max(len(lines), len(journal)):
        message = f"the lines make {moved:f}, and the journal says {said:f}"
        raise Rejected("amounts_disagree", message, field=document.at("Transactions"))


def _reason(document: Fields, lines: Sequence[GoodsLine], options: Cin7Options) -> str:
    """Say why, from the account against which Cin7 posted: its name stands in the journal behind its code.

    By the option `reasons` (code or name); a cost-of-goods account is `cost_of_goods_sold`; a name that is a reason
    of ours is that; any other account is `cin7:<code>`. Without account, a document with a number is a stocktake.
    """
    code, name = (word or "" for word in _account(document, lines))
    declared = {"": "", **{word.casefold(): ours for word, ours in options.reasons.items()}}
    if ours := declared.get(code.casefold()) or declared.get(name.casefold()):
        return ours
    if any(word in name.casefold() for word in _COST_OF_GOODS):
        return "cost_of_goods_sold"
    if plain_word(name) in KNOWN_REASONS:
        return plain_word(name)
    if code or name:
        return f"cin7:{code or name}"
    return "stocktake" if read.text(document, "StocktakeNumber") else "cin7:adjustment"


def _account(document: Fields, lines: Sequence[GoodsLine]) -> tuple[str | None, str | None]:
    """The code and the name of the account against Inventory: Credit where stock went up, else Debit."""
    code = read.text(document, "Account")
    sides = {"Credit" if line.quantity and line.quantity > 0 else "Debit" for line in lines}
    for entry in document.sections("Transactions") or ():
        for side in ("Credit", "Debit"):
            told, _, name = (read.text(entry, side) or "").partition(":")
            if (code and told.strip().casefold() == code.casefold()) or (not code and sides == {side}):
                return told.strip() or None, name.strip() or None
    return code, None
