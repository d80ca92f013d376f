"""What the feeds would publish now, and what would be written: nothing is claimed, moved, sent or remembered."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, NoReturn

from messaging.publisher import Encoded
from ops.feeding import chosen, company_of, context_of
from ops.offline import plan_lines
from ops.roles import open_store
from producers.feeds.errors import FeedProblem
from producers.feeds.feed import Turn
from producers.feeds.listing import Quiet, files_in
from producers.feeds.polling import PolledAddress
from producers.feeds.reading import read
from producers.normalising import NormaliseContext, Refused, Rejected
from runtime.clock import Clock
from runtime.sections_feeds import FolderFeed
from runtime.settings import ConfigurationError, Settings
from schemas.envelope import decode, encode
from store.cursors import Cursor, Cursors
from store.errors import StoreError
from workers.books import Books, load_books, sample_books

Line = Mapping[str, Any]
_WARM: Final = "still being written"


async def dry_run(settings: Settings, clock: Clock, stop: asyncio.Event, *, only: str | None) -> AsyncIterator[Line]:
    """A line for each event, each write and each refusal: `kind`, `feed`, `file`, `where`, `text`, `event`, `write`.

    Works without a broker. A polled address is asked from where its cursor is, or from the start without a store.

    Raises:
        ConfigurationError: a feed cannot be used as it is set.
    """
    for name, feed in chosen(settings, only).items():
        context = context_of(name, feed, settings)
        books = _books(settings.of(company_of(feed, settings)))
        if isinstance(feed, FolderFeed):
            for line in _of_folder(name, feed, context, books, now=clock.now().timestamp()):
                yield line
        else:
            address = PolledAddress(name, feed, context, _NoPublisher(), _NoCursors(), clock)
            cursor = await _cursor(settings, clock, context.company, name)
            for line in await _of_address(address, cursor, books, Turn(stop, clock, patient=False)):
                yield line


def _books(settings: Settings) -> Books:
    """Those of the company; without any, the sample that `relay plan` uses."""
    return load_books(settings.books) if settings.books.exists() else sample_books()


def _of_folder(name: str, feed: FolderFeed, context: NormaliseContext, books: Books, *, now: float) -> Iterator[Line]:
    try:
        listing = files_in(feed.folder, feed.files)
        ready = list(Quiet(feed.quiet_seconds).of(listing, now=now, monotonic=0))
        for seen in listing:
            if seen not in ready:
                yield _line("note", name, seen.name, "file", text=_WARM)
                continue
            with (feed.folder / seen.name).open("rb") as file:
                try:
                    for piece in read(feed.source, file, context, max_bytes=feed.max_bytes):
                        if isinstance(piece, Refused):
                            text = f"{piece.field or ''}: {piece.reason}: {piece.message}".removeprefix(": ")
                            yield _line("refused", name, seen.name, piece.where, text=text)
                            continue
                        for event in piece.events:
                            yield from _of_event(name, seen.name, piece.where, encode(event), books)
                except Rejected as rejected:
                    yield _line("refused", name, seen.name, "file", text=f"{rejected.reason}: {rejected}")
    except OSError as error:
        yield _line("refused", name, str(feed.folder), "folder", text=error.strerror or type(error).__name__)


async def _of_address(address: PolledAddress, cursor: Cursor, books: Books, turn: Turn) -> list[Line]:
    name, source = address.name, address.settings.source
    lines: list[Line] = []
    number = 0
    try:
        async for page in address.pages(cursor, turn):
            for item in page.items:
                number += 1
                where = f"item {number}"
                if item.rejected is not None:
                    text = f"{item.rejected.reason}: {item.rejected}"
                    lines.append(_line("refused", name, source, where, text=text))
                for event in item.events:
                    lines += _of_event(name, source, where, event.body, books)
    except FeedProblem as problem:
        lines.append(_line("refused", name, source, "address", text=str(problem)))
    finally:
        await address.close()
    return lines


async def _cursor(settings: Settings, clock: Clock, company: str, name: str) -> Cursor:
    try:
        async with open_store(settings) as engine:
            found = await Cursors(engine, clock).get(company, name)
    except (StoreError, ConfigurationError):
        return Cursor()
    return Cursor(found.value)


def _of_event(name: str, file: str, where: str, body: bytes, books: Books) -> Iterator[Line]:
    event = decode(body)
    yield _line("event", name, file, where, text=f"{event.type} {event.data.fact}", event=event.model_dump(mode="json"))
    for write in plan_lines([body], books):
        if isinstance(write, str):
            yield _line("refused", name, file, where, text=write)
        else:
            yield _line("write", name, file, where, write=write)


def _line(kind: str, feed: str, file: str, where: str, **more: object) -> Line:
    return {"kind": kind, "feed": feed, "file": file, "where": where, **more}


class _NoPublisher:
    """A dry run publishes nothing."""

    async def publish_all(self, messages: list[Encoded]) -> None:
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
