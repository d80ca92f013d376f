"""The envelopes of EDI, X12 and EDIFACT alike: interchanges, groups and documents, and whether their counts are right.

It must not know what a document says, or how a text is cut into segments.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    def body(self) -> str:
        """All of it, as it stands in the file."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard(Generic[S]):
    """The three envelopes, and which elements of theirs say what.

    `cut` cuts a file of an encoding into segments. `parties` are the elements of sender and receiver in an interchange,
    `test` that one which marks it as a test and its mark, `kind` the one in which a document is named. `grouped`:
    documents stand in groups only; `groups` names those of each kind. `loose` may stand between documents.
    """

    name: str
    word: str
    cut: Callable[[bytes, str | None], Iterator[S]]
    interchange: Level
    group: Level
    document: Level
    parties: tuple[int, int]
    test: tuple[int, str]
    kind: int
    grouped: bool = False
    groups: Mapping[str, str] = field(default_factory=dict)
    loose: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """All tags in their order, for people."""
        levels = (self.interchange, self.group, self.document)
        return f"{', '.join(level.opens for level in levels)} ... {', '.join(level.closes for level in levels[::-1])}"


@dataclass(frozen=True, slots=True)
class Document(Generic[S]):
    """One transaction set or message, and who sent it.

    `test`: the interchange is marked as a test. `sound` false: its own count or reference is wrong.
    """

    standard: Standard[S]
    interchange: S
    group: S | None
    segments: tuple[S, ...]
    sound: bool

    @property
    def kind(self) -> str:
        """What it is, such as `944` or `RECADV`."""
        return self.segments[0].get(self.standard.kind) or ""

    @property
    def sender(self) -> str:
        """The sender of its interchange."""
        return self.interchange.get(self.standard.parties[0]) or "unknown"

    @property
    def test(self) -> bool:
        """Whether its interchange is marked as a test."""
        element, mark = self.standard.test
        return self.interchange.get(element) == mark

    def first(self, tag: str, *qualifiers: str) -> S | None:
        """Give the first segment of this tag, with one of these qualifiers if any are given; or None."""
        return first(self.segments, tag, *qualifiers)

    def must(self, tag: str) -> S:
        """Give the first segment of this tag. Raises Rejected: `missing_segment`."""
        segment = self.first(tag)
        if segment is None:
            raise Rejected("missing_segment", f"a {self.kind} has a {tag} segment, and this one has none", field=tag)
        return segment

    def header(self, tag: str) -> tuple[S, ...]:
        """Give what stands before the first segment of this tag."""
        tags = [segment.tag for segment in self.segments]
        return self.segments[: tags.index(tag)] if tag in tags else self.segments

    def loops(self, tag: str, ends: Collection[str]) -> tuple[tuple[S, ...], ...]:
        """Give each segment of this tag with what follows it, up to the next one, or to one of `ends`."""
        loops: list[list[S]] = []
        inside = False
        for segment in self.segments[:-1]:
            if segment.tag == tag:
                loops.append([])
            inside = segment.tag == tag or (inside and segment.tag not in ends)
            if inside:
                loops[-1].append(segment)
        return tuple(tuple(loop) for loop in loops)


def first(held: Sequence[S], tag: str, *qualifiers: str) -> S | None:
    """Give the first segment of this tag, by the order of the qualifiers if any are given; None without."""
    tagged = [segment for segment in held if segment.tag == tag]
    if not qualifiers:
        return tagged[0] if tagged else None
    return next((segment for wanted in qualifiers for segment in tagged if segment.get(1) == wanted), None)


@dataclass(frozen=True, slots=True)
class Parties:
    """Whose files are taken, and to whom they may be addressed; empty where it does not matter.

    Every id that an envelope gives must be among them: of an interchange ISA06 and ISA08, or UNB02 and UNB03, and of a
    group its second and third element.
    """

    senders: Collection[str] = ()
    receivers: Collection[str] = ()

    def check(self, document: Document[S]) -> None:
        """Return where all may be. Raises Rejected: `sender_not_allowed`, `receiver_not_allowed`."""
        envelopes = (document.interchange, document.standard.parties), (document.group, (2, 3))
        for envelope, (sender, receiver) in envelopes:
            if envelope is not None:
                _must_be_named(envelope, sender, self.senders, who="sender")
                _must_be_named(envelope, receiver, self.receivers, who="receiver")


def _must_be_named(envelope: Piece, position: int, allowed: Collection[str], *, who: str) -> None:
    said = envelope.get(position) or ""
    if allowed and said not in allowed:
        message = f"{envelope.field(position)} says {said[:40]}, which the option {who}s does not name"
        raise Rejected(f"{who}_not_allowed", message, field=envelope.where)


def check_envelope(
    raw: bytes, standard: Standard[S], *, encoding: str | None, strict: bool, parties: Parties
) -> tuple[Refused, ...]:
    """Go through the whole file, and give its warnings; if `strict`, the documents that are refused for their counts.

    Raises Rejected where the envelope is broken or of a stranger, and if `strict` where a group or an interchange has a
    wrong count. A functional group of another name is never more than a warning: real senders get it wrong.
    """
    walk, groups = Walk(standard), []
    for document in walk.documents(raw, encoding):
        parties.check(document)
        head, wanted = document.segments[0], standard.groups.get(document.kind)
        if wanted is not None and (document.group is None or document.group.get(1) != wanted):
            message = f"a {document.kind} belongs into a functional group {wanted}; it was read all the same"
            groups.append(Refused(head.where, "warning:functional_id", message, head.tag))
    return (*walk.faults(strict=strict), *groups)


class Walk(Generic[S]):
    """Where in the envelopes the reading stands, and what was found wrong with them until here."""

    def __init__(self, standard: Standard[S]) -> None:
        """Begin outside of all envelopes."""
        self._standard = standard
        self._interchange: S | None = None
        self._group: S | None = None
        self._held: list[S] = []
        self._groups = self._documents = self._in_group = 0
        self._inner: list[Refused] = []
        self._outer: list[Refused] = []

    def documents(self, raw: bytes, encoding: str | None) -> Iterator[Document[S]]:
        """Give each document of a file. Raises Rejected where it is broken: `no_envelope`, `bad_envelope`, ..."""
        for segment in self._standard.cut(raw, encoding):
            document = self._step(segment)
            if document is not None:
                yield document

    def faults(self, *, strict: bool) -> tuple[Refused, ...]:
        """Give what is wrong: warnings, or if `strict` the documents that are refused.

        Raises Rejected if `strict` and the count or reference of a group or an interchange is wrong: documents may be
        missing, and nobody knows which.
        """
        if not strict:
            return tuple(replace(fault, reason=f"warning:{fault.reason}") for fault in (*self._inner, *self._outer))
        for fault in self._outer:
            raise Rejected(fault.reason, fault.message, field=fault.where)
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
            raise Rejected("no_envelope", message, field=segment.where)
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
        return Document(self._standard, self._interchange or segment, self._group, held, sound=not wrong)

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
            raise Rejected("too_large", message, field=self._held[0].where)
        self._held.append(segment)

    def _must(self, segment: S, *, fits: bool) -> None:
        if not fits:
            message = f"{segment.tag} cannot stand here: {self._standard} do not enclose each other"
            raise Rejected("bad_envelope", message, field=segment.where)

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
