"""GS1 EPCIS 2.0 files (JSON-LD): what scanners saw, as far as it changes stock (the reader of source `epcis`).

It must not look up a `@context` or anything else. Business steps are those of GS1's Core Business Vocabulary. What may
be told twice is known of the whole document.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, BinaryIO, Final

from pydantic import Field

from producers.drafts import wrap
from producers.normalising import NormaliseContext, Piece, Refused, Rejected, Taken
from producers.reading.fields import parsed
from producers.reading.files import FileOptions, Words, read_whole
from producers.reading.options import read_options
from producers.warehouse.epcis.event import EpcisEvent, GoodsQuantity
from producers.warehouse.epcis.ids import party
from producers.warehouse.goods import GoodsDocument, GoodsLine, data_of
from schemas.json_text import MOST_VALUES_OF_A_FILE

_DOCUMENTS: Final = frozenset({"EPCISDocument", "EPCISQueryDocument"})
_GOODS_EVENTS: Final = frozenset({"ObjectEvent", "TransactionEvent"})
COUNTS: Final = {"cycle_counting": "cycle_count", "inventory_check": "cycle_count", "stock_taking": "stocktake"}
WRITE_OFFS: Final = frozenset({"destroyed", "lost", "damaged", "expired", "stolen"})

_VOID: Final = "void_shipping"


class EpcisOptions(FileOptions):
    """How EPCIS is read.

    `ours` are our own parties (GLN, URN or Digital Link): only what they own counts as received or shipped. Without it
    every receipt is ours, where one document names no two owners, and no shipment is. `receipt_steps` and
    `shipment_steps` are the business steps that post: a document with both receiving and accepting is refused until
    one of them is named.
    """

    ours: Words = ()
    receipt_steps: Annotated[Words, Field(min_length=1)] = ("receiving", "accepting")
    shipment_steps: Words = ("shipping", "departing")


@dataclass(frozen=True, slots=True)
class Known:
    """The receipts of a document: their `steps`, the `owners` of what they bring, and which may be told `twice`.

    `twice` names the events that share a piece (an EPC) with another, or that an event of the other kind tells alike.
    """

    options: EpcisOptions
    ours: frozenset[str]
    steps: frozenset[str]
    owners: frozenset[str]
    twice: frozenset[str]

    @classmethod
    def of(cls, events: Iterable[EpcisEvent], options: EpcisOptions) -> "Known":
        """Look through the events of a document; one that cannot be read is left to its own reading."""
        ours = frozenset(party(name) for name in options.ours)
        receipts = [
            (event, owners)
            for event in events
            if event.kind in _GOODS_EVENTS
            and event.step in options.receipt_steps
            and ((owners := _owners(event)) & ours or not ours)
        ]
        return cls(
            options,
            ours,
            steps=frozenset(event.step for event, _ in receipts),
            owners=frozenset(owner for _, owners in receipts for owner in owners),
            twice=_told_twice(event for event, _ in receipts if not event.is_wrong),
        )


def read_epcis(stream: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
    """Read an EPCISDocument, an EPCISQueryDocument, one event, or a list of events.

    Raises Rejected before the first piece: `xml_not_read`, `not_json`, `not_epcis`.
    """
    options = read_options(EpcisOptions, context.options)
    raw = read_whole(stream, max_bytes=options.max_bytes)
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        message = "this is XML, and EPCIS is read in JSON: let the repository answer with JSON (EPCIS 2.0)"
        raise Rejected("xml_not_read", message)
    document = parsed(raw, most_values=MOST_VALUES_OF_A_FILE)
    found = _events(document)
    if not found:
        yield Taken("file", (), ignored="no_events")
    known = Known.of([EpcisEvent(values) for values in found if isinstance(values, dict)], options)
    for index, values in enumerate(found, start=1):
        where = f"event {index}"
        if not isinstance(values, dict):
            yield Refused(where, "wrong_type", "an event is a JSON object")
            continue
        try:
            yield _taken(EpcisEvent(values), known, company=context.company, where=where)
        except Rejected as error:
            yield error.at(where)


def _taken(event: EpcisEvent, known: Known, *, company: str, where: str) -> Taken:
    """All that an event posts, or nothing: what was seen at once is one thing. Raises Rejected."""
    goods = _goods_of(event, known)
    if isinstance(goods, str):
        return Taken(where, (), ignored=goods)
    at = event.time()
    events = tuple(
        wrap(data, source="epcis", company=company, at=at) for document in goods for data in data_of(document)
    )
    if not events:
        return Taken(where, (), ignored="no_goods")
    _must_stand(event)
    return Taken(where, events)


def _events(document: object) -> list[object]:
    found = _of_document(document) if isinstance(document, dict) else document
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    message = "not EPCIS 2.0 in JSON: it needs an epcisBody with an eventList, an event, or a list of events"
    raise Rejected("not_epcis", message)


def _of_document(document: dict[str, object]) -> object:
    if _DOCUMENTS & frozenset(EpcisEvent(document).types()) or "epcisBody" in document:
        body = document.get("epcisBody")
        return _of_body(body) if isinstance(body, dict) else None
    if isinstance(document.get("eventList"), list):
        return _of_body(document)
    return document if EpcisEvent(document).kind.endswith("Event") else None


def _of_body(body: dict[str, object]) -> object:
    results = body.get("queryResults")
    inner = results.get("resultsBody") if isinstance(results, dict) else None
    return (inner if isinstance(inner, dict) else body).get("eventList", body.get("event"))


def _owners(event: EpcisEvent) -> frozenset[str]:
    with suppress(Rejected):
        return event.owners("destination")
    return frozenset()


def _told_twice(receipts: Iterable[EpcisEvent]) -> frozenset[str]:
    pieces: dict[str, set[str]] = {}
    classes: dict[GoodsQuantity, dict[str, str]] = {}
    for event in receipts:
        with suppress(Rejected):
            name, kind = event.name, event.kind
            for piece in event.pieces():
                pieces.setdefault(piece, set()).add(name)
            for amount in frozenset(event.quantities()):
                classes.setdefault(amount, {})[kind] = name
    alike = (*pieces.values(), *(set(kinds.values()) for kinds in classes.values()))
    return frozenset(name for names in alike if len(names) > 1 for name in names)


def _goods_of(event: EpcisEvent, known: Known) -> list[GoodsDocument] | str:
    """What one event says of goods, or why that is nothing."""
    if event.kind == "TransformationEvent":
        return _transformed(event)
    if event.kind in _GOODS_EVENTS:
        return _by_step(event, known)
    if event.kind:
        return f"event_type:{event.kind[:40]}"
    raise Rejected("missing_field", "what kind of event it is is not said", field="type")


def _must_stand(event: EpcisEvent) -> None:
    """Return where nobody has declared an event wrong that posts. Raises Rejected: `error_declaration`."""
    if event.is_wrong:
        message = f"event {event.name} is declared wrong, and may be booked already: a person must reverse it"
        if corrections := event.corrections():
            message += f"; corrected by {corrections}"
        raise Rejected("error_declaration", message, field="errorDeclaration")


def _by_step(event: EpcisEvent, known: Known) -> list[GoodsDocument] | str:
    step = event.step
    if step in known.options.receipt_steps:
        return _received(event, known)
    if step in COUNTS:
        lines = _lines(event, event.amounts(), zeros=True)
        return [GoodsDocument(kind="count", lines=lines, reason=COUNTS[event.step], place=event.place())]
    if step in known.options.shipment_steps or step == _VOID:
        return _shipped(event, known.ours)
    reason = event.disposition if event.disposition in WRITE_OFFS else "destroyed" if step == "destroying" else None
    return _changed(event, event.amounts(), sign=-1, reason=reason) if reason else f"biz_step:{step[:60] or 'none'}"


def _received(event: EpcisEvent, known: Known) -> list[GoodsDocument] | str:
    owners, ours = event.owners("destination"), known.ours
    if ours and not owners:
        message = "whose goods these are is not said (no owning_party in destinationList), and ours are told apart"
        raise Rejected("owner_not_named", message, field="destinationList")
    if ours and not owners & ours:
        return "received_by_others"
    if not ours and len(known.owners) > 1:
        message = f"{len(known.owners)} parties own what is received in this document: set ours to yours"
        raise Rejected("several_owners", message, field="destinationList")
    if len(known.steps) > 1:
        steps = " and ".join(sorted(known.steps))
        message = f"this document tells {steps}, maybe of the same goods: name in receipt_steps the one that is receipt"
        raise Rejected("several_receipt_steps", message, field="bizStep")
    if event.name in known.twice and not event.is_wrong:
        message = "another event of this document tells the same goods received: a person must say which of them counts"
        raise Rejected("received_twice", message, field="epcList")
    if event.action() == "DELETE":
        message = "goods that are received cannot leave by the same event: a person must say what happened"
        raise Rejected("receipt_deleted", message, field="action")
    if event.disposition == "returned":
        return _changed(event, event.amounts(), reason="customer_return")
    return _receipt(event, bad=event.disposition in WRITE_OFFS, supplier="source")


def _shipped(event: EpcisEvent, ours: frozenset[str]) -> list[GoodsDocument] | str:
    sources, destinations = event.owners("source"), event.owners("destination")
    if not ours:
        return "shipment_without_ours"
    if not ours & sources or not destinations:
        return "not_shipped_by_us"
    if ours & destinations:
        return "between_own_places"
    if event.step == _VOID:
        message = "it says that goods were not shipped, which may be booked already: a person must reverse it"
        raise Rejected("shipment_voided", message, field="bizStep")
    if event.action() == "ADD":
        message = "goods that are shipped cannot come into being by the same event: a person must say what happened"
        raise Rejected("shipment_added", message, field="action")
    if event.disposition == "returned":
        return _receipt(event, sign=-1, supplier="destination")
    return _changed(event, event.amounts(), sign=-1, reason="shipment")


def _receipt(event: EpcisEvent, *, supplier: str, sign: int = 1, bad: bool = False) -> list[GoodsDocument]:
    """One receipt, or with the other sign a return; what comes in `bad` is none of our stock, but a claim."""
    fact, order = f"epcis:{event.name}", event.transactions("po")
    lines = [replace(line, fact=fact, order=order) for line in _lines(event, event.amounts(), sign=sign)]
    if bad:
        lines = [replace(line, quantity=Decimal(0), rejected=line.quantity) for line in lines]
    return [
        GoodsDocument(
            kind="receipt",
            lines=lines,
            place=event.place(),
            number=event.transactions("recadv", "desadv") or event.name,
            supplier=min(event.owners(supplier), default=None),
        )
    ]


def _transformed(event: EpcisEvent) -> list[GoodsDocument]:
    spent = event.amounts("inputQuantityList", "inputEPCList")
    made = event.amounts("outputQuantityList", "outputEPCList")
    return [
        *_changed(event, spent, sign=-1, reason="production_out", part="in:"),
        *_changed(event, made, reason="production_in", part="out:"),
    ]


def _changed(
    event: EpcisEvent, amounts: Iterable[GoodsQuantity], *, reason: str, sign: int = 1, part: str = ""
) -> list[GoodsDocument]:
    lines = _lines(event, amounts, sign=sign, part=part)
    document = event.transactions("po", "desadv", "recadv", "inv")
    return [GoodsDocument(kind="adjustment", lines=lines, reason=reason, place=event.place(), document=document)]


def _lines(
    event: EpcisEvent, amounts: Iterable[GoodsQuantity], *, sign: int = 1, part: str = "", zeros: bool = False
) -> list[GoodsLine]:
    name = event.name
    return [
        GoodsLine(
            fact=f"epcis:{name}:{part}{index}",
            line=str(index),
            item=amount.item,
            quantity=amount.quantity * sign,
            unit=amount.unit,
            lot=amount.lot,
        )
        for index, amount in enumerate(amounts, start=1)
        if amount.quantity or zeros
    ]
