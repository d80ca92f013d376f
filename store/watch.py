"""How long this process has known of something, by a clock that never jumps.

Times in the store are wall-clock times of whoever wrote them: they may have been set since, or differ between hosts. So
what must have passed is measured here, from when this process saw it first; one that has just begun waits anew. It must
not know what is watched.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from runtime.clock import Clock

MOST_WATCHED: Final = 10_000
"""Past that, what was seen first is forgotten: it is then waited for once more."""


class Watch:
    """One process's. What is watched must have another name when it begins anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[Hashable, float] = OrderedDict()

    def saw(self, thing: Hashable) -> None:
        """It is there now; where it was seen before, nothing changes."""
        self._seen.setdefault(thing, self._clock.monotonic())
        if len(self._seen) > MOST_WATCHED:
            self._seen.popitem(last=False)

    def seconds(self, thing: Hashable) -> float | None:
        """For how long it has certainly been there; None where it was never seen."""
        first = self._seen.get(thing)
        return None if first is None else self._clock.monotonic() - first
