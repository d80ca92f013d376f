"""One request sent until there is an answer to work with: paced, and patient with overload and with what fails.

It must not know what is asked, judges no answer that is more than "later", and shows nothing of one.
"""

from http import HTTPStatus
from typing import Final

import httpx2
from aiolimiter import AsyncLimiter

from producers.calling.retry_after import retry_after
from runtime.calling import AnswerTooLarge
from runtime.clock import Clock
from runtime.tracebacks import words_of

PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0)
"""Before each further try, where the server does not say when."""

_BROKEN: Final = 500
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

    Raises:
        NoAnswer: none came at any try, or the server asks to wait for longer than `longest_seconds`.
        AnswerTooLarge: see there; it is not asked for again.
    """
    answer = await _once(http, request, limiter=limiter, clock=clock)
    for pause in PAUSES_SECONDS:
        if isinstance(answer, httpx2.Response):
            break
        seconds = pause if answer.after_seconds is None else answer.after_seconds
        if seconds > longest_seconds:
            break
        await clock.sleep(seconds)
        answer = await _once(http, request, limiter=limiter, clock=clock)
    if isinstance(answer, NoAnswer):
        raise answer from answer.error
    return answer


async def _once(
    http: httpx2.AsyncClient, request: httpx2.Request, *, limiter: AsyncLimiter, clock: Clock
) -> httpx2.Response | NoAnswer:
    try:
        async with limiter:
            answer = await http.send(request)
    except AnswerTooLarge:
        raise
    except httpx2.RequestError as error:
        return NoAnswer(error=error)
    if answer.status_code in _LATER or answer.status_code >= _BROKEN:
        return NoAnswer(status=answer.status_code, after_seconds=retry_after(answer, now=clock.now()))
    return answer
