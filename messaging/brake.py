"""The brake of one company's bucket: pure state, no clock of its own, no network.

Pulled when Solid cannot take calls (closed, key refused, too many calls, unavailable). While it is on, no tokens
flow but single probes with growing gaps; a probe that was answered releases it.
"""

import math
from dataclasses import dataclass
from typing import Final

LONGEST_WAIT_SECONDS: Final = 3_600.0
"""So long one answer can stop a company: a wrong one does not stop it for ever."""


@dataclass(slots=True)
class Brake:
    """When the next call may be tried, in seconds on the caller's monotonic clock."""

    first_gap: float
    longest_gap: float
    cause: str | None = None
    since: float = 0.0
    next_probe: float = 0.0
    gap: float = 0.0

    @property
    def on(self) -> bool:
        """Whether only probes may pass."""
        return self.cause is not None

    def pull(self, cause: str, *, now: float, retry_after: float | None, probe: bool) -> bool:
        """A call found Solid unable. Returns True when this is the start of a stop.

        Calls that were under way when the brake was pulled report the same outage: only a failed probe makes the
        gap grow. `retry_after` (seconds) moves the next probe out, never in, and by an hour at most.
        """
        started = self.cause is None
        if started:
            self.since, self.gap = now, self.first_gap
            self.next_probe = now + self.gap
        elif probe:
            self.gap = min(self.gap * 2, self.longest_gap)
            self.next_probe = now + self.gap
        if retry_after is not None:
            self.next_probe = max(self.next_probe, now + bounded(retry_after))
        self.cause = cause
        return started

    def probed(self, *, now: float) -> None:
        """A probe went out. If no word of it comes back (its worker died), another follows after the gap."""
        self.next_probe = now + max(self.gap, self.first_gap) * 2

    def release(self) -> bool:
        """A probe was answered. Returns True when the brake was on."""
        was_on, self.cause = self.on, None
        return was_on


def bounded(seconds: float) -> float:
    """A wait that somebody asks for, as far as it is believed."""
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if not math.isnan(seconds) else 0.0
