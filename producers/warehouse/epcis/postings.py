"""What each EPCIS event says about our stock: receipts, shipments, write-offs, counts, production.

Pure. Business steps are those of GS1's Core Business Vocabulary.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from producers.normalising import Rejected
from producers.warehouse.epcis.event import EpcisEvent, GoodsQuantity
from producers.warehouse.epcis.known import GOODS_EVENTS, Known
from producers.warehouse.goods import GoodsDocument, GoodsKind, GoodsLine

COUNTS: Final = {"cycle_counting": "cycle_count", "inventory_check": "cycle_count", "stock_taking": "stocktake"}
WRITE_OFFS: Final = frozenset({"destroyed", "lost", "damaged", "expired", "stolen"})

_VOID: Final = "void_shipping"


def goods_of(event: EpcisEvent, known: Known) -> list[GoodsDocument] | str:
    """Say what one event says of goods, or why that is nothing. Raises Rejected."""
    if event.kind == "TransformationEvent":
        return _transformed(event)
    if event.kind in GOODS_EVENTS:
        return _by_step(event, known)
    if event.kind:
        return f"event_type:{event.kind[:40]}"
    raise Rejected("missing_field", "what kind of event it is is not said", field="type")


def must_stand(event: EpcisEvent) -> None:
    """Return where nobody has declared an event wrong that posts. Raises Rejected: `error_declaration`."""
    if event.values.get("errorDeclaration") is not None:
        message = f"event {event.name} is declared wrong, and may be booked already: a person must reverse it"
        if corrections := event.corrections():
            message += f"; corrected by {corrections}"
        raise Rejected("error_declaration", message, field="errorDeclaration")


def _by_step(event: EpcisEvent, known: Known) -> list[GoodsDocument] | str:
    step = event.step
    if step in known.options.receipt_steps:
        return _received(event, known)
    if step in COUNTS:
        return _goods(event, event.amounts(), kind="count", reason=COUNTS[step])
    if step in known.options.shipment_steps or step == _VOID:
        return _shipped(event, known.ours)
    reason = event.disposition if event.disposition in WRITE_OFFS else "destroyed" if step == "destroying" else None
    return _goods(event, event.amounts(), sign=-1, reason=reason) if reason else f"biz_step:{step[:60] or 'none'}"


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
    if event.name in known.twice and event.values.get("errorDeclaration") is None:
        message = "another event of this document tells the same goods received: a person must say which of them counts"
        raise Rejected("received_twice", message, field="epcList")
    if event.action() == "DELETE":
        message = "goods that are received cannot leave by the same event: a person must say what happened"
        raise Rejected("receipt_deleted", message, field="action")
    if event.disposition == "returned":
        return _goods(event, event.amounts(), reason="customer_return")
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
    return _goods(event, event.amounts(), sign=-1, reason="shipment")


def _receipt(event: EpcisEvent, *, supplier: str, sign: int = 1, bad: bool = False) -> list[GoodsDocument]:
    """One receipt, or with the other sign a return; what comes in `bad` is none of our stock, but a claim."""
    fact, order = f"epcis:{event.name}", event.transactions("po")
    (goods,) = _goods(event, event.amounts(), kind="receipt", sign=sign)
    lines = [replace(line, fact=fact, order=order) for line in goods.lines if isinstance(line, GoodsLine)]
    if bad:
        lines = [replace(line, quantity=Decimal(0), rejected=line.quantity) for line in lines]
    number = event.transactions("recadv", "desadv") or event.name
    return [replace(goods, lines=lines, number=number, supplier=next(iter(sorted(event.owners(supplier))), None))]


def _transformed(event: EpcisEvent) -> list[GoodsDocument]:
    spent = event.amounts("inputQuantityList", "inputEPCList")
    made = event.amounts("outputQuantityList", "outputEPCList")
    return [
        *_goods(event, spent, sign=-1, reason="production_out", part="in:"),
        *_goods(event, made, reason="production_in", part="out:"),
    ]


def _goods(  # noqa: PLR0913  (one keyword a difference between the kinds of events)
    event: EpcisEvent,
    amounts: Sequence[GoodsQuantity],
    *,
    kind: GoodsKind = "adjustment",
    reason: str | None = None,
    sign: int = 1,
    part: str = "",
) -> list[GoodsDocument]:
    name = event.name
    lines = [
        GoodsLine(
            fact=f"epcis:{name}:{part}{index}",
            line=str(index),
            item=amount.goods.item,
            quantity=amount.quantity * sign,
            unit=amount.unit,
            lot=amount.goods.lot,
        )
        for index, amount in enumerate(amounts, start=1)
        if amount.quantity or kind == "count"
    ]
    document = event.transactions("po", "desadv", "recadv", "inv") if kind == "adjustment" else None
    return [GoodsDocument(kind=kind, lines=lines, reason=reason, place=event.place(), document=document)]
