"""One GET of a polled address: paced, patient with 429 and 503, and plain about everything else.

It must not log or tell anything of a body, nor the token, nor the query of an address.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx2
from aiolimiter import AsyncLimiter

from producers.calling.trying import NoAnswer, tried
from producers.feeds.passing import Interrupted, PollRefused, PollUnavailable, Turn
from runtime.calling import LARGE_ANSWERS, AnswerTooLarge, new_client
from runtime.clock import Clock
from runtime.lifecycle import ToldToStop, unless
from runtime.sections_feeds import PollingFeed
from runtime.tls import distrust, trusting

LONGEST_WAIT_SECONDS: Final = 600.0
"""A longer Retry-After ends the pass; the next one begins after it."""

_NOTHING: Final = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_UNAUTHORISED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `kind` is what it says to be, `next_link` the address in its Link header, whole."""

    body: bytes
    kind: str
    etag: str | None
    next_link: str | None


class Asking:
    """A client for one feed; `close` it."""

    def __init__(self, name: str, settings: PollingFeed, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._name = name
        self._settings = settings
        # one call at a time, evenly spaced: a window of a minute never sees more, wherever it begins
        self._limiter = AsyncLimiter(1, 60 / settings.calls_per_minute)
        timeout = httpx2.Timeout(settings.timeout_seconds, connect=min(5, settings.timeout_seconds))
        trust = None if settings.ca_file is None else trusting(f"feeds.{name}.ca_file", settings.ca_file)
        self._http = new_client(
            timeout=timeout,
            most_bytes=settings.max_bytes,
            times=LARGE_ANSWERS,
            proxy=settings.proxy,
            trust=trust,
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, url: str, *, etag: str | None, turn: Turn) -> Answer | None:
        """The answer; None where nothing has changed since `etag`, or there is nothing.

        Raises PollRefused, PollUnavailable, Interrupted, and ConfigurationError: the token's file cannot be read.
        """
        try:
            return await unless(turn.stop, self._answered(url, etag, turn.clock))
        except ToldToStop:
            raise Interrupted(f"{self._where}: stopped while it was waited for") from None

    async def _answered(self, url: str, etag: str | None, clock: Clock) -> Answer | None:
        try:
            request = self._http.build_request("GET", url, headers=self._headers(etag))
            response = await tried(
                self._http, request, limiter=self._limiter, clock=clock, longest_seconds=LONGEST_WAIT_SECONDS
            )
            self._judge(response)
            link = response.links.get("next", {}).get("url")
            next_link = None if link is None else str(response.url.join(link))
        except NoAnswer as error:
            raise PollUnavailable(self._no_answer(error), after_seconds=error.after_seconds) from error
        except AnswerTooLarge as error:
            msg = f"{self._where}: {error}: ask for smaller pages, or raise feeds.{self._name}.max_bytes"
            raise PollRefused(msg) from error
        except (httpx2.InvalidURL, ValueError) as error:
            raise PollRefused(f"{self._where}: the address of the next page cannot be used") from error
        if response.status_code in _NOTHING:
            return None
        kind = response.headers.get("content-type", "").partition(";")[0][:40]
        return Answer(response.content, kind, response.headers.get("etag"), next_link)

    def _no_answer(self, failure: NoAnswer) -> str:
        if failure.error is None:
            return f"{self._where} answered {failure.status}"
        if (why := distrust(failure.error)) is None:
            return f"{self._where}: no answer: {failure}"
        needed = f"Name its authority's with feeds.{self._name}.ca_file"
        return f"{self._where}: its certificate is not accepted: {why}. {needed}."

    def _headers(self, etag: str | None) -> dict[str, str]:
        settings = self._settings
        headers = {"Accept": "application/json", **settings.headers}
        token = settings.bearer(self._name)
        if token is not None:
            headers[settings.token_header] = f"{settings.token_prefix}{token}"
        if etag is not None:
            headers["If-None-Match"] = etag
        return headers

    def _judge(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.OK or status in _NOTHING:
            return
        said = f"{self._where} answered {status}"
        if status in _UNAUTHORISED:
            raise PollRefused(f"{said}: the token is not accepted. Put a new one into feeds.{self._name}.token_file.")
        if response.is_redirect:
            raise PollRefused(f"{said}: it is elsewhere now. The token is not sent there: set feeds.{self._name}.url.")
        raise PollRefused(f"{said}: is feeds.{self._name}.url right, and its cursor?")

    @property
    def _where(self) -> str:
        return f"feeds.{self._name} ({httpx2.URL(self._settings.url).host})"
