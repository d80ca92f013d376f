"""The rules of CloudEvents 1.0 for the attributes of an event in structured JSON, whatever its type.

Pure checks on a parsed document. It must not know our catalog or our profile: see `schemas.envelope`.
Source: CloudEvents 1.0.2, sections 3.1 to 3.3, and its JSON format, sections 2 and 3.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from schemas.errors import InvalidEvent

Attribute = str | bool | int

_REQUIRED: Final = ("specversion", "id", "source", "type")
_DATA: Final = frozenset({"data", "data_base64"})
_NAME: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  (a token of RFC 2045, not a secret)
_MEDIA_TYPE: Final = re.compile(rf'{_TOKEN}/{_TOKEN}(\s*;\s*{_TOKEN}=({_TOKEN}|"[^"]*"))*', re.ASCII)
_INT32: Final = range(-(2**31), 2**31)

MOST_BYTES: Final = 1_000
"""So long an attribute may be, in UTF-8: databases keep no longer text in an index, and no source has longer names."""


def check_attributes(document: object) -> dict[str, Attribute]:
    """Give the attributes that are set, by name.

    `data` and `data_base64` are left out, null counts as absent. Raises InvalidEvent for the first rule
    broken, naming the attribute.
    """
    if not isinstance(document, dict):
        msg = "an event is a JSON object"
        raise InvalidEvent(msg)
    present = {name: value for name, value in document.items() if value is not None}
    if present.keys() >= _DATA:
        msg = "an event has data or data_base64, not both"
        raise InvalidEvent(msg, field="data")
    attributes = {name: _value(name, value) for name, value in present.items() if name not in _DATA}
    for name in _REQUIRED:
        if name not in attributes:
            msg = "required, and missing"
            raise InvalidEvent(msg, field=name)
    for name, check in _CHECKS.items():
        if name in attributes:
            check(name, _text(name, attributes[name]))
    return attributes


def check_length(name: str, text: str) -> None:
    """Check that databases keep it as a key. Raises InvalidEvent."""
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:
        msg = f"longer than {MOST_BYTES} bytes"
        raise InvalidEvent(msg, field=name)


def check_identity(event_id: str, source: str, event_type: str) -> None:
    """Check what every event has; sources and types are few, so each is checked once. Raises InvalidEvent."""
    _value("id", event_id)
    _check_origin(source, event_type)


@lru_cache(maxsize=256)
def _check_origin(source: str, event_type: str) -> None:
    check_attributes({"specversion": "1.0", "id": "any", "source": source, "type": event_type})


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time as an aware datetime in UTC, cut to microseconds. Raises InvalidEvent."""
    match = _TIME.fullmatch(text)
    msg = 'a time is RFC 3339 with seconds and an offset, such as "2022-03-26T18:40:32Z"'
    if match is None:
        raise InvalidEvent(msg, field="time")
    day, clock, fraction, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidEvent(msg, field="time") from None


def _value(name: str, value: object) -> Attribute:
    if not _NAME.fullmatch(name):
        msg = "an attribute name is lower-case letters and digits only"
        raise InvalidEvent(msg, field=name[:40] if name.isprintable() else "(attribute)")
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in _INT32:
        return value
    if isinstance(value, str) and not _CONTROL.search(value):
        check_length(name, value)
        return value
    msg = "an attribute is a string without control characters, a boolean, or a 32-bit whole number"
    raise InvalidEvent(msg, field=name)


def _text(name: str, value: Attribute) -> str:
    if not isinstance(value, str) or not value:
        msg = "must be a string that is not empty"
        raise InvalidEvent(msg, field=name)
    return value


def _check_version(name: str, text: str) -> None:
    if text != "1.0":
        msg = 'only version "1.0" is known'
        raise InvalidEvent(msg, field=name)


def _check_nothing_more(_name: str, _text: str) -> None:
    """A string that is not empty is enough."""


def _check_reference(name: str, text: str) -> None:
    try:
        urlsplit(text)
    except ValueError:
        text = " "
    if " " in text:
        msg = "must be a URI reference"
        raise InvalidEvent(msg, field=name)


def _check_absolute(name: str, text: str) -> None:
    _check_reference(name, text)
    if not urlsplit(text).scheme:
        msg = "must be an absolute URI"
        raise InvalidEvent(msg, field=name)


def _check_media_type(name: str, text: str) -> None:
    if not _MEDIA_TYPE.fullmatch(text):
        msg = "must be a media type such as application/json"
        raise InvalidEvent(msg, field=name)


def _check_time(_name: str, text: str) -> None:
    parse_time(text)


_CHECKS: Final[Mapping[str, Callable[[str, str], None]]] = {
    "specversion": _check_version,
    "id": _check_nothing_more,
    "source": _check_reference,
    "type": _check_nothing_more,
    "subject": _check_nothing_more,
    "datacontenttype": _check_media_type,
    "dataschema": _check_absolute,
    "time": _check_time,
}
