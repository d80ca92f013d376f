"""How items, days, places and references are found in X12, its envelopes and its settings.

It must not know one transaction set from another.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from producers.drafts import only_one
from producers.reading.days import compact_day
from producers.reading.files import Words
from producers.reading.numbers import quantity_from
from producers.reading.texts import clean
from producers.warehouse.edi.envelope import EdiOptions, Level, Standard, first
from producers.warehouse.edi.reading import EdiLine, Find, Segments
from producers.warehouse.edi.syntax import Segment, x12_segments

X12: Final = Standard(
    name="x12",
    word="transaction_set",
    cut=x12_segments,
    levels=(Level("ISA", "IEA", 13, "groups"), Level("GS", "GE", 6, "sets"), Level("ST", "SE", 2, "segments")),
    parties=(6, 8),
    test=(15, "T"),
    kind=1,
    grouped=True,
    groups={"944": "RE", "947": "AW", "945": "SW", "861": "RC", "846": "IB"},
    loose=frozenset({"TA1"}),
)

ITEM_QUALIFIERS: Final = (
    *("VN", "SK", "BP", "IN", "VP", "CB", "UP", "UK", "EN", "UA"),
    *("PN", "VC", "PI", "MG", "UI", "EO"),
)
"""Which of an item's ids is its SKU: the first of these that it has."""

_CASE_CODE: Final = re.compile(r"[0-9]{8,14}", re.ASCII)


class X12Options(EdiOptions):
    """How X12 is read. `reasons` maps codes of a 947 to our reasons, over the table; without `encoding` it is UTF-8."""

    item_qualifiers: Annotated[Words, Field(min_length=1)] = ITEM_QUALIFIERS
    level_qualifiers: Annotated[Words, Field(min_length=1)] = ("17",)
    reasons: Mapping[str, Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=dict)


def ids(segment: Segment, *positions: int) -> dict[str, str]:
    """Give ids by their qualifiers, which stand at these positions, each before its id; the first one counts."""
    found: dict[str, str] = {}
    elements = [clean(element) for element in segment.body.split(segment.signs.element)]
    for position in positions:
        qualifier, value = (*elements[position : position + 2], None, None)[:2]
        if qualifier and value:
            found.setdefault(qualifier, value)
    return found


def lin_ids(lin: Segment) -> dict[str, str]:
    """Give the ids of a LIN by their qualifiers."""
    return ids(lin, *range(2, lin.body.count(lin.signs.element), 2))


def product(part: EdiLine[X12Options], *positions: int, case: int) -> str:
    """Choose the SKU of a W segment: of its ids there, and its U.P.C. case code. Raises Rejected: `no_item`."""
    code = part.head.get(case) or ""
    given = ids(part.head, *positions) | ({"UA": code} if _CASE_CODE.fullmatch(code) else {})
    return part.item(given, at=part.head.tag)


def quantity(segment: Segment, position: int) -> Decimal:
    """Give a quantity that must be there. Raises Rejected: `missing_quantity`, `bad_quantity`."""
    return quantity_from(segment.get(position), field=segment.field(position))


def quantity_or_none(segment: Segment, position: int) -> Decimal | None:
    """Give a quantity, or None where there is none. Raises Rejected: `bad_quantity`."""
    return quantity(segment, position) if segment.get(position) else None


def _day(segment: Segment | None, position: int) -> date | None:
    text = segment.get(position) if segment else None
    return compact_day(text, field=segment.field(position)) if segment and text else None


def dated(*places: int | str) -> Callable[[Segment, Segments], date | None]:
    """Give the day of the first of these places: an element of the head, or the qualifier of a DTM or G62 before lines.

    What is given raises Rejected: `bad_date`, also of an element of the head that is not needed: it may be shifted.
    """

    def day(head: Segment, header: Segments) -> date | None:
        in_head = {place: _day(head, place) for place in places if isinstance(place, int)}
        days = (in_head[place] if isinstance(place, int) else _time(header, place) for place in places)
        return next((found for found in days if found is not None), None)

    return day


def expiry(loop: Segments) -> date | None:
    """Give the expiry date of a DTM or G62; None where there is none. Raises Rejected: `bad_date`."""
    return _time(loop, "36", "036", "208")


def _time(held: Segments, *qualifiers: str) -> date | None:
    return _day(next((segment for segment in held if segment.is_a({"DTM", "G62"}, *qualifiers)), None), 2)


def reference(*qualifiers: str) -> Find:
    """Give the reference of an N9 or REF with one of these qualifiers; None where two of them differ, or none is."""
    return lambda loop: only_one([segment.get(2) for segment in loop if segment.is_a({"N9", "REF"}, *qualifiers)])


def party(*codes: str) -> Find:
    """Give the id of the first N1 by the order of the codes that has one, else its name."""

    def find(header: Segments) -> str | None:
        parties = (first(header, "N1", code) for code in codes)
        return next((name for segment in parties if segment and (name := segment.get(4) or segment.get(2))), None)

    return find


lot: Final = reference("LT", "BT", "LV")
receiver: Final = party("WH", "ST", "RC")
holder: Final = party("WH", "SF")
supplier: Final = party("SU", "VN", "SE", "SF")
