"""What each EPCIS event says about our stock: receipts, shipments, write-offs, counts, production.

Pure. Business steps are those of GS1's Core Business Vocabulary.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from producers.normalising import Rejected, Taken
from producers.warehouse.epcis_event import Amount, EpcisEvent
from producers.warehouse.epcis_ids import party
from producers.warehouse.whole_file import FileOptions, Words
from producers.warehouse.wrapping import StockData, rejecting, wrap
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted, StockCounted

COUNTS: Final = {"cycle_counting": "cycle_count", "inventory_check": "cycle_count", "stock_taking": "stocktake"}
WRITE_OFFS: Final = frozenset({"destroyed", "lost", "damaged", "expired", "stolen"})


class EpcisOptions(FileOptions):
    """How EPCIS is read.

    `ours` are our own parties (GLN, URN or Digital Link): only what they own counts as received or shipped. Without it
    every receipt is ours and no shipment is. `receipt_steps` and `shipment_steps` are the business steps that post:
    where a feed has both receiving and accepting of the same goods, name one.
    """

    ours: Words = ()
    receipt_steps: Annotated[Words, Field(min_length=1)] = ("receiving", "accepting")
    shipment_steps: Words = ("shipping", "departing")


def posting(event: EpcisEvent, options: EpcisOptions, *, company: str, where: str) -> Taken:
    """Turn one event into ours, or say why it has none. Raises Rejected, for this event alone."""
    if event.values.get("errorDeclaration") is not None:
        message = "it declares an earlier event wrong, which may be booked already: a person must reverse it"
        raise Rejected(reason="error_declaration", message=message, field="errorDeclaration")
    if event.kind == "TransformationEvent":
        return _taken(where, event, _transformed(event), company=company)
    if event.kind not in {"ObjectEvent", "TransactionEvent"}:
        return Taken(where, (), ignored=f"event_type:{event.kind[:40] or 'none'}")
    return _by_step(event, options, company=company, where=where)


def _by_step(event: EpcisEvent, options: EpcisOptions, *, company: str, where: str) -> Taken:
    ours = frozenset(party(name) for name in options.ours)
    step, disposition = event.step, event.disposition
    if step in options.receipt_steps:
        return _received(event, ours, company=company, where=where)
    if step in COUNTS:
        return _taken(where, event, _counted(event, COUNTS[step]), company=company)
    if step in options.shipment_steps:
        return _shipped(event, ours, company=company, where=where)
    if step == "destroying" or disposition in WRITE_OFFS:
        reason = disposition if disposition in WRITE_OFFS else "destroyed"
        return _taken(where, event, _out(event, reason), company=company)
    return Taken(where, (), ignored=f"biz_step:{step[:60] or 'none'}")


def _received(event: EpcisEvent, ours: frozenset[str], *, company: str, where: str) -> Taken:
    owners = event.owners("destination")
    if ours and not owners:
        message = "whose goods these are is not said (no owning_party in destinationList), and ours are told apart"
        raise Rejected(reason="owner_not_named", message=message, field="destinationList")
    if ours and not owners & ours:
        return Taken(where, (), ignored="received_by_others")
    if event.action() == "DELETE":
        message = "goods that are received cannot leave by the same event: a person must say what happened"
        raise Rejected(reason="receipt_deleted", message=message, field="action")
    if event.disposition == "returned":
        return _taken(where, event, _in(event, "customer_return"), company=company)
    return _taken(where, event, _receipt(event), company=company)


def _receipt(event: EpcisEvent) -> Iterator[StockData]:
    """One receipt; what comes in damaged or expired is none of our stock, but a claim."""
    bad, place = event.disposition in WRITE_OFFS, event.place()
    lines = []
    for index, amount in enumerate(event.amounts(), start=1):
        if not amount.quantity:
            continue
        with rejecting():
            lines.append(
                ReceiptLine(
                    line=str(index),
                    item=amount.goods.item,
                    quantity=Decimal(0) if bad else amount.quantity,
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
                supplier=next(iter(sorted(event.owners("source"))), None),
                lines=tuple(lines),
            )


def _shipped(event: EpcisEvent, ours: frozenset[str], *, company: str, where: str) -> Taken:
    sources, destinations = event.owners("source"), event.owners("destination")
    if not ours & sources or not destinations:
        return Taken(where, (), ignored="not_shipped_by_us")
    if ours & destinations:
        return Taken(where, (), ignored="between_own_places")
    if event.action() == "ADD":
        message = "goods that are shipped cannot come into being by the same event: a person must say what happened"
        raise Rejected(reason="shipment_added", message=message, field="action")
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
    place = event.place()
    for index, amount in enumerate(amounts, start=1):
        if not amount.quantity:
            continue
        with rejecting():
            yield StockAdjusted(
                fact=f"epcis:{event.name}:{part}{index}",
                item=amount.goods.item,
                place=place,
                lot=amount.goods.lot,
                delta=amount.quantity * sign,
                unit=amount.unit,
                reason=reason,
                document=event.transactions("po", "desadv", "recadv", "inv"),
            )


def _counted(event: EpcisEvent, reason: str) -> Iterator[StockData]:
    place = event.place()
    for index, amount in enumerate(event.amounts(), start=1):
        with rejecting():
            yield StockCounted(
                fact=f"epcis:{event.name}:{index}",
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
