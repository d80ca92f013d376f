"""What another server's `Retry-After` asks for, for all that call one. It must not wait."""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

LONGEST_SECONDS: Final = 86_400.0
"""Nobody is left alone for longer than a day, whatever they say."""


def retry_after(answer: httpx2.Response, *, now: datetime) -> float | None:
    """Give the seconds that the answer asks to wait, of either form; None where it says nothing to be understood.

    A date is measured from the answer's own `Date`, so that clocks need not agree, and from `now` without one.
    """
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), LONGEST_SECONDS)
    with suppress(ValueError, TypeError, OverflowError):
        until = _aware(parsedate_to_datetime(said))
        here = now
        with suppress(ValueError, TypeError, OverflowError):
            here = _aware(parsedate_to_datetime(answer.headers.get("date", "")))
        return min(max(0.0, (until - here).total_seconds()), LONGEST_SECONDS)
    return None


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
