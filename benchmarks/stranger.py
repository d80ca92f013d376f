"""Somebody else takes a part of the allowance: how soon the mint finds what is left, and how little is refused then.

Time runs five times faster (600 calls in 12 s), the gaps between probes too. The simulator gives no `Retry-After`
here: it speaks in whole seconds, and one would be five.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.crew import Crew, busy_crew
from benchmarks.staging import Progress, opened, pause
from runtime.settings import BucketSettings

PACE: Final = BucketSettings(
    allowance=600,
    window_seconds=12,
    burst=5,
    jitter_seconds=0.1,
    probe_gap_seconds=0.2,
    longest_probe_gap_seconds=6,
)
TAKES: Final = 0.3
ALONE_WINDOWS: Final = 2
THERE_WINDOWS: Final = 9
BACK_WINDOWS: Final = 12
CONVERGED_AFTER: Final = 2
"""Windows, that is minutes of earnest: what is refused and used is judged from there on."""

FEW_PERCENT: Final = 0.5
RECOVERED: Final = 0.95


@dataclass(frozen=True, slots=True)
class Calls:
    """Our calls in order, and which of them were refused."""

    times: Sequence[float]
    refused: Sequence[float]

    @classmethod
    def of(cls, crew: Crew) -> "Calls":
        """Read all of them from the simulator."""
        calls = crew.setting.calls()
        return cls(
            sorted(call["monotonic"] for call in calls),
            sorted(call["monotonic"] for call in calls if call["rate_limited"]),
        )

    def counts(self, since: float, until: float) -> tuple[int, int]:
        """How many there were and how many were refused, `since` included and `until` not."""
        return _between(self.times, since, until), _between(self.refused, since, until)


def measure(rabbitmq_url: str, *, progress: Progress) -> dict[str, Any]:
    """Let a stranger come and go while two workers are busy; the calls are read when all is over."""
    window = PACE.window_seconds
    gaps = {
        "RELAY_BUCKET__PROBE_GAP_SECONDS": str(PACE.probe_gap_seconds),
        "RELAY_BUCKET__LONGEST_PROBE_GAP_SECONDS": str(PACE.longest_probe_gap_seconds),
    }
    with opened(rabbitmq_url, PACE, RELAY_WORKER__PREFETCH="48", **gaps) as setting:
        seconds = window * (ALONE_WINDOWS + THERE_WINDOWS + BACK_WINDOWS)
        crew = busy_crew(setting, PACE, workers=2, seconds=seconds)
        setting.simulator.switch(rate_limit_header=False)
        pause(ALONE_WINDOWS * window)
        came = time.monotonic()
        rate = TAKES * PACE.allowance / window
        setting.simulator.switch(stranger={"rate_per_second": rate, "seconds": seconds})
        progress("the stranger came")
        pause(THERE_WINDOWS * window)
        left = time.monotonic()
        setting.simulator.switch(stranger={"rate_per_second": 0, "seconds": 0})
        progress("the stranger left")
        pause(BACK_WINDOWS * window)
        calls = Calls.of(crew)
    return {
        "takes_percent": round(100 * TAKES),
        "refused_while_alone": calls.counts(0, came)[1],
        **_beside(calls, came, left),
        "recovered_after_windows": _recovered(calls, left),
    }


def _beside(calls: Calls, came: float, left: float) -> dict[str, Any]:
    window = PACE.window_seconds
    judged = came + CONVERGED_AFTER * window
    made, refused = calls.counts(judged, left)
    ours = (1 - TAKES) * PACE.allowance * (left - judged) / window
    return {
        "converged_after_windows": _converged(calls, came, left),
        "refused_percent_after_two_windows": round(100 * refused / max(made, 1), 3),
        "refused_in_the_first_two_windows": calls.counts(came, judged)[1],
        "used_of_what_is_left_percent": round(100 * (made - refused) / ours, 1),
    }


def _converged(calls: Calls, came: float, left: float) -> float | None:
    """Windows until two follow in which hardly anything is refused; None when there never are."""
    two = 2 * PACE.window_seconds
    for moment in [came, *(at + 1e-6 for at in calls.refused if came <= at < left - two)]:
        made, refused = calls.counts(moment, moment + two)
        if 100 * refused < FEW_PERCENT * made:
            return round((moment - came) / PACE.window_seconds, 2)
    return None


def _recovered(calls: Calls, left: float) -> float | None:
    """Windows until one begins in which nearly all of the allowance is used; None when none came in time."""
    window = PACE.window_seconds
    for at in calls.times[bisect_left(calls.times, left) :]:
        made, refused = calls.counts(at, at + window)
        if made - refused >= RECOVERED * PACE.allowance:
            return round((at - left) / window, 2)
    return None


def _between(times: Sequence[float], since: float, until: float) -> int:
    return bisect_left(times, until) - bisect_left(times, since)
