"""A private node of the installed or unpacked RabbitMQ, for real: what it survives, and that it never survives us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from staging.broker import unpacked
from staging.broker.handshake import answers
from staging.broker.node import PrivateNode, installed_server

pytestmark = [pytest.mark.timeout(180), pytest.mark.long]


@pytest.fixture
def node(*, rabbitmq_4: bool) -> Iterator[PrivateNode]:
    """Give a node that runs."""
    server = unpacked.SERVER if rabbitmq_4 else installed_server()
    if server is None:
        pytest.skip("no RabbitMQ is installed here")
    private = PrivateNode(server, root=unpacked.ready(print) if rabbitmq_4 else None)
    try:
        private.start()
        yield private
    finally:
        private.stop()


CANARY = "canary-of-a-key-that-no-broker-needs"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_a_broker_knows_nothing_of_our_secrets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RELAY_SOLID__API_KEY", "RELAY_STRIPE__SECRETS", "STRIPE_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, CANARY)
    node: PrivateNode = request.getfixturevalue("node")
    assert node.pid is not None
    watchdog = node._watchdog
    assert watchdog is not None
    pids = {node.pid, watchdog.pid, *members_of(node.pid), *members_of(watchdog.pid)}
    known = [Path(f"/proc/{pid}/environ").read_bytes() for pid in pids]
    assert len(known) >= 3, "Erlang, its port mapper, the watchdog"
    assert all(b"PATH=" in each for each in known)
    assert [each for each in known if CANARY.encode() in each or b"RELAY_" in each] == []


def members_of(group: int) -> list[int]:
    """The processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[2]) == group:
            found.append(int(stat.parent.name))
    return found


def test_a_node_can_be_halted_restarted_and_frozen_on_one_port(node: PrivateNode) -> None:
    assert answers(node.url)
    node.halt()
    assert not answers(node.url)
    node.start()
    assert answers(node.url)
    node.pause()
    assert not answers(node.url, timeout_seconds=0.3)
    node.resume()
    assert answers(node.url)
    node.pause()
    node.stop()
    assert not answers(node.url)
    assert not node._folder.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_node_goes_with_its_parent_however_that_ends(
    tmp_path: Path, number: signal.Signals, *, rabbitmq_4: bool
) -> None:
    if not rabbitmq_4 and installed_server() is None:
        pytest.skip("no RabbitMQ is installed here")
    parent = subprocess.Popen(
        [sys.executable, "-m", "staging.broker", *(["--rabbitmq", "4"] if rabbitmq_4 else [])],
        env=_without_other_brokers(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with parent:
        assert parent.stdout
        url = parent.stdout.readline().decode().strip()
        assert answers(url)
        [data] = _data_of(parent.pid, unpacked.FOLDER / "tmp" if rabbitmq_4 else tmp_path)
        parent.send_signal(number)
    _eventually(lambda: not answers(url))
    _eventually(lambda: not data.exists())


def _data_of(parent: int, folder: Path) -> list[Path]:
    """The folder of the node that a process has started: the node's name, in its log's name, has the process's id."""
    return [path for path in folder.glob("relay-broker-*") if list(path.glob(f"log/relay-{parent}-*"))]


def _without_other_brokers(folder: Path) -> dict[str, str]:
    """Give an environment in which only the installed server is left, and temporary files go to the folder."""
    docker = folder / "bin/docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "RABBITMQ_URL"}
    return environment | {"PATH": f"{docker.parent}:{environment['PATH']}", "TMPDIR": str(folder)}


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
