"""A watched folder: 100,000 CSV rows read and published with confirms by `relay feed --once`, and its memory."""

import json
import os
import random
import time
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.staging import Setting

LIMIT_SECONDS: Final = 60
LIMIT_MB: Final = 200
OPTIONS: Final = {
    "kind": "adjusted",
    "columns": {"id": "document", "item": "sku", "quantity": "qty"},
}


def measure(setting: Setting, *, rows: int) -> dict[str, Any]:
    """Put the file there, run one pass, and look at what it took: seconds, processor seconds, peak megabytes."""
    folder = setting.stage.folder / "feed"
    folder.mkdir()
    (folder / "log.csv").write_text("\n".join(_lines(rows)) + "\n")
    feed = {"source": "warehouse-csv", "folder": str(folder), "quiet_seconds": 0, "currency": "USD", "options": OPTIONS}
    setting.stage.overrides["RELAY_FEEDS"] = json.dumps({"bench": feed})
    started = time.monotonic()
    process = setting.stage.start("feed", "ops.commands.relay", "feed", "--once")
    _, status, used = os.wait4(process.popen.pid, 0)
    took = time.monotonic() - started
    process.popen.returncode = os.waitstatus_to_exitcode(status)
    if process.popen.returncode:
        msg = f"bench: the feed failed: {process.log.read_text()[-2000:]}"
        raise SystemExit(msg)
    return {
        "rows": rows,
        "seconds": round(took, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "rows_per_second": round(rows / took, 1),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "limit_seconds": LIMIT_SECONDS,
        "limit_mb": LIMIT_MB,
    }


def _lines(rows: int) -> Iterator[str]:
    """Damaged goods of 2,000 items, a few of them much more often than the others."""
    chance = random.Random(1)  # noqa: S311 - a made-up stock log
    yield "day,sku,qty,reason,document"
    for number in range(rows):
        item = int(chance.paretovariate(1.1)) % 2000
        yield f"2026-03-{1 + number % 28:02d},SKU-{item:05d},{chance.choice((-1, 1, -2, 3))},damage,ADJ-{number}"
