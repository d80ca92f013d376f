"""What `relay status` says of feeds: the last file or poll, its figures, and how long the oldest file has waited."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from ops.feeding import company_of
from producers.feeds.claims import FAILED
from producers.feeds.listing import files_in
from producers.feeds.reports import JSON_SUFFIX
from runtime.clock import Clock
from runtime.sections_feeds import FolderFeed
from runtime.settings import Settings
from store.feed_runs import FeedRun, FeedRuns


async def feeds(
    settings: Settings, engine: AsyncEngine, clock: Clock, *, company: str | None = None
) -> dict[str, dict[str, Any]]:
    """Feed → its figures, ready for JSON: of all companies, or of one.

    `lag_seconds`: of a folder the age of the oldest file that waits, 0 where none does; of a polled address the time
    since the last pass that came to its end. None where that is not known. Raises StoreUnavailable.
    """
    runs = FeedRuns(engine)
    found = {}
    for name, feed in settings.feeds.items():
        whose = company_of(feed, settings)
        if company in (None, whose):
            latest = await runs.latest(whose, name, limit=50)
            figures: dict[str, Any] = {"company": whose, "source": feed.source, "last": _last(latest)}
            if isinstance(feed, FolderFeed):
                figures |= _folder(feed, clock.now())
            else:
                ended = next((run.ended_at for run in latest if run.state != "interrupted"), None)
                figures["lag_seconds"] = None if ended is None else (clock.now() - ended).total_seconds()
            found[name] = figures
    return found


def _last(latest: Sequence[FeedRun]) -> Mapping[str, Any] | None:
    if not latest:
        return None
    run = latest[0]
    shown = ("name", "state", "rows", "events", "rejects", "size", "error")
    return {name: getattr(run, name) for name in shown} | {"ended_at": run.ended_at.isoformat()}


def _folder(feed: FolderFeed, now: datetime) -> dict[str, Any]:
    try:
        waiting = files_in(feed.folder, feed.files)
        failed = _failed(feed.folder / FAILED, feed.files)
    except OSError as error:
        return {"waiting": None, "failed": None, "lag_seconds": None, "problem": f"{feed.folder}: {error.strerror}"}
    lag = max((now.timestamp() - seen.mtime for seen in waiting), default=0.0)
    return {"waiting": len(waiting), "failed": failed, "lag_seconds": max(0.0, lag), "problem": None}


def _failed(folder: Path, files: str) -> int:
    """Files with a report, of those that this feed takes: another may watch the same folder."""
    return len(files_in(folder, f"{files}{JSON_SUFFIX}")) if folder.is_dir() else 0
