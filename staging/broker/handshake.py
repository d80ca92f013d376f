"""Does a RabbitMQ answer here? Asked with the first bytes of AMQP 0-9-1, so that no client library is needed.

Must not log in: an answer to the protocol header proves that the listener is up, which RabbitMQ opens last.
"""

import random
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = 1
_CONNECTION_START = b"\x00\x0a\x00\x0a"
_FRAME_PREFIX = 7 + len(_CONNECTION_START)
_DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671}
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_LOOK_AGAIN_SECONDS = 0.05


def address(url: str) -> tuple[str, int]:
    """Host and port of an AMQP URL. Raises ValueError, without the URL's password, for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS:
        text = f"an AMQP URL starts with amqp:// or amqps://, this one with {parts.scheme or 'nothing'!r}"
        raise ValueError(text)
    return parts.hostname or "127.0.0.1", parts.port or _DEFAULT_PORTS[parts.scheme]


def answers(url: str, *, timeout_seconds: float = 1.0) -> bool:
    """Whether an AMQP server greets us (for amqps: whether the port is open; the greeting is inside TLS)."""
    try:
        with socket.create_connection(address(url), timeout=timeout_seconds) as connection:
            return url.startswith("amqps:") or _is_greeted(connection)
    except OSError:
        return False


def _is_greeted(connection: socket.socket) -> bool:
    connection.sendall(_PROTOCOL_HEADER)
    greeting = b""
    while len(greeting) < _FRAME_PREFIX:
        more = connection.recv(_FRAME_PREFIX - len(greeting))
        if not more:
            return False
        greeting += more
    return greeting[0] == _METHOD_FRAME and greeting.endswith(_CONNECTION_START)


def wait_until_answering(url: str, *, within_seconds: float, still_alive: Callable[[], bool]) -> bool:
    """Ask until the server answers; False once it is dead or the time is over."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline and still_alive():
        if answers(url):
            return True
        time.sleep(_LOOK_AGAIN_SECONDS)
    return False


def free_ports(count: int) -> list[int]:
    """Different loopback ports that nobody listens on.

    They lie below the range from which systems lend ports to outgoing connections: else a client that keeps
    knocking while the server restarts could be lent the server's own port, and lock the server out.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(_FIRST_PORT, _LAST_PORT)  # noqa: S311 - no secret
        if port not in found and _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
