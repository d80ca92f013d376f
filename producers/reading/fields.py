"""Reading the fields of a parsed document: every refusal names the field, none shows its value.

It must not know any provider's rules.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from producers.normalising import Rejected
from producers.reading.days import day_of_text, instant_of_text
from producers.reading.numbers import number_of
from schemas.errors import InvalidJson
from schemas.json_text import MOST_VALUES, parse_json

T = TypeVar("T")

_ID: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_LONGEST_TEXT: Final = 500
_EARLIEST: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_LATEST: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object, and the dotted path that leads to it. null counts as absent everywhere."""

    values: Mapping[str, object] = field(repr=False)
    path: str = ""

    def at(self, name: str) -> str:
        """Name the dotted path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def get(self, name: str) -> object:
        """Give the value as it is; None when absent."""
        return self.values.get(name)

    def identifier(self, name: str) -> str:
        """Give an id that must be there. Raises Rejected: `missing_field`, `bad_id`."""
        return self._needed(self.identifier_or_none(name), name)

    def identifier_or_none(self, name: str) -> str | None:
        """Give an id, which may be a whole number. An expanded object counts as its id. Raises Rejected: `bad_id`."""
        value = self.get(name)
        if isinstance(value, dict):
            value = value.get("id")
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and _ID.fullmatch(value):
            return value
        raise self._wrong("bad_id", "an id is 1 to 255 visible ASCII characters", name)

    def token_or_none(self, name: str) -> str | None:
        """Give a short machine word such as a status; None when it is no such word."""
        value = self.get(name)
        return value if isinstance(value, str) and _TOKEN.fullmatch(value) else None

    def text_or_none(self, name: str) -> str | None:
        """Give free text without control characters, cut at 500; None when there is none."""
        value = self.get(name)
        if not isinstance(value, str):
            return None
        readable = value.encode("utf-8", "replace").decode("utf-8")
        return _UNPRINTABLE.sub(" ", readable).strip()[:_LONGEST_TEXT].strip() or None

    def flag_or_none(self, name: str) -> bool | None:
        """Give a boolean. Raises Rejected: `wrong_type`."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong_type(name, "true or false")

    def time(self, name: str) -> datetime:
        """Give a time sent in seconds since 1970, in UTC. Raises Rejected: `missing_field`, `bad_time`."""
        value = self._needed(self.get(name), name)
        if isinstance(value, bool) or not isinstance(value, int) or not _EARLIEST <= value < _LATEST:
            raise self._wrong("bad_time", "a time is whole seconds since 1970, from 2000 to 2099", name)
        return datetime.fromtimestamp(value, UTC)

    def instant(self, name: str) -> datetime:
        """Give an ISO 8601 time that has its offset, in UTC. Raises Rejected: `missing_field`, `bad_time`."""
        value = self._needed(self.get(name), name)
        time = instant_of_text(value) if isinstance(value, str) else None
        if time is None:
            message = "a time belongs here, such as 2026-01-31T12:00:00-05:00, from 2000 to 2099"
            raise self._wrong("bad_time", message, name)
        return time

    def day(self, name: str) -> date:
        """Give a day that must be there. Raises Rejected: `missing_field`, `bad_date`."""
        return self._needed(self.day_or_none(name), name)

    def day_or_none(self, name: str) -> date | None:
        """Give a day as `day_of_text` reads it. Raises Rejected: `bad_date`."""
        value = self.get(name)
        if value is None or value == "":
            return None
        day = day_of_text(value) if isinstance(value, str) else None
        if day is None:
            raise self._wrong("bad_date", "a day is YYYY-MM-DD or /Date(milliseconds)/, from 2000 to 2099", name)
        return day

    def number(self, name: str) -> Decimal:
        """Give a number that must be there. Raises Rejected: `missing_field`, `bad_number`."""
        return self._needed(self.number_or_none(name), name)

    def number_or_none(self, name: str) -> Decimal | None:
        """Give a number, or a text that is one. Raises Rejected: `bad_number`."""
        value = self.get(name)
        if value is None or value == "":
            return None
        number = number_of(value)
        if number is None:
            raise self._wrong("bad_number", "a number belongs here", name)
        return number

    def section(self, name: str) -> "Fields | None":
        """Give the object inside. Raises Rejected: `wrong_type`."""
        value = self.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong_type(name, "an object")
        return None if value is None else Fields(value, self.at(name))

    def sections(self, name: str) -> "tuple[Fields, ...] | None":
        """Give the objects of a list. Raises Rejected: `wrong_type`."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, Sequence) or not all(isinstance(item, dict) for item in value):
            raise self.wrong_type(name, "a list of objects")
        return tuple(Fields(item, f"{self.at(name)}[{index}]") for index, item in enumerate(value))

    def missing(self, name: str) -> Rejected:
        """Build the refusal for a field that is needed and absent."""
        return self._wrong("missing_field", "needed, and missing", name)

    def wrong_type(self, name: str, wanted: str) -> Rejected:
        """Build the refusal for a field of another kind."""
        return self._wrong("wrong_type", f"must be {wanted}", name)

    def _wrong(self, reason: str, message: str, name: str) -> Rejected:
        return Rejected(reason, message, field=self.at(name))

    def _needed(self, value: T | None, name: str) -> T:
        if value is None:
            raise self.missing(name)
        return value


def parsed(document: bytes, *, most_values: int = MOST_VALUES) -> object:
    """Parse a document of JSON; no number becomes a float. Raises Rejected `not_json`."""
    try:
        return parse_json(document, most_values=most_values)
    except InvalidJson as error:
        raise Rejected("not_json", str(error)) from None


def open_object(document: bytes, *, reason: str, message: str) -> Fields:
    """Parse a document that is a JSON object. Raises Rejected: `not_json`, or what is said here where it is none."""
    values = parsed(document)
    if not isinstance(values, dict):
        raise Rejected(reason, message)
    return Fields(values)
