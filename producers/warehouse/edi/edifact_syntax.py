"""EDIFACT text into segments: UNA, the release character, and the character set that UNB names.

It must not know any message. Written by hand, because the one typed reader refuses a second interchange with a UNA of
its own, lets an IndexError out of a short UNB, and reads a third of a megabyte a second.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Rejected
from producers.reading.files import refuse_wide
from producers.reading.texts import clean

_CHARSETS: Final = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso-8859-1",
    "UNOD": "iso-8859-2",
    "UNOE": "iso-8859-5",
    "UNOF": "iso-8859-7",
    "UNOG": "iso-8859-3",
    "UNOH": "iso-8859-4",
    "UNOI": "iso-8859-6",
    "UNOJ": "iso-8859-8",
    "UNOK": "iso-8859-9",
    "UNOL": "iso-8859-15",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}
_TAG: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_BETWEEN: Final = " \t\r\n\x1a\x00"
_ESCAPE: Final = "\x1b"
_UNA_LENGTH: Final = 9
_RELEASE: Final = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """The service characters of an interchange. `release` None: it has none."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str | None = "?"
    terminator: str = "'"

    def split(self, text: str, sign: str) -> list[str]:
        """Cut the text at a sign that is not released; what is released stays so."""
        if self.release is None or self.release not in text:
            return text.split(sign)
        parts, start, position = [], 0, 0
        while position < len(text):
            if text[position] == self.release:
                position += 2
                continue
            if text[position] == sign:
                parts.append(text[start:position])
                start = position + 1
            position += 1
        return [*parts, text[start:]]

    def plain(self, text: str) -> str:
        """Take the release characters out."""
        if self.release is None or self.release not in text:
            return text
        return re.sub(re.escape(self.release) + r"(.)", r"\1", text, flags=re.DOTALL)

    def end_of_segment(self, text: str, start: int) -> int:
        """Where the segment's terminator stands; -1 where there is none."""
        end = text.find(self.terminator, start)
        while end >= 0 and self._released(text, start, end):
            end = text.find(self.terminator, end + 1)
        return end

    def _released(self, text: str, start: int, end: int) -> bool:
        position = end
        while position > start and text[position - 1] == self.release:
            position -= 1
        return (end - position) % 2 == 1


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: `number` counts the segments of the file from 1. It is cut into elements only when one is read."""

    number: int
    tag: str
    body: str
    signs: Signs

    @property
    def where(self) -> str:
        """Where it stands, for people: `segment 12 (QTY)`."""
        return f"segment {self.number} ({self.tag})"

    def get(self, element: int, component: int = 1) -> str | None:
        """Give a component, both counted from 1; None when absent or empty."""
        elements = self.signs.split(self.body, self.signs.element)
        if element >= len(elements):
            return None
        components = self.signs.split(elements[element], self.signs.component)
        return clean(self.signs.plain(components[component - 1])) if component <= len(components) else None

    def field(self, element: int) -> str:
        """Name an element, for people."""
        return f"{self.tag}, element {element},"

    def is_a(self, tag: str, *qualifiers: str) -> bool:
        """Whether it has this tag and its first component is one of these."""
        return self.tag == tag and self.get(1) in qualifiers


def segments(raw: bytes, *, encoding: str | None) -> Iterator[Segment]:
    """Give the segments of all interchanges of the file, in their order; UNA is none of them.

    `encoding` replaces the one that UNB names. Raises Rejected where it is no EDIFACT: `no_envelope`, `bad_una`,
    `bad_segment`, `unclosed`, `encoding`.
    """
    refuse_wide(raw)
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    number, position = 0, _skip(text, 0)
    while position < len(text):
        signs, position = _signs(text, position)
        charset: str | None = encoding or "ascii"
        inside = True
        while inside:
            position = _skip(text, position)
            end = signs.end_of_segment(text, position)
            if end < 0:
                message = "the file ends before the interchange does (no UNZ): it was cut, deliver it whole"
                raise Rejected("unclosed", message, field=f"after segment {number}")
            number += 1
            body, position = text[position:end], end + 1
            if encoding is None and body.startswith("UNB"):
                charset = _charset(body, signs)
            segment = _segment(_decoded(body, charset, number), signs, number)
            yield segment
            inside = segment.tag != "UNZ"
        position = _skip(text, position)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BETWEEN:
        position += 1
    return position


def _signs(text: str, start: int) -> tuple[Signs, int]:
    if text.startswith("UNA", start):
        una = text[start + 3 : start + _UNA_LENGTH]
        return _from_una(una), start + _UNA_LENGTH
    if not text.startswith("UNB", start):
        message = (
            "EDIFACT begins with UNA or UNB: a message without its envelope has no sender and no control number; "
            "ask for the interchange as it was sent"
        )
        raise Rejected("no_envelope", message)
    return Signs(), start


def _from_una(una: str) -> Signs:
    used = [
        sign
        for position, sign in enumerate(una)
        if position in {0, 1, 3, 5} and not (position == _RELEASE and sign == " ")
    ]
    if len(una) < _UNA_LENGTH - 3 or len(set(used)) < len(used) or any(sign.isalnum() or sign == " " for sign in used):
        raise Rejected("bad_una", "UNA is followed by six signs that differ, and these do not", field="UNA")
    if una[2] not in ".,":
        raise Rejected("bad_una", "the decimal mark is a point or a comma", field="UNA")
    return Signs(una[0], una[1], una[2], None if una[_RELEASE] == " " else una[_RELEASE], una[5])


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


def _segment(body: str, signs: Signs, number: int) -> Segment:
    tag = body[:3]
    if not _TAG.fullmatch(tag) or body[3:4] not in {"", signs.element, signs.component}:
        raise Rejected("bad_segment", "this is no segment", field=f"segment {number}")
    return Segment(number, tag, body, signs)
