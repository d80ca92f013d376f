"""X12 947, 945 and 846: stock adjusted, shipped and counted.

Pure. Reasons follow the public code list of element 181; a code that says nothing about value keeps its own name.
The 846 was built from the public description of its segments: no public example was at hand.
"""

from decimal import Decimal
from typing import Final

from producers.drafts import counted_once, rejecting
from producers.normalising import Refused, Rejected, Taken
from producers.warehouse.edi.x12_envelope import TransactionSet
from producers.warehouse.edi.x12_reading import (
    LOT_QUALIFIERS,
    SIMULATION,
    Pieces,
    Reading,
    day,
    holder,
    purpose,
    quantity,
    quantity_or_none,
    reference,
    totals_disagree,
)
from producers.warehouse.edi.x12_syntax import Segment
from schemas.inventory import StockAdjusted, StockCounted

REASONS: Final = {
    "03": "shipment",
    "06": "shrinkage",
    "07": "destroyed",
    "51": "found",
    "53": "shipment",
    "56": "found",
    "AA": "stocktake",
    "AU": "damaged",
    "AV": "damaged",
    "AW": "quality",
    "AX": "expired",
    "BA": "shrinkage",
    "BK": "quality",
    "CR": "customer_return",
    "UD": "destroyed",
}
"""Adjustment reasons of a 947 that have a word of ours; all others are `x12:<code>`."""

STATUS_ONLY: Final = frozenset({"05", "08", "55", "88", "AC", "AD", "PC"})
"""Codes that move stock between buckets (hold, inspection, condition, reserved): it is still ours."""

_TRANSFER: Final = "AK"
_SUBSTITUTED: Final = "IS"
"""Of such a W12 the second ids are those of the item that was ordered, and not shipped."""

SIGNS: Final = {
    **dict.fromkeys(("03", "04", "06", "07", "AU", "AV", "AX", "CD", "CS", "UD"), -1),
    **dict.fromkeys(("51", "53", "54", "56", "CR"), 1),
}
"""Codes whose name gives the direction: a quantity against it is no quantity we understand. Some senders leave the
sign out, and what they say is damaged must never come in as stock."""


def adjustments(found: TransactionSet, reading: Reading) -> Pieces:
    """Read a 947: one adjustment a W19. Raises Rejected for the whole set: `missing_segment`, `bad_date`."""
    head = found.must("W15")
    if nothing := purpose(head, 4):
        yield Taken(head.where, (), ignored=nothing)
        return
    on, number = day(head, 1), head.get(2) or head.get(3)
    site, fact = holder(found.header("W19")), reading.fact(found, number)
    loops = found.loops("W19", until="W99")
    if not loops:
        yield Taken(head.where, (), ignored="no_lines")
    for index, loop in enumerate(loops, start=1):
        line = loop[0]
        code = line.get(1) or ""
        if code in STATUS_ONLY and code not in reading.options.reasons:
            yield Taken(line.where, (), ignored=f"status_change:{code}")
            continue
        try:
            delta = quantity(line, 2)
            reason = _reason(line, code, delta, reading)
            with rejecting():
                data = StockAdjusted(
                    fact=f"{fact}:{index}",
                    item=reading.product(line, 5, 7, 17, case=4),
                    place=site,
                    lot=line.get(9) or reference(loop, *LOT_QUALIFIERS),
                    delta=delta,
                    unit=line.unit(3),
                    reason=reason,
                    day=on,
                    document=number,
                )
            yield Taken(line.where, (reading.event(data),))
        except Rejected as error:
            yield error.at(line.where)


def _reason(line: Segment, code: str, delta: Decimal, reading: Reading) -> str:
    if not code:
        raise Rejected(reason="missing_field", message="an adjustment has a reason code", field=line.field(1))
    if delta * SIGNS.get(code, 0) < 0:
        message = f"the code {code} says one direction, and {delta:f} the other: less is written with a minus"
        raise Rejected(reason="sign_disagrees", message=message, field=line.field(2))
    if code in reading.options.reasons:
        return reading.options.reasons[code]
    if code == _TRANSFER:
        return "transfer_in" if delta > 0 else "transfer_out"
    return REASONS.get(code, f"x12:{code[:10]}")


def shipments(found: TransactionSet, reading: Reading) -> Pieces:
    """Read a 945: what was shipped leaves the stock, a W12 each.

    Raises Rejected for the whole set: `missing_segment`, `totals_disagree`.
    """
    head = found.must("W06")
    if head.get(1) == SIMULATION:
        yield Taken(head.where, (), ignored="simulation")
        return
    on, site = day(head, 3), holder(found.header("W12"))
    fact = reading.fact(found, head.get(2), head.get(4))
    pieces: list[Taken | Refused] = []
    shipped, whole = Decimal(0), True
    for index, loop in enumerate(found.loops("W12", until="W03"), start=1):
        line = loop[0]
        try:
            units = quantity(line, 3)
            shipped += units
            if not units:
                pieces.append(Taken(line.where, (), ignored="nothing_shipped"))
                continue
            positions = (7,) if line.get(1) == _SUBSTITUTED else (7, 17)
            with rejecting():
                data = StockAdjusted(
                    fact=f"{fact}:{index}",
                    item=reading.product(line, *positions, case=6),
                    place=site,
                    lot=line.get(9) or reference(loop, *LOT_QUALIFIERS),
                    delta=-units,
                    unit=line.unit(5),
                    reason="shipment",
                    day=on,
                    document=head.get(4) or head.get(2),
                )
            pieces.append(Taken(line.where, (reading.event(data),)))
        except Rejected as error:
            whole = False
            pieces.append(error.at(line.where))
    total = found.first("W03")
    said = quantity_or_none(total, 1) if total else None
    if whole and total is not None and said is not None and said != shipped:
        raise totals_disagree(total, 1, said=said, found=shipped)
    yield from pieces or (Taken(head.where, (), ignored="no_lines"),)


def levels(found: TransactionSet, reading: Reading) -> Pieces:
    """Read an 846: one count a LIN, of the quantity on hand. Raises Rejected for the whole set: `missing_segment`."""
    head = found.must("BIA")
    if nothing := purpose(head, 1):
        yield Taken(head.where, (), ignored=nothing)
        return
    on, number, site = day(head, 4), head.get(3), holder(found.header("LIN"))
    fact = reading.fact(found, number)
    counted: list[tuple[str, StockCounted]] = []
    loops = found.loops("LIN", until="CTT")
    if not loops:
        yield Taken(head.where, (), ignored="no_lines")
    for index, loop in enumerate(loops, start=1):
        line = loop[0]
        try:
            held = _on_hand(loop, reading)
            with rejecting():
                data = StockCounted(
                    fact=f"{fact}:{index}",
                    item=reading.listed(line),
                    place=holder(loop) or site,
                    lot=reference(loop, *LOT_QUALIFIERS),
                    counted=quantity(held, 2),
                    unit=held.unit(3),
                    reason="level",
                    day=on,
                    document=number,
                )
            counted.append((line.where, data))
        except Rejected as error:
            yield error.at(line.where)
    yield from counted_once(counted, reading.event)


def _on_hand(loop: tuple[Segment, ...], reading: Reading) -> Segment:
    quantities = [segment for segment in loop if segment.tag == "QTY"]
    for wanted in reading.options.level_qualifiers:
        held = [segment for segment in quantities if segment.get(1) == wanted]
        if len(held) == 1:
            return held[0]
        if held:
            message = f"{len(held)} quantities of {wanted} for one item: which is its level is not said"
            raise Rejected(reason="several_quantities", message=message, field="QTY01")
    has = ", ".join(sorted({(segment.get(1) or "?")[:4] for segment in quantities})) or "none"
    message = f"no quantity of a qualifier in level_qualifiers (it has: {has}): name the one that is stock on hand"
    raise Rejected(reason="no_on_hand_quantity", message=message, field="QTY01")
