"""Notices that this process stood still: it was stopped, the laptop slept, or something held the event loop.

What was waiting to be read meanwhile is older than it looks. Both clocks are looked at: on Linux the monotonic one
stands still while the machine sleeps. A wall clock that is set looks like a stall, which costs a token or two.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runtime.clock import Clock

LOOK_EVERY_SECONDS: Final = 0.05
DOUBTFUL_SECONDS: Final = 0.1
"""How long after a stall what comes may still be from before its end: it has been read by then."""


@dataclass(slots=True)
class StallWatch:
    """One a process. `longest_seconds` is how long standing still does no harm."""

    clock: Clock
    longest_seconds: float
    _looked_at: tuple[float, datetime] | None = None
    _ended_at: float | None = None

    @property
    def just_stalled(self) -> bool:
        """Whether what is read now may have waited for longer than `longest_seconds`."""
        if self._stood_still():
            return True
        return self._ended_at is not None and self.clock.monotonic() - self._ended_at < DOUBTFUL_SECONDS

    async def run(self) -> None:
        """Look at the clock all the time. Safe to cancel."""
        while True:
            self._looked_at = (self.clock.monotonic(), self.clock.now())
            await self.clock.sleep(LOOK_EVERY_SECONDS)
            if self._stood_still():
                self._ended_at = self.clock.monotonic()

    def _stood_still(self) -> bool:
        if self._looked_at is None:
            return False
        monotonic, wall = self._looked_at
        passed = max(self.clock.monotonic() - monotonic, (self.clock.now() - wall).total_seconds())
        return passed > LOOK_EVERY_SECONDS + self.longest_seconds
