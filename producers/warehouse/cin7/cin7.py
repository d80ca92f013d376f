"""Cin7 Core (DEAR) documents into our events: stock adjustments, stocktakes, stock received, purchases (`cin7`).

The file reader of source `cin7`. A document holds its full state every time it is read: the same facts come again,
under the same names. What is voided is never passed over: it may be booked, and a person must see it. Receipts have no
prices: the order of a purchase tells them, as the public description of the API says; no real one was at hand.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import BinaryIO, Final, NoReturn

from producers.drafts import NOON, GoodsData, version_of, wrap
from producers.normalising import NormaliseContext, Piece, Rejected
from producers.reading.documents import split_documents
from producers.reading.fields import Fields, open_object
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.adjustments import EXISTING, NEW, adjustment
from producers.warehouse.cin7.fields import Cin7Options
from producers.warehouse.goods import GoodsDocument, GoodsLine, events_of, ignored, lines_of
from schemas.envelope import Event
from schemas.inventory import OrderPlaced
from schemas.money import Money

VOIDED: Final = "VOIDED"
_POSTED: Final = "AUTHORISED"
_HUNDRED: Final = Decimal(100)

MakesDocument = Callable[[], GoodsDocument]
"""What stands alone in a document: it is read or refused without the others. Raises Rejected."""

_Documents = Callable[[Fields, Cin7Options, str], Iterator[MakesDocument]]
"""The parts of a document, of which the last word is the currency of those that name none."""


def read_cin7(stream: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
    """Read a document, several of them, or a list; a receiving task that is refused does not stop the others.

    Raises Rejected before the first piece: `too_large`, `compressed`, `empty_file`, `bad_options`.
    """
    options = read_options(Cin7Options, context.options)
    for number, document in enumerate(split_documents(read_whole(stream, max_bytes=options.max_bytes)), start=1):
        where = f"document {number}"
        try:
            fields = open_object(document, reason="unknown_document", message="a Cin7 document is a JSON object")
            parts = list(_kind_of(fields)(fields, options, context.currency))
        except Rejected as error:
            yield error.at(where)
            continue
        event = partial(_event, fields, company=context.company)
        for part in parts:
            try:
                goods = part()
                whole = goods.kind == "adjustment"  # its journal says what all of its lines make
                yield from events_of(goods, event, where=where, bad_lines="whole" if whole else options.bad_lines)
            except Rejected as error:
                yield error.at(where)


def _event(document: Fields, data: GoodsData, *, company: str) -> Event:
    """Make an event; an order has no day of its own but that of its document."""
    at = datetime.combine(document.day("OrderDate"), NOON) if isinstance(data, OrderPlaced) else None
    return wrap(data, source="cin7", company=company, at=at, name=f"{data.fact}:v{version_of(data)[:8]}")


def _kind_of(fields: Fields) -> _Documents:
    kind = next((kind for names, kind in KINDS.items() if any(name in fields.values for name in names)), None)
    if kind is None:
        message = "no Cin7 document that is known: an adjustment, a stocktake, stock received or a purchase"
        raise Rejected("unknown_document", message)
    return kind


def _changed(document: Fields, options: Cin7Options, currency: str) -> GoodsDocument:
    status = read.status(document)
    if status is None:
        raise document.missing("Status")
    if status == VOIDED:
        raise _voided(document, f"cin7:adjustment:{document.identifier('TaskID')}")
    if status != "COMPLETED":
        return ignored(f"status_not_posted:{status.lower().replace(' ', '_')}")
    goods = adjustment(document, options, currency=currency)
    return goods if goods.lines else ignored("changes_nothing")


def _received(document: Fields, _: Cin7Options, __: str) -> Iterator[MakesDocument]:
    order = document.identifier("PurchaseID")
    tasks = document.sections("StockReceiving")
    yield from (partial(_task, task, order=order) for task in tasks or ())
    if not tasks:
        yield partial(ignored, "nothing_received")


def _purchase(document: Fields, _: Cin7Options, currency: str) -> Iterator[MakesDocument]:
    order, supplier = document.identifier("ID"), read.text(document, "Supplier")
    if read.status(document) == VOIDED:
        raise _voided(document, f"cin7:receipt:{order}")
    yield partial(_order_placed, document, supplier, currency)
    yield from (partial(_task, task, order=order, supplier=supplier) for task in _some(document, "StockReceived"))
    for note in _some(document, "CreditNote"):
        if read.status(note) == _POSTED and note.sections("Unstock"):
            yield partial(_sent_back, note)


def _some(purchase: Fields, name: str) -> tuple[Fields, ...]:
    """The objects of this name: one in a simple purchase, a list in an advanced one."""
    one = purchase.section(name) if isinstance(purchase.get(name), dict) else None
    return (one,) if one is not None else purchase.sections(name) or ()


def _task(task: Fields, *, order: str, supplier: str | None = None) -> GoodsDocument:
    """Read a receiving task: its lines that are received, a receipt a day. Nothing unless it is authorised."""
    status, name = read.status(task), task.identifier_or_none("TaskID") or order
    if status == VOIDED:
        raise _voided(task, f"cin7:receipt:{order}:{name}")

    def received(line: Fields) -> Iterator[GoodsLine]:
        quantity = None if line.flag_or_none("Received") is False else line.number("Quantity")
        if not quantity:
            return
        on = line.day("Date")
        yield GoodsLine(
            fact=f"cin7:receipt:{order}:{name}:{on}",
            order=order,
            day=on,
            item=read.sku(line),
            quantity=quantity,
            lot=read.text(line, "BatchSN"),
            expires=line.day_or_none("ExpiryDate"),
            place=read.place(line),
        )

    lines = task.sections("Lines") or () if status == _POSTED else ()
    return GoodsDocument(kind="receipt", lines=lines_of(lines, received), number=name, supplier=supplier)


def _order_placed(purchase: Fields, supplier: str | None, currency: str) -> GoodsDocument:
    """Read what the lines of an authorised order cost, discounts taken off.

    Raises Rejected: `tax_inclusive` where prices hold tax, for they are then no costs.
    """
    order = purchase.section("Order")
    if order is None or read.status(order) != _POSTED:
        return ignored("nothing_authorised")
    if (read.text(purchase, "TaxCalculation") or "").casefold() == "inclusive":
        message = "the prices hold tax, and what the goods cost without it is not said"
        raise Rejected("tax_inclusive", message, field=purchase.at("TaxCalculation"))
    name, paid_in = purchase.identifier("ID"), read.text(purchase, "SupplierCurrency") or currency

    def ordered(line: Fields) -> Iterator[GoodsLine]:
        yield GoodsLine(
            fact=f"cin7:order:{name}",
            order=name,
            item=read.sku(line),
            quantity=line.number_or_none("Quantity"),
            unit_cost=_cost(line, paid_in),
        )

    lines = lines_of(order.sections("Lines") or (), ordered)
    return GoodsDocument(kind="order", lines=lines, supplier=supplier) if lines else ignored("nothing_authorised")


def _cost(line: Fields, currency: str) -> Money:
    price = read.cost(line, "Price", currency)
    if price is None:
        raise line.missing("Price")
    discount = line.number_or_none("Discount") or Decimal(0)
    if not 0 <= discount <= _HUNDRED:
        raise Rejected("bad_number", "a discount is from 0 to 100 per cent", field=line.at("Discount"))
    return Money.of(price.amount * (_HUNDRED - discount) / _HUNDRED, currency)


def _sent_back(note: Fields) -> NoReturn:
    message = "goods of it went back to the supplier, and Cin7's returns are not read: a person must book them"
    raise Rejected("returned_to_vendor", message, field=note.at("Unstock"))


def _voided(fields: Fields, fact: str) -> Rejected:
    message = f"it is voided: if it was booked before ({fact}), a person must reverse that"
    return Rejected("voided", message, field=fields.at("Status"))


def _nothing(reason: str) -> _Documents:
    return lambda *_: iter([partial(ignored, reason)])


KINDS: Final[Mapping[tuple[str, ...], _Documents]] = {
    ("StockAdjustmentList", "StocktakeList", "StockTransferList", "PurchaseList"): _nothing("list_without_lines"),
    (*EXISTING, *NEW): lambda *told: iter([partial(_changed, *told)]),
    ("StockReceiving",): _received,
    ("Order", "StockReceived"): _purchase,
    ("From", "FromLocation"): _nothing("transfer_posts_nothing"),
}
"""What a document is, by the fields that only its kind has; the first that fits."""
