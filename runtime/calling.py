"""The way to other people's servers: nothing of the environment, no redirects, answers bounded in bytes and in time.

Every client of the relay sends through `Bounded`. It must not know what is asked, and shows nothing of an answer.
"""

import asyncio
import ssl
from typing import Final

import httpx2
from pydantic import SecretStr

MOST_BYTES: Final = 33_554_432
"""Of one answer, unpacked, where nobody says otherwise."""


LARGE_ANSWERS: Final = 4
"""`times` of a client whose answers may be tens of megabytes."""

LONGEST_SECONDS: Final = 60.0
"""What counts as the timeout of a request that has none."""


class AnswerTooLarge(httpx2.DecodingError):
    """An answer that is larger than allowed once it is unpacked, or packed more than once."""


class AnswerTooSlow(httpx2.ReadTimeout):
    """A call that has not ended in the time that a whole call has, though a byte may have come now and then."""


class Bounded(httpx2.AsyncBaseTransport):
    """Reads each answer whole, and stops as soon as more than `most_bytes` come out of it, or it has taken too long.

    A timeout of httpx2 is for each wait, and a server that sends a byte before each ends never ends: the whole call,
    from connecting to the last byte, takes at most `times` the longest of its timeouts.

    An answer packed in several encodings is not opened: the inner ones can be made of nothing, and last for ever.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, *, most_bytes: int = MOST_BYTES, times: int = 1) -> None:
        """Wrap the transport that sends."""
        self._inner = inner
        self._most_bytes = most_bytes
        self._times = times

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, and give the answer unpacked. Raises AnswerTooLarge, AnswerTooSlow."""
        seconds = _longest_seconds(request) * self._times
        try:
            async with asyncio.timeout(seconds):
                return await self._whole(request)
        except TimeoutError:
            msg = f"the answer was not whole after {seconds:g} s"
            raise AnswerTooSlow(msg, request=request) from None

    async def _whole(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        response.request = request
        body = bytearray()
        try:
            if "," in response.headers.get("Content-Encoding", ""):
                msg = "the answer is packed in several encodings, one inside the other"
                raise AnswerTooLarge(msg, request=request)
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > self._most_bytes:
                    msg = f"the answer has more than {self._most_bytes:,} bytes"
                    raise AnswerTooLarge(msg, request=request)
        finally:
            await response.aclose()
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name.lower() not in {"content-encoding", "content-length", "transfer-encoding"}
        ]
        return httpx2.Response(
            response.status_code, headers=headers, content=bytes(body), request=request, extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close the transport within."""
        await self._inner.aclose()


def new_client(  # noqa: PLR0913 - one keyword a part
    *,
    timeout: httpx2.Timeout | float,
    base_url: str = "",
    most_bytes: int = MOST_BYTES,
    times: int = 1,
    proxy: SecretStr | None = None,
    auth: httpx2.Auth | None = None,
    trust: ssl.SSLContext | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> httpx2.AsyncClient:
    """Make a client of somebody else's server; `transport` is what sends, where it is not the network.

    A whole call takes at most `times` the longest of `timeout`.
    `trust` is whom to believe who a server is: the public authorities where nobody is named.
    """
    through = None if proxy is None else proxy.get_secret_value()
    sending = transport or httpx2.AsyncHTTPTransport(proxy=through, trust_env=False, verify=trust or True)
    return httpx2.AsyncClient(
        base_url=base_url,
        auth=auth,
        timeout=timeout,
        transport=Bounded(sending, most_bytes=most_bytes, times=times),
        follow_redirects=False,
        trust_env=False,
    )


def _longest_seconds(request: httpx2.Request) -> float:
    timeouts = request.extensions.get("timeout", {}).values()
    return LONGEST_SECONDS if not timeouts or None in timeouts else float(max(timeouts))
