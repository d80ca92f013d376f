"""Cin7 Core (DEAR) documents into our events: stock adjustments, stocktakes, stock received, purchases (`cin7`).

Pure. A document holds its full state every time it is read: the same facts come again, under the same names. What has
been voided since it was posted is not undone here.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from typing import Final

from pydantic import ValidationError

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.warehouse import cin7_fields as read
from producers.warehouse.cin7_adjustments import EXISTING, NEW, changes
from producers.warehouse.cin7_purchases import order_placed, receipts, status_of
from producers.warehouse.options import Cin7Options, read_options
from producers.webhooks.fields import Fields
from schemas.envelope import Event
from schemas.errors import InvalidJson
from schemas.inventory import OrderPlaced, ReceiptPosted, StockAdjusted
from schemas.json_text import parse_json

SOURCE: Final = "/warehouse/cin7"

Data = StockAdjusted | ReceiptPosted | OrderPlaced
Found = list[Event] | str
_Read = Callable[[Fields, NormaliseContext, Cin7Options], Found]


def normalise(document: bytes, context: NormaliseContext) -> Normalised:
    """Turn one Cin7 document into events. Raises Rejected; the same document always gives the same result."""
    options = read_options(Cin7Options, context.options)
    fields = _open(document)
    kind = next((kind for names, kind in KINDS.items() if any(name in fields.values for name in names)), None)
    if kind is None:
        message = "no Cin7 document that is known: an adjustment, a stocktake, stock received or a purchase"
        raise Rejected(reason="unknown_document", message=message)
    try:
        found = kind(fields, context, options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"]) or None
        raise Rejected(reason="invalid_event", message=first["msg"], field=path) from None
    return Normalised((), ignored=found) if isinstance(found, str) else Normalised(tuple(found))


def _open(document: bytes) -> Fields:
    try:
        parsed = parse_json(document)
    except InvalidJson as error:
        raise Rejected(reason="not_json", message=str(error)) from None
    if not isinstance(parsed, dict):
        raise Rejected(reason="unknown_document", message="a Cin7 document is a JSON object")
    return Fields(parsed)


def _adjustment(document: Fields, context: NormaliseContext, options: Cin7Options) -> Found:
    status = status_of(document)
    if status is None:
        raise document.missing("Status")
    if status != "COMPLETED":
        return f"status_not_posted:{status.lower().replace(' ', '_')}"
    found = changes(document, options, currency=context.currency)
    return [_event(data, context, subject=data.item, on=data.day) for data in found] or "changes_nothing"


def _received(document: Fields, context: NormaliseContext, _: Cin7Options) -> Found:
    order = document.identifier("PurchaseID")
    tasks = document.sections("StockReceiving") or ()
    found = [data for task in tasks for data in receipts(task, order=order)]
    return [_event(data, context, subject=order, on=data.day) for data in found] or "nothing_received"


def _purchase(document: Fields, context: NormaliseContext, _: Cin7Options) -> Found:
    order, supplier = document.identifier("ID"), read.text_or_none(document, "Supplier")
    received = [data for task in _tasks(document) for data in receipts(task, order=order, supplier=supplier)]
    found = [_event(data, context, subject=order, on=data.day) for data in received]
    placed = order_placed(document, currency=context.currency)
    if placed is not None:
        found.insert(0, _event(placed, context, subject=order, on=read.day(document, "OrderDate")))
    return found or "nothing_authorised"


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


def _ignored(reason: str) -> _Read:
    return lambda *_: reason


KINDS: Final[Mapping[tuple[str, ...], _Read]] = {
    ("StockAdjustmentList", "StocktakeList", "StockTransferList", "PurchaseList"): _ignored("list_without_lines"),
    (*EXISTING, *NEW): _adjustment,
    ("StockReceiving",): _received,
    ("Order", "StockReceived"): _purchase,
    ("From", "FromLocation"): _ignored("transfer_posts_nothing"),
}
"""What a document is, by the fields that only its kind has; the first that fits."""
