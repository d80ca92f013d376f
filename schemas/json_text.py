"""Reading JSON so that no number becomes a float.

The one place that parses JSON text for events and webhooks. It must not interpret what it reads.
"""

import json
from decimal import Decimal
from typing import NoReturn

from schemas.errors import InvalidJson


def parse_json(raw: bytes) -> object:
    """Parse one JSON document in UTF-8; whole numbers become int, other numbers Decimal.

    Raises InvalidJson for anything else: other encodings, NaN and Infinity, numbers or nesting past what
    Python reads. The message says what is wrong and where, never what was read.
    """
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
