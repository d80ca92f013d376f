"""Doubles the whole suite shares: a clock that only moves when a test moves it. Nothing here really waits."""

import asyncio
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class FakeClock:
    """Virtual time: `sleep` advances it at once and yields control, `advance` moves it by hand.

    Fits `runtime.clock.Clock`. Wall and monotonic time move together; `step` moves the wall only,
    as an administrator or NTP would.
    """

    def __init__(self, start: datetime = NOON) -> None:
        if start.tzinfo is None:
            message = "FakeClock needs an aware datetime"
            raise ValueError(message)
        self._now = start
        self._monotonic = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Virtual wall time, aware, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Virtual seconds since the clock was made."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Move the wall clock only (negative: backwards)."""
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Pass `seconds` of virtual time, then let other tasks run."""
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)
