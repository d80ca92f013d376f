"""A small TCP proxy between two of the processes, which can cut, refuse, fall silent and leave half a connection.

It carries bytes and knows nothing of what they mean.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["near", "far"]
"""The near side called; the far side is the server."""

_CHUNK = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(eq=False, slots=True)
class _Connection:
    """One connection through the proxy: two sockets, and a task for each direction."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    pumps: list["asyncio.Task[None]"] = field(default_factory=list)

    def stop_carrying(self) -> None:
        """Carry nothing any more; both sockets stay open."""
        for pump in self.pumps:
            pump.cancel()

    def reset(self, *sides: Side) -> None:
        """Break it off on these sides, as when a machine that has forgotten the connection is asked for it."""
        self.stop_carrying()
        for side in sides:
            writer = self.near if side == "near" else self.far
            with contextlib.suppress(OSError):
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()


class Proxy:
    """Listens on one port of 127.0.0.1 and passes everything on to another."""

    def __init__(self, name: str, *, port: int, upstream: int) -> None:
        self.name = name
        self.port = port
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def listen(self) -> None:
        """Take connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._begin, "127.0.0.1", self.port)

    def refuse(self) -> None:
        """Refuse new connections, as when nobody listens; those that are open stay."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def cut(self) -> None:
        """Reset every connection on both sides."""
        for connection in list(self._connections):
            connection.reset("near", "far")
        self._connections.clear()

    def hush(self) -> None:
        """Fall silent: connections open and stay open, and nothing comes through."""
        self._flowing.clear()

    def speak(self) -> None:
        """Deliver what was held back, and all that follows."""
        self._flowing.set()

    def forget(self, side: Side) -> "list[_Connection]":
        """Reset this side of every connection; the other side stays open and hears nothing. Give them to `bury`."""
        halves = list(self._connections)
        self._connections.clear()
        for connection in halves:
            connection.reset(side)
        return halves

    @staticmethod
    def bury(halves: "list[_Connection]") -> None:
        """End what was left of half-open connections."""
        for connection in halves:
            connection.reset("near", "far")

    async def close(self) -> None:
        """Stop, and drop everything."""
        self.refuse()
        self.cut()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, near))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            back, far = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            near.transport.abort()
            return
        connection = _Connection(near, far)
        connection.pumps = [
            asyncio.create_task(self._pump(reader, far)),
            asyncio.create_task(self._pump(back, near)),
        ]
        self._connections.add(connection)
        await asyncio.wait(connection.pumps)
        if connection in self._connections:
            self._connections.discard(connection)
            for writer in (near, far):
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction. Its end is passed on as an end; an error ends both directions."""
        try:
            while data := await reader.read(_CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
            await self._flowing.wait()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            writer.transport.abort()
