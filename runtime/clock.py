"""Time as a port: whoever needs the time is given a clock. Nothing else in the project reads the wall clock."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the relay needs of time."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC. May jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back. Only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait. Safe to cancel."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)
