"""Somebody else on a company's key, whose calls use up the allowance and reach nothing else.

The calls are not made: they are put into the limiter at their times, when the next call of ours, a switch or
the judge asks for it. Nothing here waits or reads a clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from simulator.service.limits import Limiter


@dataclass(slots=True)
class Stranger:
    """Calls on one key, `1 / rate_per_second` apart from `begun` on, `number` in all."""

    key: str
    begun: float
    rate_per_second: float
    number: int
    made: int = 0

    def due(self, until: float) -> Iterator[float]:
        """The times of the calls, up to and at `until`, that were not made before."""
        while self.made < self.number and (at := self.begun + self.made / self.rate_per_second) <= until:
            self.made += 1
            yield at


@dataclass(frozen=True, slots=True)
class StrangerCall:
    """One call that a stranger made."""

    key: str
    monotonic: float
    let_in: bool


class Strangers:
    """Every stranger, at most one a key, and what they did."""

    def __init__(self) -> None:
        """Nobody is there."""
        self.calls: list[StrangerCall] = []
        self._active: dict[str, Stranger] = {}

    def start(self, key: str, *, at: float, rate_per_second: float, seconds: float) -> None:
        """Let one begin in place of the key's present one; a rate or time of zero only ends that one."""
        self._active.pop(key, None)
        if rate_per_second > 0 and seconds > 0:
            self._active[key] = Stranger(key, at, rate_per_second, ceil(rate_per_second * seconds))

    def settle(self, limiter: Limiter, at: float) -> None:
        """Make every call that is due by `at`, and forget who is done."""
        if not self._active:
            return
        for stranger in list(self._active.values()):
            for due in stranger.due(at):
                let_in = limiter.admit(stranger.key, due) is None
                self.calls.append(StrangerCall(stranger.key, due, let_in))
            if stranger.made == stranger.number:
                del self._active[stranger.key]

    def active(self) -> list[str]:
        """The keys on which one is calling."""
        return sorted(self._active)
