"""How far a polled address has been read: the cursor that is sent, and the one that follows from what came.

Pure. A cursor never goes back, and one of time never goes past the moment at which was asked: a single item that is
dated in the future would hide everything until then.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from producers.feeds.passing import PollRefused
from producers.reading.days import EPOCHS
from runtime.sections_feeds import CursorSettings

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Times before it, such as those that stand for none, count as it."""

_LATEST_SECOND: Final = 4_102_444_800  # 2100-01-01

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
    since = max(_kept(value) - overlap, _EARLIEST)
    if settings.kind in EPOCHS:
        return str((since - _EARLIEST) // timedelta(seconds=1) * EPOCHS[settings.kind])
    if settings.time_zone is not None:
        return since.astimezone(ZoneInfo(settings.time_zone)).replace(tzinfo=None).isoformat()
    return _written(since)


def following(
    settings: CursorSettings, before: str | None, items: Iterable[Mapping[str, Any]], *, asked_at: datetime
) -> str | None:
    """The cursor after these items, for one that is the largest value of a field.

    Raises PollRefused: an item's value is not of the kind that the settings say; nothing is guessed.
    """
    path = settings.max_of or ""
    found = [text for item in items if (text := at_path(item, path)) not in _FIELD_MISSING]
    if settings.kind == "number":
        numbers = [_number(settings, text) for text in (before, *found) if text is not None]
        return str(max(numbers)) if numbers else None
    times = [min(_time(settings, text), asked_at) for text in found]
    if before is not None:
        times.append(_kept(before))
    return _written(max(times)) if times else None


def of_answer(settings: CursorSettings, before: str | None, answer: object) -> str | None:
    """The cursor that the answer itself gives; the one before where it gives none."""
    value = at_path(answer, settings.field or "")
    return before if value in _FIELD_MISSING else str(value)


def _kept(value: str) -> datetime:
    """A cursor as `_written` wrote it; what cannot be one is read anew, as all that follows is only repeated."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return _EARLIEST


def _time(settings: CursorSettings, text: object) -> datetime:
    try:
        if settings.kind in EPOCHS:
            return _since_1970(settings, text)
        time = datetime.fromisoformat(str(text))
        if time.tzinfo is None and settings.time_zone is not None:
            time = time.replace(tzinfo=ZoneInfo(settings.time_zone))
        if time.tzinfo is not None:
            return max(time.astimezone(UTC), _EARLIEST)
    except OverflowError:
        return _EARLIEST
    except ValueError:
        pass
    msg = f"cursor.max_of: {settings.max_of} must be a time with its offset, as in 2026-01-31T12:00:00+01:00"
    raise PollRefused(f"{msg}; cursor.time_zone is that of times without one")


def _since_1970(settings: CursorSettings, text: object) -> datetime:
    counted = max(Decimal(0), _number(settings, text))
    if counted >= _LATEST_SECOND * EPOCHS[settings.kind]:
        raise PollRefused(f"cursor.max_of: {settings.max_of} counts to no year of ours: is cursor.kind right?")
    return _EARLIEST + timedelta(seconds=int(counted) // EPOCHS[settings.kind])


def _number(settings: CursorSettings, text: object) -> Decimal:
    with suppress(InvalidOperation):
        if (number := Decimal(str(text))).is_finite():
            return number
    raise PollRefused(f"cursor.max_of: {settings.max_of} must be a number; set cursor.kind for times")


def _written(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
