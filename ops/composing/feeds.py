"""From `[feeds]` to running feeds: built, kept running, or looked at once. Part of the composition root."""

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url

from messaging.errors import MessagingError
from ops.composing.contexts import company_of, fed_context
from ops.composing.stripe import StripeFeed, feed_name, read_with_key
from ops.composing.waiting_feed import WaitingFeed
from ops.composing.workers import open_publisher, open_store
from producers.feeds.feed import Feed, keep_feeding
from producers.feeds.folder import WatchedFolder
from producers.feeds.passing import FeedProblem, Pass, Progress, Turn, no_progress
from producers.feeds.polling import PolledAddress
from producers.normalising import NormaliseContext
from producers.sources import SOURCES, queued
from runtime.clock import Clock
from runtime.lifecycle import rest
from runtime.sections_feeds import FeedSettings, FolderFeed, PollingFeed
from runtime.settings import ConfigurationError, Settings
from store.errors import StoreError
from store.feeds.cursors import Cursors
from store.feeds.names import FeedNames
from store.feeds.runs import FeedRuns

FEEDS: Final = "/feeds/"
"""How the source of an item begins that a polled feed kept; the feed and its source follow."""


def chosen(settings: Settings, only: str | None = None) -> Mapping[str, FeedSettings]:
    """All feeds of `[feeds]`, or the one that is named; none where that is a reading with a key.

    Raises:
        ConfigurationError: there is none of that name, its table is wrong, or there is none at all.
    """
    readings = {feed_name(name) for name in read_with_key(settings)}
    if only in readings:
        return {}
    if only is not None and only in settings.wrong_feeds:
        raise ConfigurationError(settings.wrong_feeds[only])
    if only is not None and only not in settings.feeds:
        known = ", ".join(sorted([*settings.feeds, *readings])) or "none"
        msg = f"no feed is called {only!r}; there are: {known}"
        raise ConfigurationError(msg)
    if not (settings.feeds or settings.wrong_feeds or readings):
        msg = "no feed is set: write [feeds.<name>] with a source, and a folder or a url (docs/feeds.md)"
        raise ConfigurationError(msg)
    return settings.feeds if only is None else {only: settings.feeds[only]}


def refuse_shared_files(name: str, feeds: Mapping[str, FeedSettings]) -> None:
    """Make sure that no file of a feed is for whichever of two feeds comes first.

    Raises:
        ConfigurationError: two watch one folder, and one's `files` hold the other's; or they keep state in one.
    """
    folders = [(each, feed) for each, feed in feeds.items() if isinstance(feed, FolderFeed)]
    for (one, mine), (other, theirs) in combinations(folders, 2):
        if name not in (one, other):
            continue
        if mine.state_folder is not None and mine.state_folder == theirs.state_folder:
            msg = f"feeds.{one} and feeds.{other} have one state_folder, {mine.state_folder}: give each its own"
            raise ConfigurationError(msg)
        same = mine.folder.absolute() == theirs.folder.absolute()
        if same and (fnmatchcase(mine.files, theirs.files) or fnmatchcase(theirs.files, mine.files)):
            msg = (
                f"feeds.{one} and feeds.{other} watch {mine.folder} for the same files: give them other names in files"
            )
            raise ConfigurationError(msg)


def state_folder_of(name: str, feed: FolderFeed, settings: Settings) -> Path:
    """Where `work/`, `done/` and `failed/` of a folder are: as set, else beside the store, where no partner writes."""
    if feed.state_folder is not None:
        return feed.state_folder
    store = store_file(settings)
    return (store.parent if store else Path("var")) / "feeds" / name


def store_file(settings: Settings) -> Path | None:
    """The SQLite database; None where it is another."""
    url = make_url(settings.store.url.get_secret_value())
    store = url.database if url.get_backend_name() == "sqlite" else None
    return Path(store) if store else None


def patterns_of(folder: Path, feeds: Mapping[str, FeedSettings]) -> list[str]:
    """Which names the feeds of one folder take, together."""
    return [each.files for each in feeds.values() if isinstance(each, FolderFeed) and each.folder == folder]


async def facts_of(name: str, feed: FeedSettings, settings: Settings, names: FeedNames, *, decide: bool) -> str:
    """Under which name a feed's facts are known: as set, else as was decided when it first ran, else its own.

    What also comes by webhook has names of its own, all over the world. `decide` keeps it. Raises StoreError.
    """
    if feed.facts_of is not None:
        return feed.facts_of
    if feed.source in SOURCES and SOURCES[feed.source].document:
        return ""
    company = company_of(feed, settings)
    if decide:
        return await names.of(company, name)
    known = await names.known(company, name)
    return name if known is None else known


def context_of(name: str, feed: FeedSettings, settings: Settings, *, facts_of: str = "") -> NormaliseContext:
    """What a feed's source is told besides its documents; `facts_of` is asked of the function of that name.

    Raises:
        ConfigurationError: the source is not known or holds people's data, its options cannot be used, or there is no
            currency.
    """
    try:
        queued(feed.source)
    except ConfigurationError as error:
        raise ConfigurationError(f"feeds.{name}.source: {error}") from error
    return fed_context(f"feeds.{name}", feed, settings, facts_of=facts_of)


def refuse_bad_settings(name: str, settings: Settings) -> None:
    """Make sure that a feed can be used as it is set; nothing of its folder or address is looked at.

    Raises:
        ConfigurationError: its files are another feed's too, its token cannot be read; or see `context_of`.
    """
    feed = settings.feeds[name]
    refuse_shared_files(name, settings.feeds)
    context_of(name, feed, settings)
    if isinstance(feed, PollingFeed):
        feed.bearer(name)


@asynccontextmanager
async def open_feeds(
    settings: Settings, clock: Clock, *, only: str | None = None, progress: Progress = no_progress
) -> AsyncIterator[list[Feed]]:
    """Every feed that is set, and every reading with a key, or the one that is named; nothing is looked at yet.

    One that cannot be used as it is set waits until that is mended, and stops nobody else.

    Raises:
        ConfigurationError: there is none of that name, or none at all.
    """
    feeds = chosen(settings, only)
    async with open_store(settings) as engine, open_publisher(settings, clock, "feed") as publisher:
        runs, cursors, names = FeedRuns(engine), Cursors(engine, clock), FeedNames(engine)

        async def make(name: str, feed: FeedSettings) -> Feed:
            refuse_bad_settings(name, settings)
            known = await facts_of(name, feed, settings, names, decide=True)
            context = context_of(name, feed, settings, facts_of=known)
            if isinstance(feed, FolderFeed):
                state = state_folder_of(name, feed, settings)
                return WatchedFolder(name, feed, state, context, publisher, clock, runs, progress)
            return PolledAddress(name, feed, context, publisher, cursors, clock, runs, progress)

        async def refuse(problem: str) -> Feed:
            raise ConfigurationError(problem)

        wrong = settings.wrong_feeds if only is None else {}
        readings = [
            StripeFeed(
                table=table, settings=settings, engine=engine, publisher=publisher, clock=clock, progress=progress
            )
            for table in read_with_key(settings)
        ]
        yield [
            *(WaitingFeed(name, functools.partial(make, name, feed)) for name, feed in feeds.items()),
            *(WaitingFeed(name, functools.partial(refuse, problem)) for name, problem in wrong.items()),
            *(reading for reading in readings if only in (None, reading.name)),
        ]


async def run_feeds(feeds: Sequence[Feed], stop: asyncio.Event, clock: Clock) -> None:
    """Run all until `stop` is set; what ails one stops no other."""
    async with asyncio.TaskGroup() as group:
        for feed in feeds:
            group.create_task(keep_feeding(feed, stop, clock))


async def feed_all(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Run every feed that is set, and every reading with a key, if any, until `stop` is set."""
    if settings.feeds or settings.wrong_feeds or read_with_key(settings):
        async with open_feeds(settings, clock) as feeds:
            await run_feeds(feeds, stop, clock)


@dataclass(slots=True)
class Looked:
    """What came of looking at one feed once."""

    feed: str
    found: Pass = field(default_factory=Pass)
    problem: str | None = None

    @property
    def good(self) -> bool:
        """Nothing was refused, and all that was there is settled."""
        found = self.found
        return self.problem is None and not (found.refused or found.unfinished or found.odd)

    def as_json(self) -> Mapping[str, Any]:
        """Ready for JSON."""
        return {"feed": self.feed, **asdict(self.found), "problem": self.problem}


async def look_once(feeds: Sequence[Feed], settings: Settings, stop: asyncio.Event, clock: Clock) -> list[Looked]:
    """One pass over each, one feed after the other; files that are still warm are given time to become quiet."""
    looked = []
    for feed in feeds:
        looked.append(one := Looked(feed.name))
        turn = Turn(stop, clock, patient=False)
        try:
            one.found.add(await feed.look(turn))
            own = settings.feeds.get(feed.name)
            if one.found.unfinished and isinstance(own, FolderFeed) and not stop.is_set():
                await rest(stop, clock.sleep(own.quiet_seconds))
                one.found.add(await feed.look(turn))
        except (FeedProblem, MessagingError, StoreError, ConfigurationError) as error:
            one.problem = str(error)
            if isinstance(error, FeedProblem) and error.found is not None:
                one.found.add(error.found)
        finally:
            await feed.close()
    return looked
