"""The stage of a benchmark: a simulator whose limit is no obstacle, events in a queue, and settings for the relay."""

import asyncio
import contextlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from messaging.connection import Link
from messaging.publisher import Publisher
from runtime.clock import SystemClock
from runtime.settings import BucketSettings
from schemas.envelope import Event
from staging.processes import Process, Simulator, Stage, stage, wait_for

NO_LIMIT: Final = BucketSettings(allowance=12_000, window_seconds=60, burst=20)
"""Some 200 calls a second: more than a worker and a simulator manage on one machine."""

Progress = Callable[[str], None]
"""Is told how far a benchmark has come, a line at a time."""

AT_A_TIME: Final = 128
RETRY_DELAYS: Final = (1.0, 5.0)


@dataclass(slots=True)
class Setting:
    """A stage with a simulator, without workers."""

    stage: Stage
    simulator: Simulator

    @property
    def company(self) -> str:
        """Whose books."""
        return self.stage.company

    def publish(self, events: Iterable[Event]) -> None:
        """Put events into the company's queue, confirmed."""
        asyncio.run(publish(self.stage.rabbitmq_url, self.company, events))

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """What Solid was asked, from a number on."""
        found: list[dict[str, Any]] = self.simulator.ask("/calls", since=since)
        return found

    def await_writes(self, count: int, *, within_seconds: float = 300) -> None:
        """Wait until so many records are in the books in all."""
        wait_for(lambda: self.state()["writes"] >= count, what=f"{count} records", within_seconds=within_seconds)

    def state(self) -> dict[str, Any]:
        """How many calls there were, and how many writes: records without the accounts the books opened with."""
        found: dict[str, Any] = self.simulator.ask("/state")
        return found


@contextmanager
def opened(rabbitmq_url: str, pace: BucketSettings = NO_LIMIT, **overrides: str) -> Iterator[Setting]:
    """A stage of its own: folder, company, simulator. All of it is gone afterwards."""
    company = f"b{secrets.token_hex(4)}"
    settings = {
        "RELAY_STRIPE__TEST_MODE": "true",  # the examples of Stripe are of its test mode
        "RELAY_BUCKET__ALLOWANCE": str(pace.allowance),
        "RELAY_BUCKET__WINDOW_SECONDS": str(pace.window_seconds),
        "RELAY_BUCKET__BURST": str(pace.burst),
        "RELAY_BUCKET__JITTER_SECONDS": str(pace.jitter_seconds),
        "RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": str(list(RETRY_DELAYS)),
        **overrides,
    }
    with (
        tempfile.TemporaryDirectory(prefix="relay-bench-") as folder,
        stage(Path(folder), rabbitmq_url, company=company, **settings) as on,
    ):
        sample = resources.files("workers.books").joinpath("sample_books.toml").read_text()
        (on.folder / "books.toml").write_text('base_currency = "USD"\n' + sample)
        limit = pace.allowance if pace is not NO_LIMIT else 10**9
        yield Setting(on, on.start_simulator("--allowance", str(limit), "--window-seconds", str(pace.window_seconds)))


async def publish(rabbitmq_url: str, company: str, events: Iterable[Event]) -> None:
    """Publish events as the receiver does, many at a time."""
    link = Link(SecretStr(rabbitmq_url), name="benchmark")
    publisher = Publisher(link, clock=SystemClock(), companies=[company], retry_delays=RETRY_DELAYS, timeout=60)
    rest = iter(events)

    async def some() -> None:
        for event in rest:
            await publisher.publish(event)

    try:
        await asyncio.gather(*(some() for _ in range(AT_A_TIME)))
    finally:
        await link.close()


def said(process: Process, event: str) -> int:
    """How often a process has logged an event."""
    with contextlib.suppress(FileNotFoundError):
        return process.log.read_text().count(f'"event": "{event}"')
    return 0


def await_said(process: Process, event: str, *, times: int = 1) -> None:
    """Wait until a process has logged an event so often."""
    wait_for(lambda: said(process, event) >= times, what=f"{process.name} to say {event}", within_seconds=60)


def pause(seconds: float) -> None:
    """Let something run for so long: the measure is of time itself."""
    time.sleep(seconds)
