"""The part of `relay check` that looks at feeds. It moves no file and asks no address."""

import tempfile
from pathlib import Path

from ops.feeding import company_of, context_of, refuse_shared_files
from ops.findings import Checklist
from producers.feeds.claims import DONE, FAILED, WORK
from runtime.sections_feeds import FeedSettings, FolderFeed, PollingFeed
from runtime.settings import ConfigurationError, Settings


async def check_feeds(checklist: Checklist, settings: Settings) -> None:
    """A finding for each feed of the company."""
    for name, feed in settings.feeds.items():
        if company_of(feed, settings) == settings.company:
            await checklist.look(f"feed {name}", _feed(name, feed, settings))


async def _feed(name: str, feed: FeedSettings, settings: Settings) -> str:
    refuse_shared_files(settings.feeds)
    context = context_of(name, feed, settings)
    read = f"{feed.source} in {context.currency}"
    return f"{_folder(name, feed)}, {read}" if isinstance(feed, FolderFeed) else f"{_address(name, feed)}, {read}"


def _address(name: str, feed: PollingFeed) -> str:
    token = feed.bearer(name)
    return f"asked every {feed.every_seconds:g} s, {'without a token' if token is None else 'with a token'}"


def _folder(name: str, feed: FolderFeed) -> str:
    """There, to be read and written, and on one file system with the folders that files are moved to."""
    where = f"feeds.{name}.folder: {feed.folder}"
    if not feed.folder.is_dir():
        raise ConfigurationError(f"{where} is no folder: make it, or mount it")
    _writable(where, feed.folder)
    for inner in (feed.folder / part for part in (WORK, DONE, FAILED)):
        if not inner.exists():
            continue
        _writable(f"feeds.{name}.folder: {inner}", inner)
        if inner.stat().st_dev != feed.folder.stat().st_dev:
            raise ConfigurationError(f"{inner} is on another file system than {feed.folder}: files are renamed into it")
    return f"{feed.folder} can be read and written"


def _writable(where: str, folder: Path) -> None:
    """Try it: what the mode says and what a mount allows are two things."""
    try:
        next(folder.iterdir(), None)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".relay-check-"):
            """It can be made; it is gone again."""
    except OSError as error:
        raise ConfigurationError(f"{where}: {error.strerror}: the relay's user must read and write it") from error
