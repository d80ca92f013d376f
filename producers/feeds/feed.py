"""What every feed has in common: passes, the sending of batches, the keeping of what became of them.

It must not know what a feed reads: `folder` and `polling` do.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol

import structlog

from messaging.errors import MessagingError
from messaging.publisher import Encoded, Publishes
from producers.feeds.passing import FeedProblem, Interrupted, Pass, Turn
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.lifecycle import rest
from store.errors import StoreError
from store.feeds.runs import FeedRun

IN_FLIGHT: Final = 250
"""Events under way to the broker together."""

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0

log = structlog.get_logger()


class Runs(Protocol):
    """Where it is kept what became of files and polls."""

    async def add(self, run: FeedRun) -> None:
        """Keep one. Raises StoreError."""


class Feed(Protocol):
    """A folder or an address that is looked at again and again."""

    @property
    def name(self) -> str:
        """As in `[feeds.<name>]`."""

    @property
    def every_seconds(self) -> float:
        """From the end of one pass to the next."""

    async def look(self, turn: Turn) -> Pass:
        """One pass: all that is there now. After FeedProblem, StoreError, MessagingError looking again is right."""

    async def close(self) -> None:
        """Leave nothing behind."""


async def send(publisher: Publishes, batch: list[Encoded], turn: Turn, *, feed: str) -> None:
    """Publish a batch and wait for its confirms; again and again while the broker is away. Raises Interrupted."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await publisher.publish_all(batch)
        except MessagingError as error:
            if not turn.patient or turn.stop.is_set():
                raise Interrupted(str(error)) from error
            log.warning("feed.waiting_for_broker", feed=feed, error=str(error), again_seconds=pause)
        await rest(turn.stop, turn.clock.sleep(pause))
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def keep_run(runs: Runs | None, run: FeedRun, *, ignored: Mapping[str, int] | None = None) -> None:
    """Keep what became of it, and say it in one line. Without the store a folder's feed goes on all the same.

    `ignored` says how many documents post nothing, by reason; the line has them by the first word of it.
    """
    by_kind: Counter[str] = Counter()
    for reason, count in (ignored or {}).items():
        by_kind[reason.partition(":")[0]] += count
    seconds = (run.ended_at - run.started_at).total_seconds()
    figures = {"rows": run.rows, "events": run.events, "rejects": run.rejects, "seconds": round(seconds, 3)}
    told = {"company": run.company, "name": run.name, "state": run.state, "ignored": dict(by_kind)}
    log.info("feed.settled", feed=run.feed, **told, **figures)
    if runs is None:
        return
    try:
        await runs.add(run)
    except StoreError as error:
        log.warning("feed.run_not_kept", feed=run.feed, error=str(error))


async def keep_feeding(feed: Feed, stop: asyncio.Event, clock: Clock) -> None:
    """Look again and again until `stop` is set. What goes wrong is said once, until it is something else."""
    told = ""
    try:
        while not stop.is_set():
            pause, problem = feed.every_seconds, ""
            try:
                await feed.look(Turn(stop, clock))
            except (FeedProblem, StoreError, MessagingError, ConfigurationError) as error:
                problem = str(error)
                if isinstance(error, FeedProblem):
                    pause = max(pause, error.after_seconds or 0)
            except Exception as error:
                problem = f"a defect: {type(error).__name__}"
                log.exception("feed.failed", feed=feed.name)
            if problem not in ("", told) and not stop.is_set():
                log.warning("feed.interrupted", feed=feed.name, error=problem)
            elif told and not problem:
                log.info("feed.goes_on", feed=feed.name)
            told = problem
            await rest(stop, clock.sleep(pause))
    finally:
        await feed.close()
