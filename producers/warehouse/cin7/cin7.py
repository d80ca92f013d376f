"""Cin7 Core (DEAR) documents into our events: stock adjustments, stocktakes, stock received, purchases (`cin7`).

The file reader of source `cin7`. A document holds its full state every time it is read: the same facts come again,
under the same names. What is voided is never passed over: it may be booked, and a person must see it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final, NoReturn

from producers.drafts import NOON, GoodsData, version_of, wrap
from producers.normalising import NormaliseContext, Rejected
from producers.reading.documents import split_documents
from producers.reading.fields import Fields, open_object
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.adjustments import EXISTING, NEW, adjustment
from producers.warehouse.cin7.options import Cin7Options
from producers.warehouse.cin7.purchases import VOIDED, order_placed, receipt, returns, status_of
from producers.warehouse.goods import GoodsDocument, Pieces, events_of, ignored
from schemas.envelope import Event
from schemas.inventory import OrderPlaced

Part = Callable[[], GoodsDocument]
"""What stands alone in a document: it is read or refused without the others. Raises Rejected."""

_Parts = Callable[[Fields, Cin7Options, str], Iterator[Part]]
"""The parts of a document, of which the last word is the currency of those that name none."""


def read_cin7(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read a document, several of them, or a list; a receiving task that is refused does not stop the others.

    Raises Rejected before the first piece: `too_large`, `compressed`, `empty_file`, `bad_options`.
    """
    options = read_options(Cin7Options, context.options)
    for number, document in enumerate(split_documents(read_whole(stream, max_bytes=options.max_bytes)), start=1):
        where = f"document {number}"
        try:
            fields = _open(document)
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


def _kind_of(fields: Fields) -> _Parts:
    kind = next((kind for names, kind in KINDS.items() if any(name in fields.values for name in names)), None)
    if kind is None:
        message = "no Cin7 document that is known: an adjustment, a stocktake, stock received or a purchase"
        raise Rejected("unknown_document", message)
    return kind


def _open(document: bytes) -> Fields:
    return open_object(document, reason="unknown_document", message="a Cin7 document is a JSON object")


def _adjustment(document: Fields, options: Cin7Options, currency: str) -> Iterator[Part]:
    yield partial(_changed, document, options, currency)


def _changed(document: Fields, options: Cin7Options, currency: str) -> GoodsDocument:
    status = status_of(document)
    if status is None:
        raise document.missing("Status")
    if status == VOIDED:
        raise _voided(document, f"cin7:adjustment:{document.identifier('TaskID')}")
    if status != "COMPLETED":
        return ignored(f"status_not_posted:{status.lower().replace(' ', '_')}")
    goods = adjustment(document, options, currency=currency)
    return goods if goods.lines else ignored("changes_nothing")


def _received(document: Fields, _: Cin7Options, __: str) -> Iterator[Part]:
    order = document.identifier("PurchaseID")
    tasks = document.sections("StockReceiving") or ()
    for task in tasks:
        yield partial(_task, task, order=order)
    if not tasks:
        yield partial(ignored, "nothing_received")


def _purchase(document: Fields, _: Cin7Options, currency: str) -> Iterator[Part]:
    order, supplier = document.identifier("ID"), read.text(document, "Supplier")
    if status_of(document) == VOIDED:
        raise _voided(document, f"cin7:receipt:{order}")
    yield lambda: order_placed(document, currency=currency) or ignored("nothing_authorised")
    for task in _tasks(document):
        yield partial(_task, task, order=order, supplier=supplier)
    for note in returns(document):
        yield partial(_sent_back, note)


def _task(task: Fields, *, order: str, supplier: str | None = None) -> GoodsDocument:
    if status_of(task) == VOIDED:
        raise _voided(task, f"cin7:receipt:{order}:{task.identifier_or_none('TaskID') or order}")
    return receipt(task, order=order, supplier=supplier)


def _sent_back(note: Fields) -> NoReturn:
    message = "goods of it went back to the supplier, and Cin7's returns are not read: a person must book them"
    raise Rejected("returned_to_vendor", message, field=note.at("Unstock"))


def _voided(fields: Fields, fact: str) -> Rejected:
    message = f"it is voided: if it was booked before ({fact}), a person must reverse that"
    return Rejected("voided", message, field=fields.at("Status"))


def _tasks(purchase: Fields) -> Iterator[Fields]:
    """The receiving tasks of a purchase: one object of a simple one, a list of an advanced one."""
    if isinstance(purchase.get("StockReceived"), dict):
        task = purchase.section("StockReceived")
        yield from (task,) if task else ()
    else:
        yield from purchase.sections("StockReceived") or ()


def _nothing(reason: str) -> _Parts:
    return lambda *_: iter([partial(ignored, reason)])


KINDS: Final[Mapping[tuple[str, ...], _Parts]] = {
    ("StockAdjustmentList", "StocktakeList", "StockTransferList", "PurchaseList"): _nothing("list_without_lines"),
    (*EXISTING, *NEW): _adjustment,
    ("StockReceiving",): _received,
    ("Order", "StockReceived"): _purchase,
    ("From", "FromLocation"): _nothing("transfer_posts_nothing"),
}
"""What a document is, by the fields that only its kind has; the first that fits."""
