"""Serving HTTP: the receiver, and the metrics of each process on an address of its own. Both have bounds."""

import asyncio
import contextlib
import math
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops.http.bounded import behind
from ops.http.gate import Bounds, Gate, Reason
from ops.http.metrics import ProcessMetrics
from producers.webhooks.measures import Measures
from runtime.lifecycle import rest
from runtime.settings import ConfigurationError, Settings

FILES_OF_OURS: Final = 128
"""Files that the process opens besides its clients' connections, generously."""
SECONDS_BETWEEN_LINES: Final = 60.0

MetricsText = Callable[[], Awaitable[bytes]]
"""Gives figures as Prometheus reads them."""

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the roles share one set."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Starlette, settings: Settings, stop: asyncio.Event, *, measures: Measures) -> None:
    """Serve the receiver until `stop` is set; requests under way are answered first.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    gate = Gate(bounds_of(settings), dropped=_told(measures))
    measures.connections.set_function(lambda: gate.connections)
    measures.body_bytes.set_function(lambda: gate.body_bytes)
    wrong = "Set receiver.host and receiver.port."
    listening = _listen(settings.receiver.host, settings.receiver.port, wrong=wrong)
    await _until(stop, app, listening, gate=gate, event="receiver.listening")


async def serve_metrics(settings: Settings, stop: asyncio.Event, *texts: MetricsText) -> None:
    """Serve GET /metrics of this process until `stop` is set; nothing at all where `metrics.port` is 0.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    host, port = settings.metrics.host, settings.metrics.port
    if not port:
        return
    wrong = "Each process needs a port of its own: set metrics.host and metrics.port, or 0 for none."
    app = metrics_app(ProcessMetrics().text, *texts)
    gate = Gate(bounds_of(settings))
    await _until(stop, app, _listen(host, port, wrong=wrong), gate=gate, event="metrics.listening")


def metrics_app(*texts: MetricsText) -> Starlette:
    """An application that answers GET /metrics with these texts, one after another, and nothing else."""

    async def metrics(_: Request) -> Response:
        return Response(b"".join([await text() for text in texts]), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/metrics", metrics, methods=["GET"])])
    app.router.redirect_slashes = False
    return app


def bounds_of(settings: Settings) -> Bounds:
    """What the settings allow, and this process's limit of open files: the broker and the store need some too."""
    receiver = settings.receiver
    files = open_files()
    room = max(files - FILES_OF_OURS, 1)
    if room < receiver.max_connections:
        log.warning("receiver.files_limited", files=files, wanted=receiver.max_connections, connections=room)
    return Bounds(
        receive_seconds=receiver.receive_seconds,
        connections=min(receiver.max_connections, room),
        connections_per_client=receiver.max_connections_per_client,
        body_bytes=receiver.max_bodies_bytes,
        proxies=receiver.proxies,
    )


def open_files() -> int:
    """How many files this process may have open at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _told(measures: Measures) -> Callable[[Reason], None]:
    """Count every connection that is closed before its time, and log one a minute of each reason."""
    logged: dict[Reason, float] = {}

    def dropped(reason: Reason) -> None:
        measures.dropped.labels(reason).inc()
        now = time.monotonic()
        if now - logged.get(reason, -math.inf) >= SECONDS_BETWEEN_LINES:
            logged[reason] = now
            log.warning("receiver.connection_dropped", reason=reason)

    return dropped


def _listen(host: str, port: int, *, wrong: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        msg = f"cannot listen on {host}:{port}: {error.strerror}. {wrong}"
        raise ConfigurationError(msg) from error


async def _until(stop: asyncio.Event, app: Starlette, listening: socket.socket, *, gate: Gate, event: str) -> None:
    config = uvicorn.Config(
        app,
        http=behind(gate),
        ws="none",
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=15,
        server_header=False,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    host, port = listening.getsockname()[:2]
    log.info(event, host=host, port=port)
    try:
        await rest(stop, asyncio.wait({serving}))
        server.should_exit = True
        await serving
    finally:
        listening.close()
