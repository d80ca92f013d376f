"""What each EPCIS event says about our stock: receipts, shipments, write-offs, counts, production.

Pure. Business steps are those of GS1's Core Business Vocabulary.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from producers.drafts import StockData, rejecting, wrap
from producers.normalising import Rejected, Taken
from producers.warehouse.epcis.event import Amount, EpcisEvent
from producers.warehouse.epcis.known import GOODS_EVENTS, Known
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted, StockCounted

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
    return _taken(where, event, _out(event, reason), company=company)


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
        return _taken(where, event, _in(event, "customer_return"), company=company)
    return _taken(where, event, _receipt(event), company=company)


def _receipt(event: EpcisEvent) -> Iterator[StockData]:
    """One receipt; what comes in damaged or expired is none of our stock, but a claim."""
    return _receipt_of(event, sign=1, bad=event.disposition in WRITE_OFFS, supplier="source")


def _receipt_of(event: EpcisEvent, *, sign: int, bad: bool, supplier: str) -> Iterator[StockData]:
    place = event.place()
    lines = []
    for index, amount in enumerate(event.amounts(), start=1):
        if not amount.quantity:
            continue
        with rejecting():
            lines.append(
                ReceiptLine(
                    line=str(index),
                    item=amount.goods.item,
                    quantity=Decimal(0) if bad else amount.quantity * sign,
                    rejected=amount.quantity if bad else None,
                    unit=amount.unit,
                    lot=amount.goods.lot,
                    place=place,
                )
            )
    if lines:
        order = event.transactions("po")
        with rejecting():
            yield ReceiptPosted(
                fact=f"epcis:{event.name}",
                order=order,
                receipt=event.transactions("recadv", "desadv") or event.name,
                supplier=next(iter(sorted(event.owners(supplier))), None),
                lines=tuple(lines),
            )


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
        back = _receipt_of(event, sign=-1, bad=False, supplier="destination")
        return _taken(where, event, back, company=company)
    return _taken(where, event, _out(event, "shipment"), company=company)


def _out(event: EpcisEvent, reason: str) -> Iterator[StockData]:
    return _adjusted(event, event.amounts(), reason=reason, sign=-1)


def _in(event: EpcisEvent, reason: str) -> Iterator[StockData]:
    return _adjusted(event, event.amounts(), reason=reason, sign=1)


def _transformed(event: EpcisEvent) -> Iterator[StockData]:
    spent = event.amounts("inputQuantityList", "inputEPCList")
    made = event.amounts("outputQuantityList", "outputEPCList")
    yield from _adjusted(event, spent, reason="production_out", sign=-1, part="in:")
    yield from _adjusted(event, made, reason="production_in", sign=1, part="out:")


def _adjusted(
    event: EpcisEvent, amounts: Iterable[Amount], *, reason: str, sign: int, part: str = ""
) -> Iterator[StockData]:
    place, name = event.place(), event.name
    document = event.transactions("po", "desadv", "recadv", "inv")
    for index, amount in enumerate(amounts, start=1):
        if not amount.quantity:
            continue
        with rejecting():
            yield StockAdjusted(
                fact=f"epcis:{name}:{part}{index}",
                item=amount.goods.item,
                place=place,
                lot=amount.goods.lot,
                delta=amount.quantity * sign,
                unit=amount.unit,
                reason=reason,
                document=document,
            )


def _counted(event: EpcisEvent, reason: str) -> Iterator[StockData]:
    place, name = event.place(), event.name
    for index, amount in enumerate(event.amounts(), start=1):
        with rejecting():
            yield StockCounted(
                fact=f"epcis:{name}:{index}",
                item=amount.goods.item,
                place=place,
                lot=amount.goods.lot,
                counted=amount.quantity,
                unit=amount.unit,
                reason=reason,
            )


def _taken(where: str, event: EpcisEvent, found: Iterable[StockData], *, company: str) -> Taken:
    at = event.time()
    events = tuple(wrap(data, source="epcis", company=company, at=at) for data in found)
    return Taken(where, events, ignored=None if events else "no_goods")
