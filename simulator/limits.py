"""The rate limit and its measure: exact sliding windows, half open, `[t, t + window)`.

Two calls exactly `window` seconds apart are not in one window, for the limit as for the measure. Reads no
clock.
"""

from collections import defaultdict, deque
from collections.abc import Sequence


class SlidingWindow:
    """Refuses a call when its key already has `allowance` calls in the last `window_seconds`.

    A refused call does not count toward the window: only what was let in does.
    """

    def __init__(self, allowance: int, window_seconds: float) -> None:
        """At most `allowance` calls a key in any window; both may be changed later."""
        self.allowance = allowance
        self.window_seconds = window_seconds
        self._let_in: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, key: str, at: float) -> float | None:
        """None when the call is let in; else the seconds until one would be. `at` never goes back."""
        calls = self._let_in[key]
        while calls and at - calls[0] >= self.window_seconds:
            calls.popleft()
        if len(calls) < self.allowance:
            calls.append(at)
            return None
        first_to_leave = calls[len(calls) - self.allowance] if self.allowance else at
        return self.window_seconds - (at - first_to_leave)

    def remember(self, key: str, at: float) -> None:
        """Count a call that was let in before a restart."""
        self._let_in[key].append(at)


def worst_window(times: Sequence[float], window_seconds: float) -> int:
    """The most `times` (any order) in any half-open window of this length. Exact: two pointers."""
    ordered = sorted(times)
    worst = oldest = 0
    for newest, at in enumerate(ordered):
        while at - ordered[oldest] >= window_seconds:
            oldest += 1
        worst = max(worst, newest - oldest + 1)
    return worst
