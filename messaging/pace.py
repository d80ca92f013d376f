"""The share of the rate that is used: less after Solid said 429, slowly more again. Pure state, no clock of its own.

Somebody else may use the same key. Additive increase, multiplicative decrease: the share converges to what is left.
"""

from dataclasses import dataclass
from typing import Final

CUT: Final = 0.9
"""What is left of the share after a 429."""

RISE_IN_A_WINDOW: Final = 0.05
"""How much of the full rate comes back in one window: slow enough that a 429 is rare where somebody takes a part."""

LEAST: Final = 0.1


@dataclass(slots=True)
class Pace:
    """Between `LEAST` and 1. Times are seconds on the caller's monotonic clock."""

    window_seconds: float
    _share: float = 1.0
    _at: float = 0.0

    def share(self, *, now: float) -> float:
        """The share of the full rate to use now."""
        self._share = min(1.0, self._share + max(now - self._at, 0) * RISE_IN_A_WINDOW / self.window_seconds)
        self._at = now
        return self._share

    def refused(self, *, now: float) -> None:
        """Solid refused a call because there were too many. Once a stop: probes and calls under way do not count."""
        self._share = max(self.share(now=now) * CUT, LEAST)
