"""Cin7 Core (DEAR) documents into our events: stock adjustments, stocktakes, stock received, purchases (`cin7`).

The file reader of source `cin7`. A document holds its full state every time it is read: the same facts come again,
under the same names. What is voided is never passed over: it may be booked, and a person must see it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from hashlib import sha256
from typing import BinaryIO, Final

from producers.drafts import rejecting
from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.reading.documents import split_documents
from producers.reading.fields import Fields, open_object
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.cin7 import fields as read
from producers.warehouse.cin7.adjustments import EXISTING, NEW, changes
from producers.warehouse.cin7.purchases import VOIDED, order_placed, receipts, returns, status_of
from producers.warehouse.rows.options import Cin7Options
from schemas.envelope import Event
from schemas.inventory import OrderPlaced, ReceiptPosted, StockAdjusted

SOURCE: Final = "/warehouse/cin7"

Data = StockAdjusted | ReceiptPosted | OrderPlaced
Found = list[Event] | str
Part = Callable[[], Found]
"""What stands alone in a document: it is read or refused without the others. Raises Rejected."""

_Parts = Callable[[Fields, NormaliseContext, Cin7Options], Iterator[Part]]


def read_cin7(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read a document, several of them, or a list; a receiving task that is refused does not stop the others.

    Raises Rejected before the first piece: `too_large`, `compressed`, `empty_file`, `bad_options`.
    """
    options = read_options(Cin7Options, context.options)
    for number, document in enumerate(split_documents(read_whole(stream, max_bytes=options.max_bytes)), start=1):
        where = f"document {number}"
        try:
            fields = _open(document)
            parts = list(_kind_of(fields)(fields, context, options))
        except Rejected as error:
            yield error.at(where)
            continue
        for part in parts:
            try:
                with rejecting():
                    found = part()
            except Rejected as error:
                yield error.at(where)
            else:
                yield Taken(where, (), ignored=found) if isinstance(found, str) else Taken(where, tuple(found))


def _kind_of(fields: Fields) -> _Parts:
    kind = next((kind for names, kind in KINDS.items() if any(name in fields.values for name in names)), None)
    if kind is None:
        message = "no Cin7 document that is known: an adjustment, a stocktake, stock received or a purchase"
        raise Rejected(reason="unknown_document", message=message)
    return kind


def _open(document: bytes) -> Fields:
    return open_object(document, reason="unknown_document", message="a Cin7 document is a JSON object")


def _adjustment(document: Fields, context: NormaliseContext, options: Cin7Options) -> Iterator[Part]:
    yield partial(_changed, document, context, options)


def _changed(document: Fields, context: NormaliseContext, options: Cin7Options) -> Found:
    status = status_of(document)
    if status is None:
        raise document.missing("Status")
    if status == VOIDED:
        raise _voided(document, f"cin7:adjustment:{document.identifier('TaskID')}")
    if status != "COMPLETED":
        return f"status_not_posted:{status.lower().replace(' ', '_')}"
    found = changes(document, options, currency=context.currency)
    return [_event(data, context, subject=data.item, on=data.day) for data in found] or "changes_nothing"


def _received(document: Fields, context: NormaliseContext, _: Cin7Options) -> Iterator[Part]:
    order = document.identifier("PurchaseID")
    tasks = document.sections("StockReceiving") or ()
    for task in tasks:
        yield partial(_task, task, context, order=order)
    if not tasks:
        yield lambda: "nothing_received"


def _purchase(document: Fields, context: NormaliseContext, _: Cin7Options) -> Iterator[Part]:
    order, supplier = document.identifier("ID"), read.text_or_none(document, "Supplier")
    if status_of(document) == VOIDED:
        raise _voided(document, f"cin7:receipt:{order}")
    yield partial(_placed, document, context, order=order)
    for task in _tasks(document):
        yield partial(_task, task, context, order=order, supplier=supplier)
    for note in returns(document):
        yield partial(_sent_back, note)


def _placed(document: Fields, context: NormaliseContext, *, order: str) -> Found:
    placed = order_placed(document, currency=context.currency)
    if placed is None:
        return "nothing_authorised"
    return [_event(placed, context, subject=order, on=read.day(document, "OrderDate"))]


def _task(task: Fields, context: NormaliseContext, *, order: str, supplier: str | None = None) -> Found:
    if status_of(task) == VOIDED:
        raise _voided(task, f"cin7:receipt:{order}:{task.identifier_or_none('TaskID') or order}")
    found = receipts(task, order=order, supplier=supplier)
    return [_event(data, context, subject=order, on=data.day) for data in found] or "nothing_received"


def _sent_back(note: Fields) -> Found:
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


def _event(data: Data, context: NormaliseContext, *, subject: str, on: date | None) -> Event:
    if on is None:
        raise Rejected(reason="missing_field", message="a document without a day cannot be posted")
    return Event.of(
        data,
        id=f"{data.fact}:v{sha256(data.model_dump_json().encode()).hexdigest()[:8]}",
        source=SOURCE,
        time=read.noon(on),
        subject=subject,
        partitionkey=subject,
        company=context.company,
    )


def _ignored(reason: str) -> _Parts:
    return lambda *_: iter([lambda: reason])


KINDS: Final[Mapping[tuple[str, ...], _Parts]] = {
    ("StockAdjustmentList", "StocktakeList", "StockTransferList", "PurchaseList"): _ignored("list_without_lines"),
    (*EXISTING, *NEW): _adjustment,
    ("StockReceiving",): _received,
    ("Order", "StockReceived"): _purchase,
    ("From", "FromLocation"): _ignored("transfer_posts_nothing"),
}
"""What a document is, by the fields that only its kind has; the first that fits."""
