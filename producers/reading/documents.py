"""Splitting a file into documents, byte for byte, so that one bad document does not stop the others.

It must not judge documents: what is not JSON is handed on as it is, and the normaliser refuses it.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Final

from schemas.json_text import MOST_VALUES, count_values

_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NEXT_DOCUMENT: Final = re.compile(r"\n(?=[{\[])")
_MOST_AGAIN: Final = 4
"""How often a text may be read over again because of documents in it that do not parse."""


def split_documents(raw: bytes, *, lists: Collection[str] = ()) -> Iterator[bytes]:
    """Give each document of a file, exactly as it stands there.

    A file holds one JSON document, several one after the other (JSON lines, or printed over several lines),
    a list of documents, a Stripe list object `{"object": "list", "data": [...]}`, or an object that holds one of these
    `lists` and at most a `cursor` and `errors` beside it. What does not parse is
    given as one document, up to the next line that opens one; the rest of the file, once so much did not parse that
    it would be read over and over again. An empty file gives one empty document, an empty list none.
    """
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for start, end, is_value in _values(text):
        spans = _elements(text, start, end, lists=lists) if is_value else [(start, end)]
        yield from (text[a:b].encode("utf-8", "surrogateescape") for a, b in spans)


def elements_at(raw: bytes, path: str) -> list[bytes]:
    """The documents of the list at a dotted path of one JSON document, each exactly as it stands there.

    An empty path means the document itself: a list gives its elements, anything else is one document; `null` at a path
    is an empty list. Raises ValueError: it is no JSON, or there is no list at the path.
    """
    if count_values(raw) > MOST_VALUES:
        message = f"more than {MOST_VALUES:,} values: ask for smaller pages"
        raise ValueError(message)
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    start = _skip(text, 0)
    end, _ = _end_or_failure(text, start)
    if end is None:
        message = "no JSON"
        raise ValueError(message)
    for name in path.split(".") if path else ():
        members = dict(_children(text, start)) if text.startswith("{", start) else {}
        if name not in members:
            message = f"there is nothing called {name!r} where {path!r} is looked for"
            raise ValueError(message)
        start, end = members[name]
    if path and text[start:end] == "null":
        return []
    if path and text[start] != "[":
        message = f"no list at {path!r}"
        raise ValueError(message)
    return [text[a:b].encode() for a, b in _elements(text, start, end)]


def _values(text: str) -> Iterator[tuple[int, int, bool]]:
    """Spans of the values that follow one another in the text, at least one; and whether each is one."""
    position = _skip(text, 0)
    if position == len(text):
        yield position, position, False
    left = _MOST_AGAIN * len(text)
    while position < len(text):
        end, looked_at = _end_or_failure(text, position)
        is_value = end is not None
        if end is None:
            found = _NEXT_DOCUMENT.search(text, position)
            end = found.start() if found else len(text)
            left -= max(0, looked_at - end)
            end = end if left > 0 else len(text)
        yield position, end, is_value
        position = _skip(text, end)


def _elements(text: str, start: int, end: int, *, lists: Collection[str] = ()) -> Iterator[tuple[int, int]]:
    """Spans of the documents inside one value: of its elements when it is, or holds, a list of them, else of itself."""
    opening = start
    if text[start] == "{":
        members = dict(_children(text, start))
        kind, data = (members.get(name, (start, start)) for name in ("object", "data"))
        opening = data[0] if text[slice(*kind)] == '"list"' else start
        named = [members[name][0] for name in lists if name in members]
        if len(named) == 1 and len(members.keys() - {"cursor", "errors"}) == 1 and text[named[0]] == "[":
            opening = named[0]
    if text[opening] == "[":
        yield from (span for _, span in _children(text, opening))
    else:
        yield start, end


def _children(text: str, start: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Spans of what a list or an object holds, with their names in an object."""
    position = _skip(text, start + 1)
    while text[position] not in "]}":
        name = ""
        if text[start] == "{":
            name, after = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, after) + 1)
        end = _DECODER.raw_decode(text, position)[1]
        yield name, (position, end)
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)


def _end_or_failure(text: str, start: int) -> tuple[int | None, int]:
    """Where the value ends, None where none is; and how far it was read for that, at most."""
    try:
        end = _DECODER.raw_decode(text, start)[1]
    except json.JSONDecodeError as error:
        return None, error.pos
    except (ValueError, RecursionError):
        return None, len(text)
    return end, end


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
