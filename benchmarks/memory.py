"""The memory of a worker while many events wait in its queue: it holds what it has in hand, and no more."""

import time
from pathlib import Path
from typing import Any, Final

from benchmarks.events import payouts
from benchmarks.staging import Setting, await_said, pause
from ops.processes import Process

BUSY_SECONDS: Final = 15.0
LIMIT_MB: Final = 150


def measure(setting: Setting, *, queued: int) -> dict[str, Any]:
    """Queue so many events and let a worker work at them for a while."""
    started = time.monotonic()
    setting.publish(payouts(setting.company, "queued", queued))
    took = time.monotonic() - started
    worker = setting.stage.start_worker()
    await_said(worker, "worker.consuming")
    await_said(worker, "delivery.settled")
    early = _megabytes(worker, "VmRSS")
    pause(BUSY_SECONDS)
    found = {
        "queued": queued,
        "published_per_second": round(queued / took, 1),
        "rss_mb_at_start": early,
        "rss_mb": _megabytes(worker, "VmRSS"),
        "peak_mb": _megabytes(worker, "VmHWM"),
        "limit_mb": LIMIT_MB,
    }
    worker.kill()
    return found


def _megabytes(process: Process, name: str) -> float:
    """A figure of the kernel's about a process (Linux only)."""
    lines = Path(f"/proc/{process.popen.pid}/status").read_text().splitlines()
    [kilobytes] = [int(line.split()[1]) for line in lines if line.startswith(f"{name}:")]
    return round(kilobytes / 1024, 1)
