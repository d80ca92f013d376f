"""JSON in and out without a float on the way: a number with a point is a Decimal, digit by digit.

The one place that parses JSON text, of events, webhooks and Solid. It must not interpret what it reads.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn

from schemas.errors import InvalidJson

MOST_VALUES: Final = 1_000_000
"""Values of one document: as Python keeps them, empty ones take thirty times the room they have in a text."""

MOST_VALUES_OF_A_FILE: Final = 10_000_000
"""Where a whole file is one document, and the memory of who reads it is limited."""


def parse_json(raw: bytes, *, most_values: int = MOST_VALUES) -> object:
    """Parse one JSON document in UTF-8; whole numbers become int, other numbers Decimal.

    Raises InvalidJson for anything else: other encodings, NaN and Infinity, numbers or nesting past what
    Python reads, more values than are allowed. The message says what is wrong and where, never what was read.
    """
    if count_values(raw) > most_values:
        msg = f"JSON with more than {most_values:,} values"
        raise InvalidJson(msg)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"not UTF-8 at byte {error.start}"
        raise InvalidJson(msg) from None
    try:
        parsed: object = json.loads(
            text, parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=_object
        )
    except InvalidJson:
        raise
    except json.JSONDecodeError as error:
        msg = f"not JSON at line {error.lineno}, column {error.colno}"
        raise InvalidJson(msg) from None
    except (ValueError, RecursionError):
        msg = "JSON with a number too long or nesting too deep"
        raise InvalidJson(msg) from None
    return parsed


def count_values(raw: bytes) -> int:
    """How many values a document may hold at most: each but the first stands behind one of these signs."""
    return sum(map(raw.count, (b",", b":", b"[", b"{")))


def write_json(value: object) -> str:
    """Write one document; a Decimal is a number with its own digits. The same value gives the same text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{write_json(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(write_json(each) for each in value) + "]"
    return json.dumps(value, allow_nan=False)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        msg = "JSON with a key twice in one object: which of the two counts is not said"
        raise InvalidJson(msg)
    return members


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        msg = "JSON with a number out of range"
        raise InvalidJson(msg) from None


def _refuse_constant(_: str) -> NoReturn:
    msg = "JSON with NaN or Infinity"
    raise InvalidJson(msg)
