"""The envelopes of EDIFACT: interchanges, groups and messages, and whether their counts are right.

It must not know what a message says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from producers.normalising import Refused, Rejected
from producers.warehouse.edifact_syntax import Segment, segments

MOST_SEGMENTS: Final = 500_000
"""No document is larger; a file of tiny segments must not fill the memory."""

Complain = Callable[[Segment, str, str], None]
"""Told of a segment whose count or reference is wrong: the segment, the reason, the sentence."""

_MOST_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class Message:
    """One message, from UNH to UNT, and who sent it. `test`: the interchange is marked as a test."""

    sender: str
    test: bool
    segments: tuple[Segment, ...]

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


def check_envelope(raw: bytes, *, strict: bool, encoding: str | None) -> tuple[Refused, ...]:
    """Go through the whole file, and give its warnings.

    Raises Rejected where the envelope is broken; where a control count or reference is wrong, only if `strict`.
    """
    warnings: list[Refused] = []

    def complain(segment: Segment, reason: str, message: str) -> None:
        if strict:
            raise Rejected(reason=reason, message=message, field=segment.where)
        warnings.append(Refused(segment.where, f"warning:{reason}", message, segment.tag))

    for _ in messages(raw, encoding=encoding, complain=complain):
        pass
    return tuple(warnings)


def messages(raw: bytes, *, encoding: str | None, complain: Complain = lambda *_: None) -> Iterator[Message]:
    """Give each message; wrong counts and references go to `complain`. Raises Rejected where the file is broken."""
    walk = _Walk(complain)
    for segment in segments(raw, encoding=encoding):
        done = walk.step(segment)
        if done is not None:
            yield done


class _Walk:
    """Where in the envelopes the reading stands."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._unb: Segment | None = None
        self._ung: Segment | None = None
        self._groups = 0
        self._messages = 0
        self._in_group = 0
        self._held: list[Segment] = []

    def step(self, segment: Segment) -> Message | None:
        outside = not self._held
        match segment.tag:
            case "UNB":
                self._must(segment, fits=self._unb is None)
                self._unb, self._groups, self._messages = segment, 0, 0
            case "UNG":
                self._must(segment, fits=self._unb is not None and self._ung is None and outside)
                self._ung, self._in_group = segment, 0
                self._groups += 1
            case "UNH":
                self._must(segment, fits=self._unb is not None and outside)
                self._held = [segment]
                self._messages += 1
                self._in_group += 1
            case "UNT":
                return self._end_message(segment)
            case "UNE":
                self._close(segment, self._ung if outside else None, self._in_group, reference=5, counts="messages")
                self._ung = None
            case "UNZ":
                opened = self._unb if outside and self._ung is None else None
                counts, found = ("groups", self._groups) if self._groups else ("messages", self._messages)
                self._close(segment, opened, found, reference=5, counts=counts)
                self._unb = None
            case _:
                self._must(segment, fits=not outside)
                self._hold(segment)
        return None

    def _hold(self, segment: Segment) -> None:
        if len(self._held) >= MOST_SEGMENTS:
            message = f"it has more than {MOST_SEGMENTS} segments, which no document of goods has: split it"
            raise Rejected(reason="too_large", message=message, field=self._held[0].where)
        self._held.append(segment)

    def _must(self, segment: Segment, *, fits: bool) -> None:
        if not fits:
            message = f"{segment.tag} cannot stand here: UNB, UNH ... UNT and UNZ do not enclose each other"
            raise Rejected(reason="bad_envelope", message=message, field=segment.where)

    def _end_message(self, segment: Segment) -> Message:
        opened = self._held[0] if self._held else None
        self._held.append(segment)
        self._close(segment, opened, len(self._held), reference=1, counts="segments")
        held, self._held = tuple(self._held), []
        sender = (self._unb.get(2) if self._unb else None) or "unknown"
        return Message(sender, bool(self._unb and self._unb.get(11) == "1"), held)

    def _close(self, segment: Segment, opened: Segment | None, found: int, *, reference: int, counts: str) -> None:
        self._must(segment, fits=opened is not None)
        said = segment.get(1) or ""
        number = said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS
        if not number or int(said) != found:
            message = f"{segment.tag} says {said if number else 'no number'} {counts}, and {found} are there"
            self._complain(segment, "control_count", message)
        if opened is not None and segment.get(2) != opened.get(reference):
            message = f"the reference of {segment.tag} is not that of {opened.where}"
            self._complain(segment, "control_number", message)
