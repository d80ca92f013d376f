"""How much of Solid's allowance is used, never more than all of it, and how long the calls stop when a mint is killed.

Time is scaled: Solid grants 600 calls in 15 s. Everything is read from the simulator's own record of calls.
"""

import time
from itertools import pairwise
from typing import Any, Final

from benchmarks.events import payouts
from benchmarks.staging import Setting, await_said, opened, pause, said
from ops.processes import Process, wait_for
from runtime.settings import BucketSettings
from simulator.limits import worst_window

PACE: Final = BucketSettings(allowance=600, window_seconds=15, burst=5, jitter_seconds=0.1)
BUSY_SECONDS: Final = 30.0
WORKERS: Final = (1, 4)
AROUND_SECONDS: Final = 10.0


def measure(rabbitmq_url: str) -> dict[str, Any]:
    """The figures by the number of workers; with several, the minting one is killed at the end."""
    found: dict[str, Any] = {
        "allowance": PACE.allowance,
        "window_seconds": PACE.window_seconds,
        "most_the_mint_gives_percent": round(100 * PACE.rate * PACE.window_seconds / PACE.allowance, 1),
    }
    for workers in WORKERS:
        with opened(rabbitmq_url, PACE, RELAY_WORKER__PREFETCH="48") as setting:
            seconds = BUSY_SECONDS + (AROUND_SECONDS if workers > 1 else 0) + 5
            setting.publish(payouts(setting.company, "paced", int(PACE.rate * seconds)))
            found[f"workers_{workers}"] = _busy(setting, workers)
    return found


def _busy(setting: Setting, count: int) -> dict[str, Any]:
    workers = [setting.stage.start_worker(f"worker-{number}") for number in range(count)]
    for worker in workers:
        await_said(worker, "worker.consuming")
    wait_for(lambda: setting.state()["writes"] > PACE.burst, what="a start")
    begun = time.monotonic()
    pause(BUSY_SECONDS)
    ended = time.monotonic()
    found: dict[str, Any] = {}
    if count > 1:
        found["mint_failover_seconds"] = _kill_the_mint(setting, workers)
    times = _times(setting)
    busy = [at for at in times if begun <= at < ended]
    used = len(busy) / (PACE.allowance * (ended - begun) / PACE.window_seconds)
    refused = sum(call["rate_limited"] for call in setting.calls())
    return {
        "used_percent": round(100 * used, 1),
        "worst_window": worst_window(times, PACE.window_seconds),
        "calls_refused": refused,
        **found,
    }


def _kill_the_mint(setting: Setting, workers: list[Process]) -> float:
    """Kill the worker whose mint was elected; the longest gap between two calls around that moment."""
    [minting] = [worker for worker in workers if said(worker, "mint.elected")]
    killed = time.monotonic()
    minting.kill()
    pause(AROUND_SECONDS)
    around = [at for at in _times(setting) if killed - 1 <= at < killed + AROUND_SECONDS]
    return round(max(after - before for before, after in pairwise(around)), 2)


def _times(setting: Setting) -> list[float]:
    return sorted(float(call["monotonic"]) for call in setting.calls())
