"""Cin7 Core (DEAR) documents into our events: stock adjustments, stocktakes, stock received, purchases (`cin7`).

The file reader of source `cin7`. A document holds its full state every time it is read: the same facts come again,
under the same names. What is voided is never passed over: it may be booked, and a person must see it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final, NoReturn

from producers.drafts import NOON, GoodsData, version_of, wrap
from producers.normalising import NormaliseContext, Rejected, Taken
from producers.reading.documents import split_documents
from producers.reading.fields import Fields, open_object
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.adjustments import EXISTING, NEW, adjustment
from producers.warehouse.cin7.purchases import VOIDED, order_placed, receipt, returns, status_of
from producers.warehouse.goods import GoodsDocument, Pieces, events_of
from producers.warehouse.rows.options import Cin7Options
from schemas.envelope import Event

Part = Callable[[], GoodsDocument | str]
"""What stands alone in a document, or why it posts nothing: it is read or refused without the others."""


@dataclass(frozen=True, slots=True)
class _Document:
    """One document, where it stands, and how it is read."""

    fields: Fields
    where: str
    options: Cin7Options
    currency: str


def read_cin7(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read a document, several of them, or a list; a receiving task that is refused does not stop the others.

    Raises Rejected before the first piece: `too_large`, `compressed`, `empty_file`, `bad_options`.
    """
    options = read_options(Cin7Options, context.options)
    for number, raw in enumerate(split_documents(read_whole(stream, max_bytes=options.max_bytes)), start=1):
        where = f"document {number}"
        try:
            document = _Document(_open(raw), where, options, context.currency)
            parts = list(_kind_of(document.fields)(document))
        except Rejected as error:
            yield error.at(where)
            continue
        for part in parts:
            try:
                yield from _pieces(part(), document, company=context.company)
            except Rejected as error:
                yield error.at(where)


def _pieces(goods: GoodsDocument | str, document: _Document, *, company: str) -> Pieces:
    if isinstance(goods, str):
        return iter((Taken(document.where, (), ignored=goods),))
    ordered = datetime.combine(read.day(document.fields, "OrderDate"), NOON) if goods.kind == "order" else None

    def event(data: GoodsData) -> Event:
        return wrap(data, source="cin7", company=company, at=ordered, version=version_of(data)[:8])

    whole = goods.kind == "adjustment"  # its journal says what all of its lines make
    return events_of(goods, event, bad_lines="whole" if whole else document.options.bad_lines)


def _kind_of(fields: Fields) -> Callable[[_Document], Iterator[Part]]:
    kind = next((kind for names, kind in KINDS.items() if any(name in fields.values for name in names)), None)
    if kind is None:
        message = "no Cin7 document that is known: an adjustment, a stocktake, stock received or a purchase"
        raise Rejected(reason="unknown_document", message=message)
    return kind


def _open(document: bytes) -> Fields:
    return open_object(document, reason="unknown_document", message="a Cin7 document is a JSON object")


def _adjustment(document: _Document) -> Iterator[Part]:
    yield lambda: _changed(document)


def _changed(document: _Document) -> GoodsDocument | str:
    fields = document.fields
    status = status_of(fields)
    if status is None:
        raise fields.missing("Status")
    if status == VOIDED:
        raise _voided(fields, f"cin7:adjustment:{fields.identifier('TaskID')}")
    if status != "COMPLETED":
        return f"status_not_posted:{status.lower().replace(' ', '_')}"
    goods = adjustment(fields, document.options, currency=document.currency, where=document.where)
    return goods if goods.lines else "changes_nothing"


def _received(document: _Document) -> Iterator[Part]:
    order = document.fields.identifier("PurchaseID")
    tasks = document.fields.sections("StockReceiving") or ()
    for task in tasks:
        yield partial(_task, task, document, order=order)
    if not tasks:
        yield lambda: "nothing_received"


def _purchase(document: _Document) -> Iterator[Part]:
    fields = document.fields
    order, supplier = fields.identifier("ID"), read.text_or_none(fields, "Supplier")
    if status_of(fields) == VOIDED:
        raise _voided(fields, f"cin7:receipt:{order}")
    yield lambda: order_placed(fields, currency=document.currency, where=document.where) or "nothing_authorised"
    for task in _tasks(fields):
        yield partial(_task, task, document, order=order, supplier=supplier)
    for note in returns(fields):
        yield partial(_sent_back, note)


def _task(task: Fields, document: _Document, *, order: str, supplier: str | None = None) -> GoodsDocument:
    if status_of(task) == VOIDED:
        raise _voided(task, f"cin7:receipt:{order}:{task.identifier_or_none('TaskID') or order}")
    return receipt(task, order=order, supplier=supplier, where=document.where)


def _sent_back(note: Fields) -> NoReturn:
    message = "goods of it went back to the supplier, and Cin7's returns are not read: a person must book them"
    raise Rejected(reason="returned_to_vendor", message=message, field=note.at("Unstock"))


def _voided(fields: Fields, fact: str) -> Rejected:
    message = f"it is voided: if it was booked before ({fact}), a person must reverse that"
    return Rejected(reason="voided", message=message, field=fields.at("Status"))


def _tasks(purchase: Fields) -> Iterator[Fields]:
    """The receiving tasks of a purchase: one object of a simple one, a list of an advanced one."""
    if isinstance(purchase.get("StockReceived"), dict):
        task = purchase.section("StockReceived")
        yield from (task,) if task else ()
    else:
        yield from purchase.sections("StockReceived") or ()


def _ignored(reason: str) -> Callable[[_Document], Iterator[Part]]:
    return lambda _: iter([lambda: reason])


KINDS: Final[Mapping[tuple[str, ...], Callable[[_Document], Iterator[Part]]]] = {
    ("StockAdjustmentList", "StocktakeList", "StockTransferList", "PurchaseList"): _ignored("list_without_lines"),
    (*EXISTING, *NEW): _adjustment,
    ("StockReceiving",): _received,
    ("Order", "StockReceived"): _purchase,
    ("From", "FromLocation"): _ignored("transfer_posts_nothing"),
}
"""What a document is, by the fields that only its kind has; the first that fits."""
