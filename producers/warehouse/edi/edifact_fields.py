"""How items, days, lots and quantities are found in EDIFACT, its envelopes and its settings.

It must not know one message from another. INVRPT was built from the public description of its segments: no public
example was at hand.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from producers.drafts import only_one
from producers.normalising import Rejected
from producers.reading.days import compact_day
from producers.reading.files import Words
from producers.reading.numbers import quantity_from
from producers.warehouse.edi.envelope import EdiOptions, Level, Standard, first
from producers.warehouse.edi.reading import EdiLine, Find, Segments
from producers.warehouse.edi.syntax import Segment, edifact_segments

EDIFACT: Final = Standard(
    name="edifact",
    word="message",
    cut=edifact_segments,
    levels=(Level("UNB", "UNZ", 5, "groups"), Level("UNG", "UNE", 5, "messages"), Level("UNH", "UNT", 1, "segments")),
    parties=(2, 3),
    test=(11, "1"),
    kind=2,
)

ITEM_QUALIFIERS: Final = ("BP", "IN", "SA", "VN", "EN", "SRV", "SRS", "UP")
"""Which of an item's ids is its SKU: the first of these that it has."""

_LENGTHS: Final[Mapping[str | None, int | None]] = {
    None: None,
    **dict.fromkeys(("102", "203", "204", "205", "303", "304"), 8),
    **dict.fromkeys(("101", "201", "202", "301"), 6),
}
"""Of how many digits the day is that a DTM of each format begins with."""

_EXPIRY: Final = ("361", "36")
_MONTHS: Final = frozenset({"609", "610", "616"})
_BATCH: Final = frozenset({"BX", "BT"})


class EdifactOptions(EdiOptions):
    """How EDIFACT is read.

    `encoding` replaces the character set of UNB, `decimal_mark` the mark of UNA (a point without UNA).
    """

    decimal_mark: Literal[".", ","] | None = None
    item_qualifiers: Annotated[Words, Field(min_length=1)] = ITEM_QUALIFIERS
    level_qualifiers: Annotated[Words, Field(min_length=1)] = ("145", "17")


def item(part: EdiLine[EdifactOptions]) -> str:
    """Choose the SKU of a line, of its LIN and PIA. Raises Rejected: `no_item`."""
    ids: dict[str, str] = {}
    for segment in part.segments:
        elements = (3,) if segment.tag == "LIN" else range(2, 7) if segment.tag == "PIA" else ()
        for element in elements:
            value, qualifier = segment.get(element, 1), segment.get(element, 2)
            if value and qualifier:
                ids.setdefault(qualifier, value)
    return part.item(ids, at="LIN")


def quantity(segment: Segment, options: EdifactOptions) -> Decimal:
    """Give the quantity of a QTY or a QVR. Raises Rejected: `missing_quantity`, `bad_quantity`."""
    text, mark = segment.get(1, 2 if segment.tag == "QTY" else 1), options.decimal_mark or segment.signs.decimal
    return quantity_from(text, field=segment.tag, mark=mark)


def quantities(line: Segments) -> dict[str, Segment]:
    """Give the QTY segments by qualifier. Raises Rejected: `several_quantities`."""
    held: dict[str, Segment] = {}
    for segment in line:
        if segment.tag != "QTY":
            continue
        qualifier = segment.get(1) or ""
        if qualifier in held:
            message = f"two quantities of {qualifier[:4]} for one line: which of them counts is not said"
            raise Rejected("several_quantities", message, field=segment.where)
        held[qualifier] = segment
    return held


def dated(*qualifiers: str) -> Callable[[Segment, Segments], date | None]:
    """Give the day of the first DTM by the order of the qualifiers; None without. It raises Rejected: `bad_date`."""
    return lambda _, header: _day(first(header, "DTM", *qualifiers))


def _day(time: Segment | None) -> date | None:
    text = time.get(1, 2) if time else None
    if time is None or text is None:
        return None
    form = time.get(1, 3)
    if form not in _LENGTHS:
        message = "the date has a format that gives no day (102, 203 and 101 are read)"
        raise Rejected("bad_date", message, field=time.where)
    return compact_day(text[: _LENGTHS[form]], field=time.where)


def expiry(line: Segments) -> date | None:
    """Give the expiry date of a line; None without, or where it is a month. Raises Rejected: `bad_date`."""
    time = first(line, "DTM", *_EXPIRY)
    return None if time is None or time.get(1, 3) in _MONTHS else _day(time)


def lot(line: Segments) -> str | None:
    """Give the batch of a GIN, GIR or RFF; None where there is none, or several."""
    named: list[str | None] = []
    for segment in line:
        if segment.tag == "GIN" and segment.get(1) in _BATCH:
            named += [segment.get(element) for element in range(2, 7)]
        elif segment.tag == "GIR":
            named += [segment.get(element) for element in range(2, 7) if segment.get(element, 2) in _BATCH]
        elif segment.is_a({"RFF"}, *_BATCH):
            named.append(segment.get(1, 2))
    return only_one(named)


def party(*codes: str) -> Find:
    """Give the id of the first NAD by the order of the codes."""

    def find(header: Segments) -> str | None:
        segment = first(header, "NAD", *codes)
        return segment.get(2) if segment else None

    return find


def location(line: Segments) -> str | None:
    """Give the place of the LOC of a line; None without, or where two differ."""
    return only_one([segment.get(2) for segment in line if segment.tag == "LOC"])


def order(held: Segments) -> str | None:
    """Give the purchase order of an RFF+ON; None without, or where two differ."""
    return only_one([segment.get(1, 2) for segment in held if segment.is_a({"RFF"}, "ON")])
