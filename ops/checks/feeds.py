"""The part of `relay check` that looks at feeds. It moves no file and asks no address."""

import tempfile
from pathlib import Path
from typing import Final

from ops.checks.findings import PATIENCE_SECONDS, Checklist
from ops.composing.contexts import company_of
from ops.composing.feeds import context_of, patterns_of, refuse_shared_files, state_folder_of
from producers.feeds.aside import Aside
from producers.feeds.listing import DONE, FAILED, WORK, left_alone
from producers.feeds.passing import FolderUnusable
from producers.feeds.places import Place, hold, parents_of_others, refuse_strange, writable_by_others
from producers.reading.written import renamed
from producers.sources import SOURCES
from runtime.sections_feeds import FeedSettings, FolderFeed, PollingFeed
from runtime.settings import ConfigurationError, Settings

_MOST_NAMES: Final = 20


async def check_feeds(checklist: Checklist, settings: Settings) -> None:
    """A finding for each feed of the company."""
    for name, feed in settings.feeds.items():
        if company_of(feed, settings) == settings.company:
            notes: list[str] = []
            await checklist.look(f"feed {name}", _feed(name, feed, settings, notes))
            checklist.note(f"feed {name}", *notes)


async def _feed(name: str, feed: FeedSettings, settings: Settings, notes: list[str]) -> str:
    refuse_shared_files(name, settings.feeds)
    context = context_of(name, feed, settings)
    read = f"{feed.source} in {context.currency}"
    notes += renamed(SOURCES[feed.source].options, context.options)
    if not isinstance(feed, FolderFeed):
        notes += feed.renamed
        return f"{_address(name, feed)}, {read}"
    try:
        text, found = await Aside.once(f"feeds.{name}", PATIENCE_SECONDS / 3, _folder, name, settings)
    except FolderUnusable as error:
        raise ConfigurationError(str(error)) from error
    notes += found
    return f"{text}, {read}"


def _address(name: str, feed: PollingFeed) -> str:
    token = feed.bearer(name)
    return f"asked every {feed.every_seconds:g} s, {'without a token' if token is None else 'with a token'}"


def _folder(name: str, settings: Settings) -> tuple[str, list[str]]:
    """There, to be read and written, and its state where nobody else writes; and what somebody should know of it."""
    feed = settings.feeds[name]
    assert isinstance(feed, FolderFeed)  # noqa: S101 - for the types: only those are asked for
    where = f"feeds.{name}.folder: {feed.folder}"
    with _held(where, feed.folder) as folder:
        odd = left_alone(folder, patterns_of(feed.folder, settings.feeds))
    _writable(where, feed.folder)
    state = state_folder_of(name, feed, settings)
    _state(name, state, feed.folder)
    notes = [f"{feed.folder} can be written by {who}" for who in [writable_by_others(feed.folder)] if who]
    notes += [
        f"{feed.folder}: whoever may write {who} may put another folder there" for who in parents_of_others(feed.folder)
    ]
    notes += [f"{feed.folder}: {file} is left alone: {why}" for file, why in sorted(odd.items())[:_MOST_NAMES]]
    return f"{feed.folder} can be read and written, its state is in {state}", notes


def _state(name: str, state: Path, folder: Path) -> None:
    where = f"feeds.{name}.state_folder: {state}"
    try:
        for inner in (state / part for part in ("", WORK, DONE, FAILED)):
            if inner.is_symlink() or inner.exists():
                with _held(where, inner) as place:
                    refuse_strange(place)
                _writable(f"feeds.{name}.state_folder: {inner}", inner)
                if inner.stat().st_dev != state.stat().st_dev:
                    raise ConfigurationError(
                        f"{inner} is on another file system than {state}: files are renamed into it"
                    )
        there = next(each for each in (state, *state.absolute().parents) if each.exists())
        if strange := [*([] if there == state else _of_others(there)), *parents_of_others(there)]:
            raise ConfigurationError(
                f"{where}: others may write {', '.join(strange)}, and put a folder of theirs there: set "
                f"feeds.{name}.state_folder to one of the relay's own, outside of {folder}"
            )
    except OSError as error:
        raise ConfigurationError(f"{where}: {error.filename or state}: {error.strerror}") from error


def _of_others(folder: Path) -> list[str]:
    return [f"{folder} ({who})" for who in [writable_by_others(folder)] if who]


def _held(where: str, folder: Path) -> Place:
    try:
        return hold(folder)
    except FileNotFoundError:
        raise ConfigurationError(f"{where} is no folder: make it, or mount it") from None
    except OSError as error:
        raise ConfigurationError(f"{where}: {error.strerror}: name the folder itself") from error


def _writable(where: str, folder: Path) -> None:
    """Try it: what the mode says and what a mount allows are two things."""
    try:
        next(folder.iterdir(), None)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".relay-check-"):
            """It can be made; it is gone again."""
    except OSError as error:
        raise ConfigurationError(f"{where}: {error.strerror}: the relay's user must read and write it") from error
