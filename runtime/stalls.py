"""Notices that this process stood still: it was stopped, the laptop slept, or something held the event loop.

What was waiting to be read meanwhile is older than it looks.
"""

from dataclasses import dataclass
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
    _looked_at: float | None = None
    _ended_at: float | None = None

    @property
    def just_stalled(self) -> bool:
        """Whether what is read now may have waited for longer than `longest_seconds`."""
        now = self.clock.monotonic()
        if self._looked_at is not None and now - self._looked_at > LOOK_EVERY_SECONDS + self.longest_seconds:
            return True
        return self._ended_at is not None and now - self._ended_at < DOUBTFUL_SECONDS

    async def run(self) -> None:
        """Look at the clock all the time. Safe to cancel."""
        while True:
            self._looked_at = self.clock.monotonic()
            await self.clock.sleep(LOOK_EVERY_SECONDS)
            now = self.clock.monotonic()
            if now - self._looked_at > LOOK_EVERY_SECONDS + self.longest_seconds:
                self._ended_at = now
