"""What every X12 transaction set is read with: the settings, who sent it, and how items, days and places are found.

It must not know one transaction set from another.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from producers.drafts import StockData, digest, wrap
from producers.normalising import Refused, Rejected, Taken
from producers.reading.days import compact_day
from producers.reading.files import FileOptions, Words
from producers.reading.numbers import quantity_from
from producers.warehouse.edi.x12_envelope import TransactionSet
from producers.warehouse.edi.x12_syntax import Segment
from schemas.envelope import Event

Pieces = Iterator[Taken | Refused]

ITEM_QUALIFIERS: Final = (
    *("VN", "SK", "BP", "IN", "VP", "CB", "UP", "UK", "EN", "UA"),
    *("PN", "VC", "PI", "MG", "UI", "EO"),
)
"""Which of an item's ids is its SKU: the first of these that it has."""

SIMULATION: Final = "K"
"""The reporting code (element 514) of a W06 or W17 that says of nothing that it happened."""

LOT_QUALIFIERS: Final = frozenset({"LT", "BT", "LV"})
_EXPIRY: Final = frozenset({"36", "036", "208"})
_CANCELS: Final = frozenset({"01", "03", "17"})
_SAYS_NOTHING: Final = frozenset({"13", "16", "22", "24", "28", "77"})
"""Purposes (element 353) that cancel or delete; and requests, proposals, copies, drafts, queries and simulations."""

_CASE_CODE: Final = re.compile(r"[0-9]{8,14}", re.ASCII)
_RECEIVER: Final = ("WH", "ST", "RC")
_HOLDER: Final = ("WH", "SF")
_SUPPLIER: Final = ("SU", "VN", "SE", "SF")


class X12Options(FileOptions):
    """How X12 is read.

    `control_counts` strict: a file whose counts or control numbers are wrong is rejected; warn: it is read, and each
    is reported. `item_qualifiers` says which id of an item is its SKU, the first that is there. `level_qualifiers` are
    the quantities of an 846 that count as stock on hand. `reasons` maps codes of a 947 to our reasons, over the table.
    `ours` are our own ids as a party: what is received from them is no receipt of ours. `post_tests` takes
    interchanges that are marked as tests. `senders` and `receivers` are the only ids that envelopes may give.
    """

    encoding: Literal["utf-8", "ascii", "latin-1", "windows-1252"] = "utf-8"
    control_counts: Literal["strict", "warn"] = "strict"
    item_qualifiers: Annotated[Words, Field(min_length=1)] = ITEM_QUALIFIERS
    level_qualifiers: Annotated[Words, Field(min_length=1)] = ("17",)
    reasons: Mapping[str, Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=dict)
    ours: Words = ()
    senders: Words = ()
    receivers: Words = ()
    post_tests: bool = False


@dataclass(slots=True)
class Reading:
    """One file being read: its settings, and how often a document without a number was seen."""

    options: X12Options
    company: str
    seen: Counter[str] = field(default_factory=Counter)

    def event(self, data: StockData, *, at: datetime | None = None) -> Event:
        """Wrap the data. Raises Rejected: `invalid_event`, `missing_date`."""
        return wrap(data, source="x12", company=self.company, at=at)

    def item(self, segment: Segment, ids: Mapping[str, str]) -> str:
        """Choose the SKU of these ids. Raises Rejected: `no_item`."""
        found = next((ids[wanted] for wanted in self.options.item_qualifiers if wanted in ids), None)
        if found is None:
            has = ", ".join(sorted(qualifier[:4] for qualifier in ids)) or "none"
            message = f"no item id of a qualifier in item_qualifiers (it has: {has}): name the one that is your SKU"
            raise Rejected(reason="no_item", message=message, field=segment.tag)
        return found

    def product(self, segment: Segment, *positions: int, case: int) -> str:
        """Choose the SKU of a W segment: of its ids at these positions, and its U.P.C. case code, where it is one.

        Raises Rejected: `no_item`.
        """
        code = segment.get(case) or ""
        ids = segment.pairs(*positions) | ({"UA": code} if _CASE_CODE.fullmatch(code) else {})
        return self.item(segment, ids)

    def listed(self, lin: Segment) -> str:
        """Choose the SKU of a LIN. Raises Rejected: `no_item`."""
        return self.item(lin, lin_ids(lin))

    def fact(self, found: TransactionSet, *numbers: str | None) -> str:
        """Name a document by its sender, kind and numbers; where it has none, by what it says."""
        given = [number for number in numbers if number]
        if not given:
            said = digest(*(segment.body for segment in found.segments[1:-1]))
            self.seen[said] += 1
            given = [said if self.seen[said] == 1 else f"{said}:{self.seen[said]}"]
        return ":".join(("x12", found.sender, found.kind, *given))


def lin_ids(lin: Segment) -> dict[str, str]:
    """Give the ids of a LIN by their qualifiers."""
    return lin.pairs(*range(2, lin.last, 2))


def purpose(segment: Segment, position: int) -> str | None:
    """Say why a set posts nothing by its purpose; None where it does.

    Raises Rejected: `cancellation`, for what it cancels may be booked.
    """
    code = segment.get(position)
    if code in _CANCELS:
        message = f"its purpose {code} cancels what may be booked already: a person must reverse it"
        raise Rejected(reason="cancellation", message=message, field=segment.field(position))
    return f"purpose:{code}" if code in _SAYS_NOTHING else None


def quantity(segment: Segment, position: int) -> Decimal:
    """Give a quantity that must be there. Raises Rejected: `missing_quantity`, `bad_quantity`."""
    return quantity_from(segment.get(position), field=segment.field(position))


def quantity_or_none(segment: Segment, position: int) -> Decimal | None:
    """Give a quantity, or None where there is none. Raises Rejected: `bad_quantity`."""
    return quantity(segment, position) if segment.get(position) else None


def day(segment: Segment, position: int) -> date | None:
    """Give a day, or None where there is none. Raises Rejected: `bad_date`."""
    text = segment.get(position)
    return None if text is None else compact_day(text, field=segment.field(position))


def reference(loop: Iterable[Segment], *qualifiers: str) -> str | None:
    """Give the reference of an N9 or REF with one of these qualifiers; None where two of them differ, or none is."""
    found = {
        segment.get(2) for segment in loop if segment.tag in {"N9", "REF"} and segment.get(1) in frozenset(qualifiers)
    }
    return found.pop() if len(found) == 1 else None


def expiry(loop: Iterable[Segment]) -> date | None:
    """Give the expiry date of a DTM or G62; None where there is none. Raises Rejected: `bad_date`."""
    found = (segment for segment in loop if segment.tag in {"DTM", "G62"} and segment.get(1) in _EXPIRY)
    return next((day(segment, 2) for segment in found), None)


def dated(loop: Iterable[Segment], *qualifiers: str) -> date | None:
    """Give the day of the first DTM or G62 by the order of the qualifiers. Raises Rejected: `bad_date`."""
    held = [segment for segment in loop if segment.tag in {"DTM", "G62"}]
    ordered = (segment for wanted in qualifiers for segment in held if segment.get(1) == wanted)
    return next((day(segment, 2) for segment in ordered), None)


def receiver(header: Sequence[Segment]) -> str | None:
    """Give the place that an N1 says received, its id before its name."""
    return _party(header, _RECEIVER)


def holder(header: Sequence[Segment]) -> str | None:
    """Give the warehouse that an N1 says has or had the goods, its id before its name."""
    return _party(header, _HOLDER)


def supplier(header: Sequence[Segment]) -> str | None:
    """Give the supplier that an N1 names, its id before its name."""
    return _party(header, _SUPPLIER)


def _party(header: Sequence[Segment], codes: Sequence[str]) -> str | None:
    named = {segment.get(1): segment.get(4) or segment.get(2) for segment in reversed(header) if segment.tag == "N1"}
    return next((named[code] for code in codes if named.get(code)), None)


def totals_disagree(segment: Segment, position: int, *, said: Decimal, found: Decimal) -> Rejected:
    """Build the refusal of a document whose total is not the sum of its lines."""
    message = f"the total says {said:f}, and the lines make {found:f}: nothing of this document was taken"
    return Rejected(reason="totals_disagree", message=message, field=segment.field(position))
