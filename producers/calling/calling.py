"""One call to a provider: paced, authorised, tried again where that can help, and its failures told plainly.

It must not know any provider's paths, and no message of its holds anything of an answer's body.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx2
from aiolimiter import AsyncLimiter

from producers.calling.errors import NotReady, NotThere, ProviderUnreachable, TokenRefused, UnexpectedAnswer
from producers.calling.retry_after import retry_after
from producers.calling.tokens import Tokens
from runtime.calling import AnswerTooLarge
from runtime.clock import Clock
from runtime.tracebacks import words_of

MOST_TRIES: Final = 5
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 300.0
"""A provider that asks for more is left alone: the next pull goes on."""

_UNAUTHORISED: Final = 401
_WAIT: Final = frozenset({429, 503})
_GONE: Final = frozenset({404, 410})
_BROKEN: Final = 500
_FINE: Final = range(200, 300)
_FORBIDDEN: Final = 403
_ACCEPTED: Final = 202


class Caller:
    """Calls one provider with one token. `limiter` is that provider's alone."""

    def __init__(
        self, *, name: str, http: httpx2.AsyncClient, limiter: AsyncLimiter, tokens: Tokens, clock: Clock
    ) -> None:
        self._name = name
        self._http = http
        self._limiter = limiter
        self._tokens = tokens
        self._clock = clock

    async def get(
        self, path: str, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """GET a path. An answer that is given is 2xx, and complete.

        Raises:
            ProviderUnreachable, TokenRefused, UnexpectedAnswer, NotThere, NotReady.
        """
        return await self._authorised(self._http.build_request("GET", path, params=query, headers=headers))

    async def post(
        self, path: str, body: object, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """POST JSON that only asks: it may be sent twice. Raises as `get`."""
        return await self._authorised(self._http.build_request("POST", path, json=body, params=query, headers=headers))

    async def _authorised(self, request: httpx2.Request) -> httpx2.Response:
        used = self._tokens.current()
        answer = await self._tried(request, used)
        if answer.status_code == _UNAUTHORISED:
            await self._tokens.renew(used)
            answer = await self._tried(request, self._tokens.current())
        self._check(answer)
        return answer

    async def _tried(self, request: httpx2.Request, token: str) -> httpx2.Response:
        request.headers["Authorization"] = f"Bearer {token}"
        return await tried(self._http, request, limiter=self._limiter, clock=self._clock, name=self._name)

    def _check(self, answer: httpx2.Response) -> None:
        status, path = answer.status_code, answer.request.url.path
        where = f"payroll.{self._name}: {answer.request.method} {path} was answered with {status}"
        if status == _UNAUTHORISED:
            msg = f"{where} even with a new token. Authorise the relay anew at the provider."
            raise TokenRefused(msg)
        if status == _FORBIDDEN:
            msg = f"{where}: the token may not read this. Is it of this company, with the right to read payroll?"
            raise TokenRefused(msg)
        if status in _GONE:
            raise NotThere(where)
        if status == _ACCEPTED:
            msg = f"{where}: the provider is still fetching it. Pull again later."
            raise NotReady(msg)
        if status not in _FINE:
            msg = f"{where}. Are base_url and api_version of [payroll.{self._name}] right?"
            raise UnexpectedAnswer(msg)


async def tried(
    http: httpx2.AsyncClient, request: httpx2.Request, *, limiter: AsyncLimiter, clock: Clock, name: str
) -> httpx2.Response:
    """Send a request that may be sent again; give the first answer that is neither an overload nor a failure.

    Raises:
        ProviderUnreachable: none came in several tries, or the provider asks to wait for too long.
        UnexpectedAnswer: the answer is too large.
    """
    pause, last = FIRST_PAUSE_SECONDS, "no answer"
    for attempt in range(1, MOST_TRIES + 1):
        wait = pause
        try:
            async with limiter:
                answer = await http.send(request)
        except AnswerTooLarge as error:
            msg = f"payroll.{name}: {request.method} {request.url.path}: {error}"
            raise UnexpectedAnswer(msg) from error
        except httpx2.RequestError as error:
            last = words_of(error)
        else:
            if answer.status_code not in _WAIT and answer.status_code < _BROKEN:
                return answer
            asked = retry_after(answer, now=clock.now())
            last, wait = str(answer.status_code), pause if asked is None else asked
        if wait > LONGEST_WAIT_SECONDS:
            msg = f"payroll.{name}: the provider asks to wait {wait:.0f} s ({last}). Pull again after that."
            raise ProviderUnreachable(msg)
        if attempt < MOST_TRIES:
            await clock.sleep(wait)
        pause *= 2
    msg = f"payroll.{name}: {request.method} {request.url.path} failed {MOST_TRIES} times ({last}). Pull again later."
    raise ProviderUnreachable(msg)


def json_of(answer: httpx2.Response) -> Any:  # noqa: ANN401 - any JSON
    """The answer's JSON; numbers with decimals as text, digit for digit. Raises UnexpectedAnswer."""
    try:
        return json.loads(answer.content, parse_float=str)
    except (ValueError, RecursionError):
        msg = f"{answer.request.method} {answer.request.url.path} was not answered with JSON"
        raise UnexpectedAnswer(msg) from None
