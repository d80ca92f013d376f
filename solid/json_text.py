"""JSON in and out without a float on the way: a number with a point is a Decimal, digit by digit.

It must not know what the text says. (Events have a reader of their own: `solid` knows nothing of `schemas`
but money.)
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn


def read_json(raw: bytes) -> object:
    """Parse one document in UTF-8. Raises ValueError, which never quotes the text, for anything else."""
    try:
        parsed: object = json.loads(raw.decode("utf-8-sig"), parse_float=_decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        msg = "not one JSON document in UTF-8"
        raise ValueError(msg) from None
    return parsed


def write_json(value: object) -> str:
    """Write one document; a Decimal is a number with its own digits. The same value gives the same text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{write_json(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(write_json(item) for item in value) + "]"
    return json.dumps(value, allow_nan=False)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        msg = "a number out of range"
        raise ValueError(msg) from None


def _refuse(_: str) -> NoReturn:
    msg = "NaN or Infinity"
    raise ValueError(msg)
