"""X12 files: 944 and 861 goods received, 947 stock adjusted, 945 shipped, 846 levels (the reader of source `x12`).

What is damaged or rejected never counts as stock; what is in question is left to a person. Reasons follow the public
code list of element 181; a code that says nothing about value keeps its own name. The 846 was built from the public
description of its segments: no public example was at hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final

from producers.drafts import must_be_in, negative_receipt
from producers.normalising import FileReader, Rejected, Taken
from producers.warehouse.edi import x12_fields as x12
from producers.warehouse.edi.envelope import Document
from producers.warehouse.edi.reading import EdiLine, GoodsLines, Head, Layout, Lines, Segments, not_on_hand, read_edi
from producers.warehouse.edi.syntax import Segment
from producers.warehouse.edi.x12_fields import X12Options
from producers.warehouse.goods import GoodsDocument, GoodsLine

REASONS: Final = {
    **dict.fromkeys(("03", "53"), "shipment"),
    **dict.fromkeys(("06", "BA"), "shrinkage"),
    **dict.fromkeys(("07", "UD"), "destroyed"),
    **dict.fromkeys(("51", "56"), "found"),
    **dict.fromkeys(("AU", "AV"), "damaged"),
    **dict.fromkeys(("AW", "BK"), "quality"),
    "AA": "stocktake",
    "AX": "expired",
    "CR": "customer_return",
}
"""Adjustment reasons of a 947 that have a word of ours; all others are `x12:<code>`."""

STATUS_ONLY: Final = frozenset({"05", "08", "55", "88", "AC", "AD", "PC"})
"""Codes that move stock between buckets (hold, inspection, condition, reserved): it is still ours."""

SIGNS: Final = {
    **dict.fromkeys(("03", "04", "06", "07", "AU", "AV", "AX", "CD", "CS", "UD"), -1),
    **dict.fromkeys(("51", "53", "54", "56", "CR"), 1),
}
"""Codes whose name gives the direction: a quantity against it is no quantity we understand. Some senders leave the
sign out, and what they say is damaged must never come in as stock."""

REJECTED: Final = frozenset({"01", "04", "05", "08", "10", "12"})
SHORT: Final = "02"
OVER: Final = "03"
FINE: Final = frozenset({"06", "07", "09", "14"})
"""Receiving conditions (element 412): goods on hold, in another container or without a ship notice are still ours."""

_CANCELS: Final = frozenset({"01", "03", "17"})
_SAYS_NOTHING: Final = frozenset({"13", "16", "22", "24", "28", "77"})
"""Purposes (element 353) that cancel or delete; and requests, proposals, copies, drafts, queries and simulations."""

_SIMULATION: Final = "K"
_RETURNED: Final = "C"
_NO_RECEIPT: Final = frozenset({"A", "B", "O", "P", "S"})
"""Reporting codes (element 514) of a W17: adjusted, transferred in the books, over, produced, short. A K in a W06 or
W17 says of nothing that it happened."""

_TRANSFER: Final = "AK"
_SUBSTITUTED: Final = "IS"
"""Of such a W12 the second ids are those of the item that was ordered, and not shipped."""


def _purpose_at(position: int) -> Callable[[Document, Segment, X12Options], str | None]:
    """Check the purpose of a set. What is given raises Rejected: `cancellation`, for what it cancels may be booked."""

    def check(_: Document, head: Segment, __: X12Options) -> str | None:
        code = head.get(position)
        if code in _CANCELS:
            message = f"its purpose {code} cancels what may be booked already: a person must reverse it"
            raise Rejected("cancellation", message, field=head.field(position))
        return f"purpose:{code}" if code in _SAYS_NOTHING else None

    return check


def _receipt(_: Document, head: Segment, __: X12Options) -> str | None:
    code = head.get(1)
    if code == _SIMULATION:
        return "simulation"
    if code in _NO_RECEIPT:
        message = f"its reporting code {code} says that no supplier sent these goods: a person must book them"
        raise Rejected("not_a_receipt", message, field=head.field(1))
    if head.get(3) is None:
        message = "a receipt without a number of its own: another one of the same order could not be told from it"
        raise Rejected("no_number", message, field=head.field(3))
    return None


def _received(part: EdiLine[X12Options]) -> GoodsLines:
    """Read a W07: what came in, less what its W13 say is damaged."""
    head = part.head
    came, apart = x12.quantity(head, 1), dict.fromkeys(("rejected", "short", "over"), Decimal(0))
    for exception in (segment for segment in part.segments if segment.tag == "W13"):
        if (kind := _condition(exception, 3)) is not None:
            must_be_in(exception.unit(2), head.unit(2), field=exception.field(2))
            apart[kind] += x12.quantity(exception, 1)
    yield part.line(
        line=str(part.number),
        item=x12.product(part, 4, 6, 10, case=3),
        quantity=_less(came, apart["rejected"], head),
        unit=head.unit(2),
        lot=head.get(8) or x12.lot(part.segments),
        expires=x12.expiry(part.segments),
        **{kind: quantity or None for kind, quantity in apart.items()},
    )


def _returned(goods: GoodsDocument, head: Segment) -> GoodsDocument:
    """Make adjustments of what a customer sent back and is good; the rest was sold, and stays so."""
    if head.get(1) != _RETURNED:
        return goods
    lines = tuple(
        replace(line, where=head.where, fact=f"{line.fact}:{line.line}") if isinstance(line, GoodsLine) else line
        for line in goods.lines
    )
    return replace(goods, kind="adjustment", reason="customer_return", lines=lines, nothing="nothing_returned_good")


def _shipment(_: Document, head: Segment, __: X12Options) -> str | None:
    return "simulation" if head.get(1) == _SIMULATION else None


def _advice(found: Document, head: Segment, options: X12Options) -> str | None:
    if nothing := _purpose_at(3)(found, head, options):
        return nothing
    if head.get(6) and (kind := _condition(head, 6)) is not None:
        message = f"the whole advice has a condition ({kind}), and how much of what it means is not said"
        raise Rejected("in_question", message, field=head.field(6))
    return "received_by_others" if x12.supplier(found.header("RCD")) in options.ours else None


def _order_of_advice(loop: Segments) -> str | None:
    named = next((segment.get(1) for segment in loop if segment.tag == "PRF"), None)
    in_lin = (x12.lin_ids(segment).get("PO") for segment in loop if segment.tag == "LIN")
    return named or x12.reference("PO")(loop) or next(in_lin, None)


def _advised(part: EdiLine[X12Options]) -> GoodsLines:
    """Read an RCD: what came in; what went back is a negative line."""
    head = part.head
    came, back, apart = x12.quantity_or_none(head, 2), x12.quantity_or_none(head, 4), _in_question(head)
    lin = next((segment for segment in part.segments if segment.tag == "LIN"), None)
    if lin is None:
        raise Rejected("no_item", "an RCD is followed by the LIN that names its item", field=head.tag)
    if came is None and back is None and not apart:
        raise Rejected("missing_quantity", "a quantity is needed here", field=head.field(2))
    line = part.line(
        line=head.get(1) or str(part.number),
        item=part.item(x12.lin_ids(lin), at=lin.tag),
        quantity=came or Decimal(0),
        unit=head.unit(3) or head.unit(7),
        lot=x12.lot(part.segments),
        expires=x12.expiry(part.segments),
        **apart,
    )
    if came is not None or apart:
        yield line
    if back:
        yield replace(line, line=f"{line.line}:returned", quantity=-back, unit=head.unit(5), short=None, over=None)


def _in_question(head: Segment) -> dict[str, Decimal]:
    """How much is short or over; the rest of what is in question is refused, for a person."""
    apart: dict[str, Decimal] = {}
    for position in (6, 9, 12, 15, 18):
        questioned = x12.quantity_or_none(head, position)
        kind = _condition(head, position + 2) if questioned else None
        if questioned and kind == "rejected":
            message = f"{questioned:f} were received and are contested: a person must decide on the line"
            raise Rejected("in_question", message, field=head.field(position))
        if questioned and kind is not None:
            apart[kind] = apart.get(kind, Decimal(0)) + questioned
    return apart


def _less(came: Decimal, bad: Decimal, head: Segment) -> Decimal:
    if came < 0:
        raise negative_receipt(came, field=head.field(1))
    if bad > came:
        message = f"{bad:f} are damaged or rejected, and only {came:f} came"
        raise Rejected("rejected_exceeds_received", message, field=head.field(1))
    return came - bad


def _condition(segment: Segment, position: int) -> str | None:
    code = segment.get(position)
    if code in FINE:
        return None
    kind = "rejected" if code in REJECTED else {SHORT: "short", OVER: "over"}.get(code or "")
    if kind is None:
        message = "a receiving condition that is left to a person: see what became of these goods"
        raise Rejected("in_question", message, field=segment.field(position))
    return kind


def _adjusted(part: EdiLine[X12Options]) -> GoodsLines:
    """Read a W19: by how much stock changed, and why."""
    line, reasons = part.head, part.options.reasons
    code = line.get(1) or ""
    if code in STATUS_ONLY and code not in reasons:
        yield Taken(line.where, (), ignored=f"status_change:{code}")
        return
    delta = x12.quantity(line, 2)
    yield part.line(
        reason=_reason(line, code, delta, reasons),
        item=x12.product(part, 5, 7, 17, case=4),
        quantity=delta,
        unit=line.unit(3),
        lot=line.get(9) or x12.lot(part.segments),
    )


def _reason(line: Segment, code: str, delta: Decimal, reasons: Mapping[str, str]) -> str:
    if not code:
        raise Rejected("missing_field", "an adjustment has a reason code", field=line.field(1))
    if delta * SIGNS.get(code, 0) < 0:
        message = f"the code {code} says one direction, and {delta:f} the other: less is written with a minus"
        raise Rejected("sign_disagrees", message, field=line.field(2))
    transfer = {_TRANSFER: "transfer_in" if delta > 0 else "transfer_out"}
    return (transfer | REASONS | dict(reasons)).get(code, f"x12:{code[:10]}")


def _shipped(part: EdiLine[X12Options]) -> GoodsLines:
    line = part.head
    units = x12.quantity(line, 3)
    if not units:
        yield Taken(line.where, (), ignored="nothing_shipped")
        return
    positions = (7,) if line.get(1) == _SUBSTITUTED else (7, 17)
    yield part.line(
        item=x12.product(part, *positions, case=6),
        quantity=units,
        unit=line.unit(5),
        lot=line.get(9) or x12.lot(part.segments),
    )


def _level(part: EdiLine[X12Options]) -> GoodsLines:
    held = _on_hand(part)
    yield part.line(
        item=part.item(x12.lin_ids(part.head), at=part.head.tag),
        quantity=x12.quantity(held, 2),
        unit=held.unit(3),
        lot=x12.lot(part.segments),
        place=x12.holder(part.segments),
    )


def _on_hand(part: EdiLine[X12Options]) -> Segment:
    for wanted in part.options.level_qualifiers:
        held = [segment for segment in part.segments if segment.is_a({"QTY"}, wanted)]
        if len(held) > 1:
            message = f"{len(held)} quantities of {wanted} for one item: which is its level is not said"
            raise Rejected("several_quantities", message, field="QTY01")
        if held:
            return held[0]
    raise not_on_hand((segment.get(1) for segment in part.segments if segment.tag == "QTY"), at="QTY01")


SETS: Final[Mapping[str, Layout[X12Options]]] = {
    "846": Layout(
        "count",
        Head("BIA", ((3,),), x12.dated(4), x12.holder, _purpose_at(1)),
        Lines("LIN", {"CTT"}, _level),
        reason="level",
    ),
    "861": Layout(
        "receipt",
        Head("BRA", ((1,),), x12.dated("050", "50", "035", "35", 2), x12.receiver, _advice),
        Lines("RCD", {"CTT"}, _advised, _order_of_advice),
        supplier=x12.supplier,
    ),
    "944": Layout(
        "receipt",
        Head("W17", ((3,),), x12.dated(2, "50", "050"), x12.receiver, _receipt),
        Lines("W07", {"W14"}, _received, x12.reference("PO"), order_at=4, total=("W14", 1)),
        supplier=x12.supplier,
        turned=_returned,
    ),
    "945": Layout(
        "shipment",
        Head("W06", ((2,), (4,)), x12.dated(3), x12.holder, _shipment),
        Lines("W12", {"W03"}, _shipped, total=("W03", 1)),
        reason="shipment",
    ),
    "947": Layout(
        "adjustment",
        Head("W15", ((2, 3),), x12.dated(1), x12.holder, _purpose_at(4)),
        Lines("W19", {"W99"}, _adjusted),
    ),
}
"""The transaction sets that say something about stock; every other one is ignored, by its number."""


read_x12: Final[FileReader] = partial(read_edi, standard=x12.X12, options=X12Options, layouts=SETS)
