"""Rows that stand alone: a change of stock, a count, a row of a stock log, by its word. What each becomes.

It must not name facts or remember rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any, Final

from producers.drafts import GoodsData
from producers.normalising import Rejected
from producers.reading.days import Moment
from producers.warehouse.reasons import plain_word
from producers.warehouse.rows.cells import Quantity, RowCells, needed
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted, StockCounted

_APART: Final = ("ordered", "rejected", "short", "over")
_WORDS: Final = {
    "nothing": (
        "reserve reserved reservation unreserve unreserved allocate allocated allocation deallocate deallocated"
        " deallocation unallocate release released hold unhold relabel relabeled relabelled relabeling label move moved"
        " movement bin_move bin_transfer replenish replenishment pick picked picking unpick pack packed packing"
        " inbound_created inbound_order_created outbound_created outbound_order_created outbound_cancelled"
        " order_created order_cancelled"
    ),
    "put_away": "put_away putaway receive received receipt inbound_received inbound",
    "sent_back": "vendor_return return_to_vendor supplier_return returned_to_vendor",
    "counted": "level",
    "adjusted": "adjust adjusted adjustment correction",
    "found": "found",
    "missing": "missing",
    "lost": "lost",
    "stolen": "stolen theft",
    "damaged": "damage damaged",
    "destroyed": "destroy destroyed dispose disposed",
    "expired": "expire expired",
    "scrap": "scrap scrapped",
    "quality": "quality",
    "cycle_count": "count counted cycle_count recount",
    "stocktake": "stocktake",
    "shrinkage": "shrinkage",
    "shipment": "ship shipped shipment dispatched outbound_shipped",
    "customer_return": "customer_return returned",
    "transfer_in": "transfer_in",
    "transfer_out": "transfer_out",
}
CHANGES: Final[Mapping[str, str]] = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
"""A change's word to `nothing`, `put_away` (a receipt where an order is named), `sent_back` (to the vendor), `counted`
(the quantity is a level), `adjusted` (the row gives the reason), or the reason for which it adjusts."""

_OUT: Final = "missing lost stolen damage damaged destroyed expired scrap shipment production_out"
_DIRECTIONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(_OUT.split(), -1),
    **dict.fromkeys(("found", "customer_return", "transfer_in", "production_in"), 1),
}
"""Which way a reason moves stock; a reason that is not here goes either way."""


@dataclass(frozen=True, slots=True)
class RowDraft:
    """An event without its fact. `word` leads that, and `named` is the source's own name for it, if there is one.

    `make` takes the fact and gives the data; `content` is a hash of all that is said.
    """

    word: str
    named: str | None
    make: Callable[..., GoodsData]
    content: bytes
    time: datetime


Alone = Callable[[RowCells], RowDraft | str]
"""Reads a row, or says in a word why it is no event. Raises Rejected, and the refusals of models."""


def adjusted(cells: RowCells, *, reason: str | None = None) -> RowDraft | str:
    """Read a change of stock; `reason` is that of the stock log's change. A change by zero is no event."""
    amount, moment, item = cells.change(), cells.when(), cells.text("item")
    ours = needed(cells.reason_or_none() if reason is None else reason, "reason")
    if not amount.written:
        return "quantity_zero"
    signed = reason is None and cells.how.options.signed
    delta = amount.stock if signed else _signed(cells, amount.stock, ours)
    fields = _stock(cells, item, amount, moment, reason=ours, delta=delta)
    word = cells.text_or_none("reason") or ours if reason is None else plain_word(cells.text("change"))
    before = cells.number_or_none("before")
    said = (item, fields["place"], fields["lot"], amount.written, cells.text_or_none("unit"), word)
    said = (*said, fields["unit_cost"], _time(moment), fields["document"], *(() if before is None else (before,)))
    return _draft(StockAdjusted, _own_name(cells), ("adjusted", *said), fields, moment)


def counted(cells: RowCells) -> RowDraft:
    """Read an absolute count. Without an id its name is the item, the place and the time."""
    amount, moment, item = cells.amount(), cells.when(end_of_day=True), cells.text("item")
    fields = _stock(cells, item, amount, moment, counted=amount.stock)
    place, lot = fields["place"], fields["lot"]
    of = (item, place or "", *((lot,) if lot else ()))
    named = _own_name(cells) or ":".join((*(part(text) for text in of), _time(moment)))
    reason, cost = cells.reason_or_none(), fields["unit_cost"]
    said = (item, place, lot, amount.stock, reason, cost, _time(moment), fields["document"])
    return _draft(StockCounted, named, ("count", *said), fields, moment)


def put_away(cells: RowCells, *, sign: int) -> RowDraft | str:
    """Read one put away of a stock log as a receipt of its own; sign -1: it went back to the vendor."""
    moment, order, named = cells.when(), cells.text_or_none("order"), _own_name(cells)
    number = cells.text_or_none("receipt") or cells.text_or_none("document") or cells.text_or_none("id") or order
    if number is None:
        raise Rejected("missing_field", "goods that went back need order, receipt, document or id", field="order")
    line = receipt_line(cells, sign=sign)
    if line is None:
        return "quantity_zero"
    supplier = cells.text_or_none("supplier")
    fields = {"order": order, "receipt": number, "supplier": supplier, "lines": (line,), "day": moment.day}
    word = "receipt" if sign > 0 else "return"
    said = (word, order, number, line.model_dump_json(exclude_none=True), _time(moment))  # a new field renames none
    return _draft(ReceiptPosted, named, said, fields, moment)


def receipt_line(cells: RowCells, *, sign: int) -> ReceiptLine | None:
    """Read one line of a receipt; sign -1: it went back, whatever its sign. None where nothing came at all."""
    amount = cells.amount()
    stock = amount.stock if sign > 0 else -abs(amount.stock)
    numbers = {name: cells.number_or_none(name) for name in _APART}
    apart = {name: None if number is None else number * amount.factor for name, number in numbers.items()}
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


ALONE: Final[Mapping[str, Alone]] = {
    "adjusted": adjusted,
    "counted": counted,
    "put_away": partial(put_away, sign=1),
    "sent_back": partial(put_away, sign=-1),
}


def read_change(cells: RowCells) -> Alone:
    """Give how a row of a stock log is read. Raises Rejected: `unknown_change`, `put_away_without_order`."""
    plain = plain_word(cells.text("change"))
    declared = {plain_word(theirs): plain_word(ours) for theirs, ours in cells.how.options.changes.items()}
    meaning = CHANGES.get(declared.get(plain, plain)) or declared.get(plain)
    if meaning is None:
        message = "no change of a stock log that is known: say in the option changes what it means"
        raise Rejected("unknown_change", message, field="change")
    if meaning == "nothing":
        return lambda _: f"change_posts_nothing:{plain}"
    if meaning == "put_away" and cells.text_or_none("order") is None:
        message = "stock was put away without an inbound order: no receipt can be booked against it"
        raise Rejected("put_away_without_order", message, field="order")
    return ALONE.get(meaning) or partial(adjusted, reason=meaning)


def _stock(
    cells: RowCells, item: str, amount: Quantity, moment: Moment, *, reason: str | None = None, **figure: Decimal
) -> dict[str, Any]:
    """The fields of a change or a count, in the order in which they have always been hashed."""
    place, lot, document = (cells.text_or_none(name) for name in ("place", "lot", "document"))
    return {
        "item": item,
        "place": place,
        "lot": lot,
        **figure,
        "unit": amount.unit,
        "reason": (cells.reason_or_none() or "cycle_count") if reason is None else reason,
        "unit_cost": cells.cost_or_none(amount.factor),
        "day": moment.day,
        "document": document,
    }


def _draft(
    model: Callable[..., GoodsData],
    named: str | None,
    said: tuple[str, *tuple[object, ...]],
    fields: dict[str, Any],
    when: Moment,
) -> RowDraft:
    content = digest(said)
    if named is not None:
        content = digest((content.hex(), fields))
    return RowDraft(str(said[0]), named, partial(model, **fields), content, when.time)


def _signed(cells: RowCells, quantity: Decimal, reason: str) -> Decimal:
    direction = _DIRECTIONS.get(reason, 0)
    if not cells.how.options.signed:
        if quantity < 0 or not direction:
            message = "quantities are declared to have no sign: this one is negative, or its reason goes either way"
            raise Rejected("sign_not_said", message, field="quantity")
        return quantity * direction
    if direction * quantity < 0:
        message = f"a change for {reason} goes the other way: for quantities without sign, set signed = false"
        raise Rejected("wrong_sign", message, field="quantity")
    return quantity


def part(text: str) -> str:
    """Write a text as one part of a fact: `:` and `%` are escaped, so that two facts never read alike."""
    return text.replace("%", "%25").replace(":", "%3A")


def digest(said: Sequence[object]) -> bytes:
    """Hash what a row says, the same however its numbers and times were written; 32 bytes."""
    return sha256("\x1f".join(_written(value) for value in said).encode("utf-8", "surrogatepass")).digest()


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return format(value.normalize() + 0, "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return str(value)


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
