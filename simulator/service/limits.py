"""The rate limit in four models, each a meter of one key, and the measure that judges what came through.

Windows are half open, `[t, t + window)`: two calls exactly `window` seconds apart are not in one window, for
the limits as for the measure. Reads no clock: times are given, and never go back.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Protocol, get_args

from simulator.errors import SwitchError
from simulator.service import values

Model = Literal["sliding_window", "fixed_window", "token_bucket", "leaky_bucket"]
MODELS: Final[tuple[str, ...]] = get_args(Model)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a key is allowed: `allowance` calls in `window_seconds`, as `limit_model` understands it.

    sliding_window: never more than the allowance in any window. fixed_window: a counter that starts from zero
    at `limit_phase_seconds` and every window after and before. token_bucket: `limit_capacity` tokens to begin
    with, one a call, refilled evenly at the allowance a window. leaky_bucket: each call adds one to a level that
    may not rise above `limit_capacity` and drains evenly at the allowance a window: a token bucket seen from its
    other side, with the same answers. No capacity means the allowance; windows have none and pass it over.

    A refused call counts too where `limit_refused_count` says so: a bucket then loses what it has left, down to
    empty. The fields are named as the switches are. Raises SwitchError, naming the field.
    """

    allowance: int = 600
    window_seconds: float = 60.0
    limit_model: Model = "sliding_window"
    limit_capacity: int | None = None
    limit_phase_seconds: float = 0.0
    limit_refused_count: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        values.choice("limit_model", self.limit_model, MODELS)
        values.count("allowance", self.allowance)
        if values.seconds("window_seconds", self.window_seconds) == 0:
            msg = "window_seconds: must be a number of seconds above zero"
            raise SwitchError(msg)
        if self.limit_capacity is not None and values.count("limit_capacity", self.limit_capacity) == 0:
            msg = "limit_capacity: must be a whole number from 1 on, or null for the allowance"
            raise SwitchError(msg)
        values.number("limit_phase_seconds", self.limit_phase_seconds, unit="seconds")
        values.flag("limit_refused_count", self.limit_refused_count)

    @property
    def capacity(self) -> int:
        """The calls that a bucket takes at once."""
        return self.allowance if self.limit_capacity is None else self.limit_capacity

    def changed(self, changes: Mapping[str, Any]) -> "Limit":
        """A limit with these fields changed. Raises SwitchError, naming the field."""
        return replace(self, **changes)

    def as_json(self) -> Mapping[str, object]:
        """All of it, for the control port."""
        return asdict(self)


class Meter(Protocol):
    """What one key has used of its limit."""

    def wait(self, limit: Limit, at: float) -> float | None:
        """None when a call would be let in now; else the seconds until it would be, if nothing else came."""
        ...

    def count(self, limit: Limit, at: float) -> None:
        """Count a call."""
        ...


class SlidingWindow:
    """The times of the calls of the last window."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque()

    def wait(self, limit: Limit, at: float) -> float | None:
        """Until the call that is `allowance` calls back leaves the window."""
        calls, window = self._calls, limit.window_seconds
        while calls and at - calls[0] >= window:
            calls.popleft()
        if len(calls) < limit.allowance:
            return None
        return window - (at - calls[-limit.allowance]) if limit.allowance else window

    def count(self, _limit: Limit, at: float) -> None:
        """Remember the call."""
        self._calls.append(at)


class FixedWindow:
    """The number of the window that is under way, and a counter."""

    def __init__(self) -> None:
        self._window: float | None = None
        self._used = 0

    def wait(self, limit: Limit, at: float) -> float | None:
        """Until the next boundary."""
        number, into = divmod(at - limit.limit_phase_seconds, limit.window_seconds)
        if number != self._window:
            self._window, self._used = number, 0
        return None if self._used < limit.allowance else limit.window_seconds - into

    def count(self, limit: Limit, at: float) -> None:
        """Count in the window of `at`."""
        self.wait(limit, at)
        self._used += 1


class Bucket:
    """The level of a leaky bucket, or what is missing in a token bucket.

    In units of which a call is `window_seconds` and a second drains `allowance`: nothing is divided but waits.
    """

    def __init__(self) -> None:
        self._level = 0.0
        self._at: float | None = None

    def wait(self, limit: Limit, at: float) -> float | None:
        """Until the level has room for one call more."""
        self._drain(limit, at)
        above = self._level + limit.window_seconds - limit.capacity * limit.window_seconds
        if not limit.allowance:
            return limit.window_seconds
        return above / limit.allowance if above > 0 else None

    def count(self, limit: Limit, at: float) -> None:
        """Add the call; what would run over is lost."""
        self._drain(limit, at)
        self._level = min(self._level + limit.window_seconds, limit.capacity * limit.window_seconds)

    def _drain(self, limit: Limit, at: float) -> None:
        if self._at is not None:
            self._level = max(0.0, self._level - (at - self._at) * limit.allowance)
        self._at = at


METERS: Final[Mapping[str, type[SlidingWindow | FixedWindow | Bucket]]] = {
    "sliding_window": SlidingWindow,
    "fixed_window": FixedWindow,
    "token_bucket": Bucket,
    "leaky_bucket": Bucket,
}


class Limiter:
    """One meter a key, all under one limit."""

    def __init__(self, limit: Limit) -> None:
        """Every key begins with nothing used."""
        self.limit = limit
        self._meters: dict[str, Meter] = {}

    @property
    def allowance(self) -> int:
        """The limit's; set it, and only that of the limit is another from now on."""
        return self.limit.allowance

    @allowance.setter
    def allowance(self, allowance: int) -> None:
        self.change(replace(self.limit, allowance=allowance))

    def change(self, limit: Limit) -> None:
        """Use this limit from now on. Another model begins with nothing used; else what was used stays."""
        if limit.limit_model != self.limit.limit_model:
            self._meters.clear()
        self.limit = limit

    def admit(self, key: str, at: float) -> float | None:
        """None when the call is let in; else the seconds until one would be. `at` never goes back for a key."""
        limit, meter = self.limit, self._meter(key)
        wait = meter.wait(limit, at)
        if wait is None:
            meter.count(limit, at)
        elif limit.limit_refused_count:
            meter.count(limit, at)
            return meter.wait(limit, at)
        return wait

    def remember(self, key: str, at: float) -> None:
        """Count a call that counted before a restart."""
        self._meter(key).count(self.limit, at)

    def _meter(self, key: str) -> Meter:
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = METERS[self.limit.limit_model]()
        return meter


def worst_window(times: Sequence[float], window_seconds: float) -> int:
    """The most `times` (any order) in any half-open window of this length. Exact: two pointers."""
    ordered = sorted(times)
    worst = oldest = 0
    for newest, at in enumerate(ordered):
        while at - ordered[oldest] >= window_seconds:
            oldest += 1
        worst = max(worst, newest - oldest + 1)
    return worst
