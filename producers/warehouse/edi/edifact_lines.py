"""One line of a RECADV: how much came, how much of it was accepted, and what became of the rest.

Pure. It must not know the message around the line.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from producers.drafts import negative_receipt, rejecting
from producers.normalising import Rejected
from producers.warehouse.edi.edifact_reading import Held, Reading, expiry, lot
from producers.warehouse.edi.edifact_syntax import Segment
from schemas.inventory import ReceiptLine

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

Said = Mapping[str, Decimal]


def received_line(line: Held, reading: Reading, *, number: str, site: str | None) -> ReceiptLine:
    """Read a LIN and what belongs to it.

    Raises Rejected: `no_item`, `no_received_quantity`, `several_quantities`, `units_differ`, `quantities_disagree`,
    `accepted_exceeds_received`, `rejected_exceeds_received`, `in_question`, `bad_quantity`, `bad_date`.
    """
    held = {qualifier: segment for qualifier, segment in reading.quantities(line).items() if qualifier in _READ}
    said = {qualifier: reading.quantity(segment) for qualifier, segment in held.items()}
    variances = [segment for segment in line if segment.tag == "QVR" and segment.get(1)]
    good, rejected = _good_and_rejected(line, said, _not_accepted(said, variances, reading))
    short, over = _variance(said, variances, reading, arrived=good + rejected)
    with rejecting():
        return ReceiptLine(
            line=number,
            item=reading.item(line),
            quantity=good,
            unit=_unit(held),
            lot=lot(line),
            expires=expiry(line),
            place=site,
            ordered=said.get(_ORDERED),
            rejected=rejected or None,
            short=short,
            over=over,
        )


def _good_and_rejected(line: Held, said: Said, not_accepted: Decimal) -> tuple[Decimal, Decimal]:
    """What is ours, and what came and is not, as two of the three figures say it, or all three."""
    came, accepted = said.get(_RECEIVED, said.get(_DELIVERED)), said.get(_ACCEPTED)
    if came is None and accepted is None:
        has = ", ".join(sorted({(segment.get(1) or "?")[:4] for segment in line if segment.tag == "QTY"})) or "none"
        raise _disagrees("no_received_quantity", f"nothing received (48), accepted (194) or delivered (46); has: {has}")
    for number in (came, accepted):
        if number is not None and number < 0:
            raise negative_receipt(number, field="QTY")
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
    return Rejected(reason=reason, message=message, field="QTY")


def _not_accepted(said: Said, variances: Sequence[Segment], reading: Reading) -> Decimal:
    """How much came and was not accepted; a QVR repeats a QTY of its qualifier, and is not added to it."""
    found = {qualifier: abs(said[qualifier]) for qualifier in _REFUSED if qualifier in said}
    for segment in variances:
        qualifier, size = segment.get(1, 2) or "", abs(reading.number(segment.get(1), segment))
        if qualifier in _REFUSED:
            found.setdefault(qualifier, size)
        elif _is_damaged(segment) and size and not found:
            if _ACCEPTED not in said:
                message = f"{size:f} are damaged, and whether they are among those received is not said"
                raise Rejected(reason="in_question", message=message, field=segment.where)
            found["damaged"] = size
    return sum(found.values(), Decimal(0))


def _is_damaged(segment: Segment) -> bool:
    return bool(_DAMAGED & {segment.get(2), segment.get(3)})


def _variance(
    said: Said, variances: Sequence[Segment], reading: Reading, *, arrived: Decimal
) -> tuple[Decimal | None, Decimal | None]:
    """How much never came, and how much came too many: against the order, else the despatch, else as QVR says."""
    expected = said.get(_ORDERED, said.get(_DESPATCHED))
    difference = Decimal(0) if expected is None else arrived - expected
    for segment in variances if expected is None else ():
        qualifier, number = segment.get(1, 2), reading.number(segment.get(1), segment)
        if qualifier in {_SHORT, _OVER}:
            difference += abs(number) if qualifier == _OVER else -abs(number)
        elif qualifier not in _REFUSED and not _is_damaged(segment):
            difference += number
    return (-difference if difference < 0 else None), (difference if 0 < difference <= arrived else None)


def _unit(held: Mapping[str, Segment]) -> str | None:
    """The unit of what came. Raises Rejected: `units_differ`, of any two quantities."""
    units = {unit for segment in held.values() if (unit := segment.get(1, 3))}
    if len(units) > 1:
        said = " and ".join(sorted(unit[:10] for unit in units))
        raise _disagrees("units_differ", f"its quantities are in {said}, and they are not converted here")
    return next(iter(units), None)
