"""Cuts a list into pages in the dialect's way. Knows rows and queries, not what the rows are."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import urlencode

from simulator.books.dialect import PREFIX, Dialect
from simulator.books.rows import Rows
from simulator.errors import invalid

Row = TypeVar("Row")
DEFAULT_SIZE: Final = 50
MAX_SIZE: Final = 100
_MAX_OFFSET: Final = 10**9


def cut(rows: Rows[Row], query: Mapping[str, str], dialect: Dialect, path: str) -> tuple[list[Row], dict[str, object]]:
    """The rows of the page that the query asks for, and what the envelope says of the others.

    Raises ApiError (VALIDATION_ERROR) for a page that cannot be.
    """
    match dialect.pagination:
        case "none":
            return rows.all(), {}
        case "silent_cap":
            return rows.take(0, DEFAULT_SIZE), {}
        case "offset":
            size, offset = _size(query, "limit"), _number(query, "offset", default=0, least=0)
            hints = {"limit": size, "offset": offset, "total": rows.count}
            return rows.take(offset, size), {"pagination": hints}
        case "cursor":
            return _by_cursor(rows, query)
        case _:
            return _by_page(rows, query, path)


def _by_page(rows: Rows[Row], query: Mapping[str, str], path: str) -> tuple[list[Row], dict[str, object]]:
    size, page = _size(query, "per_page"), _number(query, "page", default=1, least=1)
    more = page * size < rows.count
    following = f"{PREFIX}{path}?{urlencode({**query, 'page': page + 1, 'per_page': size})}" if more else None
    hints = {"page": page, "per_page": size, "total": rows.count, "next": following}
    return rows.take((page - 1) * size, size), {"pagination": hints}


def _by_cursor(rows: Rows[Row], query: Mapping[str, str]) -> tuple[list[Row], dict[str, object]]:
    size, offset = _size(query, "limit"), _from_cursor(query.get("cursor"))
    more = offset + size < rows.count
    hints = {"has_more": more, "next_cursor": _cursor(offset + size) if more else None}
    return rows.take(offset, size), {"pagination": hints}


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"after:{offset}".encode()).decode()


def _from_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).removeprefix(b"after:"))
    except (binascii.Error, ValueError) as exc:
        message = "cursor: is not one that was given out"
        raise invalid(message) from exc


def _size(query: Mapping[str, str], name: str) -> int:
    return min(_number(query, name, default=DEFAULT_SIZE, least=1), MAX_SIZE)


def _number(query: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    given = query.get(name, str(default))
    if not given.isdecimal() or len(given) > len(str(_MAX_OFFSET)) or int(given) < least:
        message = f"{name}: must be a whole number from {least} on"
        raise invalid(message)
    return int(given)
