"""Taking an answer apart: what is asked for has the expected type, or the answer is refused by the name of the field.

No message holds a value.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from producers.calling.errors import UnexpectedAnswer
from producers.reading.days import day_of_text

_ID: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


def object_of(value: object, what: str) -> Mapping[str, Any]:
    """The value as an object. Raises UnexpectedAnswer."""
    if not isinstance(value, dict):
        raise _unexpected(what, "an object")
    return value


def rows_of(value: object, what: str) -> list[Mapping[str, Any]]:
    """The value as a list of objects. Raises UnexpectedAnswer."""
    if not isinstance(value, list):
        raise _unexpected(what, "a list")
    return [object_of(row, f"{what}[]") for row in value]


def name_of(row: Mapping[str, Any], *fields: str) -> str:
    """The first of these fields that holds an id. Raises UnexpectedAnswer where none does."""
    found = next((value for field in fields if (value := row.get(field)) not in (None, "")), None)
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise _unexpected(fields[0], "an id")
    return found


def names_of(row: Mapping[str, Any], field: str) -> list[str]:
    """The ids of a list, which may be missing. Raises UnexpectedAnswer."""
    found = row.get(field)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, str) and _ID.fullmatch(each) for each in found):
        raise _unexpected(field, "a list of ids")
    return found


def day_of(row: Mapping[str, Any], field: str) -> date | None:
    """The day of a field in ISO 8601 or in Xero's milliseconds; None where there is none. Raises UnexpectedAnswer."""
    value = row.get(field)
    if value is None or value in ("", "nil"):
        return None
    found = day_of_text(value) if isinstance(value, str) else None
    if found is None:
        raise _unexpected(field, "a date")
    return found


def _unexpected(field: str, kind: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"the provider's answer has no {kind} as {field}")
