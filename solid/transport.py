"""The transport that cannot be skipped: every request to Solid, look-ups too, first takes a token.

Three hooks travel with a request, in `request.extensions`:

- `sign(request)`: adds the key, after the token was taken, so that a wait does not make it stale;
- `before_send()`: awaited last; if it raises, nothing is sent and its error propagates unchanged;
- `judge(response)`: says whether the answer is systemic (`solid.answers.systemic`); without it none is.

It must not know what a request is for. Where tokens come from is the limiter's affair.
"""

import asyncio
import functools
import ssl
from pathlib import Path
from typing import Any, Final, Protocol

import httpx2
import structlog
from pydantic import SecretStr

from runtime.calling import Bounded
from runtime.tls import trusting
from solid.answers import NOTHING_SENT
from solid.errors import Unavailable

LOG = structlog.get_logger()
SIGN: Final = "sign"
BEFORE_SEND: Final = "before_send"
JUDGE: Final = "judge"
LATE_SECONDS: Final = 0.1


class Token(Protocol):
    """Leave to send one request, at once."""

    @property
    def probe(self) -> bool:
        """Whether the brake is on and this request is to find out if Solid works again."""
        ...


class Limiter(Protocol):
    """Where tokens come from: the token bucket in RabbitMQ, or a counter in a test."""

    async def take(self) -> Token:
        """Wait for a token, as long as it takes. Cancelling it must not lose one that was already taken."""
        ...

    async def report(
        self,
        token: Any,  # noqa: ANN401 - the limiter's own kind of token, as `take` gave it
        *,
        cause: str | None,
        retry_after: float | None,
    ) -> None:
        """Say what came of it: a systemic cause (`solid.errors.Cause`) or None; `retry_after` is seconds."""
        ...


class PacedTransport(httpx2.AsyncBaseTransport):
    """Takes a token, signs, calls `before_send`, sends, reads the whole answer, reports the token.

    Every token taken is reported exactly once, also when the caller is cancelled. A failing report is logged and does
    not hide the answer. Errors of httpx2 propagate as they are.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, limiter: Limiter) -> None:
        """Wrap the transport that sends."""
        self._inner = inner
        self._limiter = limiter
        self._reports: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request when its turn comes. A token that waited for `before_send` is not spent, but another."""
        while True:
            token = await self._limiter.take()
            systemic: Unavailable | None = None
            answer: httpx2.Response | httpx2.HTTPError | None = None
            try:
                systemic = _sign(request)
                if systemic is not None:
                    raise systemic
                if await _ready(request) or token.probe:  # under the brake nothing can come on top of it
                    answer, systemic = await self._exchange(request)
            finally:
                await self._report(token, systemic)
            if isinstance(answer, httpx2.Response):
                return answer
            if answer is not None:
                raise answer

    async def aclose(self) -> None:
        """Finish the reports under way and close the transport within."""
        await asyncio.gather(*self._reports)
        await self._inner.aclose()

    async def _exchange(self, request: httpx2.Request) -> tuple[httpx2.Response | httpx2.HTTPError, Unavailable | None]:
        try:
            response = await self._inner.handle_async_request(request)
            response.request = request
            await response.aread()
        except NOTHING_SENT as error:
            return error, Unavailable("closed", "nothing was sent")
        except httpx2.HTTPError as error:
            return error, None
        judge = request.extensions.get(JUDGE)
        return response, None if judge is None else judge(response)

    async def _report(self, token: Token, systemic: Unavailable | None) -> None:
        task = asyncio.create_task(self._report_quietly(token, systemic))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)
        await asyncio.shield(task)

    async def _report_quietly(self, token: Token, systemic: Unavailable | None) -> None:
        cause, retry_after = (None, None) if systemic is None else (systemic.cause, systemic.retry_after)
        try:
            await self._limiter.report(token, cause=cause, retry_after=retry_after)
        except Exception as error:  # noqa: BLE001 - Solid's answer is worth more than the report about it
            LOG.warning("solid.report_failed", cause=cause, error=type(error).__name__)


def direct_transport(*, ca_file: Path | None = None, proxy: SecretStr | None = None) -> Bounded:
    """Make the transport that really sends: TLS verified, no retries, bounded answers, short-lived idle connections.

    A call takes at most the longest of its timeouts from sending to the last byte, so that an answer that drips cannot
    outlive a lease.

    `ca_file` is the certificate of a private authority, where the reverse proxy has one. Raises ConfigurationError
    when it cannot be read. An idle connection is dropped after two seconds: one that Solid closed meanwhile would
    leave a doubt.
    """
    verify = _trusting(ca_file)
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=2.0)
    through = None if proxy is None else proxy.get_secret_value()
    return Bounded(httpx2.AsyncHTTPTransport(verify=verify, limits=limits, retries=0, trust_env=False, proxy=through))


@functools.cache
def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """One context for all clients that trust the same: each costs half a megabyte."""
    return trusting("solid.ca_file", ca_file)


async def _ready(request: httpx2.Request) -> bool:
    """Do what must be done right before; False where that took so long that the token would be spent late."""
    if (before_send := request.extensions.get(BEFORE_SEND)) is None:
        return True
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await before_send()
    return loop.time() - begun <= LATE_SECONDS


def _sign(request: httpx2.Request) -> Unavailable | None:
    sign = request.extensions.get(SIGN)
    try:
        if sign is not None:
            sign(request)
    except Unavailable as error:
        return error
    return None
