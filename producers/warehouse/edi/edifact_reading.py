"""What both EDIFACT messages are read with: the settings, and how items, days, lots and quantities are found.

It must not know one message from another.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field

from producers.drafts import StockData, digest, wrap
from producers.normalising import Refused, Rejected, Taken
from producers.reading.days import compact_day
from producers.reading.files import FileOptions, Words
from producers.reading.numbers import quantity_from
from producers.warehouse.edi.edifact_envelope import Message, first
from producers.warehouse.edi.edifact_syntax import Segment
from schemas.envelope import Event

Pieces = Iterator[Taken | Refused]
Held = tuple[Segment, ...]

ITEM_QUALIFIERS: Final = ("BP", "IN", "SA", "VN", "EN", "SRV", "SRS", "UP")
"""Which of an item's ids is its SKU: the first of these that it has."""

_DAY_FIRST: Final = frozenset({"102", "203", "204", "205", "303", "304"})
_SHORT_DAY: Final = frozenset({"101", "201", "202", "301"})
_EXPIRY: Final = ("361", "36")
_MONTHS: Final = frozenset({"609", "610", "616"})
_BATCH: Final = frozenset({"BX", "BT"})


class EdifactOptions(FileOptions):
    """How EDIFACT is read.

    `control_counts` strict: a file whose counts or references are wrong is rejected; warn: it is read, and each is
    reported. `encoding` replaces the character set of UNB, `decimal_mark` the mark of UNA (a point without UNA).
    `item_qualifiers` says which id of an item is its SKU, `level_qualifiers` which quantity of an INVRPT is stock on
    hand: the first that is there. `ours` are our own ids as a party: what is received from them is no receipt of ours.
    `post_tests` takes interchanges that are marked as tests. `senders` and `receivers` are the only ids that envelopes
    may give.
    """

    encoding: Literal["utf-8", "ascii", "latin-1", "windows-1252"] | None = None
    decimal_mark: Literal[".", ","] | None = None
    control_counts: Literal["strict", "warn"] = "strict"
    item_qualifiers: Annotated[Words, Field(min_length=1)] = ITEM_QUALIFIERS
    level_qualifiers: Annotated[Words, Field(min_length=1)] = ("145", "17")
    ours: Words = ()
    senders: Words = ()
    receivers: Words = ()
    post_tests: bool = False


@dataclass(slots=True)
class Reading:
    """One file being read: its settings, and how often a document without a number was seen."""

    options: EdifactOptions
    company: str
    seen: Counter[str] = field(default_factory=Counter)

    def event(self, data: StockData) -> Event:
        """Wrap the data. Raises Rejected: `invalid_event`, `missing_date`."""
        return wrap(data, source="edifact", company=self.company)

    def item(self, line: Held) -> str:
        """Choose the SKU of a line, of its LIN and PIA. Raises Rejected: `no_item`."""
        ids: dict[str, str] = {}
        for segment in line:
            elements = (3,) if segment.tag == "LIN" else range(2, 7) if segment.tag == "PIA" else ()
            for element in elements:
                value, qualifier = segment.get(element, 1), segment.get(element, 2)
                if value and qualifier:
                    ids.setdefault(qualifier, value)
        found = next((ids[wanted] for wanted in self.options.item_qualifiers if wanted in ids), None)
        if found is None:
            has = ", ".join(sorted(qualifier[:4] for qualifier in ids)) or "none"
            message = f"no item id of a qualifier in item_qualifiers (it has: {has}): name the one that is your SKU"
            raise Rejected(reason="no_item", message=message, field="LIN")
        return found

    def fact(self, message: Message, *numbers: str | None) -> str:
        """Name a document by its sender, type and numbers; where it has none, by what it says."""
        given = [number for number in numbers if number]
        if not given:
            said = digest(*(segment.body for segment in message.segments[1:-1]))
            self.seen[said] += 1
            given = [said if self.seen[said] == 1 else f"{said}:{self.seen[said]}"]
        return ":".join(("edifact", message.sender, message.kind.lower(), *given))

    def quantity(self, segment: Segment) -> Decimal:
        """Give the quantity of a QTY. Raises Rejected: `missing_quantity`, `bad_quantity`."""
        return self.number(segment.get(1, 2), segment)

    def number(self, text: str | None, segment: Segment) -> Decimal:
        """Give a quantity. Raises Rejected: `missing_quantity`, `bad_quantity`."""
        mark = self.options.decimal_mark or segment.signs.decimal
        return quantity_from(text, field=segment.tag, mark=mark)

    def quantities(self, line: Held) -> dict[str, Segment]:
        """Give the QTY segments by qualifier. Raises Rejected: `several_quantities`."""
        found: dict[str, Segment] = {}
        for segment in line:
            if segment.tag != "QTY":
                continue
            qualifier = segment.get(1) or ""
            if qualifier in found:
                message = f"two quantities of {qualifier[:4]} for one line: which of them counts is not said"
                raise Rejected(reason="several_quantities", message=message, field=segment.where)
            found[qualifier] = segment
        return found


def day(held: Held, *qualifiers: str) -> date | None:
    """Give the day of the first DTM by the order of the qualifiers; None without. Raises Rejected: `bad_date`."""
    found = first(held, "DTM", *qualifiers)
    if found is None or found.get(1, 2) is None:
        return None
    text, form = found.get(1, 2) or "", found.get(1, 3)
    if form is None:
        return compact_day(text, field=found.where)
    if form in _DAY_FIRST:
        return compact_day(text[:8], field=found.where)
    if form in _SHORT_DAY:
        return compact_day(text[:6], field=found.where)
    message = "the date has a format that gives no day (102, 203 and 101 are read)"
    raise Rejected(reason="bad_date", message=message, field=found.where)


def expiry(line: Held) -> date | None:
    """Give the expiry date of a line; None without, or where it is a month. Raises Rejected: `bad_date`."""
    found = first(line, "DTM", *_EXPIRY)
    return None if found is None or found.get(1, 3) in _MONTHS else day(line, *_EXPIRY)


def lot(line: Held) -> str | None:
    """Give the batch of a GIN, GIR or RFF; None where there is none, or several."""
    found: set[str] = set()
    for segment in line:
        named: list[str | None] = []
        if segment.tag == "GIN" and segment.get(1) in _BATCH:
            named = [segment.get(element) for element in range(2, 7)]
        elif segment.tag == "GIR":
            named = [segment.get(element) for element in range(2, 7) if segment.get(element, 2) in _BATCH]
        elif segment.is_a("RFF", *_BATCH):
            named = [segment.get(1, 2)]
        found |= {batch for batch in named if batch}
    return found.pop() if len(found) == 1 else None


def party(held: Held, *codes: str) -> str | None:
    """Give the id of the first NAD by the order of the codes."""
    found = first(held, "NAD", *codes)
    return found.get(2) if found else None


def location(line: Held) -> str | None:
    """Give the place of the LOC of a line; None without, or where two differ."""
    found = {segment.get(2) for segment in line if segment.tag == "LOC"} - {None}
    return found.pop() if len(found) == 1 else None


def order(held: Held) -> str | None:
    """Give the purchase order of an RFF+ON; None without, or where two differ."""
    found = {segment.get(1, 2) for segment in held if segment.is_a("RFF", "ON")} - {None}
    return found.pop() if len(found) == 1 else None
