"""The bounded protocol without a socket: what is whole is served whatever comes, and what is refused is told why."""

import asyncio
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.server import ServerState

from ops.http.bounded import BoundedHttp, behind
from ops.http.gate import Bounds, Gate

WHOLE = b"POST /slow HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""


class Server:
    """An application that answers when it is let, and connections to it."""

    def __init__(self, **changed: int) -> None:
        self.may_answer = asyncio.Event()

        async def slow(request: Request) -> Response:
            await request.body()
            await self.may_answer.wait()
            return Response("done")

        usual: dict[str, Any] = {"receive_seconds": 60, "connections": 2, "connections_per_client": 9, "body_bytes": 9}
        self.gate = Gate(Bounds(**(usual | changed)))
        self.state = ServerState()
        app = Starlette(routes=[Route("/slow", slow, methods=["POST"])])
        self.config = uvicorn.Config(app, http=behind(self.gate), ws="none", lifespan="off", log_config=None)
        self.config.load()

    def connect(self, *said: bytes) -> tuple[BoundedHttp, Transport]:
        made, transport = behind(self.gate)(self.config, self.state, {}), Transport()
        made.connection_made(transport)
        for each in said:
            made.data_received(each)
        return made, transport

    async def answer(self) -> None:
        self.may_answer.set()
        await asyncio.gather(*self.state.tasks)


async def test_a_request_that_is_whole_makes_no_room() -> None:
    server = Server()
    _, whole = server.connect(WHOLE)
    idle = [server.connect()[1] for _ in range(3)]
    assert [each.closed for each in idle] == [True, True, False]
    await server.answer()
    assert whole.written.startswith(b"HTTP/1.1 200 OK")


async def test_a_second_request_is_not_begun_before_the_first_is_answered() -> None:
    server = Server()
    _, both = server.connect(WHOLE + WHOLE, WHOLE)
    assert len(server.state.tasks) == 1
    await server.answer()
    assert both.written.count(b"HTTP/1.1 200 OK") == 1
    assert both.closed


async def test_one_after_another_is_fine() -> None:
    server = Server()
    made, transport = server.connect(WHOLE)
    await server.answer()
    made.data_received(WHOLE)
    await server.answer()
    assert transport.written.count(b"HTTP/1.1 200 OK") == 2
    assert not transport.closed
    assert server.gate.body_bytes == 0
    made.connection_lost(None)
    assert server.gate.connections == 0


async def test_a_body_that_makes_room_is_told_to_come_again() -> None:
    server = Server()
    _, old = server.connect(b"POST /slow HTTP/1.1\r\nContent-Length: 9\r\n\r\n12345678")
    _, new = server.connect(b"POST /slow HTTP/1.1\r\nContent-Length: 9\r\n\r\n12345678")
    assert old.written.startswith(b"HTTP/1.1 503 ")
    assert (old.closed, new.closed) == (True, False)
    await asyncio.wait_for(asyncio.sleep(0), 1)
    server.connect(b"POST /slow HTTP/1.1\r\nContent-Length: 99\r\n\r\n0123456789")
    await server.answer()


@pytest.mark.parametrize(
    "said",
    [
        [b"GET /slow HTTP/1.1\r\nX-Long: ", *[b"y" * 4096] * 9],
        [b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n"],
        [b"GET /slow HTTP/1.1\r\n" + b"X: y\r\n" * 102],
    ],
    ids=["a field without end", "a long path", "many fields"],
)
async def test_a_head_that_is_too_large_is_not_waited_for(said: list[bytes]) -> None:
    _, transport = Server().connect(*said)
    assert transport.written.startswith(b"HTTP/1.1 431 ")
    assert transport.closed


@pytest.mark.parametrize(
    ("said", "more"),
    [
        (b"", b"\r\n"),
        (b"\r\n", b"\r\n"),
        (b"GET /slow HTTP/1.1\r\n", b"X: y\r\n"),
        (b"POST /slow HTTP/1.1\r\nContent-Length: 9\r\n\r\n", b"1"),
    ],
    ids=["nothing", "blank lines", "a head", "a body"],
)
async def test_whoever_is_waited_for_has_a_deadline_that_no_drip_moves(said: bytes, more: bytes) -> None:
    server = Server()
    made, transport = server.connect(*filter(None, [said]))
    first = made._deadline
    assert first is not None
    assert first.when() - asyncio.get_running_loop().time() <= server.gate.bounds.receive_seconds
    made.data_received(more)
    made.data_received(more)
    assert made._deadline is first
    first._run()  # as the loop does when its time comes
    assert transport.closed
    await server.answer()


async def test_whoever_waits_for_an_answer_has_none() -> None:
    server = Server()
    made, _ = server.connect(WHOLE)
    assert made._deadline is None
    await server.answer()
