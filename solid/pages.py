"""Reading a list to its end, in whatever form the answers hint at a next page, and knowing when it may be cut.

How Solid pages is not known, so every usual hint is understood; a list without hints that fills a usual page size is
never called complete. Nothing is fetched from another host, or from another path than the list's own.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from solid.dialect import Dialect, Resource
from solid.errors import DialectMismatch

Row = Mapping[str, object]

USUAL_PAGE_SIZES: Final = frozenset({20, 25, 50, 100, 200, 250, 500, 1000})
"""A page of exactly so many rows looks full."""

MOST_PAGES: Final = 500
"""A list that never ends is an error of somebody; this is where we stop."""

_HINT_PARTS: Final = ("pagination", "meta", "paging", "page_info", "page", "links", "_links")
_NEXT: Final = ("next", "next_url", "next_page_url", "next_link")
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

    `promised` is True where Solid itself said that there is more which could not be had.
    """

    rows: tuple[Row, ...]
    cut: str | None = None
    promised: bool = False


@dataclass(frozen=True, slots=True)
class _Follow:
    url: httpx.URL


@dataclass(frozen=True, slots=True)
class _Stop:
    cut: str | None = None
    promised: bool = False


async def read_all(get: Callable[[httpx.URL], Awaitable[Page]], url: httpx.URL, dialect: Dialect) -> Listing:
    """Follow the hints from `url` on. Raises what `get` raises; each page is one call to Solid."""
    rows: dict[str, Row] = {}
    visited: set[httpx.URL] = set()
    for pages_read in range(1, MOST_PAGES + 1):
        visited.add(url)
        page = await get(url)
        known = len(rows)
        rows.update((_identity(row), row) for row in page.rows if _identity(row) not in rows)
        if page.rows and len(rows) == known:
            return Listing(tuple(rows.values()), "the next page repeats rows of an earlier one", promised=True)
        step = _next_step(page, url, dialect, rows_read=len(rows), pages_read=pages_read)
        if isinstance(step, _Stop):
            return Listing(tuple(rows.values()), step.cut, promised=step.promised)
        if step.url in visited:
            return Listing(tuple(rows.values()), "the pages lead back to an earlier one", promised=True)
        url = step.url
    return Listing(tuple(rows.values()), f"the list has more than {MOST_PAGES} pages", promised=True)


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


def _next_step(
    page: Page, url: httpx.URL, dialect: Dialect, *, rows_read: int, pages_read: int
) -> _Follow | _Stop:
    names = dialect.parameters
    hinted = _first(page.hints, _NEXT)
    cursor = _first(page.hints, _CURSORS)
    if isinstance(hinted, str) and (target := _url_or_path(hinted)):
        return _resolved(target, url)
    if cursor is None and isinstance(hinted, str) and not hinted.isdigit():
        cursor = hinted
    if isinstance(cursor, str | int) and not isinstance(cursor, bool):
        return _Follow(url.copy_set_param(names.cursor, cursor))
    more = _says_more(page, rows_read=rows_read, pages_read=pages_read)
    if more is None:
        return _Stop(_looks_full(page, dialect))
    if not more:
        return _Stop()
    if not page.rows:
        return _Stop("an empty page says that there is more", promised=True)
    number, offset = _number(page.hints, _PAGE), _number(page.hints, _OFFSETS)
    if number is not None:
        return _Follow(url.copy_set_param(names.page, number + 1))
    return _Follow(url.copy_set_param(names.offset, rows_read if offset is None else offset + len(page.rows)))


def _says_more(page: Page, *, rows_read: int, pages_read: int) -> bool | None:
    """Any hint of more outweighs any hint of the end: a contradiction is read to its end, and then called cut."""
    said: list[bool] = []
    more, pages, total = _first(page.hints, _MORE), _number(page.hints, _PAGES), _number(page.hints, _TOTAL)
    if isinstance(more, bool):
        said.append(more)
    if pages is not None:
        said.append(pages_read < pages)
    if total is not None:
        said.append(rows_read < total)
    if (count := _number(page.hints, ("count",))) is not None and count > len(page.rows):
        said.append(rows_read < count)
    if not said and any(name in page.hints and not page.hints[name] for name in (*_NEXT, *_CURSORS)):
        said.append(False)
    if (number := _number(page.hints, (*_NEXT, "next_page"))) is not None and number:
        said.append(True)
    return any(said) if said else None


def _looks_full(page: Page, dialect: Dialect) -> str | None:
    count = len(page.rows)
    hint = dialect.page_size_hint
    if count in USUAL_PAGE_SIZES or (hint is not None and count >= hint):
        return f"the page holds {count} rows, which looks full, and nothing says that it is the last"
    return None


def _url_or_path(text: str) -> str | None:
    return text if re.match(r"^(https?:)?/|^\?|^[\w.-]+\?", text, re.ASCII | re.IGNORECASE) else None


def _resolved(target: str, current: httpx.URL) -> _Follow | _Stop:
    """Only the list's own address may follow; a path may be given with or without what precedes it there."""
    try:
        url = current.join(target)
    except (httpx.InvalidURL, ValueError):
        return _Stop("the address of the next page cannot be read", promised=True)
    if (url.scheme, url.host, url.port) != (current.scheme, current.host, current.port) or url.userinfo:
        return _Stop("the next page is said to be at another host, which is not followed", promised=True)
    if not current.path.endswith(url.path) or len(url.path) < 2:  # noqa: PLR2004 - a bare "/" is no list
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
