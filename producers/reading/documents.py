"""Splitting a file into documents, byte for byte, so that one bad document does not stop the others.

It must not judge documents: what is not JSON is handed on as it is, and the normaliser refuses it.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from schemas.json_text import MOST_VALUES, count_values

_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NEXT_DOCUMENT: Final = re.compile(r"\n(?=[{\[])")
_MOST_AGAIN: Final = 4
"""How often a text may be read over again because of documents in it that do not parse."""


def split_documents(raw: bytes) -> Iterator[bytes]:
    """Give each document of a file, exactly as it stands there.

    A file holds one JSON document, several one after the other (JSON lines, or printed over several lines),
    a list of documents, or a Stripe list object `{"object": "list", "data": [...]}`. What does not parse is
    given as one document, up to the next line that opens one; the rest of the file, once so much did not parse that
    it would be read over and over again. An empty file gives one empty document, an empty list none.
    """
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for start, end in _values(text):
        yield from (text[a:b].encode("utf-8", "surrogateescape") for a, b in _elements(text, start, end))


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the values that follow one another in the text; at least one."""
    position = _skip(text, 0)
    if position == len(text):
        yield position, position
    left = _MOST_AGAIN * len(text)
    while position < len(text):
        end, looked_at = _end_or_failure(text, position)
        if end is None:
            found = _NEXT_DOCUMENT.search(text, position)
            end = found.start() if found else len(text)
            left -= max(0, looked_at - end)
            end = end if left > 0 else len(text)
        yield position, end
        position = _skip(text, end)


def _elements(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the documents inside one value: of its elements when it is a list, else of itself."""
    opening = start if text[start:end].startswith("[") else _start_of_list_data(text, start, end)
    if opening is None or _end_of_value(text, opening) is None:
        yield start, end
        return
    position = _skip(text, opening + 1)
    while text[position] != "]":
        stop = _must_end(text, position)
        yield position, stop
        position = _skip(text, stop)
        if text[position] == ",":
            position = _skip(text, position + 1)


def _start_of_list_data(text: str, start: int, end: int) -> int | None:
    """Where the `data` of a Stripe list object opens; None when the value is anything else."""
    if not text[start:end].startswith("{") or _end_of_value(text, start) is None:
        return None
    members = dict(_members(text, start))
    kind, data = members.get("object"), members.get("data")
    if kind is None or data is None or text[data] != "[":
        return None
    return data if text[kind : _must_end(text, kind)] == '"list"' else None


def _members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Names of an object's members, each with where its value starts."""
    position = _skip(text, start + 1)
    while text[position] != "}":
        name, after = _DECODER.raw_decode(text, position)
        value = _skip(text, _skip(text, after) + 1)
        yield name, value
        position = _skip(text, _must_end(text, value))
        if text[position] == ",":
            position = _skip(text, position + 1)


def _end_of_value(text: str, start: int) -> int | None:
    return _end_or_failure(text, start)[0]


def _end_or_failure(text: str, start: int) -> tuple[int | None, int]:
    """Where the value ends, None where none is; and how far it was read for that, at most."""
    try:
        end = _must_end(text, start)
    except json.JSONDecodeError as error:
        return None, error.pos
    except (ValueError, RecursionError):
        return None, len(text)
    return end, end


def _must_end(text: str, start: int) -> int:
    return _DECODER.raw_decode(text, start)[1]


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def elements_at(raw: bytes, path: str) -> list[bytes]:
    """The documents of the list at a dotted path of one JSON document, each exactly as it stands there.

    An empty path means the document itself: a list gives its elements, anything else is one document; `null` at a path
    is an empty list. Raises ValueError: it is no JSON, or there is no list at the path.
    """
    if count_values(raw) > MOST_VALUES:
        message = f"more than {MOST_VALUES:,} values: ask for smaller pages"
        raise ValueError(message)
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    whole = _skip(text, 0)
    if _end_of_value(text, whole) is None:
        message = "no JSON"
        raise ValueError(message)
    start = _at(text, whole, path)
    if path and text.startswith("null", start):
        return []
    if path and not text.startswith("[", start):
        message = f"no list at {path!r}"
        raise ValueError(message)
    end = _must_end(text, start)
    return [text[a:b].encode() for a, b in _elements(text, start, end)]


def _at(text: str, start: int, path: str) -> int:
    for name in path.split(".") if path else ():
        found = dict(_members(text, start)).get(name) if text.startswith("{", start) else None
        if found is None:
            message = f"there is nothing called {name!r} where {path!r} is looked for"
            raise ValueError(message)
        start = found
    return start
