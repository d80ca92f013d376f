"""EDIFACT RECADV and INVRPT: goods received, and stock levels.

Pure. INVRPT was built from the public description of its segments: no public example was at hand.
"""

from decimal import Decimal

from producers.normalising import Rejected, Taken
from producers.warehouse.edifact_envelope import Message
from producers.warehouse.edifact_reading import Held, Pieces, Reading, day, expiry, lot, order, party
from producers.warehouse.edifact_syntax import Segment
from producers.warehouse.wrapping import refused, rejecting
from schemas.inventory import ReceiptLine, ReceiptPosted, StockCounted

_DESPATCHED = "12"
_ORDERED = "21"
_DELIVERED = "46"
_RECEIVED = "48"
_ACCEPTED = "194"
_CANCELLED = "1"
_COPIES = frozenset({"7", "31"})


def receiving_advice(message: Message, reading: Reading) -> Pieces:
    """Read a RECADV: a receipt an order, of what was received and accepted.

    Raises Rejected for the whole message: `missing_segment`, `cancellation`, `totals_disagree`.
    """
    head, header = _beginning(message), message.header()
    vendor = party(header, "SU", "SE")
    if head.get(3) in _COPIES or (vendor is not None and vendor in reading.options.ours):
        yield Taken(head.where, (), ignored="copy" if head.get(3) in _COPIES else "received_by_others")
        return
    _check_lines(message)
    number, site = head.get(2), party(header, "DP", "WH", "ST")
    by_order: dict[str | None, list[ReceiptLine]] = {}
    quiet = True
    for index, line in enumerate(message.lines(), start=1):
        try:
            read = _received_line(line, reading, number=line[0].get(1) or str(index), site=site)
        except Rejected as error:
            quiet = False
            yield refused(line[0].where, error)
            continue
        by_order.setdefault(order(line) or order(header), []).append(read)
    on = day(header, "50", "35", "137")
    for name, lines in by_order.items():
        fact = reading.fact(message, number, name if len(by_order) > 1 else None)
        with rejecting():
            data = ReceiptPosted(
                fact=fact, order=name, receipt=number or name or fact, supplier=vendor, lines=tuple(lines), day=on
            )
        yield Taken(head.where, (reading.event(data),))
    if quiet and not by_order:
        yield Taken(head.where, (), ignored="no_lines")


def _beginning(message: Message) -> Segment:
    head = message.first("BGM")
    if head is None:
        text = f"a {message.kind} has a BGM segment, and this one has none"
        raise Rejected(reason="missing_segment", message=text, field="BGM")
    if head.get(3) == _CANCELLED:
        text = "it cancels a message that may be booked already: a person must reverse it"
        raise Rejected(reason="cancellation", message=text, field="BGM")
    return head


def _check_lines(message: Message) -> None:
    total, found = message.first("CNT", "2"), len(message.lines())
    said = total.get(1, 2) if total else None
    if (
        total
        and said
        and (not (said.isascii() and said.isdigit()) or said.lstrip("0") != (str(found) if found else ""))
    ):
        shown = said[:10] if said.isascii() and said.isdigit() else "no number"
        text = f"the total says {shown} lines, and {found} are there: nothing of this message was taken"
        raise Rejected(reason="totals_disagree", message=text, field=total.where)


def _received_line(line: Held, reading: Reading, *, number: str, site: str | None) -> ReceiptLine:
    held = reading.quantities(line)
    said = {qualifier: reading.quantity(held[qualifier]) for qualifier in held if qualifier in _READ}
    came = said.get(_RECEIVED, said.get(_DELIVERED))
    good = said.get(_ACCEPTED, came)
    if good is None:
        has = ", ".join(sorted(qualifier[:4] for qualifier in held)) or "none"
        message = f"no quantity received (48), accepted (194) or delivered (46); it has: {has}"
        raise Rejected(reason="no_received_quantity", message=message, field="QTY")
    arrived = good if came is None else came
    if arrived < good:
        message = f"{good:f} were accepted, and only {arrived:f} received"
        raise Rejected(reason="accepted_exceeds_received", message=message, field="QTY")
    short, over = _variance(line, reading, said=said, arrived=arrived)
    counted = next(held[qualifier] for qualifier in (_ACCEPTED, _RECEIVED, _DELIVERED) if qualifier in held)
    with rejecting():
        return ReceiptLine(
            line=number,
            item=reading.item(line),
            quantity=good,
            unit=counted.get(1, 3),
            lot=lot(line),
            expires=expiry(line),
            place=site,
            ordered=said.get(_ORDERED),
            rejected=(arrived - good) or None,
            short=short,
            over=over,
        )


_READ = frozenset({_DESPATCHED, _ORDERED, _DELIVERED, _RECEIVED, _ACCEPTED})


def _variance(
    line: Held, reading: Reading, *, said: dict[str, Decimal], arrived: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    """How much never came, and how much came too many: against the order, else the despatch, else as QVR says."""
    expected = said.get(_ORDERED, said.get(_DESPATCHED))
    if expected is not None:
        difference = arrived - expected
    else:
        stated = [segment for segment in line if segment.tag == "QVR" and segment.get(1)]
        difference = sum((reading.number(segment.get(1), segment) for segment in stated), Decimal(0))
    return (-difference if difference < 0 else None), (difference if difference > 0 else None)


def levels(message: Message, reading: Reading) -> Pieces:
    """Read an INVRPT: one count a line, of the stock on hand. Raises Rejected for the whole message."""
    head, header = _beginning(message), message.header()
    if head.get(3) in _COPIES:
        yield Taken(head.where, (), ignored="copy")
        return
    _check_lines(message)
    number, site, on = head.get(2), party(header, "WH", "GY", "DP", "ST"), day(header, "366", "179", "137")
    fact = reading.fact(message, number)
    for index, line in enumerate(message.lines(), start=1):
        try:
            held = _on_hand(line, reading)
            with rejecting():
                data = StockCounted(
                    fact=f"{fact}:{index}",
                    item=reading.item(line),
                    place=site,
                    lot=lot(line),
                    counted=reading.quantity(held),
                    unit=held.get(1, 3),
                    reason="level",
                    day=on,
                    document=number,
                )
            yield Taken(line[0].where, (reading.event(data),))
        except Rejected as error:
            yield refused(line[0].where, error)


def _on_hand(line: Held, reading: Reading) -> Segment:
    held = reading.quantities(line)
    found = next((held[wanted] for wanted in reading.options.level_qualifiers if wanted in held), None)
    if found is None:
        has = ", ".join(sorted(qualifier[:4] for qualifier in held)) or "none"
        message = f"no quantity of a qualifier in level_qualifiers (it has: {has}): name the one that is stock on hand"
        raise Rejected(reason="no_on_hand_quantity", message=message, field="QTY")
    return found
