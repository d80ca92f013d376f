"""EDIFACT files: RECADV, how much came and was accepted; INVRPT, what is on hand (the reader of source `edifact`).

It must not read anything but the stream it is given.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from producers.drafts import negative_receipt
from producers.normalising import FileReader, Rejected
from producers.warehouse.edi import edifact_fields as fields
from producers.warehouse.edi.edifact_fields import EdifactOptions
from producers.warehouse.edi.envelope import Document, first
from producers.warehouse.edi.reading import (
    EdiLine,
    GoodsLines,
    Head,
    Layout,
    Lines,
    Segments,
    names,
    not_on_hand,
    read_edi,
)
from producers.warehouse.edi.syntax import Segment

_DESPATCHED: Final = "12"
_ORDERED: Final = "21"
_DELIVERED: Final = "46"
_RECEIVED: Final = "48"
_ACCEPTED: Final = "194"
_REFUSED: Final = ("195", "196", "124")
"""Received and not accepted: to be returned, to be destroyed, damaged. A QTY or a QVR says so, with either sign."""

_SHORT: Final = "119"
_OVER: Final = "121"
_DAMAGED: Final = frozenset({"AF", "DME", "DM", "BA"})
"""Why a QVR differs where goods came and are damaged (element 4221, else 4295)."""

_COUNTED: Final = (_ACCEPTED, _RECEIVED, _DELIVERED, *_REFUSED)
_READ: Final = frozenset({*_COUNTED, _DESPATCHED, _ORDERED})

_CANCELS: Final = frozenset({"1", "3"})
_COPIES: Final = frozenset({"7", "31"})

Said = Mapping[str, Decimal]

supplier: Final = fields.party("SU", "SE")


def _advice(message: Document, head: Segment, options: EdifactOptions) -> str | None:
    if nothing := _copy(head):
        return nothing
    if supplier(message.header("LIN")) in options.ours:
        return "received_by_others"
    return _check_lines(message)


def _report(message: Document, head: Segment, _: EdifactOptions) -> str | None:
    return _copy(head) or _check_lines(message)


def _copy(head: Segment) -> str | None:
    if head.get(3) in _CANCELS:
        text = "it cancels a message that may be booked already: a person must reverse it"
        raise Rejected("cancellation", text, field="BGM")
    return "copy" if head.get(3) in _COPIES else None


def _check_lines(message: Document) -> str | None:
    total, there = first(message.segments, "CNT", "2"), sum(segment.tag == "LIN" for segment in message.segments)
    said = total.get(1, 2) if total else None
    if total is None or said is None:
        return None
    digits = said.isascii() and said.isdigit()
    if not digits or said.lstrip("0") != (str(there) if there else ""):
        shown = said[:10] if digits else "no number"
        text = f"the total says {shown} lines, and {there} are there: nothing of this message was taken"
        raise Rejected("totals_disagree", text, field=total.where)
    return None


def _level(part: EdiLine[EdifactOptions]) -> GoodsLines:
    held = fields.quantities(part.segments)
    on_hand = next((held[wanted] for wanted in part.options.level_qualifiers if wanted in held), None)
    if on_hand is None:
        raise not_on_hand(held, at="QTY")
    yield part.line(
        item=fields.item(part),
        quantity=fields.quantity(on_hand, part.options),
        unit=on_hand.get(1, 3),
        lot=fields.lot(part.segments),
        place=fields.location(part.segments),
    )


def _received(part: EdiLine[EdifactOptions]) -> GoodsLines:
    """Read a LIN of a RECADV: how much came, how much of it was accepted, and what became of the rest."""
    line, options = part.segments, part.options
    held = {qualifier: segment for qualifier, segment in fields.quantities(line).items() if qualifier in _READ}
    said = {qualifier: fields.quantity(segment, options) for qualifier, segment in held.items()}
    variances = [segment for segment in line if segment.tag == "QVR" and segment.get(1)]
    good, rejected = _good_and_rejected(line, said, _not_accepted(said, variances, options))
    short, over = _variance(said, variances, options, arrived=good + rejected)
    yield part.line(
        line=part.head.get(1) or str(part.number),
        item=fields.item(part),
        quantity=good,
        unit=_unit(held),
        lot=fields.lot(line),
        expires=fields.expiry(line),
        ordered=said.get(_ORDERED),
        rejected=rejected or None,
        short=short,
        over=over,
    )


def _good_and_rejected(line: Segments, said: Said, not_accepted: Decimal) -> tuple[Decimal, Decimal]:
    """What is ours, and what came and is not, as two of the three figures say it, or all three."""
    came, accepted = said.get(_RECEIVED, said.get(_DELIVERED)), said.get(_ACCEPTED)
    if came is None and accepted is None:
        has = names(segment.get(1) for segment in line if segment.tag == "QTY")
        raise _disagrees("no_received_quantity", f"nothing received (48), accepted (194) or delivered (46); has: {has}")
    for figure in (came, accepted):
        if figure is not None and figure < 0:
            raise negative_receipt(figure, field="QTY")
    if came is None:
        return accepted or Decimal(0), not_accepted
    good = came - not_accepted if accepted is None else accepted
    if good < 0:
        raise _disagrees("rejected_exceeds_received", f"{not_accepted:f} were not accepted, and {came:f} received")
    if came < good:
        raise _disagrees("accepted_exceeds_received", f"{good:f} were accepted, and only {came:f} received")
    if not_accepted and came - good != not_accepted:
        message = f"of {came:f} received {good:f} were accepted and {not_accepted:f} not: that does not add up"
        raise _disagrees("quantities_disagree", message)
    return good, came - good


def _disagrees(reason: str, message: str) -> Rejected:
    return Rejected(reason, message, field="QTY")


def _not_accepted(said: Said, variances: Sequence[Segment], options: EdifactOptions) -> Decimal:
    """How much came and was not accepted; a QVR repeats a QTY of its qualifier, and is not added to it."""
    found = {qualifier: abs(said[qualifier]) for qualifier in _REFUSED if qualifier in said}
    for segment in variances:
        qualifier, size = segment.get(1, 2) or "", abs(fields.quantity(segment, options))
        if qualifier in _REFUSED:
            found.setdefault(qualifier, size)
        elif _is_damaged(segment) and size and not found:
            if _ACCEPTED not in said:
                message = f"{size:f} are damaged, and whether they are among those received is not said"
                raise Rejected("in_question", message, field=segment.where)
            found["damaged"] = size
    return sum(found.values(), Decimal(0))


def _is_damaged(segment: Segment) -> bool:
    return bool(_DAMAGED & {segment.get(2), segment.get(3)})


def _variance(
    said: Said, variances: Sequence[Segment], options: EdifactOptions, *, arrived: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    """How much never came, and how much came too many: against the order, else the despatch, else as QVR says."""
    expected = said.get(_ORDERED, said.get(_DESPATCHED))
    difference = Decimal(0) if expected is None else arrived - expected
    for segment in variances if expected is None else ():
        qualifier, figure = segment.get(1, 2), fields.quantity(segment, options)
        if qualifier in {_SHORT, _OVER}:
            difference += abs(figure) if qualifier == _OVER else -abs(figure)
        elif qualifier not in _REFUSED and not _is_damaged(segment):
            difference += figure
    return (-difference if difference < 0 else None), (difference if 0 < difference <= arrived else None)


def _unit(held: Mapping[str, Segment]) -> str | None:
    """The unit of what came. Raises Rejected: `units_differ`, of any two quantities."""
    units = {unit for segment in held.values() if (unit := segment.get(1, 3))}
    if len(units) > 1:
        said = " and ".join(sorted(unit[:10] for unit in units))
        raise _disagrees("units_differ", f"its quantities are in {said}, and they are not converted here")
    return next(iter(units), None)


_ENDS: Final = frozenset({"CPS", "UNS", "CNT"})

MESSAGES: Final[Mapping[str, Layout[EdifactOptions]]] = {
    "RECADV": Layout(
        "receipt",
        Head("BGM", ((2,),), fields.dated("50", "35", "137"), fields.party("DP", "WH", "ST"), _advice),
        Lines("LIN", _ENDS, _received, fields.order),
        supplier=supplier,
    ),
    "INVRPT": Layout(
        "count",
        Head("BGM", ((2,),), fields.dated("366", "179", "137"), fields.party("WH", "GY", "DP", "ST"), _report),
        Lines("LIN", _ENDS, _level),
        reason="level",
    ),
}
"""The messages that say something about stock; every other one is ignored, by its name."""


read_edifact: Final[FileReader] = partial(read_edi, standard=fields.EDIFACT, options=EdifactOptions, layouts=MESSAGES)
