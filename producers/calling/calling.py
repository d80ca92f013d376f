"""One call to a provider: paced, authorised, tried again where that can help, and its failures told plainly.

It must not know any provider's paths, and no message of its holds anything of an answer's body.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx2
from aiolimiter import AsyncLimiter

from producers.calling.errors import NotReady, NotThere, ProviderUnreachable, TokenRefused, UnexpectedAnswer
from producers.calling.tokens import Tokens
from producers.calling.trying import PAUSES_SECONDS, NoAnswer, tried
from runtime.calling import AnswerTooLarge
from runtime.clock import Clock

LONGEST_WAIT_SECONDS: Final = 300.0
"""A provider that asks for more is left alone: the next pull goes on."""

_UNAUTHORISED: Final = 401
_GONE: Final = frozenset({404, 410})
_FINE: Final = range(200, 300)
_FORBIDDEN: Final = 403
_ACCEPTED: Final = 202


class Caller:
    """Calls one provider with one token. `limiter` is that provider's alone; `where` is its table in the settings."""

    def __init__(
        self, *, where: str, http: httpx2.AsyncClient, limiter: AsyncLimiter, tokens: Tokens, clock: Clock
    ) -> None:
        self._where = where
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
        return await patiently(self._http, request, limiter=self._limiter, clock=self._clock, where=self._where)

    def _check(self, answer: httpx2.Response) -> None:
        status, path = answer.status_code, answer.request.url.path
        where = f"{self._where}: {answer.request.method} {path} was answered with {status}"
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
            msg = f"{where}. Are base_url and api_version of [{self._where}] right?"
            raise UnexpectedAnswer(msg)


async def patiently(
    http: httpx2.AsyncClient, request: httpx2.Request, *, limiter: AsyncLimiter, clock: Clock, where: str
) -> httpx2.Response:
    """As `tried`, and what fails said as a person needs it.

    Raises:
        ProviderUnreachable: no answer at any try, or the provider asks to wait for too long.
        UnexpectedAnswer: the answer is too large.
    """
    asked = f"{where}: {request.method} {request.url.path}"
    try:
        return await tried(http, request, limiter=limiter, clock=clock, longest_seconds=LONGEST_WAIT_SECONDS)
    except AnswerTooLarge as error:
        msg = f"{asked}: {error}"
        raise UnexpectedAnswer(msg) from error
    except NoAnswer as error:
        msg = f"{asked} failed {1 + len(PAUSES_SECONDS)} times ({error}). Pull again later."
        if (seconds := error.after_seconds or 0) > LONGEST_WAIT_SECONDS:
            msg = f"{where}: the provider asks to wait {seconds:.0f} s ({error}). Pull again after that."
        raise ProviderUnreachable(msg) from error


def json_of(answer: httpx2.Response) -> Any:  # noqa: ANN401 - any JSON
    """The answer's JSON; numbers with decimals as text, digit for digit. Raises UnexpectedAnswer."""
    try:
        return json.loads(answer.content, parse_float=str)
    except (ValueError, RecursionError):
        msg = f"{answer.request.method} {answer.request.url.path} was not answered with JSON"
        raise UnexpectedAnswer(msg) from None
