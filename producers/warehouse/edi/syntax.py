"""EDI text into segments, by the signs of each interchange: those of X12 stand in ISA, those of EDIFACT in UNA.

It must not know any set or message. Written by hand: the known readers end silently at an empty segment, refuse
versions that warehouses send or a second interchange with a UNA of its own, or know health care only.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Rejected
from producers.reading.files import refuse_wide
from producers.reading.texts import clean

MOST_ELEMENTS: Final = 500
"""No segment of X12 has a tenth of them."""

_ISA_LENGTH: Final = 106
_ISA_SEPARATORS: Final = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
_UNA_LENGTH: Final = 9
_PARTS_OF_8859: Final = (1, 2, 5, 7, 3, 4, 6, 8, 9, 15)
_CHARSETS: Final = {
    **{f"UNO{letter}": f"iso-8859-{part}" for letter, part in zip("CDEFGHIJKL", _PARTS_OF_8859, strict=True)},
    **dict.fromkeys(("UNOA", "UNOB"), "ascii"),
    **dict.fromkeys(("UNOW", "UNOY"), "utf-8"),
}
_X12_TAG: Final = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)
_EDIFACT_TAG: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_BOM: Final = b"\xef\xbb\xbf"
_BETWEEN: Final = " \t\r\n\x1a\x00"
_ESCAPE: Final = "\x1b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The service characters of an interchange, what may stand before a segment, and how an element is named.

    `component` empty: an element is taken whole, and only units are `composite`. `release` empty: there is none.
    """

    element: str
    component: str = ""
    composite: str = ""
    terminator: str
    decimal: str = "."
    release: str = ""
    blanks: str
    named: str

    def split(self, text: str, sign: str) -> list[str]:
        """Cut the text at a sign that is not released; what is released stays so."""
        if not sign:
            return [text]
        if not self.release or self.release not in text:
            return text.split(sign)
        return re.findall(rf"(?:^|{re.escape(sign)})({self._until(sign)})", text, re.DOTALL)

    def plain(self, text: str) -> str:
        """Take the release characters out."""
        return re.sub(re.escape(self.release) + r"(.)", r"\1", text, flags=re.DOTALL) if self.release else text

    def end_of_segment(self, text: str, start: int) -> int:
        """Where the segment's terminator stands; -1 where there is none."""
        if not self.release:
            return text.find(self.terminator, start)
        ended = re.compile(self._until(self.terminator) + f"(?={re.escape(self.terminator)})", re.DOTALL)
        found = ended.match(text, start)
        return found.end() if found else -1

    def _until(self, sign: str) -> str:
        return rf"(?:{re.escape(self.release)}.|[^{re.escape(sign)}])*+"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `number` counts the segments of the file from 1. It is cut into elements only when one is read."""

    number: int
    tag: str
    body: str
    signs: Signs

    @property
    def where(self) -> str:
        """Where it stands, for people: `segment 40 (W07)`."""
        return f"segment {self.number} ({self.tag})"

    def get(self, element: int, component: int = 1) -> str | None:
        """Give a component, both counted from 1; None when absent or empty."""
        elements = self.signs.split(self.body, self.signs.element)
        components = self.signs.split(elements[element], self.signs.component) if element < len(elements) else []
        return clean(self.signs.plain(components[component - 1])) if component <= len(components) else None

    def unit(self, element: int) -> str | None:
        """Give a unit of measure of X12, which may be a composite: its first component."""
        return clean((self.get(element) or "").split(self.signs.composite, 1)[0])

    def field(self, element: int) -> str:
        """Name an element, for people: `W0701`, or `BGM, element 2,`."""
        return self.signs.named.format(self.tag, element)

    def is_a(self, tags: Collection[str], *qualifiers: str) -> bool:
        """Whether it has one of these tags, and its first component is one of these qualifiers."""
        return self.tag in tags and self.get(1) in qualifiers


def x12_segments(raw: bytes, encoding: str | None) -> Iterator[Segment]:
    """Give the segments of all interchanges of the file, in their order.

    Raises Rejected where it is no X12: `encoding`, `no_envelope`, `bad_isa`, `bad_segment`, `unclosed`, `too_large`.
    """
    refuse_wide(raw)
    encoding = encoding or "utf-8"
    try:
        text = raw.removeprefix(_BOM).decode(encoding)
    except UnicodeDecodeError as error:
        message = f"not {encoding} at byte {error.start}: set encoding to the one it has, such as latin-1"
        raise Rejected("encoding", message) from None
    for number, padded, signs in _bodies(text, _isa, closes="IEA"):
        body = padded.rstrip("\r\n")
        segment = _segment(number, body, signs, form=_X12_TAG)
        if body.count(signs.element) > MOST_ELEMENTS:
            message = f"it has more than {MOST_ELEMENTS} elements, which no segment has: ask for it as it was sent"
            raise Rejected("too_large", message, field=f"segment {number}")
        yield segment


def edifact_segments(raw: bytes, encoding: str | None) -> Iterator[Segment]:
    """Give the segments of all interchanges of the file, in their order; UNA is none of them.

    `encoding` replaces the one that UNB names. Raises Rejected where it is no EDIFACT: `no_envelope`, `bad_una`,
    `bad_segment`, `unclosed`, `encoding`.
    """
    refuse_wide(raw)
    charset: str | None = encoding or "ascii"
    for number, body, signs in _bodies(raw.removeprefix(_BOM).decode("latin-1"), _una, closes="UNZ"):
        if encoding is None and body.startswith("UNB"):
            charset = _charset(body, signs)
        yield _segment(number, _decoded(body, charset, number), signs, form=_EDIFACT_TAG)
        if body.startswith("UNZ"):
            charset = encoding or "ascii"


def _bodies(
    text: str, opened: Callable[[str, int], tuple[Signs, int]], *, closes: str
) -> Iterator[tuple[int, str, Signs]]:
    number, position = 0, _skip(text, 0, _BETWEEN)
    while position < len(text):
        signs, position = opened(text, position)
        body = ""
        while not body.startswith(closes):
            position = _skip(text, position, signs.blanks)
            end = signs.end_of_segment(text, position)
            if end < 0:
                message = f"the file ends before the interchange does (no {closes}): it was cut, deliver it whole"
                raise Rejected("unclosed", message, field=f"after segment {number}")
            number += 1
            body, position = text[position:end], end + 1
            yield number, body, signs
        position = _skip(text, position, _BETWEEN)


def _skip(text: str, position: int, blanks: str) -> int:
    while position < len(text) and text[position] in blanks:
        position += 1
    return position


def _segment(number: int, body: str, signs: Signs, *, form: re.Pattern[str]) -> Segment:
    tag = form.match(body)
    if tag is None or body[tag.end() : tag.end() + 1] not in {"", signs.element, signs.component}:
        raise Rejected("bad_segment", "this is no segment", field=f"segment {number}")
    return Segment(number, tag[0], body, signs)


def _isa(text: str, start: int) -> tuple[Signs, int]:
    isa = text[start : start + _ISA_LENGTH]
    if not isa.startswith("ISA"):
        message = (
            "X12 begins with ISA: a transaction set without its envelope has no sender, date or control number; "
            "ask for the interchange as it was sent"
        )
        raise Rejected("no_envelope", message)
    element = isa[3:4]
    fixed = len(isa) == _ISA_LENGTH and all(isa[position] == element for position in _ISA_SEPARATORS)
    if not fixed or isa.count(element) != len(_ISA_SEPARATORS):
        message = (
            "the ISA segment is not of its fixed length of 106 characters, so its separators cannot be read: "
            "its elements are padded with blanks, ask for the interchange as it was sent"
        )
        raise Rejected("bad_isa", message, field="ISA")
    used = (element, *isa[104:])
    if len(set(used)) < len(used) or any(sign.isalnum() for sign in used) or " " in {element, used[-1]}:
        raise Rejected("bad_isa", "its separators are the same sign twice, or letters, digits or blanks", field="ISA")
    blanks = f"\r\n{used[-1]}"
    return Signs(element=element, composite=used[1], terminator=used[2], blanks=blanks, named="{}{:02d}"), start


def _una(text: str, start: int) -> tuple[Signs, int]:
    una, after = "UNA:+.? '", start
    if text.startswith("UNA", start):
        una, after = text[start : start + _UNA_LENGTH], start + _UNA_LENGTH
    elif not text.startswith("UNB", start):
        message = (
            "EDIFACT begins with UNA or UNB: a message without its envelope has no sender and no control number; "
            "ask for the interchange as it was sent"
        )
        raise Rejected("no_envelope", message)
    release = una[6:7].strip(" ")
    used = [*una[3:5], *release, *una[8:]]
    if len(una) < _UNA_LENGTH or len(set(used)) < len(used) or any(sign.isalnum() or sign == " " for sign in used):
        raise Rejected("bad_una", "UNA is followed by six signs that differ, and these do not", field="UNA")
    if una[5] not in ".,":
        raise Rejected("bad_una", "the decimal mark is a point or a comma", field="UNA")
    written = {"component": una[3], "element": una[4], "decimal": una[5], "release": release, "terminator": una[8]}
    return Signs(**written, blanks=_BETWEEN, named="{}, element {},"), after


def _charset(body: str, signs: Signs) -> str | None:
    """The character set; None for one that we do not know, which matters only past ASCII."""
    if not body.startswith(f"UNB{signs.element}"):
        raise Rejected("encoding", "UNB names no character set", field="UNB")
    return _CHARSETS.get(body[4:8])


def _decoded(body: str, charset: str | None, number: int) -> str:
    if body.isascii() and (charset is not None or _ESCAPE not in body):
        return body
    if charset is None:
        message = "the character set of UNB is not one we read (UNOA to UNOL, UNOW, UNOY): set encoding"
        raise Rejected("encoding", message, field=f"segment {number}")
    try:
        return body.encode("latin-1").decode(charset)
    except UnicodeDecodeError:
        message = f"a character is not of the character set that UNB names ({charset}): set encoding to the true one"
        raise Rejected("encoding", message, field=f"segment {number}") from None
