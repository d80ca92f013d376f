"""The receiver's real process under attack by people who know no secret: who signs is answered all the while.

There is no broker: a signed event of a type that posts nothing needs none. Memory is compared with what was sent.
"""

import contextlib
import itertools
import json
import resource
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from staging.broker.handshake import free_ports
from staging.processes import stage, wait_for
from tests.e2e.driving import signature
from tests.forking import Forked
from tests.unit.producers.made import stripe_event

pytestmark = pytest.mark.e2e

UNUSED = stripe_event("balance.available", {"object": "balance"})
SECONDS = 2.0
LONG = 60.0
POST = b"POST /webhooks/stripe HTTP/1.1\r\nHost: receiver\r\n"


@dataclass
class Receiver:
    port: int
    pid: int
    open: list[socket.socket] = field(default_factory=list)

    def connect(self, *said: bytes, source: str = "127.0.0.1") -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), 10, source_address=(source, 0))
        self.open.append(made)
        for each in said:
            made.sendall(each)
        return made

    def signed(self, *, source: str = "127.0.0.1") -> bytes:
        """Post a signed event; give the first line of the answer."""
        head = f"Stripe-Signature: {signature(UNUSED)}\r\nContent-Length: {len(UNUSED)}\r\n\r\n".encode()
        with contextlib.closing(self.connect(POST + head + UNUSED, source=source)) as made:
            return made.recv(1000).partition(b"\r\n")[0]

    @property
    def memory(self) -> int:
        """Resident bytes of the process."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def forget(self) -> None:
        while self.open:
            self.open.pop().close()


def start(folder: Path, **settings: str) -> contextlib.AbstractContextManager[Receiver]:
    @contextlib.contextmanager
    def started() -> Iterator[Receiver]:
        said = {"RELAY_RECEIVER__RECEIVE_SECONDS": str(SECONDS), "RELAY_RECEIVER__MAX_BODIES_BYTES": "8388608"}
        with stage(folder, "amqp://127.0.0.1:1/", Forked, **(said | settings)) as opened:
            url = opened.start_receiver()
            receiver = Receiver(int(url.rpartition(":")[2]), opened.processes[0].popen.pid)
            yield receiver
            receiver.forget()

    return started()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with start(tmp_path_factory.mktemp("attacked")) as receiver:
        yield receiver
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def receiver(process: Receiver) -> Iterator[Receiver]:
    yield process
    process.forget()


def ended(made: socket.socket, within_seconds: float = LONG) -> bytes:
    """Everything that is answered until the other side has closed."""
    made.settimeout(within_seconds)
    found = b""
    with contextlib.suppress(ConnectionError):
        while more := made.recv(65536):
            found += more
    return found


def dripped(made: socket.socket, drops: Iterator[bytes], within_seconds: float = LONG) -> bytes:
    """What is answered to one who sends a little again and again, until the other side has closed."""
    made.settimeout(0.2)
    deadline, found = time.monotonic() + within_seconds, b""
    while time.monotonic() < deadline:
        try:
            made.sendall(next(drops))
            if not (more := made.recv(65536)):
                return found
            found += more
        except TimeoutError:
            continue
        except ConnectionError:
            return found
    raise AssertionError("still open")


def poured(made: socket.socket, size: int) -> int:
    """Send so many bytes as fast as they are taken; give how many were."""
    sent, block = 0, b"a" * 65536
    made.settimeout(5)
    with contextlib.suppress(OSError):
        while sent < size:
            sent += made.send(block)
    return sent


def test_four_hundred_open_bodies_are_not_kept_and_who_signs_is_answered(receiver: Receiver) -> None:
    before, sent = receiver.memory, 0
    for _ in range(400):
        made = receiver.connect(POST + b"Content-Length: 1000000\r\n\r\n")
        sent += poured(made, 980_000)
    assert sent > 300_000_000
    assert receiver.signed() == b"HTTP/1.1 200 OK"
    assert receiver.memory - before < sent / 4


def test_eleven_hundred_idle_connections_stop_nobody(receiver: Receiver) -> None:
    for _ in range(1100):
        receiver.connect()
    assert receiver.signed() == b"HTTP/1.1 200 OK"


def test_a_header_of_three_hundred_megabytes_is_cut_off(receiver: Receiver) -> None:
    before = receiver.memory
    made = receiver.connect(b"GET /healthz HTTP/1.1\r\nX-Long: ")
    sent = poured(made, 300_000_000)
    assert sent < 30_000_000, "what fits between two processes, and no more"
    assert receiver.memory - before < 10_000_000
    assert receiver.signed() == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(200)),
        b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(60)),
        b"X-Long: " + b"y" * 40_000 + b"\r\n",
    ],
    ids=["many", "together", "long"],
)
def test_a_head_that_is_too_large_is_refused(receiver: Receiver, head: bytes) -> None:
    made = receiver.connect(b"GET /healthz HTTP/1.1\r\n" + head + b"\r\n")
    assert ended(made).startswith(b"HTTP/1.1 431 ")


def test_a_path_that_is_too_long_is_refused(receiver: Receiver) -> None:
    assert ended(receiver.connect(b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 431 ")


DRIPS = {
    "nothing": (b"", itertools.repeat(b"")),
    "blank lines": (b"", itertools.repeat(b"\r\n")),
    "a header": (b"GET /healthz HTTP/1.1\r\n", itertools.repeat(b"X: y\r\n")),
    "a body": (POST + b"Content-Length: 100000\r\n\r\n", itertools.repeat(b"x")),
    "chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", itertools.repeat(b"1\r\nx\r\n")),
    "a trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", itertools.repeat(b"X: y\r\n")),
    "a body that nobody asked for": (
        b"POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        itertools.repeat(b"1\r\nx\r\n"),
    ),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_whoever_drips_is_cut_off(receiver: Receiver, drip: str) -> None:
    begin, drops = DRIPS[drip]
    started = time.monotonic()
    answer = dripped(receiver.connect(begin), drops)
    assert time.monotonic() - started > SECONDS / 2, "it had its time"
    assert not answer.startswith(b"HTTP/1.1 2")
    assert receiver.signed() == b"HTTP/1.1 200 OK"


def test_after_a_request_without_its_body_the_time_still_runs(receiver: Receiver) -> None:
    """A body that comes in the end leaves a connection that is waited for again, and not for ever."""
    made = receiver.connect(b"POST /nowhere HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
    answer = b""
    while not answer.endswith(b"Not Found") and (part := made.recv(1000)):  # head and body may come apart
        answer += part
    assert answer.startswith(b"HTTP/1.1 404")
    made.sendall(b"defghij")
    assert ended(made) == b""


def test_chunks_without_end_are_too_large(receiver: Receiver) -> None:
    before = receiver.memory
    made = receiver.connect(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with contextlib.suppress(OSError):
        for _ in range(500):
            made.sendall(chunk)
    assert receiver.memory - before < 500 * len(chunk) / 2
    assert receiver.signed() == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("begin", [b"0\r\nX-Trailer: ", b"1;extension="], ids=["trailer", "extension"])
def test_what_stands_around_chunks_is_bounded_too(receiver: Receiver, begin: bytes) -> None:
    before = receiver.memory
    made = receiver.connect(POST + b"Transfer-Encoding: chunked\r\n\r\n" + begin)
    assert poured(made, 300_000_000) < 30_000_000
    assert receiver.memory - before < 10_000_000


def test_of_requests_in_a_row_the_first_is_answered_and_none_is_kept(receiver: Receiver) -> None:
    before, many = receiver.memory, b"GET /healthz HTTP/1.1\r\n\r\n" * 4000
    made = [receiver.connect() for _ in range(100)]
    for each in made:
        with contextlib.suppress(OSError):
            each.sendall(many)
    assert receiver.signed() == b"HTTP/1.1 200 OK"
    assert receiver.memory - before < 100 * 4000 * 250, "a request that is kept takes kilobytes"
    assert ended(made[-1]).count(b"HTTP/1.1 200 OK") <= 1


def test_whoever_reads_no_answer_is_cut_off(receiver: Receiver) -> None:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    made.connect(("127.0.0.1", receiver.port))
    receiver.open.append(made)
    made.settimeout(1)
    refused = POST + b"Content-Length: 1\r\n\r\nx"

    def gone() -> bool:
        """Ask a little at a time, never listening."""
        try:
            for _ in range(200):
                made.sendall(refused)
                time.sleep(0.0005)
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return False

    wait_for(gone, what="the receiver to give up")


def test_one_client_does_not_keep_others_out(tmp_path: Path) -> None:
    few = {"RELAY_RECEIVER__MAX_CONNECTIONS_PER_CLIENT": "5", "RELAY_RECEIVER__PROXIES": json.dumps([])}
    with start(tmp_path, **few) as receiver:
        greedy = [receiver.connect(source="127.0.0.2") for _ in range(20)]
        wait_for(lambda: ended(greedy[0], 1) == b"", what="the first of them to be closed")
        assert receiver.signed() == b"HTTP/1.1 200 OK"
        assert receiver.signed(source="127.0.0.2") == b"HTTP/1.1 200 OK"


def test_what_was_cut_off_is_counted_where_only_the_operator_looks(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    with start(tmp_path, RELAY_METRICS__PORT=str(port)) as receiver:
        ended(receiver.connect(b"nonsense\r\n\r\n"))
        ended(receiver.connect(b"GET / HTTP/1.1\r\n"))
        receiver.connect(b"POST /webhooks/stripe/ HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n")
        answer = receiver.open[-1].recv(1000)
        assert answer.startswith(b"HTTP/1.1 404")
        assert b"evil" not in answer
        with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as made:
            made.sendall(b"GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
            text = ended(made)
    assert b'relay_receiver_dropped_total{reason="malformed"} 1.0' in text
    assert b'relay_receiver_dropped_total{reason="late"} 1.0' in text
    assert b"relay_process_resident_memory_bytes" in text
