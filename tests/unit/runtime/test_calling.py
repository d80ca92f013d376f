"""Answers of other people's servers are bounded as they are unpacked, and the environment has no say in the way."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from pydantic import SecretStr

from runtime.calling import AnswerTooLarge, Bounded, new_client

MEGABYTE = 1_048_576


class Raw(httpx2.AsyncByteStream):
    """A body as it comes over the wire."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class Server(httpx2.AsyncBaseTransport):
    """Answers with the same bytes, packed as its header says."""

    def __init__(self, content: bytes, *encodings: str) -> None:
        self._content, self._encodings = content, ", ".join(encodings)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        del request
        headers = {"Content-Encoding": self._encodings} if self._encodings else {}
        return httpx2.Response(200, headers=headers, stream=Raw(self._content))


def packed(times: int, size: int) -> bytes:
    content = bytes(size)
    for _ in range(times):
        content = gzip.compress(content)
    return content


async def test_what_is_packed_once_comes_unpacked() -> None:
    async with new_client(timeout=5, transport=Server(gzip.compress(b'{"a": 1}'), "gzip")) as client:
        answer = await client.get("http://there/")
    assert answer.json() == {"a": 1}
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("encodings", [("gzip",), ("gzip", "gzip"), ("gzip",) * 5, ("gzip", "identity")], ids=str)
async def test_a_small_answer_that_unpacks_to_a_lot_takes_no_more_than_is_allowed(encodings: tuple[str, ...]) -> None:
    bomb = packed(encodings.count("gzip"), 100 * MEGABYTE)
    async with new_client(timeout=5, most_bytes=2 * MEGABYTE, transport=Server(bomb, *encodings)) as client:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge):
                await client.get("http://there/")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 12 * MEGABYTE


async def test_an_answer_of_just_the_size_is_taken_and_one_byte_more_is_not() -> None:
    for size, fits in ((100, True), (101, False)):
        async with new_client(timeout=5, most_bytes=100, transport=Server(bytes(size))) as client:
            if fits:
                assert len((await client.get("http://there/")).content) == size
            else:
                with pytest.raises(AnswerTooLarge, match="more than 100 bytes"):
                    await client.get("http://there/")


async def reached(ask: Callable[[int, int], httpx2.AsyncClient]) -> str:
    """Whom a client calls: the server itself, or the proxy that the environment or a setting names."""
    heard: list[str] = []

    async def answer(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        heard.append(name)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    def named(name: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
        return lambda reader, writer: answer(name, reader, writer)

    server = await asyncio.start_server(named("server"), "127.0.0.1", 0)  # type: ignore[arg-type]  # a handler of its own shape
    proxy = await asyncio.start_server(named("proxy"), "127.0.0.1", 0)  # type: ignore[arg-type]  # a handler of its own shape
    ports = [each.sockets[0].getsockname()[1] for each in (server, proxy)]
    async with server, proxy, ask(*ports) as client:
        await client.get(f"http://127.0.0.1:{ports[0]}/")
    return heard[0]


async def test_the_proxy_of_the_environment_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_server: int, proxy: int) -> httpx2.AsyncClient:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        return new_client(timeout=5)

    assert await reached(ask) == "server"


async def test_a_proxy_that_is_set_is_used() -> None:
    assert (
        await reached(lambda _, proxy: new_client(timeout=5, proxy=SecretStr(f"http://127.0.0.1:{proxy}"))) == "proxy"
    )


async def test_the_transport_within_is_closed_with_it() -> None:
    closed = []

    class Closing(Server):
        async def aclose(self) -> None:
            closed.append(True)

    await Bounded(Closing(b"")).aclose()
    assert closed == [True]
