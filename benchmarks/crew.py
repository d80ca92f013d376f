"""The workers of a benchmark: which of them mints, and how fast they call, as the simulator counted it."""

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.events import payouts
from benchmarks.staging import Setting, await_said, pause, said
from runtime.settings import BucketSettings
from staging.processes import Process, wait_for


@dataclass(slots=True)
class Crew:
    """Workers with more to do than the allowance lets them."""

    setting: Setting
    pace: BucketSettings
    workers: list[Process]

    def verdict(self, since: float, until: float) -> dict[str, Any]:
        """Give used_percent (of the allowance, by calls that were let in), worst_window and refused of a stretch."""
        judged = self.setting.simulator.ask("/judge", since=since, until=until, window_seconds=self.pace.window_seconds)
        allowed = self.pace.allowance * (until - since) / self.pace.window_seconds
        return {
            "used_percent": round(100 * (judged["calls"] - judged["rate_limited"]) / allowed, 2),
            "worst_window": judged["worst_window"],
            "refused": judged["rate_limited"],
        }

    def watch(self, seconds: float) -> dict[str, Any]:
        """Let them work for so long; the verdict on that stretch."""
        begun = time.monotonic()
        pause(seconds)
        return self.verdict(begun, begun + seconds)

    def kill_the_mint(self, *, then_watch: float) -> float:
        """Kill the worker whose mint is elected: the longest time without a call around that moment, in seconds."""
        [minting] = [worker for worker in self.workers if said(worker, "mint.elected")]
        killed = time.monotonic()
        minting.kill()
        self.workers.remove(minting)
        pause(then_watch)
        return longest_gap(self.times(), killed - 1, killed + then_watch)

    def times(self) -> list[float]:
        """When the calls came, in order."""
        return sorted(float(call["monotonic"]) for call in self.setting.calls())


def busy_crew(setting: Setting, pace: BucketSettings, *, workers: int, seconds: float) -> Crew:
    """Start so many workers with work for so long; returns when they are under way."""
    setting.publish(payouts(setting.company, "paced", int(pace.rate * seconds)))
    crew = Crew(setting, pace, [setting.stage.start_worker(f"worker-{number}") for number in range(workers)])
    for worker in crew.workers:
        await_said(worker, "worker.consuming")
    wait_for(lambda: setting.state()["writes"] > pace.burst, what="a start")
    return crew


def longest_gap(times: list[float], since: float, until: float) -> float:
    """Seconds between two calls that follow one another, at most; the end of the stretch counts as a call."""
    around = [*(at for at in times if since <= at < until), until]
    return round(max((after - before for before, after in pairwise(around)), default=until - since), 2)
