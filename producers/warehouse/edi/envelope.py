"""The envelopes of EDI, X12 and EDIFACT alike: interchanges, groups and documents, and whether their counts are right.

It must not know what a document says, or how a text is cut into segments.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Generic, Protocol, TypeVar

from producers.normalising import Refused, Rejected

MOST_SEGMENTS: Final = 500_000
"""No document is larger; a file of tiny segments must not fill the memory."""

_MOST_DIGITS: Final = 10


class Piece(Protocol):
    """What every segment has, of either standard; elements are counted from 1."""

    @property
    def tag(self) -> str:
        """Its name."""

    @property
    def where(self) -> str:
        """Where it stands, for people."""

    def get(self, position: int, /) -> str | None:
        """Give an element."""

    def field(self, position: int, /) -> str:
        """Name an element, for people."""


S = TypeVar("S", bound=Piece)


@dataclass(frozen=True, slots=True)
class Level:
    """One envelope: what opens and closes it, which element is its reference, and what it holds, in a word."""

    opens: str
    closes: str
    reference: int
    holds: str


@dataclass(frozen=True, slots=True)
class Standard:
    """The three envelopes. `grouped`: documents stand in groups only. `loose` may stand between documents."""

    interchange: Level
    group: Level
    document: Level
    grouped: bool
    loose: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """All tags in their order, for people."""
        levels = (self.interchange, self.group, self.document)
        return f"{', '.join(level.opens for level in levels)} ... {', '.join(level.closes for level in levels[::-1])}"


@dataclass(frozen=True, slots=True)
class Document(Generic[S]):
    """One document with the segments that enclose it. `sound` false: its own count or reference is wrong."""

    interchange: S
    segments: tuple[S, ...]
    group: S | None = None
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Parties:
    """Whose files are taken, and to whom they may be addressed; empty where it does not matter.

    Every id that an envelope gives must be among them: of an interchange ISA06 and ISA08, or UNB02 and UNB03, and of a
    group its second and third element.
    """

    senders: Collection[str] = ()
    receivers: Collection[str] = ()

    def of(self, documents: Iterable[Document[S]]) -> Iterator[Document[S]]:
        """Give the documents. Raises Rejected: `sender_not_allowed`, `receiver_not_allowed`."""
        for found in documents:
            for envelope in (found.interchange, *((found.group,) if found.group else ())):
                first, second = (6, 8) if envelope.tag == "ISA" else (2, 3)
                _must_be_named(envelope, first, self.senders, who="sender")
                _must_be_named(envelope, second, self.receivers, who="receiver")
            yield found


def _must_be_named(envelope: Piece, position: int, allowed: Collection[str], *, who: str) -> None:
    said = envelope.get(position) or ""
    if allowed and said not in allowed:
        message = f"{envelope.field(position)} says {said[:40]}, which the option {who}s does not name"
        raise Rejected(reason=f"{who}_not_allowed", message=message, field=envelope.where)


class Walk(Generic[S]):
    """Where in the envelopes the reading stands, and what was found wrong with them until here."""

    def __init__(self, standard: Standard) -> None:
        """Begin outside of all envelopes."""
        self._standard = standard
        self._interchange: S | None = None
        self._group: S | None = None
        self._held: list[S] = []
        self._groups = self._documents = self._in_group = 0
        self._inner: list[Refused] = []
        self._outer: list[Refused] = []

    def documents(self, segments: Iterable[S]) -> Iterator[Document[S]]:
        """Give each document. Raises Rejected where the envelopes are broken: `no_envelope`, `bad_envelope`."""
        for segment in segments:
            found = self._step(segment)
            if found is not None:
                yield found

    def faults(self, *, strict: bool) -> tuple[Refused, ...]:
        """Give what is wrong: warnings, or if `strict` the documents that are refused.

        Raises Rejected if `strict` and the count or reference of a group or an interchange is wrong: documents may be
        missing, and nobody knows which.
        """
        if not strict:
            return tuple(replace(fault, reason=f"warning:{fault.reason}") for fault in (*self._inner, *self._outer))
        for fault in self._outer:
            raise Rejected(reason=fault.reason, message=fault.message, field=fault.where)
        return tuple(self._inner)

    def _step(self, segment: S) -> Document[S] | None:
        standard = self._standard
        match segment.tag:
            case standard.interchange.opens:
                self._must(segment, fits=self._interchange is None)
                self._interchange, self._groups, self._documents = segment, 0, 0
            case standard.group.opens:
                self._must(segment, fits=self._interchange is not None and self._group is None and not self._held)
                self._group, self._in_group = segment, 0
                self._groups += 1
            case standard.document.opens:
                self._begin(segment)
            case standard.document.closes:
                return self._end(segment)
            case standard.group.closes:
                opened = self._group if not self._held else None
                self._outer += self._wrong(standard.group, segment, opened, found=self._in_group)
                self._group = None
            case standard.interchange.closes:
                self._close(segment)
            case tag if self._held or tag not in standard.loose:
                self._must(segment, fits=bool(self._held))
                self._hold(segment)
        return None

    def _begin(self, segment: S) -> None:
        if self._standard.grouped and self._group is None:
            group = self._standard.group.opens
            message = f"{segment.tag} without its functional group ({group}) has no sender, date or control number"
            raise Rejected(reason="no_envelope", message=message, field=segment.where)
        self._must(segment, fits=self._interchange is not None and not self._held)
        self._held = [segment]
        self._documents += 1
        self._in_group += 1

    def _end(self, segment: S) -> Document[S]:
        opened = self._held[0] if self._held else None
        self._held.append(segment)
        wrong = self._wrong(self._standard.document, segment, opened, found=len(self._held))
        self._inner += wrong
        held, self._held = tuple(self._held), []
        return Document(self._interchange or segment, held, self._group, sound=not wrong)

    def _close(self, segment: S) -> None:
        level, opened = self._standard.interchange, self._interchange if not self._held and not self._group else None
        if self._groups or self._standard.grouped:
            self._outer += self._wrong(level, segment, opened, found=self._groups)
        else:
            self._outer += self._wrong(replace(level, holds="messages"), segment, opened, found=self._documents)
        self._interchange = None

    def _hold(self, segment: S) -> None:
        if len(self._held) >= MOST_SEGMENTS:
            message = f"it has more than {MOST_SEGMENTS} segments, which no document of goods has: split it"
            raise Rejected(reason="too_large", message=message, field=self._held[0].where)
        self._held.append(segment)

    def _must(self, segment: S, *, fits: bool) -> None:
        if not fits:
            message = f"{segment.tag} cannot stand here: {self._standard} do not enclose each other"
            raise Rejected(reason="bad_envelope", message=message, field=segment.where)

    def _wrong(self, level: Level, segment: S, opened: S | None, *, found: int) -> list[Refused]:
        self._must(segment, fits=opened is not None)
        said, wrong = segment.get(1) or "", []
        number = said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS
        if not number or int(said) != found:
            message = f"{segment.field(1)} says {said if number else 'no number'} {level.holds}, and {found} are there"
            wrong.append(Refused(segment.where, "control_count", message, segment.tag))
        if opened is not None and segment.get(2) != opened.get(level.reference):
            message = f"{segment.field(2)} is not what {opened.field(level.reference)} says in {opened.where}"
            wrong.append(Refused(segment.where, "control_number", message, segment.tag))
        return wrong
