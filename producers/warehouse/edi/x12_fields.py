"""How items, days, places and references are found in X12, and its settings.

It must not know one transaction set from another.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from producers.drafts import only_one
from producers.reading.days import compact_day
from producers.reading.files import Words
from producers.reading.numbers import quantity_from
from producers.warehouse.edi.envelope import first
from producers.warehouse.edi.reading import EdiOptions, Reading
from producers.warehouse.edi.x12_syntax import Segment

Held = Sequence[Segment]

ITEM_QUALIFIERS: Final = (
    *("VN", "SK", "BP", "IN", "VP", "CB", "UP", "UK", "EN", "UA"),
    *("PN", "VC", "PI", "MG", "UI", "EO"),
)
"""Which of an item's ids is its SKU: the first of these that it has."""

_LOT_QUALIFIERS: Final = ("LT", "BT", "LV")
_EXPIRY: Final = frozenset({"36", "036", "208"})
_CASE_CODE: Final = re.compile(r"[0-9]{8,14}", re.ASCII)


class X12Options(EdiOptions):
    """How X12 is read. `reasons` maps codes of a 947 to our reasons, over the table; without `encoding` it is UTF-8."""

    item_qualifiers: Annotated[Words, Field(min_length=1)] = ITEM_QUALIFIERS
    level_qualifiers: Annotated[Words, Field(min_length=1)] = ("17",)
    reasons: Mapping[str, Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=dict)


def product(reading: Reading[X12Options], segment: Segment, *positions: int, case: int) -> str:
    """Choose the SKU of a W segment: of its ids at these positions, and its U.P.C. case code, where it is one.

    Raises Rejected: `no_item`.
    """
    code = segment.get(case) or ""
    ids = segment.pairs(*positions) | ({"UA": code} if _CASE_CODE.fullmatch(code) else {})
    return reading.item(ids, at=segment.tag)


def lin_ids(lin: Segment) -> dict[str, str]:
    """Give the ids of a LIN by their qualifiers."""
    return lin.pairs(*range(2, lin.last, 2))


def quantity(segment: Segment, position: int) -> Decimal:
    """Give a quantity that must be there. Raises Rejected: `missing_quantity`, `bad_quantity`."""
    return quantity_from(segment.get(position), field=segment.field(position))


def quantity_or_none(segment: Segment, position: int) -> Decimal | None:
    """Give a quantity, or None where there is none. Raises Rejected: `bad_quantity`."""
    return quantity(segment, position) if segment.get(position) else None


def _day(segment: Segment | None, position: int) -> date | None:
    text = segment.get(position) if segment else None
    return None if segment is None or text is None else compact_day(text, field=segment.field(position))


def dated(*places: int | str) -> Callable[[Segment, Held], date | None]:
    """Give the day of the first of these places: an element of the head, or the qualifier of a DTM or G62 before lines.

    What is given raises Rejected: `bad_date`, also of an element of the head that is not needed: it may be shifted.
    """

    def day(head: Segment, header: Held) -> date | None:
        times = [segment for segment in header if segment.tag in {"DTM", "G62"}]
        in_head = {place: _day(head, place) for place in places if isinstance(place, int)}
        days = (in_head[place] if isinstance(place, int) else _day(_by(times, place), 2) for place in places)
        return next((found for found in days if found is not None), None)

    return day


def _by(held: Held, qualifier: str) -> Segment | None:
    return next((segment for segment in held if segment.get(1) == qualifier), None)


def expiry(loop: Held) -> date | None:
    """Give the expiry date of a DTM or G62; None where there is none. Raises Rejected: `bad_date`."""
    times = (segment for segment in loop if segment.tag in {"DTM", "G62"} and segment.get(1) in _EXPIRY)
    return _day(next(times, None), 2)


def reference(*qualifiers: str) -> Callable[[Held], str | None]:
    """Give the reference of an N9 or REF with one of these qualifiers; None where two of them differ, or none is."""

    def find(loop: Held) -> str | None:
        named = (segment for segment in loop if segment.tag in {"N9", "REF"} and segment.get(1) in qualifiers)
        return only_one([segment.get(2) for segment in named])

    return find


lot: Final = reference(*_LOT_QUALIFIERS)


def party(*codes: str) -> Callable[[Held], str | None]:
    """Give the id of the first N1 by the order of the codes that has one, else its name."""

    def find(header: Held) -> str | None:
        parties = (first(header, "N1", code) for code in codes)
        return next((name for segment in parties if segment and (name := segment.get(4) or segment.get(2))), None)

    return find


receiver: Final = party("WH", "ST", "RC")
holder: Final = party("WH", "SF")
supplier: Final = party("SU", "VN", "SE", "SF")
