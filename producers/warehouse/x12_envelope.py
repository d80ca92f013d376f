"""The envelopes of X12: interchanges, functional groups and transaction sets, and whether their counts are right.

It must not know what a transaction set says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Refused, Rejected
from producers.warehouse.x12_syntax import Segment, segments

FUNCTIONAL_IDS: Final = {"944": "RE", "947": "AW", "945": "SW", "861": "RC", "846": "IB"}
"""The functional group each transaction set belongs into."""

MOST_SEGMENTS: Final = 500_000
"""No document is larger; a file of tiny segments must not fill the memory."""

Complain = Callable[[Segment, str, str], None]
"""Told of a segment whose count or number is wrong: the segment, the reason, the sentence."""


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """One transaction set, from ST to SE, and who sent it. `test`: the interchange is marked as a test."""

    sender: str
    test: bool
    segments: tuple[Segment, ...]

    @property
    def kind(self) -> str:
        """The transaction set's number, such as `944`."""
        return self.segments[0].get(1) or ""

    def first(self, tag: str) -> Segment | None:
        """Give the first segment of this tag, or None."""
        return next((segment for segment in self.segments if segment.tag == tag), None)

    def must(self, tag: str) -> Segment:
        """Give the first segment of this tag. Raises Rejected: `missing_segment`."""
        found = self.first(tag)
        if found is None:
            message = f"a {self.kind} has a {tag} segment, and this one has none"
            raise Rejected(reason="missing_segment", message=message, field=tag)
        return found

    def header(self, tag: str) -> tuple[Segment, ...]:
        """Give what stands before the first segment of this tag."""
        tags = [segment.tag for segment in self.segments]
        return self.segments[: tags.index(tag)] if tag in tags else self.segments

    def loops(self, tag: str, *, until: str) -> tuple[tuple[Segment, ...], ...]:
        """Give each segment of this tag with what follows it, up to the next one, or to SE or `until`."""
        found: list[list[Segment]] = []
        for segment in self.segments:
            if segment.tag == tag:
                found.append([segment])
            elif segment.tag in {"SE", until}:
                break
            elif found:
                found[-1].append(segment)
        return tuple(tuple(loop) for loop in found)


def check_envelope(text: str, *, strict: bool) -> tuple[Refused, ...]:
    """Go through the whole file, and give its warnings.

    Raises Rejected where the envelope is broken; where a control count or number is wrong, only if `strict`.
    A functional group of another name is never more than a warning: real senders get it wrong.
    """
    warnings: list[Refused] = []

    def complain(segment: Segment, reason: str, message: str) -> None:
        if strict and reason != "functional_id":
            raise Rejected(reason=reason, message=message, field=segment.where)
        warnings.append(Refused(segment.where, f"warning:{reason}", message, segment.tag))

    for _ in transaction_sets(text, complain):
        pass
    return tuple(warnings)


def transaction_sets(text: str, complain: Complain = lambda *_: None) -> Iterator[TransactionSet]:
    """Give each transaction set; wrong counts and numbers go to `complain`.

    Raises Rejected where the file is broken: `no_envelope`, `bad_envelope`, `unclosed`.
    """
    walk = _Walk(complain)
    for segment in segments(text):
        done = walk.step(segment)
        if done is not None:
            yield done


class _Walk:
    """Where in the envelopes the reading stands."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._isa: Segment | None = None
        self._gs: Segment | None = None
        self._groups = 0
        self._sets = 0
        self._held: list[Segment] = []

    def step(self, segment: Segment) -> TransactionSet | None:
        match segment.tag:
            case "ISA":
                self._open(segment, fits=self._isa is None)
                self._isa, self._groups = segment, 0
            case "GS":
                self._open(segment, fits=self._isa is not None and self._gs is None)
                self._gs, self._sets = segment, 0
                self._groups += 1
            case "ST":
                self._open(segment, fits=self._gs is not None and not self._held)
                self._held = [segment]
                self._sets += 1
                self._check_functional_id(segment)
            case "SE":
                return self._end_set(segment)
            case "GE":
                self._close(segment, self._gs if not self._held else None, self._sets, number=6, counts="sets")
                self._gs = None
            case "IEA":
                self._close(segment, self._isa if self._gs is None else None, self._groups, number=13, counts="groups")
                self._isa = None
            case _ if self._held:
                self._hold(segment)
            case tag if tag != "TA1":
                self._misplaced(segment)
        return None

    def _hold(self, segment: Segment) -> None:
        if len(self._held) >= MOST_SEGMENTS:
            message = f"it has more than {MOST_SEGMENTS} segments, which no document of goods has: split it"
            raise Rejected(reason="too_large", message=message, field=self._held[0].where)
        self._held.append(segment)

    def _open(self, segment: Segment, *, fits: bool) -> None:
        if fits:
            return
        if segment.tag == "ST" and self._gs is None:
            message = "a transaction set without its functional group (GS) has no sender, date or control number"
            raise Rejected(reason="no_envelope", message=message, field=segment.where)
        self._misplaced(segment)

    def _misplaced(self, segment: Segment) -> None:
        message = f"{segment.tag} cannot stand here: ISA, GS, ST ... SE, GE and IEA do not enclose each other"
        raise Rejected(reason="bad_envelope", message=message, field=segment.where)

    def _end_set(self, segment: Segment) -> TransactionSet:
        opened = self._held[0] if self._held else None
        self._held.append(segment)
        self._close(segment, opened, len(self._held), number=2, counts="segments")
        held, self._held = tuple(self._held), []
        sender = (self._isa.get(6) if self._isa else None) or "unknown"
        return TransactionSet(sender, bool(self._isa and self._isa.get(15) == "T"), held)

    def _close(self, segment: Segment, opened: Segment | None, found: int, *, number: int, counts: str) -> None:
        if opened is None:
            self._misplaced(segment)
            return
        said = segment.get(1) or ""
        if not (said.isascii() and said.isdigit() and len(said) <= 10 and int(said) == found):  # noqa: PLR2004
            shown = said if said.isascii() and said.isdigit() else "no number"
            message = f"{segment.field(1)} says {shown[:20]} {counts}, and {found} are there"
            self._complain(segment, "control_count", message)
        if segment.get(2) != opened.get(number):
            message = f"{segment.field(2)} is not the control number of {opened.field(number)} in {opened.where}"
            self._complain(segment, "control_number", message)

    def _check_functional_id(self, segment: Segment) -> None:
        wanted, said = FUNCTIONAL_IDS.get(segment.get(1) or ""), self._gs.get(1) if self._gs else None
        if wanted is not None and said != wanted:
            message = f"a {segment.get(1)} belongs into a functional group {wanted}; it was read all the same"
            self._complain(segment, "functional_id", message)
