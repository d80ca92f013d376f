"""One request sent until there is an answer to work with: paced, and patient with overload and with what fails.

It must not know what is asked, judges no answer that is more than "later", and shows nothing of one.
"""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx2
from aiolimiter import AsyncLimiter

from runtime.calling import AnswerTooLarge
from runtime.clock import Clock
from runtime.tracebacks import words_of

PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
"""Before each further try, where the server does not say when."""

LONGEST_SECONDS: Final = 86_400.0
"""Nobody is left alone for longer than a day, whatever they say."""

_LATER: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class NoAnswer(Exception):
    """The last try failed, or the next may come only later than can be waited for.

    `error` is what was raised instead of an answer, `status` that of the answer, `after_seconds` when it wants to be
    asked again. The message is the one or the other.
    """

    def __init__(
        self, *, error: httpx2.RequestError | None = None, status: int = 0, after_seconds: float | None = None
    ) -> None:
        super().__init__(str(status) if error is None else words_of(error))
        self.error, self.status, self.after_seconds = error, status, after_seconds


async def tried(
    http: httpx2.AsyncClient, request: httpx2.Request, *, limiter: AsyncLimiter, clock: Clock, longest_seconds: float
) -> httpx2.Response:
    """Send a request that may be sent again; give the first answer that is neither an overload nor a failure.

    Raises NoAnswer: none came, or the server asks to wait for longer than `longest_seconds`; AnswerTooLarge, at once.
    """
    for pause in PAUSES_SECONDS:
        try:
            return await _once(http, request, limiter=limiter, clock=clock)
        except NoAnswer as failure:
            seconds = pause if failure.after_seconds is None else failure.after_seconds
            if seconds > longest_seconds:
                raise
        await clock.sleep(seconds)
    return await _once(http, request, limiter=limiter, clock=clock)


async def _once(
    http: httpx2.AsyncClient, request: httpx2.Request, *, limiter: AsyncLimiter, clock: Clock
) -> httpx2.Response:
    try:
        async with limiter:
            answer = await http.send(request)
    except AnswerTooLarge:
        raise
    except httpx2.RequestError as error:
        raise NoAnswer(error=error) from error
    if answer.status_code in _LATER or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise NoAnswer(status=answer.status_code, after_seconds=retry_after(answer, now=clock.now()))
    return answer


def retry_after(answer: httpx2.Response, *, now: datetime) -> float | None:
    """Give the seconds that `Retry-After` of either form asks to wait; None where it says nothing to be understood.

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
