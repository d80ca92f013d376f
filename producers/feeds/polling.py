"""A polled address: page by page to the source's normaliser, and to the broker; only then does the cursor move.

A crash repeats, and never skips: the cursor of times and numbers moves after the last page, as nobody says in which
order items come; one that the answer gives moves page by page. What the last pass has settled is not published again.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from messaging.errors import MessagingError
from messaging.publisher import Encoded, Publishes, encoded
from producers.feeds.asking import Answer, Asking
from producers.feeds.bounded import BYTES_A_BUDGET
from producers.feeds.feed import IN_FLIGHT, Runs, keep_run, send
from producers.feeds.passing import FeedProblem, Interrupted, Pass, PollRefused, Progress, Turn, no_progress
from producers.feeds.positions import at_path, following, of_answer, sent
from producers.feeds.reading import read_document
from producers.normalising import NormaliseContext, Rejected
from producers.reading.documents import elements_at
from producers.sources import queued
from runtime.clock import Clock
from runtime.sections_feeds import PollingFeed
from store.feeds.cursors import Cursor
from store.feeds.runs import FeedRun, FeedRunState

MOST_PAGES: Final = 10_000
MOST_REFUSED: Final = 1_000
"""Items of one pass that are put before a person; fewer than the digests that are kept, so that each is put there once.

Is there one more, the cursor stays, and the feed has a problem; what is good is published all the same.
"""
PAGE_SECONDS: Final = 120.0
"""For normalising a page, and as long again for each further `BYTES_A_BUDGET` of it."""
_FIRST_TWO: Final = 2


class Cursors(Protocol):
    """Where it is kept how far a feed has been read. Both raise StoreError."""

    async def get(self, company: str, feed: str) -> Cursor:
        """Where it stands."""

    async def move(self, company: str, feed: str, to: Cursor) -> None:
        """Durable on return."""


@dataclass(frozen=True, slots=True)
class PolledItem:
    """One item of a page: as it came, and what it became; what is good in it is not kept back by what is not."""

    raw: bytes
    digest: str
    events: tuple[Encoded, ...]
    rejected: Rejected | None
    ignored: str | None


@dataclass(frozen=True, slots=True)
class PolledPage:
    """One answer, as JSON, and its items."""

    answer: Answer
    document: object
    items: tuple[PolledItem, ...]


@dataclass(slots=True)
class _Reading:
    """What one pass has come to so far. `position` is the cursor as it may be moved to, `seen` what is settled.

    `refused` are items that cannot be normalised, known ones too; `moved` is where the cursor stands.
    """

    started: datetime
    cursor: Cursor
    position: str | None
    moved: str | None
    refused: int = 0
    pages: int = 0
    rows: int = 0
    events: int = 0
    rejects: int = 0
    size: int = 0
    etag: str | None = None
    ignored: Counter[str] = field(default_factory=Counter)
    seen: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Of `seen`, what a person has before them: forgotten last, lest it be put there again."""


@dataclass(slots=True)
class PolledAddress:
    """One `[feeds.<name>]` with a url. One pass at a time, and one process: its calls are counted here."""

    name: str
    settings: PollingFeed
    context: NormaliseContext
    publisher: Publishes
    cursors: Cursors
    clock: Clock
    runs: Runs | None = None
    progress: Progress = no_progress
    transport: httpx2.AsyncBaseTransport | None = None
    _asking: Asking = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is connected yet. Raises ConfigurationError, see `queued`."""
        queued(self.settings.source)
        self._asking = Asking(self.name, self.settings, transport=self.transport)

    @property
    def every_seconds(self) -> float:
        """See `Feed`."""
        return self.settings.every_seconds

    async def close(self) -> None:
        """Close the connections."""
        await self._asking.close()

    async def look(self, turn: Turn) -> Pass:
        """One pass over all pages. Raises PollRefused, PollUnavailable, Interrupted; StoreUnavailable of the cursor."""
        cursor = await self.cursors.get(self.context.company, self.name)
        reading = _Reading(self.clock.now(), cursor, cursor.value, cursor.value)
        try:
            async with aclosing(self.pages(cursor, turn)) as pages:
                async for page in pages:
                    await self._settle(page, reading, turn)
            await self._finish(reading)
        except FeedProblem as problem:
            await keep_run(self.runs, self._run(reading, problem))
            if reading.kept:  # lest a person has them again after each pass that does not end well
                seen = [*cursor.seen, *reading.seen, *reading.kept]
                await self.cursors.move(self.context.company, self.name, Cursor(reading.moved, None, seen))
            raise
        run, done = self._run(reading, None), Pass()
        done.count(run)
        await keep_run(self.runs, run, ignored=reading.ignored)
        return done

    async def pages(self, cursor: Cursor, turn: Turn) -> AsyncGenerator[PolledPage, None]:
        """All pages from a cursor on; nothing is published and nothing moved by it. Raises as `look` does."""
        url: str | None = self._first(cursor)
        etag = cursor.etag if self.settings.etag else None
        been: set[str] = set()
        before: tuple[str, ...] = ()
        while url is not None:
            if url in been or len(been) == MOST_PAGES:
                raise self._refused(f"the pages go round in a circle, or are more than {MOST_PAGES:,}")
            been.add(url)
            answer = await self._asking.get(url, etag=etag, turn=turn)
            etag = None
            if answer is None:
                return
            page = await asyncio.to_thread(self._normalised, answer, turn)
            digests = tuple(item.digest for item in page.items)
            numbered = self.settings.pages.kind == "number"
            if numbered and digests and digests == before:
                if len(been) > _FIRST_TWO:  # the last page again, for all behind it
                    return
                raise self._refused("the first two pages are alike: is pages.param right? For one page alone, none")
            before = digests
            url = self._numbered(url, page, pages=len(been)) if numbered else self._next(url, page)
            yield page
            self._look(turn)

    def _refused(self, said: str) -> PollRefused:
        return PollRefused(f"feeds.{self.name}: {said}")

    def _look(self, turn: Turn) -> None:
        """Raise Interrupted where the feed is to stop."""
        if turn.stop.is_set():
            raise Interrupted(f"feeds.{self.name}: stopped in the middle; what is not settled is asked for again")

    async def _settle(self, page: PolledPage, reading: _Reading, turn: Turn) -> None:
        """Have the broker confirm all that is new on a page, and then move on, to where is known before."""
        position = self._position_after(page, reading)
        known = set(reading.cursor.seen)
        new = [item for item in page.items if item.digest not in known]
        events = [event for item in new for event in item.events]
        for start in range(0, len(events), IN_FLIGHT):
            self._look(turn)
            await send(self.publisher, events[start : start + IN_FLIGHT], turn, feed=self.name)
        await self._refuse(page, known, reading, turn)
        reading.pages += 1
        reading.rows += len(page.items)
        reading.events += len(events)
        reading.ignored.update(item.ignored.partition(":")[0] for item in new if item.ignored)
        reading.size += len(page.answer.body)
        reading.etag = page.answer.etag
        reading.seen += [item.digest for item in page.items if item.rejected is None]
        self.progress(self.name, "polling", reading.rows, 0)
        reading.position = position
        by_page = self.settings.cursor is not None and self.settings.cursor.field is not None
        if by_page and position != reading.moved and reading.refused <= MOST_REFUSED:
            seen = [*reading.seen, *reading.kept]
            await self.cursors.move(self.context.company, self.name, Cursor(position, None, seen))
            reading.moved = position

    async def _refuse(self, page: PolledPage, known: set[str], reading: _Reading, turn: Turn) -> None:
        """Put before a person, once, what of a page cannot be normalised, as far as there is room in the pass."""
        for item in page.items:
            if item.rejected is None:
                continue
            reading.refused += 1
            if reading.refused > MOST_REFUSED:
                continue
            if item.digest not in known:
                self._look(turn)
                await self._keep(item.raw, item.rejected)
                reading.rejects += 1
            reading.kept.append(item.digest)

    def _position_after(self, page: PolledPage, reading: _Reading) -> str | None:
        settings = self.settings.cursor
        if settings is None:
            return None
        if settings.max_of is None:
            return of_answer(settings, reading.position, page.document)
        values = at_path(page.document, self.settings.items) if self.settings.items else page.document
        items = [value for value in (values if isinstance(values, list) else [values]) if isinstance(value, dict)]
        return following(settings, reading.position, items, asked_at=reading.started)

    async def _finish(self, reading: _Reading) -> None:
        """After the last page. An ETag is of one address, and of one page: it is kept where both are asked again."""
        if not reading.pages:
            return
        if reading.refused > MOST_REFUSED:
            raise self._refused(
                f"{reading.refused:,} items of one pass cannot be normalised, and {MOST_REFUSED:,} are before a person "
                "(relay dead list). Is source right, and items? The cursor stays where it is until fewer are refused."
            )
        same = reading.position == reading.cursor.value and reading.pages == 1
        to = Cursor(reading.position, reading.etag if same else None, [*reading.seen, *reading.kept])
        await self.cursors.move(self.context.company, self.name, to)

    async def _keep(self, raw: bytes, why: Rejected) -> None:
        source, company = f"/feeds/{self.name}/{self.settings.source}", self.context.company
        try:
            await self.publisher.keep_raw(raw, source=source, company=company, reason=why.reason, error=str(why))
        except MessagingError as error:
            raise Interrupted(str(error)) from error

    def _first(self, cursor: Cursor) -> str:
        settings, url = self.settings.cursor, self.settings.url
        if settings is not None:
            value = sent(settings, cursor.value, overlap=timedelta(seconds=self.settings.overlap_seconds))
            url = url if value is None else _with(url, settings.param, value)
        pages = self.settings.pages
        return _with(url, pages.param or "", str(pages.first)) if pages.kind == "number" else url

    def _numbered(self, url: str, page: PolledPage, *, pages: int) -> str | None:
        """The address of the next numbered page; None where this one has no items, or fewer than a full one."""
        settings = self.settings.pages
        if len(page.items) < (settings.size or 1):
            return None
        return _with(url, settings.param or "", str(settings.first + pages * settings.step))

    def _next(self, url: str, page: PolledPage) -> str | None:
        """The address of the next page, on the same server as the first: the token goes nowhere else."""
        following_page = page.answer.next_link
        if self.settings.pages.field is not None:
            value = at_path(page.document, self.settings.pages.field)
            if not value:
                return None
            param = self.settings.pages.param
            following_page = _joined(url, str(value)) if param is None else _with(url, param, str(value))
        if following_page is not None and _origin(following_page) != _origin(self.settings.url):
            raise self._refused("the next page is on another server, or nowhere; the token is not sent there")
        return following_page

    def _normalised(self, answer: Answer, turn: Turn) -> PolledPage:
        seconds = PAGE_SECONDS * max(1.0, len(answer.body) / BYTES_A_BUDGET)
        ends = self.clock.monotonic() + seconds
        try:
            raws = elements_at(answer.body, self.settings.items)
            document = json.loads(answer.body, parse_float=str, parse_int=str)
        except (ValueError, RecursionError) as error:
            said = f"{error}: is feeds.{self.name}.items right?"
            if isinstance(error, UnicodeError | RecursionError) or str(error) == "no JSON":
                kind = f"the answer is no JSON{f', but {answer.kind}' if answer.kind else ''}"
                said = f"{kind}: is feeds.{self.name}.url right, and is the token of use there?"
            raise self._refused(said) from None
        items = []
        for raw in raws:
            self._look(turn)
            if self.clock.monotonic() > ends:
                raise self._refused(f"a page takes more than {seconds:g} s to read: have smaller pages sent")
            items.append(_item(raw, self.settings.source, self.context))
        return PolledPage(answer, document, tuple(items))

    def _run(self, reading: _Reading, problem: FeedProblem | None) -> FeedRun:
        state: FeedRunState = "interrupted" if problem else "failed" if reading.rejects else "done"
        parts = urlsplit(self.settings.url)
        return FeedRun(
            company=self.context.company,
            feed=self.name,
            name=f"{parts.hostname}{parts.path}",
            state=state,
            size=reading.size,
            rows=reading.rows,
            events=reading.events,
            rejects=reading.rejects,
            error=None if problem is None else str(problem),
            started_at=reading.started,
            ended_at=self.clock.now(),
        )


def _item(raw: bytes, source: str, context: NormaliseContext) -> PolledItem:
    digest = hashlib.sha256(raw).hexdigest()[:16]
    normalised, rejected = read_document(source, raw, context)
    return PolledItem(raw, digest, tuple(encoded(event) for event in normalised.events), rejected, normalised.ignored)


def _with(url: str, param: str, value: str) -> str:
    """The address with one parameter set, in place of any of that name."""
    parts = urlsplit(url)
    kept = [(name, said) for name, said in parse_qsl(parts.query, keep_blank_values=True) if name != param]
    return parts._replace(query=urlencode([*kept, (param, value)])).geturl()


def _joined(url: str, target: str) -> str:
    """The address that is meant; of what is none, itself, which is on no server."""
    try:
        return str(httpx2.URL(url).join(target))
    except (httpx2.InvalidURL, ValueError):
        return ""


def _origin(url: str) -> object:
    """The server of an address, as the client that calls it reads it; None where there is none, or a user in it."""
    try:
        parsed = httpx2.URL(url)
        origin = None if parsed.userinfo else parsed.origin
    except (httpx2.InvalidURL, ValueError):
        return None
    return origin
