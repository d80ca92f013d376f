"""Measures the inbox on both stores: writes (claim and applied, two commits) a second at 1, 16 and 64 at a time.

`python -m benchmarks.store` prints one JSON object. It uses a new SQLite file and a private PostgreSQL cluster,
both in the temporary folder (TMPDIR): a folder in memory flatters them, so the price of one fdatasync there is
printed too.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import text

from runtime.clock import SystemClock
from staging.postgres import PostgresNotFound, PrivatePostgres, installed_binaries
from store.claims import Fresh
from store.engine import connect, transact
from store.inbox import EventRef, Inbox, Intent
from store.migrate import upgrade

CONCURRENT: Final = (1, 16, 64)
SYNCED_WRITES: Final = 51


@contextmanager
def sqlite_store() -> Iterator[str]:
    """Give the URL of a new file."""
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as folder:
        yield f"sqlite:///{folder}/relay.db"


@contextmanager
def postgresql_store() -> Iterator[str]:
    """Give the URL of a new cluster's database. Raises PostgresNotFound."""
    cluster = PrivatePostgres(installed_binaries())
    try:
        cluster.start()
        yield cluster.url("postgres")
    finally:
        cluster.stop()


def measure(url: str, seconds: float) -> dict[str, dict[str, float]]:
    """Run each concurrency for `seconds` on an empty database: figures by number at a time."""
    upgrade(url)
    return {str(concurrent): asyncio.run(_run(url, concurrent, seconds)) for concurrent in CONCURRENT}


async def _run(url: str, concurrent: int, seconds: float) -> dict[str, float]:
    engine = connect(url)
    inbox = Inbox(engine, owner="bench", lease=timedelta(seconds=60), clock=SystemClock())
    numbers = count()

    async def work(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            await _one_write(inbox, f"{concurrent}-{next(numbers)}")
            done += 1
        return done

    await work(time.perf_counter() + seconds / 10)  # connections and statements are made once
    if engine.dialect.name == "postgresql":  # as its autovacuum does within a minute
        await transact(engine, lambda connection: connection.execute(text("ANALYZE")))
    started, busy = time.perf_counter(), time.process_time()
    done = sum(await asyncio.gather(*(work(started + seconds) for _ in range(concurrent))))
    took, busy = time.perf_counter() - started, time.process_time() - busy
    await engine.dispose()
    return {"writes_per_second": round(done / took, 1), "cpu_ms_per_write": round(1000 * busy / done, 3)}


async def _one_write(inbox: Inbox, name: str) -> None:
    charge = f"stripe:charge:ch_{name}"
    event = EventRef("/webhooks/stripe", f"evt_{name}", "sales.payment.succeeded.v1", f"ch_{name}")
    intent = Intent(f"{charge}:payment", "payment", "0" * 64, group_key=charge, about={"date": "2026-03-26"})
    [answer] = await inbox.claim("main", event, [intent])
    if not isinstance(answer, Fresh):
        message = f"{name} is new, and its claim is {answer}"
        raise TypeError(message)
    await inbox.applied("main", intent.external_id, answer.epoch, solid_id=f"solid-{name}")


def fdatasync_ms() -> float:
    """The usual time of one synced write in the temporary folder."""
    took: list[float] = []
    with tempfile.TemporaryFile(dir=Path(tempfile.gettempdir())) as file:
        for _ in range(SYNCED_WRITES):
            started = time.perf_counter()
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - started))
    return round(median(took), 3)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=3.0, help="for each of the six figures")
    seconds: float = arguments.parse_args().seconds
    report: dict[str, object] = {"fdatasync_ms": fdatasync_ms()}
    for name, store in (("sqlite", sqlite_store), ("postgresql", postgresql_store)):
        try:
            with store() as url:
                report[name] = measure(url, seconds)
        except PostgresNotFound as missing:
            report[name] = {"skipped": str(missing)}
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
