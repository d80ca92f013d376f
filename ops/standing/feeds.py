"""What `relay status` says of feeds: the last file or poll, its figures, and how long the oldest file has waited."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ops.composing.contexts import company_of
from ops.composing.feeds import patterns_of, refuse_bad_settings, state_folder_of
from ops.composing.stripe import feed_name, key_of, read_with_key
from ops.composing.waiting_company import NOT_TO_BE_MADE
from producers.calling.errors import ProviderError
from producers.feeds.aside import Aside
from producers.feeds.listing import FAILED, files_in, left_alone
from producers.feeds.passing import FolderUnusable
from producers.feeds.places import hold
from producers.feeds.reports import JSON_SUFFIX
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.sections_feeds import FolderFeed
from runtime.settings import Settings
from store.feeds.runs import FeedRun, FeedRuns

_PATIENCE_SECONDS: Final = 5.0
_MOST_NAMES: Final = 20


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
                figures |= await _folder(name, settings, clock.now())
            else:
                ended = next((run.ended_at for run in latest if run.state != "interrupted"), None)
                figures["lag_seconds"] = None if ended is None else (clock.now() - ended).total_seconds()
            found[name] = figures | {"problem": problem_of(name, settings) or figures.get("problem")}
    for table, own in read_with_key(settings).items():
        whose = company_of(own, settings)
        if company in (None, whose, *own.companies):
            found[feed_name(table)] = await _reading(table, whose, settings, runs, clock)
    unknown = {"company": None, "source": None, "last": None, "lag_seconds": None}
    return found | {name: unknown | {"problem": problem} for name, problem in settings.wrong_feeds.items()}


async def _reading(table: str, company: str, settings: Settings, runs: FeedRuns, clock: Clock) -> dict[str, Any]:
    """Of a reading with a key the same as of a polled address."""
    latest = await runs.latest(company, feed_name(table), limit=50)
    ended = next((run.ended_at for run in latest if run.state != "interrupted"), None)
    lag = None if ended is None else (clock.now() - ended).total_seconds()
    try:
        problem = None
        key_of(table, settings.all_webhooks[table]).current()
    except (ProviderError, ConfigurationError) as error:
        problem = str(error)
    return {"company": company, "source": "stripe", "last": _last(latest), "lag_seconds": lag, "problem": problem}


def problem_of(name: str, settings: Settings) -> str | None:
    """What keeps a feed from being made, as far as its settings and their files tell; None for nothing."""
    try:
        refuse_bad_settings(name, settings)
    except NOT_TO_BE_MADE as error:
        return str(error)
    return None


def _last(latest: Sequence[FeedRun]) -> Mapping[str, Any] | None:
    if not latest:
        return None
    run = latest[0]
    shown = ("name", "state", "rows", "events", "rejects", "size", "error")
    return {name: getattr(run, name) for name in shown} | {"ended_at": run.ended_at.isoformat()}


async def _folder(name: str, settings: Settings, now: datetime) -> dict[str, Any]:
    unknown: dict[str, Any] = {"waiting": None, "failed": None, "left_alone": {}, "lag_seconds": None}
    try:
        return await Aside.once(f"feeds.{name}", _PATIENCE_SECONDS, _looked_at, name, settings, now)
    except FolderUnusable as error:
        return {**unknown, "problem": str(error)}
    except OSError as error:
        return {**unknown, "problem": f"{error.filename}: {error.strerror}"}


def _looked_at(name: str, settings: Settings, now: datetime) -> dict[str, Any]:
    feed = settings.feeds[name]
    assert isinstance(feed, FolderFeed)  # noqa: S101 - for the types: only those are asked for
    with hold(feed.folder) as folder:
        waiting = files_in(folder, feed.files)
        odd = left_alone(folder, patterns_of(feed.folder, settings.feeds))
    failed = _failed(state_folder_of(name, feed, settings) / FAILED)
    lag = max((now.timestamp() - seen.mtime for seen in waiting), default=0.0)
    return {
        "waiting": len(waiting),
        "failed": failed,
        "left_alone": dict(sorted(odd.items())[:_MOST_NAMES]),
        "lag_seconds": max(0.0, lag),
        "problem": None,
    }


def _failed(folder: Path) -> int:
    """Files with a report."""
    return sum(path.name.endswith(JSON_SUFFIX) for path in folder.iterdir()) if folder.is_dir() else 0
