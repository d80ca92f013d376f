"""X12 text into segments: separators are read from each interchange's ISA, never assumed.

It must not know any transaction set. Written by hand, because the known readers end silently at an empty segment,
refuse versions that warehouses send, or know health care only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Rejected
from producers.reading.files import refuse_wide
from producers.reading.texts import clean

_ISA_LENGTH: Final = 106
_ISA_SEPARATORS: Final = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_TAG: Final = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)
_BETWEEN: Final = " \t\r\n\x1a\x00"
MOST_ELEMENTS: Final = 500
"""No segment of the standard has a tenth of them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `number` counts the segments of the file from 1. It is cut into elements only when one is read."""

    number: int
    tag: str
    body: str
    separator: str = "*"
    component: str = ":"

    @property
    def where(self) -> str:
        """Where it stands, for people: `segment 40 (W07)`."""
        return f"segment {self.number} ({self.tag})"

    def get(self, position: int) -> str | None:
        """Give the element as it is; None when absent or empty."""
        elements = self.body.split(self.separator, position + 1)
        return clean(elements[position]) if position < len(elements) else None

    def unit(self, position: int) -> str | None:
        """Give a unit of measure, which may be a composite: its first component."""
        return clean((self.get(position) or "").split(self.component, 1)[0])

    @property
    def last(self) -> int:
        """The position of its last element."""
        return self.body.count(self.separator)

    def field(self, position: int) -> str:
        """Name an element as the standard does: `W0701`."""
        return f"{self.tag}{position:02d}"

    def pairs(self, *positions: int) -> dict[str, str]:
        """Give ids by their qualifiers, which stand at these positions, each before its id; the first one counts."""
        found: dict[str, str] = {}
        elements = [clean(element) for element in self.body.split(self.separator)]
        for position in positions:
            qualifier, value = (*elements[position : position + 2], None, None)[:2]
            if qualifier and value:
                found.setdefault(qualifier, value)
        return found


def decode_x12(raw: bytes, encoding: str) -> str:
    """Give the text. Raises Rejected: `encoding`."""
    refuse_wide(raw)
    try:
        return raw.removeprefix(b"\xef\xbb\xbf").decode(encoding)
    except UnicodeDecodeError as error:
        message = f"not {encoding} at byte {error.start}: set encoding to the one it has, such as latin-1"
        raise Rejected("encoding", message) from None


def segments(text: str) -> Iterator[Segment]:
    """Give the segments of all interchanges of the file, in their order.

    Raises Rejected where the text is no X12: `no_envelope`, `bad_isa`, `bad_segment`, `unclosed`.
    """
    number, position = 0, _skip(text, 0)
    while position < len(text):
        separator, component, terminator = _separators(text, position)
        inside = True
        while inside:
            end = text.find(terminator, position)
            if end < 0:
                message = "the file ends before the interchange does (no IEA): it was cut, deliver it whole"
                raise Rejected("unclosed", message, field=f"after segment {number}")
            body, position = text[position:end].strip("\r\n"), end + 1
            if not body:
                continue
            number += 1
            tag = body.split(separator, 1)[0]
            if not _TAG.fullmatch(tag):
                raise Rejected("bad_segment", "this is no segment", field=f"segment {number}")
            if body.count(separator) > MOST_ELEMENTS:
                message = f"it has more than {MOST_ELEMENTS} elements, which no segment has: ask for it as it was sent"
                raise Rejected("too_large", message, field=f"segment {number}")
            yield Segment(number, tag, body, separator, component)
            inside = tag != "IEA"
        position = _skip(text, position)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BETWEEN:
        position += 1
    return position


def _separators(text: str, start: int) -> tuple[str, str, str]:
    isa = text[start : start + _ISA_LENGTH]
    if not isa.startswith("ISA"):
        message = (
            "X12 begins with ISA: a transaction set without its envelope has no sender, date or control number; "
            "ask for the interchange as it was sent"
        )
        raise Rejected("no_envelope", message)
    separator = isa[3:4]
    fixed = len(isa) == _ISA_LENGTH and all(isa[position] == separator for position in _ISA_SEPARATORS)
    if not fixed or isa.count(separator) != len(_ISA_SEPARATORS):
        message = (
            "the ISA segment is not of its fixed length of 106 characters, so its separators cannot be read: "
            "its elements are padded with blanks, ask for the interchange as it was sent"
        )
        raise Rejected("bad_isa", message, field="ISA")
    component, terminator = isa[104], isa[105]
    signs = (separator, component, terminator)
    if len(set(signs)) < len(signs) or any(sign.isalnum() for sign in signs) or " " in {separator, terminator}:
        raise Rejected("bad_isa", "its separators are the same sign twice, or letters, digits or blanks", field="ISA")
    return signs
