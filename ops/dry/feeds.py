"""What the feeds would publish now, and what would be written: nothing is claimed, moved, sent or remembered."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from messaging.publisher import Encoded
from ops.composing.contexts import company_of
from ops.composing.feeds import chosen, context_of, facts_of, patterns_of, refuse_bad_settings, store_file
from ops.composing.workers import books_of, open_store
from ops.dry.offline import plan_lines
from producers.feeds.listing import Quiet, files_in, left_alone
from producers.feeds.passing import FeedProblem, Turn
from producers.feeds.places import hold
from producers.feeds.polling import PolledAddress
from producers.feeds.reading import read
from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.sources import SOURCES
from runtime.clock import Clock
from runtime.sections_feeds import FolderFeed
from runtime.settings import ConfigurationError, Settings
from schemas.envelope import encode
from store.errors import StoreError
from store.feeds.cursors import Cursor, Cursors
from store.feeds.names import FeedNames
from workers.books.books import Books, sample_books

JsonLine = Mapping[str, Any]
_WARM: Final = "still being written"


def dry_run(settings: Settings, clock: Clock, *, only: str | None) -> Iterator[JsonLine]:
    """A line for each event, each write and each refusal: `kind`, `feed`, `file`, `where`, `text`, `event`, `write`.

    Works without a broker. A polled address is asked from where its cursor is, or from the start without a store.
    Each feed is planned as if nothing else had ever happened. To be called outside of a running loop.

    Raises:
        ConfigurationError: there is no feed of that name, or none at all.
    """
    for name, problem in settings.wrong_feeds.items() if only is None else ():
        yield _line("refused", name, "relay.toml", "settings", text=problem)
    for name, feed in chosen(settings, only).items():
        try:
            refuse_bad_settings(name, settings)
            context = context_of(name, feed, settings, facts_of=asyncio.run(_facts_of(name, settings)))
            books = _books(settings.of(company_of(feed, settings)))
        except ConfigurationError as error:
            yield _line("refused", name, "relay.toml", "settings", text=str(error))
            continue
        if isinstance(feed, FolderFeed):
            patterns = patterns_of(feed.folder, settings.feeds)
            yield from _planned(_of_folder(name, feed, context, now=clock.now().timestamp(), patterns=patterns), books)
        else:
            address = PolledAddress(name, feed, context, _NoPublisher(), _NoCursors(), clock)
            yield from _planned(asyncio.run(_of_address(address, settings)), books)


def _planned(lines: Iterable[JsonLine], books: Books) -> Iterator[JsonLine]:
    """The lines, and after each event the writes that it becomes."""
    told: list[JsonLine] = []
    last: JsonLine = {}

    def bodies() -> Iterator[bytes]:
        nonlocal last
        for line in lines:
            told.append(line)
            if line["kind"] == "event":
                last = line
                yield json.dumps(line["event"]).encode()

    for write in plan_lines(bodies(), books):
        yield from told
        told.clear()
        where = last["feed"], last["file"], last["where"]
        yield _line("refused", *where, text=write) if isinstance(write, str) else _line("write", *where, write=write)
    yield from told


def _books(settings: Settings) -> Books:
    """Those of the company; without any, the sample that `relay plan` uses."""
    settings.refuse_wrong()
    return books_of(settings) if settings.books.exists() else sample_books()


def _of_folder(
    name: str, feed: FolderFeed, context: NormaliseContext, *, now: float, patterns: list[str]
) -> Iterator[JsonLine]:
    try:
        with hold(feed.folder) as folder:
            listing = files_in(folder, feed.files)
            ready = list(Quiet(feed.quiet_seconds).of(listing, now=now, monotonic=0))
            for odd, why in sorted(left_alone(folder, patterns).items()):
                yield _line("note", name, odd, "file", text=f"left alone: {why}")
            for seen in listing:
                if seen not in ready:
                    yield _line("note", name, seen.name, "file", text=_WARM)
                    continue
                with folder.open(seen.name) as file:
                    yield from _of_file(name, seen.name, read(feed.source, file, context, max_bytes=feed.max_bytes))
    except OSError as error:
        yield _line("refused", name, str(feed.folder), "folder", text=error.strerror or type(error).__name__)


def _of_file(feed: str, name: str, pieces: Iterator[Taken | Refused]) -> Iterator[JsonLine]:
    try:
        for piece in pieces:
            if isinstance(piece, Refused):
                text = f"{piece.field or ''}: {piece.reason}: {piece.message}".removeprefix(": ")
                yield _line("refused", feed, name, piece.where, text=text)
                continue
            for event in piece.events:
                yield _event(feed, name, piece.where, encode(event))
    except Rejected as rejected:
        yield _line("refused", feed, name, "file", text=f"{rejected.reason}: {rejected}")


async def _of_address(address: PolledAddress, settings: Settings) -> list[JsonLine]:
    name, source = address.name, address.settings.source
    lines: list[JsonLine] = []
    number = 0
    turn = Turn(asyncio.Event(), address.clock, patient=False)
    try:
        async for page in address.pages(await _cursor(address, settings), turn):
            for item in page.items:
                number += 1
                where = f"item {number}"
                if item.rejected is not None:
                    text = f"{item.rejected.reason}: {item.rejected}"
                    lines.append(_line("refused", name, source, where, text=text))
                lines += [_event(name, source, where, event.body) for event in item.events]
    except FeedProblem as problem:
        lines.append(_line("refused", name, source, "address", text=str(problem)))
    finally:
        await address.close()
    return lines


async def _facts_of(name: str, settings: Settings) -> str:
    feed = settings.feeds[name]
    store = store_file(settings)
    new = feed.facts_of if feed.facts_of is not None else "" if SOURCES[feed.source].document else name
    if feed.facts_of is not None or (store is not None and not store.exists()):
        return new
    try:
        async with open_store(settings) as engine:
            return await facts_of(name, feed, settings, FeedNames(engine), decide=False)
    except (StoreError, ConfigurationError):
        return new


async def _cursor(address: PolledAddress, settings: Settings) -> Cursor:
    try:
        async with open_store(settings) as engine:
            found = await Cursors(engine, address.clock).get(address.context.company, address.name)
    except (StoreError, ConfigurationError):
        return Cursor()
    return Cursor(found.value)


def _event(feed: str, file: str, where: str, body: bytes) -> JsonLine:
    event = json.loads(body)
    return _line("event", feed, file, where, text=f"{event['type']} {event['data']['fact']}", event=event)


def _line(kind: str, feed: str, file: str, where: str, **more: object) -> JsonLine:
    return {"kind": kind, "feed": feed, "file": file, "where": where, **more}


class _NoPublisher:
    """A dry run publishes nothing."""

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        _never(messages)

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        _never(body, source, company, reason, error)


class _NoCursors:
    """A dry run moves nothing."""

    async def get(self, company: str, feed: str) -> Cursor:
        _never(company, feed)

    async def move(self, company: str, feed: str, to: Cursor) -> None:
        _never(company, feed, to)


def _never(*_: object) -> NoReturn:
    raise AssertionError
