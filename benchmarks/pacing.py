"""How much of Solid's allowance is used, and that no limit of any kind is ever exceeded, by any number of workers.

`measure` runs five times faster than Solid grants (600 calls in 12 s); `five_minutes` is real time and the defaults.
Everything is read from the simulator's own record of calls. Buckets are small, so that they judge the pace closely:
with the whole allowance as capacity a bucket lets in whatever a sliding window does.
"""

import time
from typing import Any, Final

from benchmarks.crew import Crew, busy_crew
from benchmarks.staging import Progress, opened, pause
from runtime.settings import BucketSettings
from simulator.service.limits import MODELS

PACE: Final = BucketSettings(allowance=600, window_seconds=12, burst=5, jitter_seconds=0.1)
BUSY_SECONDS: Final = 18.0
AROUND_SECONDS: Final = 5.0
WORKERS: Final = (1, 2, 4, 8, 16)
SMALL_BUCKET: Final = 20

REAL: Final = BucketSettings()
FIVE_MINUTES: Final = 300.0


def measure(rabbitmq_url: str, *, progress: Progress) -> dict[str, Any]:
    """Figures by the number of workers and the limit's model; of several workers the minting one is killed last."""
    found: dict[str, Any] = {
        "allowance": PACE.allowance,
        "window_seconds": PACE.window_seconds,
        "most_the_mint_gives_percent": _most_percent(PACE),
    }
    for workers in WORKERS:
        with opened(rabbitmq_url, PACE, RELAY_WORKER__PREFETCH="48") as setting:
            seconds = BUSY_SECONDS * len(MODELS) + AROUND_SECONDS + 10
            crew = busy_crew(setting, PACE, workers=workers, seconds=seconds)
            found[f"workers_{workers}"] = {model: _under(crew, model, progress) for model in MODELS}
            if workers > 1:
                found[f"workers_{workers}"]["mint_failover_seconds"] = crew.kill_the_mint(then_watch=AROUND_SECONDS)
    return found


def _under(crew: Crew, model: str, progress: Progress) -> dict[str, Any]:
    """The figures of one stretch under one model, which begins with nothing used."""
    crew.setting.simulator.switch(limit_model=model, limit_capacity=SMALL_BUCKET)
    figures = crew.watch(BUSY_SECONDS)
    progress(f"{len(crew.workers)} workers, {model}: {figures}")
    return figures


def five_minutes(rabbitmq_url: str, *, progress: Progress) -> dict[str, Any]:
    """Four workers, in real time and with the default settings; the minting one is killed in the middle."""
    half = FIVE_MINUTES / 2
    with opened(rabbitmq_url, REAL) as setting:
        crew = busy_crew(setting, REAL, workers=4, seconds=FIVE_MINUTES + 30)
        begun = time.monotonic()
        pause(half)
        progress("half of the time is over: the mint is killed")
        failover = crew.kill_the_mint(then_watch=half)
        through = crew.verdict(begun + half, begun + half + REAL.window_seconds)
        return {
            "allowance": REAL.allowance,
            "most_the_mint_gives_percent": _most_percent(REAL),
            **crew.verdict(begun, begun + FIVE_MINUTES),
            "before_failover": crew.verdict(begun, begun + half),
            "minute_of_failover": through,
            "mint_failover_seconds": failover,
        }


def _most_percent(pace: BucketSettings) -> float:
    return round(100 * pace.rate * pace.window_seconds / pace.allowance, 2)
