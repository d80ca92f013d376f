"""The envelopes of EDIFACT: interchanges, groups and messages, and whether their counts are right.

It must not know what a message says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Refused
from producers.warehouse.edi.edifact_syntax import Segment, segments
from producers.warehouse.edi.envelope import Level, Parties, Standard, Walk

EDIFACT: Final = Standard(
    Level("UNB", "UNZ", 5, "groups"),
    Level("UNG", "UNE", 5, "messages"),
    Level("UNH", "UNT", 1, "segments"),
    grouped=False,
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, from UNH to UNT, and who sent it.

    `test`: the interchange is marked as a test. `sound` false: its count or reference is wrong.
    """

    sender: str
    test: bool
    segments: tuple[Segment, ...]
    sound: bool = True

    @property
    def kind(self) -> str:
        """The message's type, such as `RECADV`."""
        return self.segments[0].get(2) or ""

    def first(self, tag: str, *qualifiers: str) -> Segment | None:
        """Give the first segment of this tag, with one of these qualifiers if any are given; or None."""
        return first(self.segments, tag, *qualifiers)

    def header(self) -> tuple[Segment, ...]:
        """Give what stands before the first line."""
        tags = [segment.tag for segment in self.segments]
        return self.segments[: tags.index("LIN")] if "LIN" in tags else self.segments

    def lines(self) -> tuple[tuple[Segment, ...], ...]:
        """Give each LIN with what belongs to it."""
        found: list[list[Segment]] = []
        inside = False
        for segment in self.segments:
            if segment.tag == "LIN":
                found.append([])
            inside = segment.tag == "LIN" or (inside and segment.tag not in {"CPS", "UNS", "CNT", "UNT"})
            if inside:
                found[-1].append(segment)
        return tuple(tuple(line) for line in found)


def first(held: tuple[Segment, ...], tag: str, *qualifiers: str) -> Segment | None:
    """Give the first segment of this tag, by the order of the qualifiers if any are given; None without."""
    if not qualifiers:
        return next((segment for segment in held if segment.tag == tag), None)
    ordered = (segment for wanted in qualifiers for segment in held if segment.is_a(tag, wanted))
    return next(ordered, None)


def check_envelope(raw: bytes, *, strict: bool, encoding: str | None, parties: Parties) -> tuple[Refused, ...]:
    """Go through the whole file, and give its warnings; if `strict`, the messages that are refused for their counts.

    Raises Rejected where the envelope is broken or of a stranger, and if `strict` where a group or an interchange has a
    wrong count.
    """
    walk: Walk[Segment] = Walk(EDIFACT)
    for _ in parties.of(walk.documents(segments(raw, encoding=encoding))):
        pass
    return walk.faults(strict=strict)


def messages(raw: bytes, *, encoding: str | None) -> Iterator[Message]:
    """Give each message. Raises Rejected where the file is broken: `no_envelope`, `bad_envelope`, `unclosed`."""
    for found in Walk[Segment](EDIFACT).documents(segments(raw, encoding=encoding)):
        unb = found.interchange
        yield Message(unb.get(2) or "unknown", unb.get(11) == "1", found.segments, sound=found.sound)
