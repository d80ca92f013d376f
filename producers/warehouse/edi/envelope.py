"""The envelopes of EDI, X12 and EDIFACT alike: interchanges, groups and documents, and whether their counts are right.

It must not know what a document says, or how a text is cut into segments.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, Literal

from pydantic import Field

from producers.normalising import Refused, Rejected
from producers.reading.files import Words
from producers.warehouse.edi.syntax import Segment
from producers.warehouse.goods import GoodsOptions

MOST_SEGMENTS: Final = 500_000
"""No document is larger; a file of tiny segments must not fill the memory."""

_MOST_DIGITS: Final = 10
_GROUP: Final = 1
_DOCUMENT: Final = 2


class EdiOptions(GoodsOptions):
    """How EDI is read.

    `control_counts` strict: a file whose counts or control numbers are wrong is rejected; warn: it is read, and each
    is reported. `item_qualifiers` says which id of an item is its SKU, `level_qualifiers` which quantity of a report of
    levels is stock on hand: the first that is there. `ours` are our own ids as a party: what is received from them is
    no receipt of ours. `post_tests` takes interchanges that are marked as tests. `senders` and `receivers` are the only
    ids that envelopes may give: ISA06 and ISA08, or UNB02 and UNB03, and the second and third element of a group.
    """

    encoding: Literal["utf-8", "ascii", "latin-1", "windows-1252"] | None = None
    control_counts: Literal["strict", "warn"] = "strict"
    item_qualifiers: Annotated[Words, Field(min_length=1)]
    level_qualifiers: Annotated[Words, Field(min_length=1)]
    ours: Words = ()
    senders: Words = ()
    receivers: Words = ()
    post_tests: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """One envelope: what opens and closes it, which element is its reference, and what it holds, in a word."""

    opens: str
    closes: str
    reference: int
    holds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The `levels` interchange, group and document, and which elements of theirs say what.

    `cut` cuts a file of an encoding into segments. `parties` are the elements of sender and receiver in an interchange,
    `test` that one which marks it as a test and its mark, `kind` the one in which a document is named. `grouped`:
    documents stand in groups only; `groups` names those of each kind. `loose` may stand between documents.
    """

    name: str
    word: str
    cut: Callable[[bytes, str | None], Iterator[Segment]]
    levels: tuple[Level, Level, Level]
    parties: tuple[int, int]
    test: tuple[int, str]
    kind: int
    grouped: bool = False
    groups: Mapping[str, str] = field(default_factory=dict)
    loose: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """One transaction set or message, and who sent it. `faults` say what is wrong with its own count or reference."""

    standard: Standard
    interchange: Segment
    group: Segment | None
    segments: tuple[Segment, ...]
    faults: Sequence[Refused]

    @property
    def kind(self) -> str:
        """What it is, such as `944` or `RECADV`."""
        return self.segments[0].get(self.standard.kind) or ""

    def header(self, tag: str) -> tuple[Segment, ...]:
        """Give what stands before the first segment of this tag."""
        tags = [segment.tag for segment in self.segments]
        return self.segments[: tags.index(tag)] if tag in tags else self.segments

    def loops(self, tag: str, ends: Collection[str]) -> list[list[Segment]]:
        """Give each segment of this tag with what follows it, up to the next one, or to one of `ends`."""
        loops: list[list[Segment]] = []
        inside = False
        for segment in self.segments[:-1]:
            if segment.tag == tag:
                loops.append([])
            inside = segment.tag == tag or (inside and segment.tag not in ends)
            if inside:
                loops[-1].append(segment)
        return loops


def first(held: Sequence[Segment], tag: str, *qualifiers: str) -> Segment | None:
    """Give the first segment of this tag, by the order of the qualifiers if any are given; None without."""
    tagged = [segment for segment in held if segment.tag == tag]
    if not qualifiers:
        return tagged[0] if tagged else None
    return next((segment for wanted in qualifiers for segment in tagged if segment.get(1) == wanted), None)


def check_envelope(raw: bytes, standard: Standard, options: EdiOptions) -> tuple[Refused, ...]:
    """Go through the whole file, and give its warnings; if strict, the documents that are refused for their counts.

    Raises Rejected where the envelope is broken or of a stranger, and if strict where a group or an interchange has a
    wrong count: documents may be missing, and nobody knows which. A functional group of another name is never more
    than a warning: real senders get it wrong.
    """
    walk, strict = Walk(standard), options.control_counts == "strict"
    faults: list[Refused] = []
    misnamed: list[Refused] = []
    for document in walk.documents(raw, options.encoding):
        _check_parties(document, options)
        faults += document.faults
        head, wanted = document.segments[0], standard.groups.get(document.kind)
        if wanted is not None and (document.group is None or document.group.get(1) != wanted):
            message = f"a {document.kind} belongs into a functional group {wanted}; it was read all the same"
            misnamed.append(Refused(head.where, "warning:functional_id", message, head.tag))
    for fault in walk.faults if strict else ():
        raise Rejected(fault.reason, fault.message, field=fault.where)
    if not strict:
        faults = [replace(fault, reason=f"warning:{fault.reason}") for fault in (*faults, *walk.faults)]
    return (*faults, *misnamed)


def _check_parties(document: Document, options: EdiOptions) -> None:
    for envelope, elements in ((document.interchange, document.standard.parties), (document.group, (2, 3))):
        for who, element in zip(("sender", "receiver"), elements, strict=True):
            allowed = options.senders if who == "sender" else options.receivers
            said = (envelope.get(element) or "") if envelope else ""
            if envelope and allowed and said not in allowed:
                message = f"{envelope.field(element)} says {said[:40]}, which the option {who}s does not name"
                raise Rejected(f"{who}_not_allowed", message, field=envelope.where)


class Walk:
    """Where in the envelopes the reading stands; `faults` were found with groups and interchanges until here."""

    def __init__(self, standard: Standard) -> None:
        """Begin outside of all envelopes."""
        self.faults: list[Refused] = []
        self._standard = standard
        self._open: list[Segment | None] = [None, None, None]
        self._counts = [0, 0, 0]
        self._held: list[Segment] = []

    def documents(self, raw: bytes, encoding: str | None) -> Iterator[Document]:
        """Give each document of a file. Raises Rejected where it is broken: `no_envelope`, `bad_envelope`, ..."""
        for segment in self._standard.cut(raw, encoding):
            document = self._step(segment)
            if document is not None:
                yield document

    def _step(self, segment: Segment) -> Document | None:
        for depth, level in enumerate(self._standard.levels):
            if segment.tag == level.opens:
                self._begin(depth, segment)
                return None
            if segment.tag == level.closes:
                return self._end(depth, segment)
        if self._held or segment.tag not in self._standard.loose:
            self._hold(segment)
        return None

    def _begin(self, depth: int, segment: Segment) -> None:
        if depth == _DOCUMENT and self._standard.grouped and self._open[_GROUP] is None:
            group = self._standard.levels[_GROUP].opens
            message = f"{segment.tag} without its functional group ({group}) has no sender, date or control number"
            raise Rejected("no_envelope", message, field=segment.where)
        self._must(segment, fits=not any(self._open[depth:]) and (depth == 0 or self._open[0] is not None))
        self._open[depth] = segment
        self._counts[depth:] = [self._counts[depth] + 1, *(0 for _ in self._counts[depth + 1 :])]
        self._held = [segment] if depth == _DOCUMENT else []

    def _hold(self, segment: Segment) -> None:
        self._must(segment, fits=bool(self._held))
        if len(self._held) >= MOST_SEGMENTS:
            message = f"it has more than {MOST_SEGMENTS} segments, which no document of goods has: split it"
            raise Rejected("too_large", message, field=self._held[0].where)
        self._held.append(segment)

    def _end(self, depth: int, segment: Segment) -> Document | None:
        opened, (interchange, group, _) = self._open[depth], self._open
        self._must(segment, fits=opened is not None and not any(self._open[depth + 1 :]))
        held = (*self._held, segment)
        wrong = [*self._wrong_count(depth, segment, len(held)), *self._wrong_reference(depth, segment, opened)]
        self._open[depth], self._held = None, []
        if depth == _DOCUMENT:
            return Document(self._standard, interchange or segment, group, held, faults=wrong)
        self.faults += wrong
        return None

    def _must(self, segment: Segment, *, fits: bool) -> None:
        if not fits:
            levels = self._standard.levels
            opens, closes = (
                ", ".join(level.opens for level in levels),
                ", ".join(level.closes for level in levels[::-1]),
            )
            message = f"{segment.tag} cannot stand here: {opens} ... {closes} do not enclose each other"
            raise Rejected("bad_envelope", message, field=segment.where)

    def _wrong_count(self, depth: int, segment: Segment, segments: int) -> Iterator[Refused]:
        within = depth if depth or self._standard.grouped or self._counts[_GROUP] else _GROUP
        found = (*self._counts, segments)[within + 1]
        said = segment.get(1) or ""
        number = said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS
        if not number or int(said) != found:
            said, holds = said if number else "no number", self._standard.levels[within].holds
            message = f"{segment.field(1)} says {said} {holds}, and {found} are there"
            yield Refused(segment.where, "control_count", message, segment.tag)

    def _wrong_reference(self, depth: int, segment: Segment, opened: Segment | None) -> Iterator[Refused]:
        reference = self._standard.levels[depth].reference
        if opened is not None and segment.get(2) != opened.get(reference):
            message = f"{segment.field(2)} is not what {opened.field(reference)} says in {opened.where}"
            yield Refused(segment.where, "control_number", message, segment.tag)
