"""Reading a list to its end, in whatever form a next page is hinted at, and knowing when it may be cut.

How Solid pages is not known, so every usual hint is understood; a list without hints that fills a usual page
size is never called complete. Nothing is fetched from another host, or from another path than the list's own.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpx2

from solid.dialect import Dialect, Resource
from solid.errors import DialectMismatch

Row = Mapping[str, object]

USUAL_PAGE_SIZES: Final = frozenset({20, 25, 50, 100, 200, 250, 500, 1000})
"""A page of exactly so many rows looks full."""

MOST_PAGES: Final = 500
"""A list that never ends is an error of somebody; this is where we stop."""

_HINT_PARTS: Final = ("pagination", "meta", "paging", "page_info", "page", "links", "_links")
_NEXT: Final = ("next", "next_url", "next_page_url", "next_link", "next_page")
_CURSORS: Final = ("next_cursor", "cursor_next")
_MORE: Final = ("has_more", "has_next", "has_next_page")
_PAGE: Final = ("page", "current_page", "page_number")
_PAGES: Final = ("pages", "total_pages", "page_count", "last_page")
_TOTAL: Final = ("total", "total_count", "total_items", "total_results")
_OFFSETS: Final = ("offset", "skip")
_ROWS: Final = ("items", "rows", "results", "records")


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: its rows, what it hints about others, and the target of a `Link: rel=next` header."""

    rows: tuple[Row, ...]
    hints: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Listing:
    """All rows that could be read. `cut` says why there may be more (None: there are no more).

    `promised` is True where Solid itself said that there is more which could not be had. `moved` is True where a row
    came twice: the list changed while it was read, as it does when somebody posts, and may be whole another time.
    """

    rows: tuple[Row, ...]
    cut: str | None = None
    promised: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class _Follow:
    url: httpx2.URL


@dataclass(frozen=True, slots=True)
class _Stop:
    cut: str | None = None
    promised: bool = False


@dataclass(frozen=True, slots=True)
class _Position:
    """Where the reading of a list stands, after `page` came from `url`."""

    page: Page
    url: httpx2.URL
    dialect: Dialect
    rows_read: int
    pages_read: int


async def read_all(
    get: Callable[[httpx2.URL], Awaitable[Page]], url: httpx2.URL, dialect: Dialect, *, most_pages: int = MOST_PAGES
) -> Listing:
    """Follow the hints from `url` on. Raises what `get` raises; each page is one call to Solid."""
    rows: dict[str, Row] = {}
    visited: set[httpx2.URL] = set()
    moved = False
    for pages_read in range(1, most_pages + 1):
        visited.add(url)
        page = await get(url)
        known = len(rows)
        rows.update((_identity(row), row) for row in page.rows if _identity(row) not in rows)
        moved = moved or len(rows) - known < len(page.rows)
        if page.rows and len(rows) == known:
            cut = "the next page repeats rows of an earlier one"
            return Listing(tuple(rows.values()), cut, promised=True, moved=True)
        step = _next_step(_Position(page, url, dialect, rows_read=len(rows), pages_read=pages_read))
        if isinstance(step, _Stop):
            return Listing(tuple(rows.values()), step.cut, promised=step.promised, moved=moved)
        if step.url in visited:
            return Listing(tuple(rows.values()), "the pages lead back to an earlier one", promised=True)
        url = step.url
    return Listing(tuple(rows.values()), f"the list has more than {most_pages} pages", promised=True)


def read_page(
    document: Mapping[str, object], payload: object, *, resource: Resource, call: str, link: str | None = None
) -> Page:
    """Find the rows and the hints of one answer. Raises DialectMismatch where there is no list of objects."""
    wrapped: Mapping[str, object] = payload if isinstance(payload, dict) else {}
    rows = next((wrapped[name] for name in (resource, *_ROWS) if name in wrapped), payload)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = f"{call}: the payload is not a list of objects: see solid.dialect.payload_key"
        raise DialectMismatch(msg)
    hints: dict[str, object] = {} if link is None else {"next": link}
    for name, value in (*_hints(document), *_hints(wrapped)):
        if hints.get(name) is None:
            hints[name] = value
    return Page(tuple(rows), hints)


def _hints(part: Mapping[str, object], depth: int = 2) -> Iterator[tuple[str, object]]:
    for camel, value in part.items():
        name = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", camel).lower()
        if isinstance(value, dict) and name in _NEXT:
            yield name, value.get("href", value.get("url"))
        elif isinstance(value, dict):
            if name in _HINT_PARTS and depth:
                yield from _hints(value, depth - 1)
        elif not isinstance(value, list):
            yield name, value


def _next_step(at: _Position) -> _Follow | _Stop:
    hinted, cursor, names = (
        _first(at.page.hints, _NEXT),
        _first(at.page.hints, _CURSORS),
        at.dialect.parameters,
    )
    if isinstance(hinted, str) and _is_address(hinted):
        return _resolved(hinted, at.url)
    if (number := _number(at.page.hints, _NEXT)) is not None:
        return _numbered(number, at)
    cursor = hinted if cursor is None else cursor
    ended = isinstance(cursor, bool) or _first(at.page.hints, _MORE) is False
    if isinstance(cursor, str | int) and not ended:
        return _Follow(at.url.copy_set_param(names.cursor, cursor))
    more = _says_more(at)
    if more is None:
        return _Stop(_looks_full(at))
    return _counted(at) if more else _Stop()


def _numbered(number: int, at: _Position) -> _Follow | _Stop:
    """Take a bare number for the next page's or the next row's; where it could be either, stop."""
    is_page, is_offset = number in (at.pages_read, at.pages_read + 1), number == at.rows_read
    if is_page and not is_offset:
        return _Follow(at.url.copy_set_param(at.dialect.parameters.page, number))
    if is_offset and not is_page:
        return _Follow(at.url.copy_set_param(at.dialect.parameters.offset, number))
    return _Stop(f"the next page is said to be {number}, which cannot be understood", promised=True)


def _counted(at: _Position) -> _Follow | _Stop:
    number, offset = _number(at.page.hints, _PAGE), _number(at.page.hints, _OFFSETS)
    if not at.page.rows:
        return _Stop("an empty page says that there is more", promised=True)
    if number is not None:
        return _Follow(at.url.copy_set_param(at.dialect.parameters.page, number + 1))
    start = at.rows_read if offset is None else offset + len(at.page.rows)
    return _Follow(at.url.copy_set_param(at.dialect.parameters.offset, start))


def _says_more(at: _Position) -> bool | None:
    """Let any hint of more outweigh any of the end: a contradiction is read on, and then called cut."""
    hints, hints_of_more = at.page.hints, list[bool]()
    hints_of_more.extend(hint for hint in (_first(hints, _MORE), _first(hints, _NEXT)) if isinstance(hint, bool))
    if (pages := _number(hints, _PAGES)) is not None:
        hints_of_more.append(at.pages_read < pages)
    if (total := _number(hints, _TOTAL)) is not None:
        hints_of_more.append(at.rows_read < total)
    if (count := _number(hints, ("count",))) is not None and count > len(at.page.rows):
        hints_of_more.append(at.rows_read < count)
    if not hints_of_more and any(name in hints and not hints[name] for name in (*_NEXT, *_CURSORS)):
        hints_of_more.append(False)
    return any(hints_of_more) if hints_of_more else None


def _looks_full(at: _Position) -> str | None:
    count, hint = len(at.page.rows), at.dialect.page_size_hint
    if count in USUAL_PAGE_SIZES or (hint is not None and count >= hint):
        return f"the page holds {count} rows, which looks full, and nothing says that it is the last"
    return None


def _is_address(text: str) -> bool:
    return re.match(r"([a-z]+:)?/|\?|[\w.-]+\?", text, re.ASCII | re.IGNORECASE) is not None


def _resolved(target: str, current: httpx2.URL) -> _Follow | _Stop:
    """Only the list's own address may follow; a path may be given with or without what precedes it there."""
    try:
        url = current.join(target)
    except (httpx2.InvalidURL, ValueError):
        return _Stop("the address of the next page cannot be read", promised=True)
    if (url.scheme, url.host, url.port) != (current.scheme, current.host, current.port) or url.userinfo:
        return _Stop("the next page is said to be at another host, which is not followed", promised=True)
    if not current.path.endswith(url.path):
        return _Stop("the next page is said to be at another path, which is not followed", promised=True)
    return _Follow(current.copy_with(query=url.query))


def _first(hints: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((hints[name] for name in names if hints.get(name) not in (None, "")), None)


def _number(hints: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    value = _first(hints, names)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else None


def _identity(row: Row) -> str:
    return str(row["id"]) if row.get("id") else json.dumps(row, sort_keys=True, default=str)
