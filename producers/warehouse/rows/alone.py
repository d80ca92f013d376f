"""Rows that stand alone: a change of stock, a count, a put away of a stock log. What each becomes.

It must not name facts or remember rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from producers.drafts import GoodsData
from producers.normalising import Rejected
from producers.reading.days import Moment
from producers.warehouse.reasons import plain_word
from producers.warehouse.rows.cells import RowCells
from producers.warehouse.rows.changes import DIRECTIONS
from producers.warehouse.rows.names import part
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted, StockCounted

_APART: Final = ("ordered", "rejected", "short", "over")


@dataclass(frozen=True, slots=True)
class RowDraft:
    """An event without its name. `named` is the row's own name where it has one, `said` all that the row says."""

    model: type[GoodsData]
    fields: Mapping[str, Any]
    word: str
    named: str | None
    said: tuple[object, ...]
    moment: Moment


def adjusted(cells: RowCells, reason: str | None) -> RowDraft | str:
    """Read a change of stock; `reason` is that of the stock log's change. A change by zero is no event, but a word."""
    amount, moment, item = cells.change(), cells.when(), cells.text("item")
    word, from_change = "", reason is not None
    if reason is None:
        reason, own = cells.reason_or_none()
        word = own or ""
    else:
        word = plain_word(cells.text("change"))
    if reason is None:
        raise Rejected("missing_field", "needed, and empty or missing", field="reason")
    if not amount.written:
        return "quantity_zero"
    delta = _signed(cells, amount.stock, reason) if from_change or not cells.how.options.signed else amount.stock
    place, lot, document = cells.text_or_none("place"), cells.text_or_none("lot"), cells.text_or_none("document")
    cost = cells.cost_or_none(amount.factor)
    fields = {
        "item": item,
        "place": place,
        "lot": lot,
        "delta": delta,
        "unit": amount.unit,
        "reason": reason,
        "unit_cost": cost,
        "day": moment.day,
        "document": document,
    }
    said: tuple[object, ...] = (item, place, lot, amount.written, cells.text_or_none("unit"), word or reason, cost)
    said = (*said, _time(moment), document, *_level_before(cells))
    return RowDraft(StockAdjusted, fields, "adjusted", _own_name(cells), said, moment)


def counted(cells: RowCells) -> RowDraft:
    """Read an absolute count. Without an id its name is the item, the place and the time."""
    amount, moment, item = cells.amount(), cells.when(end_of_day=True), cells.text("item")
    place, lot, document = cells.text_or_none("place"), cells.text_or_none("lot"), cells.text_or_none("document")
    reason, _ = cells.reason_or_none()
    cost = cells.cost_or_none(amount.factor)
    fields = {
        "item": item,
        "place": place,
        "lot": lot,
        "counted": amount.stock,
        "unit": amount.unit,
        "reason": reason or "cycle_count",
        "unit_cost": cost,
        "day": moment.day,
        "document": document,
    }
    of = (item, place or "", *((lot,) if lot else ()))
    named = _own_name(cells) or ":".join((*(part(text) for text in of), _time(moment)))
    said = (item, place, lot, amount.stock, reason, cost, _time(moment), document)
    return RowDraft(StockCounted, fields, "count", named, said, moment)


def put_away(cells: RowCells, *, sign: int) -> RowDraft | str:
    """Read one put away of a stock log as a receipt of its own; sign -1: it went back to the vendor."""
    moment, order, name = cells.when(), cells.text_or_none("order"), _own_name(cells)
    number = cells.text_or_none("receipt") or cells.text_or_none("document") or cells.text_or_none("id") or order
    if number is None:
        raise Rejected("missing_field", "goods that went back need order, receipt, document or id", field="order")
    line = receipt_line(cells, sign=sign)
    if line is None:
        return "quantity_zero"
    fields = {
        "order": order,
        "receipt": number,
        "supplier": cells.text_or_none("supplier"),
        "lines": (line,),
        "day": moment.day,
    }
    word = "receipt" if sign > 0 else "return"
    said = (order, number, line.model_dump_json(exclude_none=True), _time(moment))  # a field more must not rename it
    return RowDraft(ReceiptPosted, fields, word, name, said, moment)


def receipt_line(cells: RowCells, *, sign: int) -> ReceiptLine | None:
    """Read one line of a receipt; sign -1: it went back, whatever its sign. None where nothing came at all."""
    amount = cells.amount()
    stock = amount.stock if sign > 0 else -abs(amount.stock)
    apart = {name: _times(cells.number_or_none(name), amount.factor) for name in _APART}
    if not stock and not apart["rejected"] and not apart["short"]:
        return None
    return ReceiptLine(
        line=cells.text_or_none("line") or cells.text_or_none("id"),
        item=cells.text("item"),
        quantity=stock,
        unit=amount.unit,
        unit_cost=cells.cost_or_none(amount.factor),
        lot=cells.text_or_none("lot"),
        expires=cells.day_or_none("expires"),
        place=cells.text_or_none("place"),
        **apart,
    )


def _times(number: Decimal | None, factor: Decimal) -> Decimal | None:
    return None if number is None else number * factor


def _signed(cells: RowCells, quantity: Decimal, reason: str) -> Decimal:
    direction = DIRECTIONS.get(reason, 0)
    if not cells.how.options.signed:
        if quantity < 0 or not direction:
            message = "quantities are declared to have no sign: this one is negative, or its reason goes either way"
            raise Rejected("sign_not_said", message, field="quantity")
        return quantity * direction
    if direction * quantity < 0:
        message = f"a change for {reason} goes the other way: for quantities without sign, set signed = false"
        raise Rejected("wrong_sign", message, field="quantity")
    return quantity


def _level_before(cells: RowCells) -> tuple[Decimal, ...]:
    before = cells.number_or_none("before")
    return () if before is None else (before,)


def _own_name(cells: RowCells) -> str | None:
    """The name the source gives the row: its id, or its document and line."""
    if identifier := cells.text_or_none("id"):
        return part(identifier)
    document, line = cells.text_or_none("document"), cells.text_or_none("line")
    return f"{part(document)}:{part(line)}" if document and line else None


def _time(moment: Moment) -> str:
    if moment.day is not None:
        return moment.day.isoformat()
    return f"{moment.time.replace(tzinfo=None).isoformat()}Z"
