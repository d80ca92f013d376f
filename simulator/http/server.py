"""Puts a simulation behind two ports of one event loop: the API's and the control port's.

Closing the app closes the API's listening socket and drops its connections, so that a connect is refused;
opening it binds the same port again. The control port stays.
"""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from simulator.http.api import ApiApp
from simulator.http.control import control_app
from simulator.service.simulation import Simulation

API_PORT: Final = 21384
CONTROL_PORT: Final = 21385
KEEP_ALIVE_SECONDS: Final = 75
_SHUTDOWN_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A simulation that listens."""

    simulation: Simulation
    host: str
    port: int
    control_port: int

    @property
    def api_url(self) -> str:
        """Where the API is, without the `/api/v1`."""
        return f"http://{self.host}:{self.port}"

    @property
    def control_url(self) -> str:
        """Where the control port is."""
        return f"http://{self.host}:{self.control_port}"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a way for the app to drop the connection: `scope["state"]["cut"]()`."""

    def on_message_begin(self) -> None:
        """Start a request whose scope can cut."""
        super().on_message_begin()
        self.scope["state"]["cut"] = self.transport.abort


class Listener:
    """One app on one port, which can be closed and opened again."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Prepare; port 0 is a free one, kept from the first `open` on."""
        self._config = Config(
            app,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._host = host
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._reserved: socket.socket | None = None
        self.port = port

    async def open(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        bound, self._reserved = self._reserved or self._bound(), None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: CuttableProtocol(self._config, self._state, {}), sock=bound, backlog=1024
        )

    def _bound(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, self.port))
        except OSError:
            bound.close()
            raise
        bound.setblocking(False)  # noqa: FBT003  # the standard library takes it by position
        self.port = bound.getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening and drop every connection; returns when connects are refused.

        The port stays ours: a bound socket that does not listen refuses connects and keeps others from taking
        it. Binding it succeeds only once the listening socket is really gone.
        """
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._state.connections):
            connection.transport.abort()
        async with asyncio.timeout(_CLOSE_SECONDS):
            while self._reserved is None:
                with contextlib.suppress(OSError):
                    self._reserved = self._bound()
                await asyncio.sleep(0)

    async def finish(self) -> None:
        """Close, give the port back, and wait for requests that are still under way."""
        await self.close()
        if self._reserved is not None:
            self._reserved.close()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_SHUTDOWN_SECONDS)


@contextlib.asynccontextmanager
async def running(
    simulation: Simulation, *, host: str = "127.0.0.1", port: int = 0, control_port: int = 0
) -> AsyncIterator[Running]:
    """Serve the simulation while the block runs; port 0 is a free one.

    Raises OSError when a port is taken.
    """
    api = Listener(ApiApp(simulation), host, port)
    control = Listener(control_app(simulation), host, control_port)

    await api.open()
    try:
        await control.open()
        simulation.door = api
        yield Running(simulation, host, api.port, control.port)
    finally:
        simulation.door = None
        simulation.closing.set()
        await api.finish()
        await control.finish()
        simulation.close()


async def serve(simulation: Simulation, *, host: str, port: int, control_port: int) -> None:
    """Serve until SIGTERM or SIGINT; prints one JSON line with both ports on stdout when ready."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(simulation, host=host, port=port, control_port=control_port) as served:
        ready = {
            "ready": True,
            "port": served.port,
            "control_port": served.control_port,
            "api": served.api_url,
            "control": served.control_url,
        }
        print(json.dumps(ready), flush=True)  # noqa: T201  # the line that a parent process waits for
        await stop.wait()
