"""How far a polled address has been read: the cursor that is sent, and the one that follows from what came.

Pure. A cursor never goes back, and one of time never goes past the moment at which was asked: a single item that is
dated in the future would hide everything until then.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from producers.feeds.errors import PollRefused
from runtime.sections_feeds import CursorSettings

_FIELD_MISSING: Final = (None, "", False)


def at_path(document: object, path: str) -> object:
    """The value at a dotted path; None where there is none."""
    for name in path.split("."):
        if not isinstance(document, Mapping) or name not in document:
            return None
        document = document[name]
    return document


def sent(settings: CursorSettings, value: str | None, *, overlap: timedelta) -> str | None:
    """What goes into the parameter; None for a first reading from the very start.

    A time goes out that much earlier than it is: what was committed late on the other side is read after all.
    """
    if value is None:
        return settings.start
    if settings.max_of is None or settings.kind == "number":
        return value
    return _written(_time(settings, value) - overlap)


def following(
    settings: CursorSettings, before: str | None, items: Iterable[Mapping[str, Any]], *, asked_at: datetime
) -> str | None:
    """The cursor after these items, for one that is the largest value of a field.

    Raises:
        PollRefused: an item's value is not of the kind that the settings say; nothing is guessed.
    """
    path = settings.max_of or ""
    found = [text for item in items if (text := at_path(item, path)) not in _FIELD_MISSING]
    if settings.kind == "number":
        numbers = [_number(settings, text) for text in (before, *found) if text is not None]
        return str(max(numbers)) if numbers else None
    times = [min(_time(settings, text), asked_at) for text in found]
    if before is not None:
        times.append(_time(settings, before))
    return _written(max(times)) if times else None


def of_answer(settings: CursorSettings, before: str | None, answer: object) -> str | None:
    """The cursor that the answer itself gives; the one before where it gives none."""
    value = at_path(answer, settings.field or "")
    return before if value in _FIELD_MISSING else str(value)


def _time(settings: CursorSettings, text: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        time = datetime.min  # noqa: DTZ901 - refused below, as every time without an offset
    if time.tzinfo is None:
        msg = f"cursor.max_of: {settings.max_of} must be a time with its offset, as in 2026-01-31T12:00:00+01:00"
        raise PollRefused(msg)
    return time.astimezone(UTC)


def _number(settings: CursorSettings, text: object) -> Decimal:
    try:
        number = Decimal(str(text))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        msg = f"cursor.max_of: {settings.max_of} must be a number; set cursor.kind for times"
        raise PollRefused(msg)
    return number


def _written(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
