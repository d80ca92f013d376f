"""Who wants tokens, as the mint hears it. Pure state: no network, no clock of its own.

A bucket says, lane by lane, how many tokens it has ever received, that number and who waits now, and how many
deliveries were settled, from the start of its reply queue on. So a message that is lost or repeated does no harm, and a
mint that has just been elected knows all that it must from the next one. What is wanted and not sent is open; whoever
waits no more gets nothing. A bucket may say when the first that waits on a lane is due: it comes before the others.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from messaging.lanes import LANES, Lane, Turns

FORGOTTEN_AFTER_SECONDS: Final = 3.0
"""A bucket that waits says so twice a second: one that is silent for so long waits no more."""


@dataclass(slots=True)
class _Want:
    received: int
    sent: int
    wanted: int
    settled: int
    heard_at: float
    due: float = math.inf

    @property
    def open(self) -> int:
        return max(self.wanted - self.sent, 0)


@dataclass(slots=True)
class Wants:
    """All open wants of one company. Times are seconds on the caller's monotonic clock.

    `most_under_way` tokens may be sent and not yet known to be received: where a process or the network stands still,
    no more than these come late, on top of what is minted meanwhile.
    """

    turns: Turns
    most_under_way: int
    _lanes: dict[Lane, dict[str, _Want]] = field(default_factory=lambda: {lane: {} for lane in LANES})

    def heard(self, reply_to: str, said: Mapping[str, Any], *, now: float) -> dict[Lane, int]:
        """Note what a bucket said: lane → [received, wanted, settled]. Gives what was settled since its last word.

        Under `due`, lane → when the first is due, in seconds since 1970; an older bucket says nothing of it.

        Raises:
            TypeError, ValueError: it said something else; nothing of that lane is noted.
        """
        news: dict[Lane, int] = {}
        due = dict(said.get("due", ()))
        for lane in LANES:
            if lane in said:
                received, wanted, settled = map(int, said[lane])
                first_due = float(due.get(lane, math.inf))
                want = self._lanes[lane].setdefault(reply_to, _Want(received, received, wanted, settled, now))
                want.received = max(want.received, received)
                want.sent = max(want.sent, received)  # another mint may have sent some
                want.wanted = wanted  # its words come in order, and a taker may have given up
                news[lane] = max(settled - want.settled, 0)
                want.settled = max(want.settled, settled)
                want.heard_at = now
                want.due = first_due
        return news

    def can_send(self, *, now: float) -> bool:
        """Whether somebody wants a token, and not too many are under way."""
        self._forget_silent(now)
        under_way = sum(want.sent - want.received for wants in self._lanes.values() for want in wants.values())
        return under_way < self.most_under_way and bool(self._wanting())

    def next(self, *, now: float) -> tuple[str, Lane] | None:
        """Who gets the next token, on which lane; None when it must not be sent now. It counts as sent."""
        if not self.can_send(now=now):
            return None
        lane = self.turns.next(self._wanting())
        wants = self._lanes[lane]
        reply_to = min((name for name, want in wants.items() if want.open), key=lambda name: wants[name].due)
        want = wants.pop(reply_to)
        want.sent += 1
        want.due = math.inf  # it says so if another one is due
        wants[reply_to] = want  # to the end of the line
        return reply_to, lane

    def forget(self, reply_to: str) -> None:
        """Drop what a bucket wanted that is gone."""
        for wants in self._lanes.values():
            wants.pop(reply_to, None)

    def waiting(self) -> dict[Lane, int]:
        """How many tokens are wanted now, by lane, for the lanes that want any."""
        counts = Counter({lane: sum(want.open for want in self._lanes[lane].values()) for lane in LANES})
        return {lane: count for lane, count in counts.items() if count}

    def _wanting(self) -> list[Lane]:
        return [lane for lane in LANES if any(want.open for want in self._lanes[lane].values())]

    def _forget_silent(self, now: float) -> None:
        for wants in self._lanes.values():
            for name in [name for name, want in wants.items() if now - want.heard_at > FORGOTTEN_AFTER_SECONDS]:
                del wants[name]
