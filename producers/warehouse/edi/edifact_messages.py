"""EDIFACT RECADV and INVRPT: goods received, and stock levels.

Pure. INVRPT was built from the public description of its segments: no public example was at hand.
"""

from producers.drafts import counted_once, rejecting
from producers.normalising import Rejected, Taken
from producers.warehouse.edi.edifact_envelope import Message
from producers.warehouse.edi.edifact_lines import received_line
from producers.warehouse.edi.edifact_reading import Held, Pieces, Reading, day, location, lot, order, party
from producers.warehouse.edi.edifact_syntax import Segment
from schemas.inventory import ReceiptLine, ReceiptPosted, StockCounted

_CANCELS = frozenset({"1", "3"})
_COPIES = frozenset({"7", "31"})


def receiving_advice(message: Message, reading: Reading) -> Pieces:
    """Read a RECADV: a receipt an order, of what was received and accepted.

    Raises Rejected for the whole message: `missing_segment`, `cancellation`, `totals_disagree`, `no_lines`.
    """
    head, header = _beginning(message), message.header()
    vendor = party(header, "SU", "SE")
    if head.get(3) in _COPIES or (vendor is not None and vendor in reading.options.ours):
        yield Taken(head.where, (), ignored="copy" if head.get(3) in _COPIES else "received_by_others")
        return
    _check_lines(message)
    number, site, held = head.get(2), party(header, "DP", "WH", "ST"), message.lines()
    if not held:
        text = "a receipt without a line (LIN): what was received is not said, or not where it belongs"
        raise Rejected(reason="no_lines", message=text, field="LIN")
    whole = order(header)
    orders = [order(line) or whole for line in held]
    several = len(set(orders)) > 1
    by_order: dict[str | None, list[ReceiptLine]] = {}
    for index, (name, line) in enumerate(zip(orders, held, strict=True), start=1):
        try:
            read = received_line(line, reading, number=line[0].get(1) or str(index), site=site)
        except Rejected as error:
            yield error.at(line[0].where)
        else:
            by_order.setdefault(name, []).append(read)
    on = day(header, "50", "35", "137")
    for name, lines in by_order.items():
        fact = reading.fact(message, number, name if several else None)
        with rejecting():
            data = ReceiptPosted(
                fact=fact, order=name, receipt=number or name or fact, supplier=vendor, lines=tuple(lines), day=on
            )
        yield Taken(head.where, (reading.event(data),))


def _beginning(message: Message) -> Segment:
    head = message.first("BGM")
    if head is None:
        text = f"a {message.kind} has a BGM segment, and this one has none"
        raise Rejected(reason="missing_segment", message=text, field="BGM")
    if head.get(3) in _CANCELS:
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


def levels(message: Message, reading: Reading) -> Pieces:
    """Read an INVRPT: one count a line, of the stock on hand. Raises Rejected for the whole message."""
    head, header = _beginning(message), message.header()
    if head.get(3) in _COPIES:
        yield Taken(head.where, (), ignored="copy")
        return
    _check_lines(message)
    number, site, on = head.get(2), party(header, "WH", "GY", "DP", "ST"), day(header, "366", "179", "137")
    fact, lines = reading.fact(message, number), message.lines()
    counted: list[tuple[str, StockCounted]] = []
    if not lines:
        yield Taken(head.where, (), ignored="no_lines")
    for index, line in enumerate(lines, start=1):
        try:
            held = _on_hand(line, reading)
            with rejecting():
                data = StockCounted(
                    fact=f"{fact}:{index}",
                    item=reading.item(line),
                    place=location(line) or site,
                    lot=lot(line),
                    counted=reading.quantity(held),
                    unit=held.get(1, 3),
                    reason="level",
                    day=on,
                    document=number,
                )
            counted.append((line[0].where, data))
        except Rejected as error:
            yield error.at(line[0].where)
    yield from counted_once(counted, reading.event)


def _on_hand(line: Held, reading: Reading) -> Segment:
    held = reading.quantities(line)
    found = next((held[wanted] for wanted in reading.options.level_qualifiers if wanted in held), None)
    if found is None:
        has = ", ".join(sorted(qualifier[:4] for qualifier in held)) or "none"
        message = f"no quantity of a qualifier in level_qualifiers (it has: {has}): name the one that is stock on hand"
        raise Rejected(reason="no_on_hand_quantity", message=message, field="QTY")
    return found
