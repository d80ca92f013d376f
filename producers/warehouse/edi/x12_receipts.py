"""X12 944 and 861: goods received, as receipts.

Pure. What is damaged or rejected never counts as stock; what is in question is left to a person.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from producers.drafts import negative_receipt, rejecting
from producers.normalising import Refused, Rejected, Taken
from producers.warehouse.edi.x12_envelope import TransactionSet
from producers.warehouse.edi.x12_reading import (
    LOT_QUALIFIERS,
    SIMULATION,
    Pieces,
    Reading,
    dated,
    day,
    expiry,
    lin_ids,
    purpose,
    quantity,
    quantity_or_none,
    receiver,
    reference,
    supplier,
    totals_disagree,
)
from producers.warehouse.edi.x12_syntax import Segment
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted

_REJECTED: Final = frozenset({"01", "04", "05", "08", "10", "12"})
_SHORT: Final = "02"
_OVER: Final = "03"
_FINE: Final = frozenset({"06", "07", "09", "14"})
"""Receiving conditions (element 412): goods on hold, in another container or without a ship notice are still ours."""

_RETURNED: Final = "C"
_NO_RECEIPT: Final = frozenset({"A", "B", "O", "P", "S"})
"""Reporting codes (element 514) of a W17: adjusted, transferred in the books, over, produced, short."""

Loop = tuple[Segment, ...]


def must_have_lines(loops: tuple[Loop, ...], tag: str) -> tuple[Loop, ...]:
    """Give the lines. Raises Rejected: `no_lines`, for a receipt of nothing hides what was received."""
    if not loops:
        message = f"a receipt without a line ({tag}): what was received is not said, or not where it belongs"
        raise Rejected(reason="no_lines", message=message, field=tag)
    return loops


def warehouse_receipt(found: TransactionSet, reading: Reading) -> Pieces:
    """Read a 944: one receipt an order of its W07 lines, less what their W13 say is damaged.

    What a customer returned is no receipt: each line is an adjustment. Raises Rejected for the whole set:
    `missing_segment`, `totals_disagree`, `not_a_receipt`, `no_number`, `no_lines`.
    """
    head = found.must("W17")
    if head.get(1) == SIMULATION:
        yield Taken(head.where, (), ignored="simulation")
        return
    if head.get(1) in _NO_RECEIPT:
        message = f"its reporting code {head.get(1)} says that no supplier sent these goods: a person must book them"
        raise Rejected(reason="not_a_receipt", message=message, field=head.field(1))
    number = head.get(3)
    if number is None:
        message = "a receipt without a number of its own: another one of the same order could not be told from it"
        raise Rejected(reason="no_number", message=message, field=head.field(3))
    header, loops = found.header("W07"), must_have_lines(found.loops("W07", until="W14"), "W07")
    whole, site = reference(header, "PO") or head.get(4), receiver(header)
    orders = [reference(loop, "PO") or whole for loop in loops]
    by_order: dict[str | None, list[ReceiptLine]] = {}
    problems: list[Refused] = []
    for index, (order, loop) in enumerate(zip(orders, loops, strict=True), start=1):
        try:
            line = _stock_line(loop, reading, line=str(index), site=site)
        except Rejected as error:
            problems.append(error.at(loop[0].where))
        else:
            by_order.setdefault(order, []).append(line)
    if not problems:
        _check_total(found, [line for lines in by_order.values() for line in lines])
    yield from problems
    on, vendor, several = day(head, 2) or dated(header, "50", "050"), supplier(header), len(set(orders)) > 1
    for order, lines in by_order.items():
        fact = reading.fact(found, number, order if several else None)
        if head.get(1) == _RETURNED:
            yield from _returned(head, lines, reading, fact=fact, on=on)
            continue
        data = _receipt(fact=fact, order=order, receipt=number, vendor=vendor, lines=lines, on=on)
        yield Taken(head.where, (reading.event(data),))


def _returned(
    head: Segment, lines: Sequence[ReceiptLine], reading: Reading, *, fact: str, on: date | None
) -> Iterator[Taken]:
    """What a customer sent back and is good; the rest was sold, and stays so."""
    for line in lines:
        if not line.quantity:
            yield Taken(head.where, (), ignored="nothing_returned_good")
            continue
        with rejecting():
            data = StockAdjusted(
                fact=f"{fact}:{line.line}",
                item=line.item,
                place=line.place,
                lot=line.lot,
                delta=line.quantity,
                unit=line.unit,
                reason="customer_return",
                day=on,
                document=head.get(3),
            )
        yield Taken(head.where, (reading.event(data),))


def _stock_line(loop: Loop, reading: Reading, *, line: str, site: str | None) -> ReceiptLine:
    head = loop[0]
    came = quantity(head, 1)
    set_apart = {"rejected": Decimal(0), "short": Decimal(0), "over": Decimal(0)}
    for exception in (segment for segment in loop if segment.tag == "W13"):
        if (kind := _condition(exception, 3)) is not None:
            _same_unit(exception, 2, head.unit(2))
            set_apart[kind] += quantity(exception, 1)
    good = _less(came, set_apart["rejected"], head)
    with rejecting():
        return ReceiptLine(
            line=line,
            item=reading.product(head, 4, 6, 10, case=3),
            quantity=good,
            unit=head.unit(2),
            lot=head.get(8) or reference(loop, *LOT_QUALIFIERS),
            expires=expiry(loop),
            place=site,
            **{kind: amount for kind, amount in set_apart.items() if amount},
        )


def _same_unit(segment: Segment, position: int, unit: str | None) -> None:
    own = segment.unit(position)
    if own is not None and unit is not None and own != unit:
        message = f"its unit is {own[:10]}, and the line's is {unit[:10]}: they are not converted here"
        raise Rejected(reason="units_differ", message=message, field=segment.field(position))


def _less(came: Decimal, bad: Decimal, head: Segment) -> Decimal:
    if came < 0:
        raise negative_receipt(came, field=head.field(1))
    if bad > came:
        message = f"{bad:f} are damaged or rejected, and only {came:f} came"
        raise Rejected(reason="rejected_exceeds_received", message=message, field=head.field(1))
    return came - bad


def _condition(segment: Segment, position: int) -> str | None:
    code = segment.get(position)
    if code in _REJECTED:
        return "rejected"
    if code == _SHORT:
        return "short"
    if code == _OVER:
        return "over"
    if code in _FINE:
        return None
    message = "a receiving condition that is left to a person: see what became of these goods"
    raise Rejected(reason="in_question", message=message, field=segment.field(position))


def _check_total(found: TransactionSet, lines: Sequence[ReceiptLine]) -> None:
    total = found.first("W14")
    said = quantity_or_none(total, 1) if total else None
    if total is None or said is None:
        return
    good = sum((line.quantity for line in lines), Decimal(0))
    came = good + sum((line.rejected or Decimal(0) for line in lines), Decimal(0))
    if said not in {good, came}:
        raise totals_disagree(total, 1, said=said, found=came)


def receiving_advice(found: TransactionSet, reading: Reading) -> Pieces:
    """Read an 861: a receipt an order of its RCD lines; a return is a negative line.

    Raises Rejected for the whole set: `missing_segment`, `cancellation`.
    """
    head = found.must("BRA")
    if nothing := purpose(head, 3):
        yield Taken(head.where, (), ignored=nothing)
        return
    if head.get(6):
        _must_be_fine(head, 6)
    header = found.header("RCD")
    vendor = supplier(header)
    if vendor is not None and vendor in reading.options.ours:
        yield Taken(head.where, (), ignored="received_by_others")
        return
    by_order: dict[str | None, list[ReceiptLine]] = {}
    said, quiet = day(head, 2), True
    loops = must_have_lines(found.loops("RCD", until="CTT"), "RCD")
    whole, site = _order(header), receiver(header)
    orders = [_order(loop) or whole for loop in loops]
    several = len(set(orders)) > 1
    for index, (order, loop) in enumerate(zip(orders, loops, strict=True), start=1):
        try:
            lines = _advice_lines(loop, reading, line=loop[0].get(1) or str(index), site=site)
        except Rejected as error:
            quiet = False
            yield error.at(loop[0].where)
            continue
        by_order.setdefault(order, []).extend(lines)
    by_order = {order: lines for order, lines in by_order.items() if lines}
    on = dated(header, "050", "50", "035", "35") or said
    for order, lines in by_order.items():
        number = head.get(1)
        data = _receipt(
            fact=reading.fact(found, number, order if several else None),
            order=order,
            receipt=number or order,
            vendor=vendor,
            lines=lines,
            on=on,
        )
        yield Taken(head.where, (reading.event(data),))
    if quiet and not by_order:
        yield Taken(head.where, (), ignored="nothing_received")


def _order(loop: Sequence[Segment]) -> str | None:
    named = next((segment.get(1) for segment in loop if segment.tag == "PRF"), None)
    in_lin = (lin_ids(segment).get("PO") for segment in loop if segment.tag == "LIN")
    return named or reference(loop, "PO") or next(in_lin, None)


def _advice_lines(loop: Loop, reading: Reading, *, line: str, site: str | None) -> list[ReceiptLine]:
    head = loop[0]
    came, back = quantity_or_none(head, 2), quantity_or_none(head, 4)
    apart = _in_question(head)
    lin = next((segment for segment in loop if segment.tag == "LIN"), None)
    if lin is None:
        message = "an RCD is followed by the LIN that names its item"
        raise Rejected(reason="no_item", message=message, field=head.tag)
    if came is None and back is None and not apart:
        raise Rejected(reason="missing_quantity", message="a quantity is needed here", field=head.field(2))
    same = {
        "item": reading.listed(lin),
        "lot": reference(loop, *LOT_QUALIFIERS),
        "expires": expiry(loop),
        "place": site,
    }
    lines = []
    with rejecting():
        if came is not None or apart:
            received = came or Decimal(0)
            lines.append(ReceiptLine(line=line, quantity=received, unit=head.unit(3) or head.unit(7), **same, **apart))
        if back:
            lines.append(ReceiptLine(line=f"{line}:returned", quantity=-back, unit=head.unit(5), **same))
    return lines


def _must_be_fine(head: Segment, position: int) -> None:
    kind = _condition(head, position)
    if kind is not None:
        message = f"the whole advice has a condition ({kind}), and how much of what it means is not said"
        raise Rejected(reason="in_question", message=message, field=head.field(position))


def _in_question(head: Segment) -> dict[str, Decimal]:
    """How much is short or over; the rest of what is in question is refused, for a person."""
    apart: dict[str, Decimal] = {}
    for position in (6, 9, 12, 15, 18):
        questioned = quantity_or_none(head, position)
        kind = _condition(head, position + 2) if questioned else None
        if questioned and kind == "rejected":
            message = f"{questioned:f} were received and are contested: a person must decide on the line"
            raise Rejected(reason="in_question", message=message, field=head.field(position))
        if questioned and kind is not None:
            apart[kind] = apart.get(kind, Decimal(0)) + questioned
    return apart


def _receipt(  # noqa: PLR0913  (one keyword a field of the event)
    *,
    fact: str,
    order: str | None,
    receipt: str | None,
    vendor: str | None,
    lines: Sequence[ReceiptLine],
    on: object,
) -> ReceiptPosted:
    with rejecting():
        return ReceiptPosted.model_validate(
            {
                "fact": fact,
                "order": order,
                "receipt": receipt or fact,
                "supplier": vendor,
                "lines": tuple(lines),
                "day": on,
            }
        )
