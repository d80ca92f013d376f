"""What each EPCIS event says about our stock: receipts, shipments, write-offs, counts, production.

Pure. Business steps are those of GS1's Core Business Vocabulary.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from producers.drafts import wrap
from producers.normalising import Rejected, Taken
from producers.warehouse.epcis.event import Amount, EpcisEvent
from producers.warehouse.epcis.known import GOODS_EVENTS, Known
from producers.warehouse.goods import GoodsDocument, GoodsLine, data_of

COUNTS: Final = {"cycle_counting": "cycle_count", "inventory_check": "cycle_count", "stock_taking": "stocktake"}
WRITE_OFFS: Final = frozenset({"destroyed", "lost", "damaged", "expired", "stolen"})

_VOID: Final = "void_shipping"


def posting(event: EpcisEvent, known: Known, *, company: str, where: str) -> Taken:
    """Turn one event into ours, or say why it has none. Raises Rejected, for this event alone."""
    if event.kind == "TransformationEvent":
        taken = _taken(where, event, _transformed(event), company=company)
    elif event.kind in GOODS_EVENTS:
        taken = _by_step(event, known, company=company, where=where)
    elif event.kind:
        return Taken(where, (), ignored=f"event_type:{event.kind[:40]}")
    else:
        raise Rejected(reason="missing_field", message="what kind of event it is is not said", field="type")
    if taken.events and event.values.get("errorDeclaration") is not None:
        message = f"event {event.name} is declared wrong, and may be booked already: a person must reverse it"
        if corrections := event.corrections():
            message += f"; corrected by {corrections}"
        raise Rejected(reason="error_declaration", message=message, field="errorDeclaration")
    return taken


def _by_step(event: EpcisEvent, known: Known, *, company: str, where: str) -> Taken:
    step = event.step
    if step in known.options.receipt_steps:
        return _received(event, known, company=company, where=where)
    if step in COUNTS:
        return _taken(where, event, _counted(event, COUNTS[step]), company=company)
    if step in known.options.shipment_steps or step == _VOID:
        return _shipped(event, known.ours, company=company, where=where)
    reason = event.disposition if event.disposition in WRITE_OFFS else "destroyed" if step == "destroying" else None
    if reason is None:
        return Taken(where, (), ignored=f"biz_step:{step[:60] or 'none'}")
    return _taken(where, event, _changed(event, reason), company=company)


def _received(event: EpcisEvent, known: Known, *, company: str, where: str) -> Taken:
    owners, ours = event.owners("destination"), known.ours
    if ours and not owners:
        message = "whose goods these are is not said (no owning_party in destinationList), and ours are told apart"
        raise Rejected(reason="owner_not_named", message=message, field="destinationList")
    if ours and not owners & ours:
        return Taken(where, (), ignored="received_by_others")
    if not ours and len(known.owners) > 1:
        message = f"{len(known.owners)} parties own what is received in this document: set ours to yours"
        raise Rejected(reason="several_owners", message=message, field="destinationList")
    if len(known.steps) > 1:
        steps = " and ".join(sorted(known.steps))
        message = f"this document tells {steps}, maybe of the same goods: name in receipt_steps the one that is receipt"
        raise Rejected(reason="several_receipt_steps", message=message, field="bizStep")
    if event.name in known.twice and event.values.get("errorDeclaration") is None:
        message = "another event of this document tells the same goods received: a person must say which of them counts"
        raise Rejected(reason="received_twice", message=message, field="epcList")
    if event.action() == "DELETE":
        message = "goods that are received cannot leave by the same event: a person must say what happened"
        raise Rejected(reason="receipt_deleted", message=message, field="action")
    if event.disposition == "returned":
        return _taken(where, event, _changed(event, "customer_return", sign=1), company=company)
    bad = event.disposition in WRITE_OFFS
    return _taken(where, event, _receipt(event, bad=bad, supplier="source"), company=company)


def _shipped(event: EpcisEvent, ours: frozenset[str], *, company: str, where: str) -> Taken:
    sources, destinations = event.owners("source"), event.owners("destination")
    if not ours:
        return Taken(where, (), ignored="shipment_without_ours")
    if not ours & sources or not destinations:
        return Taken(where, (), ignored="not_shipped_by_us")
    if ours & destinations:
        return Taken(where, (), ignored="between_own_places")
    if event.step == _VOID:
        message = "it says that goods were not shipped, which may be booked already: a person must reverse it"
        raise Rejected(reason="shipment_voided", message=message, field="bizStep")
    if event.action() == "ADD":
        message = "goods that are shipped cannot come into being by the same event: a person must say what happened"
        raise Rejected(reason="shipment_added", message=message, field="action")
    if event.disposition == "returned":
        return _taken(where, event, _receipt(event, sign=-1, supplier="destination"), company=company)
    return _taken(where, event, _changed(event, "shipment"), company=company)


def _receipt(event: EpcisEvent, *, supplier: str, sign: int = 1, bad: bool = False) -> list[GoodsDocument]:
    """One receipt, or with the other sign a return; what comes in `bad` is none of our stock, but a claim."""
    lines, order = _lines(event, event.amounts(), sign=sign), event.transactions("po")
    if bad:
        lines = [replace(line, quantity=Decimal(0), rejected=line.quantity) for line in lines]
    fact = f"epcis:{event.name}"
    return [
        GoodsDocument(
            kind="receipt",
            where="",
            lines=[replace(line, fact=fact, order=order) for line in lines],
            number=event.transactions("recadv", "desadv") or event.name,
            supplier=next(iter(sorted(event.owners(supplier))), None),
            place=event.place(),
        )
    ]


def _changed(event: EpcisEvent, reason: str, *, sign: int = -1) -> list[GoodsDocument]:
    return [_adjustment(event, _lines(event, event.amounts(), sign=sign), reason)]


def _transformed(event: EpcisEvent) -> list[GoodsDocument]:
    spent = _lines(event, event.amounts("inputQuantityList", "inputEPCList"), sign=-1, part="in:")
    made = _lines(event, event.amounts("outputQuantityList", "outputEPCList"), part="out:")
    return [_adjustment(event, spent, "production_out"), _adjustment(event, made, "production_in")]


def _adjustment(event: EpcisEvent, lines: Sequence[GoodsLine], reason: str) -> GoodsDocument:
    document = event.transactions("po", "desadv", "recadv", "inv")
    return GoodsDocument(
        kind="adjustment", where="", lines=lines, reason=reason, place=event.place(), document=document
    )


def _counted(event: EpcisEvent, reason: str) -> list[GoodsDocument]:
    lines = _lines(event, event.amounts(), nothing=True)
    return [GoodsDocument(kind="count", where="", lines=lines, reason=reason, place=event.place())]


def _lines(
    event: EpcisEvent, amounts: Sequence[Amount], *, sign: int = 1, part: str = "", nothing: bool = False
) -> list[GoodsLine]:
    return [
        GoodsLine(
            where="",
            fact=f"epcis:{event.name}:{part}{index}",
            line=str(index),
            item=amount.goods.item,
            quantity=amount.quantity * sign,
            unit=amount.unit,
            lot=amount.goods.lot,
        )
        for index, amount in enumerate(amounts, start=1)
        if amount.quantity or nothing
    ]


def _taken(where: str, event: EpcisEvent, documents: Iterable[GoodsDocument], *, company: str) -> Taken:
    """All events of one event or none: what was seen is one thing, and a part of it is not."""
    at = event.time()
    data = [data for goods in documents for data in data_of(goods)]
    events = tuple(wrap(each, source="epcis", company=company, at=at) for each in data)
    return Taken(where, events, ignored=None if events else "no_goods")
