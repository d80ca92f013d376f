"""What people would use instead of the mint, side by side: the same simulator, allowance and callers, other limiters.

First one of four processes has work, as with a single active consumer; then all four have; then the process that
matters is killed: the mint's, Redis (started again at once, as a service manager would), one of the in-process ones.
Time runs five times faster: 600 calls in 12 s. Each limiter has a key of its own, so each has the whole allowance.
"""

import hashlib
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.crew import longest_gap
from benchmarks.peer import PROCESSES
from benchmarks.redis_server import MISSING, RedisServer, redis_server
from benchmarks.staging import Progress, Setting, await_said, opened, pause, said
from runtime.settings import BucketSettings
from staging.processes import Process

PACE: Final = BucketSettings(
    allowance=600,
    window_seconds=12,
    burst=5,
    jitter_seconds=0.1,
    probe_gap_seconds=0.2,
    longest_probe_gap_seconds=6,
)
KINDS: Final = ("aiolimiter_divided", "aiolimiter_undivided", "redis_fixed_window", "redis_moving_window", "relay")
STRETCH_SECONDS: Final = 2 * PACE.window_seconds
AFTER_SECONDS: Final = PACE.window_seconds
ROOT: Final = Path(__file__).parents[1]


def measure(rabbitmq_url: str, *, progress: Progress) -> dict[str, Any]:
    """The figures of each limiter, or the sentence why it was left out."""
    found: dict[str, Any] = {"allowance": PACE.allowance, "window_seconds": PACE.window_seconds}
    gaps = {
        "RELAY_BUCKET__PROBE_GAP_SECONDS": str(PACE.probe_gap_seconds),
        "RELAY_BUCKET__LONGEST_PROBE_GAP_SECONDS": str(PACE.longest_probe_gap_seconds),
        "PYTHONPATH": str(ROOT),
    }
    with opened(rabbitmq_url, PACE, **gaps) as setting:
        setting.simulator.switch(keys=[_key(kind) for kind in KINDS])
        for kind in KINDS:
            found[kind] = _one(setting, kind)
            progress(f"{kind}: {found[kind]}")
    return found


def _one(setting: Setting, kind: str) -> Any:  # noqa: ANN401 - figures, or a sentence
    if not kind.startswith("redis"):
        return _compared(setting, kind, None)
    folder = setting.stage.folder / kind
    folder.mkdir()
    with redis_server(folder) as redis:
        return MISSING if redis is None else _compared(setting, kind, redis)


def _compared(setting: Setting, kind: str, redis: RedisServer | None) -> Mapping[str, Any]:
    peers = [_start(setting, kind, number, redis) for number in range(PROCESSES)]
    try:
        for peer in peers:
            await_said(peer, "peer.ready")
        begun = time.monotonic()
        peers[0].signal(signal.SIGUSR1)
        pause(STRETCH_SECONDS)
        for peer in peers[1:]:
            peer.signal(signal.SIGUSR1)
        pause(STRETCH_SECONDS)
        _kill(peers, redis)
        pause(AFTER_SECONDS)
    finally:
        for peer in peers:
            peer.kill()
    return _figures(setting, kind, begun)


def _start(setting: Setting, kind: str, number: int, redis: RedisServer | None) -> Process:
    arguments = ["--url", setting.simulator.base_url, "--key", _key(kind)]
    arguments += ["--allowance", str(PACE.allowance), "--window", str(PACE.window_seconds)]
    if redis is not None:
        arguments += ["--redis-port", str(redis.port)]
    return setting.stage.start(f"{kind}-{number}", "benchmarks.peer", kind, *arguments)


def _kill(peers: list[Process], redis: RedisServer | None) -> None:
    if redis is not None:
        redis.kill()
        redis.start()
    else:
        next((peer for peer in peers if said(peer, "mint.elected")), peers[0]).kill()


@dataclass(frozen=True, slots=True)
class _Calls:
    at: list[float]
    let_in: list[float]

    def used_percent(self, since: float, until: float) -> float:
        let_in = sum(since <= at < until for at in self.let_in)
        return round(100 * let_in * PACE.window_seconds / (PACE.allowance * (until - since)), 1)

    def refused(self, since: float) -> int:
        return sum(at >= since for at in self.at) - sum(at >= since for at in self.let_in)


def _figures(setting: Setting, kind: str, begun: float) -> Mapping[str, Any]:
    name = hashlib.sha256(_key(kind).encode()).hexdigest()[:8]
    rows = [call for call in setting.calls() if call["key"] == name]
    calls = _Calls(
        [call["monotonic"] for call in rows], [call["monotonic"] for call in rows if not call["rate_limited"]]
    )
    killed = begun + 2 * STRETCH_SECONDS
    verdict = setting.simulator.ask("/judge", key=name, window_seconds=PACE.window_seconds)
    return {
        "used_one_busy_percent": calls.used_percent(begun, begun + STRETCH_SECONDS),
        "used_all_busy_percent": calls.used_percent(begun + STRETCH_SECONDS, killed),
        "used_after_the_kill_percent": calls.used_percent(killed, killed + AFTER_SECONDS),
        "worst_window": verdict["worst_window"],
        "refused": verdict["rate_limited"],
        "refused_before_the_kill": verdict["rate_limited"] - calls.refused(killed),
        "gap_seconds": longest_gap(sorted(calls.let_in), killed - 1, killed + AFTER_SECONDS),
    }


def _key(kind: str) -> str:
    return hashlib.sha256(kind.encode()).hexdigest()
