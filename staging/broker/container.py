"""RabbitMQ in a container, where a Docker engine answers.

Only this module knows Docker. testcontainers starts it, and its reaper removes it when we are killed.
"""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.environment import passed_on
from staging.broker.errors import BrokerFailed
from staging.broker.handshake import free_ports, wait_until_answering
from staging.broker.port import MANAGEMENT

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

IMAGE = "rabbitmq:4.2"  # the one of compose.yaml
PROBE_SECONDS = 3.0
_START_SECONDS = 120.0
_SOCKET = Path("/var/run/docker.sock")
_AMQP_PORT = 5672
_MANAGEMENT_PORT = 15672
_LOCAL = ("localhost", "127.0.0.1")


def engine_answers() -> bool:
    """Whether a Docker engine answers within three seconds; a client without an engine is none."""
    client = shutil.which("docker")
    if client:
        return _client_sees_a_server(client)
    return "DOCKER_HOST" not in os.environ and _SOCKET.exists() and _socket_is_served()


def _client_sees_a_server(client: str) -> bool:
    """Ask without pipes, which a client's helper could keep open past the time limit."""
    command = [client, "version", "--format", "{{.Server.Version}}"]
    try:
        asked = subprocess.run(
            command,
            check=False,
            timeout=PROBE_SECONDS,
            env=passed_on(*(name for name in os.environ if name.startswith("DOCKER_"))),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _socket_is_served() -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(PROBE_SECONDS)
            engine.connect(str(_SOCKET))
            engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in engine.recv(64)
    except OSError:
        return False


class ContainerBroker:
    """One container of our own; see `Broker` for what can be done with it."""

    def __init__(self, *, plugins: Sequence[str] = ()) -> None:
        """Create and start the container. Raises BrokerFailed when the engine cannot."""
        self.how = f"container of {IMAGE}"
        self._stopped = False
        self._container = _start_container(plugins)
        try:
            self.url = _url(self._container)
            asked_for = MANAGEMENT in plugins
            self.management_url = f"http://{_address(self._container, _MANAGEMENT_PORT)}" if asked_for else None
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def halt(self) -> None:
        """See `Broker.halt`."""
        self._container.get_wrapped_container().stop()

    def start(self) -> None:
        """See `Broker.start`."""
        self._container.get_wrapped_container().start()
        self._await_answer()

    def restart(self) -> None:
        """See `Broker.restart`."""
        self.halt()
        self.start()

    def pause(self) -> None:
        """See `Broker.pause`."""
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """See `Broker.resume`."""
        self._container.get_wrapped_container().unpause()

    def stop(self) -> None:
        """See `Broker.stop`."""
        if not self._stopped:
            self._stopped = True
            self._container.stop()

    def _await_answer(self) -> None:
        container = self._container.get_wrapped_container()

        def runs() -> bool:
            container.reload()
            return str(container.status) in {"created", "running"}

        if not wait_until_answering(self.url, within_seconds=_START_SECONDS, still_alive=runs):
            text = f"the container of {IMAGE} did not start; the end of its log:\n{_log_end(self._container)}"
            raise BrokerFailed(text)


def _start_container(plugins: Sequence[str]) -> "DockerContainer":
    """Bind a fixed loopback port, so that a restart keeps it; an engine elsewhere binds as it likes."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - slow

    enabling = f"echo '[{','.join(plugins)}].' > /etc/rabbitmq/enabled_plugins"
    command = ["sh", "-c", f"{enabling} && exec docker-entrypoint.sh rabbitmq-server"]
    cleanup = contextlib.ExitStack()
    try:
        container = DockerContainer(IMAGE).with_command(command)
        cleanup.callback(container.stop)
        ports = (_AMQP_PORT, _MANAGEMENT_PORT) if MANAGEMENT in plugins else (_AMQP_PORT,)
        if container.get_docker_client().host() in _LOCAL:
            for port, free in zip(ports, free_ports(len(ports)), strict=True):
                container.ports[f"{port}/tcp"] = ("127.0.0.1", free)  # type: ignore[assignment]  # Docker takes the pair
        else:
            container.with_exposed_ports(*ports)
        return container.start()
    except Exception as exc:  # Docker's client raises what its transports raise
        with contextlib.suppress(Exception):
            cleanup.close()
        text = f"the Docker engine answers but could not start {IMAGE}: {exc}"
        raise BrokerFailed(text) from exc


def _url(container: "DockerContainer") -> str:
    return f"amqp://guest:guest@{_address(container, _AMQP_PORT)}/"


def _address(container: "DockerContainer", port: int) -> str:
    host = container.get_container_host_ip()
    return f"{'127.0.0.1' if host in _LOCAL else host}:{container.get_exposed_port(port)}"


def _log_end(container: "DockerContainer") -> str:
    log: bytes = container.get_wrapped_container().logs(tail=25)
    return log.decode(errors="replace")
