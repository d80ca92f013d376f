"""The envelopes of X12: interchanges, functional groups and transaction sets, and whether their counts are right.

It must not know what a transaction set says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Refused, Rejected
from producers.warehouse.edi.envelope import Document, Level, Parties, Standard, Walk
from producers.warehouse.edi.x12_syntax import Segment, segments

FUNCTIONAL_IDS: Final = {"944": "RE", "947": "AW", "945": "SW", "861": "RC", "846": "IB"}
"""The functional group each transaction set belongs into."""

X12: Final = Standard(
    Level("ISA", "IEA", 13, "groups"),
    Level("GS", "GE", 6, "sets"),
    Level("ST", "SE", 2, "segments"),
    grouped=True,
    loose=frozenset({"TA1"}),
)


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """One transaction set, from ST to SE, and who sent it.

    `test`: the interchange is marked as a test. `sound` false: its count or control number is wrong.
    """

    sender: str
    test: bool
    segments: tuple[Segment, ...]
    sound: bool = True

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


def check_envelope(text: str, *, strict: bool, parties: Parties) -> tuple[Refused, ...]:
    """Go through the whole file, and give its warnings; if `strict`, also the sets that are refused for their counts.

    Raises Rejected where the envelope is broken or of a stranger, and if `strict` where a group or an interchange has a
    wrong count. A functional group of another name is never more than a warning: real senders get it wrong.
    """
    walk: Walk[Segment] = Walk(X12)
    documents = parties.of(walk.documents(segments(text)))
    groups = [warning for found in documents if (warning := _wrong_group(found)) is not None]
    return (*walk.faults(strict=strict), *groups)


def transaction_sets(text: str) -> Iterator[TransactionSet]:
    """Give each transaction set. Raises Rejected where the file is broken (`bad_envelope`, `unclosed`, ...)."""
    for found in Walk[Segment](X12).documents(segments(text)):
        isa = found.interchange
        yield TransactionSet(isa.get(6) or "unknown", isa.get(15) == "T", found.segments, sound=found.sound)


def _wrong_group(found: Document[Segment]) -> Refused | None:
    head = found.segments[0]
    wanted = FUNCTIONAL_IDS.get(head.get(1) or "")
    if wanted is None or (found.group is not None and found.group.get(1) == wanted):
        return None
    message = f"a {head.get(1)} belongs into a functional group {wanted}; it was read all the same"
    return Refused(head.where, "warning:functional_id", message, head.tag)
