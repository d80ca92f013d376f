"""A private node of the installed RabbitMQ, for real: what it survives, and that it never survives us."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.broker.handshake import answers
from ops.broker.node import PrivateNode, installed_server

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def node() -> Iterator[PrivateNode]:
    """Give a node that runs."""
    server = installed_server()
    if server is None:
        pytest.skip("no RabbitMQ is installed here")
    private = PrivateNode(server)
    try:
        private.start()
        yield private
    finally:
        private.stop()


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
def test_a_node_goes_with_its_parent_however_that_ends(number: signal.Signals) -> None:
    if installed_server() is None:
        pytest.skip("no RabbitMQ is installed here")
    environment = {name: value for name, value in os.environ.items() if name != "RABBITMQ_URL"}
    environment["PATH"] = os.pathsep.join(
        f for f in environment["PATH"].split(os.pathsep) if not _has_docker(f)
    )
    before = set(_folders())
    parent = subprocess.Popen(
        [sys.executable, "-m", "ops.broker"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with parent:
        assert parent.stdout
        url = parent.stdout.readline().decode().strip()
        assert answers(url)
        parent.send_signal(number)
    _eventually(lambda: not answers(url))
    _eventually(lambda: set(_folders()) <= before)


def _has_docker(folder: str) -> bool:
    return (Path(folder) / "docker").exists()


def _folders() -> list[Path]:
    return list(Path(os.environ.get("TMPDIR", "/tmp")).glob("relay-broker-*"))  # noqa: S108 - where nodes live


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
