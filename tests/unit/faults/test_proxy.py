"""The proxy between two processes: it carries everything, or breaks in the way that it was told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from faults.proxy import Proxy, Side
from staging.broker.handshake import free_ports

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that says everything back, and remembers how its connections ended."""

    def __init__(self) -> None:
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
                await writer.drain()
            self.ends.put_nowait("eof")
        except ConnectionResetError:
            self.ends.put_nowait("reset")
        finally:
            writer.close()


@pytest.fixture
async def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    (port,) = free_ports(1)
    proxy = Proxy("test", port=port, upstream=server.sockets[0].getsockname()[1])
    await proxy.listen()
    yield proxy
    await proxy.close()
    server.close()


class Caller:
    """Makes connections, and ends them with the test."""

    def __init__(self) -> None:
        self.pipes: list[Pipe] = []

    async def __call__(self, proxy: Proxy) -> Pipe:
        self.pipes.append(await asyncio.open_connection("127.0.0.1", proxy.port))
        return self.pipes[-1]


@pytest.fixture
async def connected() -> AsyncIterator[Caller]:
    caller = Caller()
    yield caller
    for _, writer in caller.pipes:
        writer.transport.abort()
    await asyncio.sleep(0)


async def said_back(pipe: Pipe, text: bytes) -> bytes:
    pipe[1].write(text)
    async with asyncio.timeout(5):
        return await pipe[0].readexactly(len(text))


async def is_silent(pipe: Pipe) -> bool:
    try:
        async with asyncio.timeout(0.2):
            await pipe[0].read(1)
    except TimeoutError:
        return True
    return False


async def test_it_carries_bytes_and_ends_both_ways(connected: Caller, proxy: Proxy, echo: Echo) -> None:
    pipe = await connected(proxy)
    assert await said_back(pipe, b"hello") == b"hello"
    pipe[1].write_eof()
    async with asyncio.timeout(5):
        assert await pipe[0].read() == b""
        assert await echo.ends.get() == "eof"


async def test_cut_resets_both_sides(connected: Caller, proxy: Proxy, echo: Echo) -> None:
    pipe = await connected(proxy)
    await said_back(pipe, b"hello")
    proxy.cut()
    async with asyncio.timeout(5):
        with pytest.raises(ConnectionResetError):
            await pipe[0].read()
        assert await echo.ends.get() == "reset"
    assert await said_back(await connected(proxy), b"again") == b"again"


async def test_refusing_takes_no_new_connection_until_it_listens_again(connected: Caller, proxy: Proxy) -> None:
    pipe = await connected(proxy)
    await said_back(pipe, b"hello")
    proxy.refuse()
    await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await connected(proxy)
    assert await said_back(pipe, b"still here") == b"still here"
    await proxy.listen()
    assert await said_back(await connected(proxy), b"again") == b"again"


async def test_hushed_it_holds_everything_back_and_then_delivers(connected: Caller, proxy: Proxy) -> None:
    pipe = await connected(proxy)
    await said_back(pipe, b"hello")
    proxy.hush()
    pipe[1].write(b"later")
    assert await is_silent(pipe)
    proxy.speak()
    async with asyncio.timeout(5):
        assert await pipe[0].readexactly(5) == b"later"


@pytest.mark.parametrize("side", ["near", "far"])
async def test_half_open_one_side_is_reset_and_the_other_hears_nothing(
    connected: Caller, proxy: Proxy, echo: Echo, side: Side
) -> None:
    pipe = await connected(proxy)
    await said_back(pipe, b"hello")
    halves = proxy.forget(side)
    async with asyncio.timeout(5):
        if side == "near":
            with pytest.raises(ConnectionResetError):
                await pipe[0].read()
            assert echo.ends.empty()
        else:
            assert await echo.ends.get() == "reset"
            assert await is_silent(pipe)
        assert await said_back(await connected(proxy), b"again") == b"again"
        proxy.bury(halves)
        if side == "near":
            assert await echo.ends.get() == "reset"
        else:
            with pytest.raises(ConnectionResetError):
                await pipe[0].read()


async def test_a_server_that_is_gone_is_a_connection_that_breaks(connected: Caller) -> None:
    (nobody,) = free_ports(1)
    lost = Proxy("lost", port=free_ports(1)[0], upstream=nobody)
    await lost.listen()
    reader, _ = await connected(lost)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    await lost.close()
