"""Serving HTTP: the receiver and the metrics of workers, each on an address of its own."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.settings import ConfigurationError, Settings

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the roles share one set."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Starlette, settings: Settings, stop: asyncio.Event) -> None:
    """Serve the receiver until `stop` is set; requests under way are answered first.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    wrong = "Set receiver.host and receiver.port."
    listening = _listen(settings.receiver.host, settings.receiver.port, wrong=wrong)
    await _until(stop, app, listening, "receiver.listening")


async def serve_metrics(text: Callable[[], Awaitable[bytes]], settings: Settings, stop: asyncio.Event) -> None:
    """Serve GET /metrics of the workers until `stop` is set; nothing at all where `worker.metrics_port` is 0.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    worker = settings.worker
    if not worker.metrics_port:
        return
    wrong = "Each process needs a port of its own: set worker.metrics_host and worker.metrics_port, or 0 for none."
    listening = _listen(worker.metrics_host, worker.metrics_port, wrong=wrong)
    await _until(stop, metrics_app(text), listening, "metrics.listening")


def metrics_app(text: Callable[[], Awaitable[bytes]]) -> Starlette:
    """An application that answers GET /metrics and nothing else."""

    async def metrics(_: Request) -> Response:
        return Response(await text(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/metrics", metrics, methods=["GET"])])


def _listen(host: str, port: int, *, wrong: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}. {wrong}"
        raise ConfigurationError(msg) from error


async def _until(stop: asyncio.Event, app: Starlette, listening: socket.socket, event: str) -> None:
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=15, server_header=False)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopped = asyncio.create_task(stop.wait())
    host, port = listening.getsockname()[:2]
    log.info(event, host=host, port=port)
    try:
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        stopped.cancel()
        listening.close()
