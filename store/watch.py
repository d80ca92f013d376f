"""How long this process has known of something, by a clock that never jumps.

Times in the store are wall-clock times of whoever wrote them: they may have been set since, or differ between hosts. So
what must have passed is measured here, from when this process saw it first; one that has just begun waits anew. It must
not know what is watched.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from runtime.clock import Clock

MOST_WATCHED: Final = 100_000
"""Past that nothing new is taken in: what is watched settles and is forgotten, and then there is room."""

NOT_SEEN_SECONDS: Final = 3_600.0
"""What nobody has seen for so long may make room: another process has settled it."""


class Watch:
    """One process's. What is watched must have another name when it begins anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # first and last, the stalest at first

    def saw(self, thing: Hashable) -> None:
        """It is there now; where it was seen before, it stays as old as it was."""
        now = self._clock.monotonic()
        if thing not in self._seen and len(self._seen) >= MOST_WATCHED:
            stalest, (_, last) = next(iter(self._seen.items()))
            if now - last < NOT_SEEN_SECONDS:
                return
            del self._seen[stalest]
        first, _ = self._seen.get(thing, (now, now))
        self._seen[thing] = (first, now)
        self._seen.move_to_end(thing)

    def forget(self, thing: Hashable) -> None:
        """It is over."""
        self._seen.pop(thing, None)

    def seconds(self, thing: Hashable) -> float | None:
        """For how long it has certainly been there; None where it was never seen."""
        seen = self._seen.get(thing)
        return None if seen is None else self._clock.monotonic() - seen[0]

    def count(self) -> int:
        """How many things are watched."""
        return len(self._seen)
