"""When each backlog will be done. Pure: figures in, seconds out.

A lane whose backlog is served takes turns by its weight; what the others use of the allowance goes on as it did in the
last window. A stream with fewer calls than its share is done first, and its share goes to the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from messaging.lanes import Lane, lane_of

USUAL_CALLS: Final[Mapping[str, float]] = {"sales": 2.0, "replay": 2.0}
"""Calls an event costs where nothing was measured: a sale is an invoice and its payment, as a rule."""

FEWEST_MEASURED: Final = 20
"""Deliveries in the last window from which the measured cost is believed."""

KEPT_UP_WITH: Final = 20
"""A backlog so small that its lane keeps up with what comes: what the lane used is what it will use."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What the mint saw in the last window: tokens and settled deliveries by lane."""

    window_seconds: float
    tokens: Mapping[Lane, int]
    settled: Mapping[Lane, int]

    def calls_for_one(self, stream: str) -> float:
        """Calls for one event of a stream."""
        lane = lane_of(stream, replayed=False)
        if self.settled.get(lane, 0) >= FEWEST_MEASURED:
            return self.tokens.get(lane, 0) / self.settled[lane]
        return USUAL_CALLS.get(stream, 1.0)


def forecast(
    backlog: Mapping[str, int], *, rate: float, weights: Mapping[Lane, int], recent: Recent
) -> dict[str, float]:
    """Stream → seconds until what waits now is done, at `rate` calls a second; 0 where nothing waits."""
    done = dict.fromkeys(backlog, 0.0)
    calls = {stream: count * recent.calls_for_one(stream) for stream, count in backlog.items() if count}
    busy = {lane_of(stream, replayed=False) for stream, count in backlog.items() if count > KEPT_UP_WITH}
    elsewhere = sum(count for lane, count in recent.tokens.items() if lane not in busy) / recent.window_seconds
    free = max(rate - elsewhere, rate * _least_share(busy, weights))
    clock = 0.0
    while calls:
        speeds = _speeds(calls, free, weights)
        first = min(calls, key=lambda stream: calls[stream] / speeds[stream])
        took = calls[first] / speeds[first]
        clock += took
        calls = {stream: left - took * speeds[stream] for stream, left in calls.items() if stream != first}
        done[first] = clock
    return {stream: round(seconds, 1) for stream, seconds in done.items()}


def _speeds(calls: Mapping[str, float], free: float, weights: Mapping[Lane, int]) -> dict[str, float]:
    """Calls a second for each stream with calls left: lanes by weight, streams of one lane alike."""
    lanes = [lane_of(stream, replayed=False) for stream in calls]
    whole = sum(weights[lane] for lane in set(lanes))
    return {stream: free * weights[lane] / whole / lanes.count(lane) for stream, lane in zip(calls, lanes, strict=True)}


def _least_share(busy: set[Lane], weights: Mapping[Lane, int]) -> float:
    """What the weights guarantee to lanes with a backlog, however much the others want."""
    return sum(weights[lane] for lane in busy) / sum(weights.values()) if busy else 1.0
