"""When to try again: pure, clamped, with a jitter that the event's own name seeds (so that a test can foretell it)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

EARLY = 0.25
"""The part of the events that comes back a step sooner."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The waits between attempts grow along `delays_seconds` and stay at the last one.

    The retry queues have fixed delays, so the jitter moves one event in four a step down: events that failed
    together do not all come back together.
    """

    delays_seconds: Sequence[float]
    max_attempts: int
    max_deferrals: int

    def after_attempt(self, attempt: int, *, seed: str) -> float | None:
        """Seconds until the attempt after this one (counted from 1); None when the last has been used."""
        return None if attempt >= self.max_attempts else self._delay(attempt, seed)

    def after_deferral(self, deferred: int, *, seed: str) -> float | None:
        """Seconds until the next look, after so many deferrals; None when a person must look."""
        return None if deferred >= self.max_deferrals else self._delay(deferred + 1, seed)

    def _delay(self, step: int, seed: str) -> float:
        index = min(max(step, 1), len(self.delays_seconds)) - 1
        early = random.Random(f"{seed}/{step}").random() < EARLY  # noqa: S311 - spreads load, guards nothing
        return self.delays_seconds[max(index - early, 0)]
