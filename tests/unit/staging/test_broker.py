"""Where a broker is looked for, in which order, and what is said when there is none. Starts none."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from staging.broker import (
    MANAGEMENT,
    BrokerFailed,
    BrokerNotFound,
    BrokerNotOurs,
    container,
    find_broker,
    find_own_broker,
    find_rabbitmq_4,
    finding,
    handshake,
    node,
    package,
    prepare,
    unpacked,
)

CONNECTION_START = b"\x01\x00\x00\x00\x00\x00\x10\x00\x0a\x00\x0a\x00\x09rest"


class FakeBroker:
    """A broker of ours that only remembers whether it was stopped."""

    url = "amqp://guest:guest@127.0.0.1:1/"
    management_url = None

    def __init__(self, how: str) -> None:
        self.how = how
        self.stopped = False

    def halt(self) -> None: ...
    def start(self) -> None: ...
    def restart(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...

    def stop(self) -> None:
        self.stopped = True


class Machine:
    """What a machine has; every field may be changed by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = False
        self.server: Path | None = None
        self.root_with_apt = False
        self.installed = 0
        self.said: list[str] = []
        self.container: Callable[[], FakeBroker] = lambda: FakeBroker("container")
        monkeypatch.delenv("RABBITMQ_URL", raising=False)
        monkeypatch.setattr(finding, "engine_answers", lambda: self.engine)
        monkeypatch.setattr(finding, "installed_server", lambda: self.server)
        monkeypatch.setattr(finding, "ContainerBroker", self._container)
        monkeypatch.setattr(finding, "PrivateNode", self._node)
        monkeypatch.setattr(package, "may_install", lambda: self.root_with_apt)
        monkeypatch.setattr(package, "install", self._install)

    def _container(self, *, plugins: Sequence[str]) -> FakeBroker:
        assert not plugins
        return self.container()

    def _node(self, server: Path, *, plugins: Sequence[str], root: Path | None) -> FakeBroker:
        assert not plugins
        return FakeBroker(f"node of {server}{f' in {root}' if root else ''}")

    def _install(self, _say: Callable[[str], None]) -> None:
        self.installed += 1
        self.server = Path("/new/rabbitmq-server")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Give a machine that has nothing."""
    return Machine(monkeypatch)


def test_the_named_broker_comes_before_all_others(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.engine = True
    monkeypatch.setenv("RABBITMQ_URL", "amqp://u:p@somewhere:5673/")
    monkeypatch.setattr(finding, "wait_until_answering", lambda *_, **__: True)
    with find_broker() as broker:
        assert broker.url == "amqp://u:p@somewhere:5673/"
        assert broker.how == "RABBITMQ_URL"


def test_a_named_broker_that_does_not_answer_is_an_error_without_its_password(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.engine = True
    monkeypatch.setenv("RABBITMQ_URL", "amqp://u:hush@somewhere:5673/")
    monkeypatch.setattr(finding, "wait_until_answering", lambda *_, **__: False)
    with pytest.raises(BrokerFailed, match="somewhere:5673") as failure, find_broker():
        pass
    assert "hush" not in str(failure.value)


def test_a_url_of_another_kind_is_refused_without_its_password(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.engine = True
    monkeypatch.setenv("RABBITMQ_URL", "https://u:hush@somewhere/")
    with pytest.raises(BrokerFailed, match="amqp://") as failure, find_broker():
        pass
    assert "hush" not in str(failure.value)


def test_somebody_elses_broker_is_not_ours_to_stop(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not machine.engine
    monkeypatch.setenv("RABBITMQ_URL", "amqp://somewhere/")
    monkeypatch.setattr(finding, "wait_until_answering", lambda *_, **__: True)
    with find_broker() as broker:
        for act in (broker.halt, broker.start, broker.restart, broker.pause, broker.resume):
            with pytest.raises(BrokerNotOurs, match="somebody else"):
                act()
        broker.stop()


def test_a_test_that_breaks_its_broker_never_gets_the_named_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.server = Path("/x/rabbitmq-server")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://somewhere/")
    with find_own_broker() as broker:
        assert broker.how == "node of /x/rabbitmq-server"


def test_rabbitmq_4_is_unpacked_where_it_is_asked_for_whatever_else_is_here(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.engine, machine.server = True, Path("/x/rabbitmq-server")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://somewhere/")
    monkeypatch.setattr(unpacked, "ready", lambda _say: Path("/var/four"))
    with find_rabbitmq_4(say=machine.said.append) as broker:
        assert broker.how == "node of /usr/lib/rabbitmq/bin/rabbitmq-server in /var/four"


def test_a_node_in_an_unpacked_system_keeps_its_data_there_and_knows_no_path_outside(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    private = node.PrivateNode(Path("/x/rabbitmq-server"), plugins=[MANAGEMENT], root=tmp_path)
    try:
        assert private._folder.parent == tmp_path / "tmp"
        assert str(tmp_path) not in " ".join(private._environment.values())
        port = urlsplit(private.management_url or "").port
        assert f"management.tcp.port = {port}" in (private._folder / "rabbitmq.conf").read_text()
    finally:
        private.stop()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_docker_comes_before_an_installed_server(machine: Machine) -> None:
    machine.engine, machine.server = True, Path("/x/rabbitmq-server")
    with find_broker(say=machine.said.append) as broker:
        assert broker.how == "container"


def test_a_docker_that_cannot_do_it_is_reported_and_the_installed_server_is_taken(machine: Machine) -> None:
    def fail() -> FakeBroker:
        text = "no such image\nand more"
        raise BrokerFailed(text)

    machine.engine, machine.server, machine.container = True, Path("/x/rabbitmq-server"), fail
    with find_broker(say=machine.said.append) as broker:
        assert broker.how == "node of /x/rabbitmq-server"
    assert any("no such image" in line for line in machine.said)
    assert not any("\n" in line for line in machine.said)


def test_root_with_apt_installs_the_package_once_nothing_else_is_here(machine: Machine) -> None:
    machine.root_with_apt = True
    with find_broker() as broker:
        assert broker.how == "node of /new/rabbitmq-server"
    with find_broker():
        pass
    assert machine.installed == 1


def test_a_machine_with_nothing_is_told_which_three_things_would_help(machine: Machine) -> None:
    with pytest.raises(BrokerNotFound) as failure, find_broker(say=machine.said.append):
        pass
    for help_ in ("RABBITMQ_URL", "Docker", "rabbitmq-server"):
        assert help_ in str(failure.value)


def test_our_broker_is_stopped_when_the_work_with_it_fails(machine: Machine) -> None:
    ours = FakeBroker("container")
    machine.engine, machine.container = True, lambda: ours
    with pytest.raises(ZeroDivisionError), find_broker():
        raise ZeroDivisionError
    assert ours.stopped


def test_preparing_installs_only_where_nothing_is_here(machine: Machine) -> None:
    machine.root_with_apt = True
    machine.engine = True
    prepare()
    assert machine.installed == 0
    machine.engine = False
    prepare()
    assert machine.installed == 1


def test_a_docker_client_that_hangs_counts_as_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(tmp_path / "docker", "sleep 6 & sleep 6")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(container, "PROBE_SECONDS", 0.2)
    started = time.monotonic()
    assert not container.engine_answers()
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(("exit_code", "answers"), [(0, True), (1, False)])
def test_a_docker_client_says_whether_its_engine_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exit_code: int, answers: bool
) -> None:
    _script(tmp_path / "docker", f"exit {exit_code}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert container.engine_answers() is answers


class FakeContainer:
    """Stands for testcontainers' container, on an engine of this machine that has no image."""

    made: ClassVar[list["FakeContainer"]] = []

    def __init__(self, image: str) -> None:
        self.image = image
        self.ports: dict[str, tuple[str, int]] = {}
        self.stopped = False
        self.made.append(self)

    def with_command(self, command: list[str]) -> "FakeContainer":
        self.command = command
        return self

    def get_docker_client(self) -> "FakeContainer":
        return self

    def host(self) -> str:
        return "localhost"

    def start(self) -> None:
        text = "manifest unknown"
        raise RuntimeError(text)

    def stop(self) -> None:
        self.stopped = True


def test_a_container_is_published_on_loopback_only_and_removed_when_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakeContainer, "made", [])
    monkeypatch.setattr("testcontainers.core.container.DockerContainer", FakeContainer)
    with pytest.raises(BrokerFailed, match="manifest unknown"):
        container.ContainerBroker()
    (made,) = FakeContainer.made
    assert made.image == container.IMAGE
    assert [address for address, _ in made.ports.values()] == ["127.0.0.1"]
    assert made.stopped


def test_the_packages_wrapper_that_switches_users_is_stepped_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper, real, own = (tmp_path / name / "rabbitmq-server" for name in ("sbin", "lib", "opt"))
    for script in (wrapper, real, own):
        script.parent.mkdir()
        _script(script, "exit 0")
    monkeypatch.setattr(node, "_UNWRAPPED", real)
    monkeypatch.setattr(node, "_WRAPPER_FOLDERS", (str(wrapper.parent),))
    monkeypatch.setenv("PATH", str(wrapper.parent))
    assert node.installed_server() == real
    monkeypatch.setenv("PATH", str(own.parent))
    assert node.installed_server() == own


def test_a_machine_without_a_server_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_UNWRAPPED", tmp_path / "none")
    monkeypatch.setattr(node, "_SYSTEM_FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.installed_server() is None


def test_a_private_node_takes_no_settings_of_another_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_NODENAME", "production@host")
    monkeypatch.setenv("RABBITMQ_CLUSTER_NODES", "production@host")
    monkeypatch.setenv("ERL_FLAGS", "-setcookie production")
    private = node.PrivateNode(Path("/x/rabbitmq-server"))
    try:
        environment = private._environment
        assert "production" not in " ".join(environment.values())
        assert environment["RABBITMQ_NODE_IP_ADDRESS"] == "127.0.0.1"
    finally:
        private.stop()
    assert not private._folder.exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://u:p@host:5673/vhost", ("host", 5673)),
        ("amqp://host", ("host", 5672)),
        ("amqps://host/", ("host", 5671)),
        ("amqp:///", ("127.0.0.1", 5672)),
    ],
)
def test_an_amqp_url_names_host_and_port(url: str, expected: tuple[str, int]) -> None:
    assert handshake.address(url) == expected


@pytest.mark.parametrize(
    ("greeting", "greeted"),
    [
        (CONNECTION_START, True),
        (b"AMQP\x00\x00\x09\x01", False),
        (b"HTTP/1.1 400 Bad Request", False),
        (b"", False),
    ],
)
def test_only_an_amqp_greeting_counts_as_an_answer(*, greeting: bytes, greeted: bool) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(greeting)
        theirs.shutdown(socket.SHUT_WR)
        assert handshake._is_greeted(ours) is greeted


def test_free_ports_differ_and_are_never_lent_to_clients() -> None:
    ports = handshake.free_ports(5)
    assert len(set(ports)) == 5
    assert max(ports) < 32_768


def test_installing_starts_no_service_and_leaves_the_machines_policy_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, seen = tmp_path / "policy-rc.d", tmp_path / "seen"
    _script(tmp_path / "apt-get", f'"{policy}" ; echo "$? $*" >> "{seen}"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(package, "_POLICY", policy)
    monkeypatch.setattr(package, "_BOOTED_BY_SYSTEMD", tmp_path / "none")
    package.install(lambda _: None)
    assert not policy.exists()
    update, install = seen.read_text().splitlines()
    assert update.startswith("101 ")
    assert update.endswith(" update")
    assert install.startswith("101 ")
    assert install.endswith(" rabbitmq-server")

    _script(policy, "exit 7")
    package.install(lambda _: None)
    assert "exit 7" in policy.read_text()


def test_a_failed_installation_shows_the_end_of_apts_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _script(tmp_path / "apt-get", "echo the mirror is gone >&2; exit 100")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(package, "_POLICY", tmp_path / "policy-rc.d")
    with pytest.raises(BrokerFailed, match="the mirror is gone"):
        package.install(lambda _: None)
    assert not (tmp_path / "policy-rc.d").exists()


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
