"""One call to a provider: paced, authorised, tried again where that can help, and its failures told plainly.

It must not know any provider's paths, and no message of its holds anything of an answer's body.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx2
from aiolimiter import AsyncLimiter
from pydantic import SecretStr

from producers.calling.errors import NotReady, NotThere, ProviderUnreachable, TokenRefused, UnexpectedAnswer
from producers.calling.shapes import object_of
from producers.calling.tokens import Tokens
from producers.calling.trying import PAUSES_SECONDS, NoAnswer, tried
from runtime.calling import AnswerTooLarge
from runtime.clock import Clock

LONGEST_WAIT_SECONDS: Final = 300.0
"""A provider that asks for more is left alone: the next pull goes on."""


@dataclass(frozen=True, slots=True)
class Paced:
    """A client of one account at its provider's pace; `where` is its table in the settings."""

    where: str
    http: httpx2.AsyncClient
    limiter: AsyncLimiter
    clock: Clock

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """As `tried`, and what fails said as a person needs it: ProviderUnreachable, UnexpectedAnswer."""
        asked = f"{self.where}: {request.method} {request.url.path}"
        try:
            return await tried(
                self.http, request, limiter=self.limiter, clock=self.clock, longest_seconds=LONGEST_WAIT_SECONDS
            )
        except AnswerTooLarge as error:
            raise UnexpectedAnswer(f"{asked}: {error}") from error
        except NoAnswer as error:
            msg = f"{asked} failed {1 + len(PAUSES_SECONDS)} times ({error}). Pull again later."
            if (seconds := error.after_seconds or 0) > LONGEST_WAIT_SECONDS:
                msg = f"{self.where}: the provider asks to wait {seconds:.0f} s ({error}). Pull again after that."
            raise ProviderUnreachable(msg) from error


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one provider with one token. Answers that are given are 2xx, and complete; all else is a ProviderError."""

    paced: Paced
    tokens: Tokens

    async def get(
        self, path: str, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """GET a path."""
        return await self._authorised(self.paced.http.build_request("GET", path, params=query, headers=headers))

    async def post(
        self, path: str, body: object, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """POST JSON that only asks: it may be sent twice."""
        request = self.paced.http.build_request("POST", path, json=body, params=query, headers=headers)
        return await self._authorised(request)

    async def _authorised(self, request: httpx2.Request) -> httpx2.Response:
        used = self.tokens.current()
        answer = await self._sent(request, used)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            await self.tokens.renew(used)
            answer = await self._sent(request, self.tokens.current())
        _check(self.paced.where, answer)
        return answer

    async def _sent(self, request: httpx2.Request, token: str) -> httpx2.Response:
        request.headers["Authorization"] = f"Bearer {token}"
        return await self.paced.send(request)


def _check(table: str, answer: httpx2.Response) -> None:
    status = answer.status_code
    where = f"{table}: {answer.request.method} {answer.request.url.path} was answered with {status}"
    match status:
        case HTTPStatus.UNAUTHORIZED:
            raise TokenRefused(f"{where} even with a new token. Authorise the relay anew at the provider.")
        case HTTPStatus.FORBIDDEN:
            msg = f"{where}: the token may not read this. Is it of this company, with the right to read payroll?"
            raise TokenRefused(msg)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            raise NotThere(where)
        case HTTPStatus.ACCEPTED:
            raise NotReady(f"{where}: the provider is still fetching it. Pull again later.")
    if not answer.is_success:
        raise UnexpectedAnswer(f"{where}. Are base_url and api_version of [{table}] right?")


async def granted(  # noqa: PLR0913 - what a grant needs
    refresh_token: str,
    *,
    paced: Paced,
    url: str,
    form: bool,
    client_id: str,
    client_secret: Callable[[], SecretStr],
) -> Mapping[str, Any]:
    """Exchange a refresh token for a new pair. `form`: as OAuth 2.0 has it; else JSON with the client in the body.

    Sources: Gusto's and Xero's OAuth 2.0 guides. Nothing of the answer but the tokens is used, and nothing is shown.
    """
    asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    secret = client_secret().get_secret_value()
    if form:
        request = paced.http.build_request("POST", url, data=asked)
        request = next(httpx2.BasicAuth(client_id, secret).auth_flow(request))
    else:
        request = paced.http.build_request("POST", url, json=asked | {"client_id": client_id, "client_secret": secret})
    answer = await paced.send(request)
    if not answer.is_success:
        msg = (
            f"{paced.where}: the provider refused to renew the token ({answer.status_code}). "
            "Authorise the relay anew at the provider and put both tokens into token_file; "
            "client_id and client_secret_file must be those of that authorisation."
        )
        raise TokenRefused(msg)
    return object_of(json_of(answer), "renewed tokens")


def json_of(answer: httpx2.Response) -> Any:  # noqa: ANN401 - any JSON
    """The answer's JSON; numbers with decimals as text, digit for digit. Raises UnexpectedAnswer."""
    try:
        return json.loads(answer.content, parse_float=str)
    except (ValueError, RecursionError):
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise UnexpectedAnswer(f"{asked} was not answered with JSON") from None
