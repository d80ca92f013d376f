"""The gate of an HTTP server: whoever has kept it waiting longest makes room, and nobody who is being served."""

from collections import Counter
from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from ops.http import serving
from ops.http.gate import Bounds, Gate, Reason
from runtime.settings import Settings

FAR = "203.0.113.7"


class Client:
    def __init__(self, gate: Gate, address: str | None = FAR) -> None:
        self.gate = gate
        self.reason: Reason | None = None
        gate.enter(self, address)

    def drop(self, reason: Reason) -> None:
        self.reason = reason
        self.gate.leave(self, reason)


def gate(**changed: object) -> Gate:
    usual = {"receive_seconds": 10, "connections": 3, "connections_per_client": 100, "body_bytes": 100}
    return Gate(Bounds(**(usual | changed)))  # type: ignore[arg-type]  # bounds of any type


def reasons(*clients: Client) -> list[Reason | None]:
    return [client.reason for client in clients]


def test_where_there_is_no_more_room_the_one_goes_that_was_waited_for_longest() -> None:
    full = gate()
    first, second, third, new = (Client(full, f"203.0.113.{number}") for number in range(4))
    assert reasons(first, second, third, new) == ["connections", None, None, None]
    full.wait_for(second)
    newer = Client(full)
    assert reasons(second, third, new, newer) == [None, "connections", None, None]
    assert full.connections == 3


def test_whoever_is_being_served_stays_and_a_newcomer_goes_where_all_are() -> None:
    full = gate()
    served = [Client(full) for _ in range(3)]
    for each in served:
        full.work_on(each)
    assert reasons(Client(full), *served) == ["connections", None, None, None]


def test_one_client_does_not_take_the_room_of_others() -> None:
    open_ = gate(connections=100, connections_per_client=2)
    good = Client(open_, "198.51.100.1")
    greedy = [Client(open_) for _ in range(5)]
    assert reasons(good, *greedy) == [None, "connections", "connections", "connections", None, None]


def test_one_subscriber_with_many_addresses_is_one_client() -> None:
    open_ = gate(connections=100, connections_per_client=2)
    six = [Client(open_, f"2001:db8:1:2::{number}") for number in range(1, 4)]
    other = Client(open_, "2001:db8:1:3::1")
    mapped = [Client(open_, address) for address in ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1")]
    assert reasons(*six, other) == ["connections", None, None, None]
    assert reasons(*mapped) == ["connections", None, None]


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1%eth0", None, "a socket"])
def test_those_behind_a_proxy_are_not_one_client(address: str | None) -> None:
    open_ = gate(connections=100, connections_per_client=2, proxies=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
    assert not any(reasons(*(Client(open_, address) for _ in range(50))))


def test_of_bodies_that_are_too_many_the_one_goes_that_has_been_coming_longest() -> None:
    open_ = gate()
    idle, old, new = (Client(open_, f"203.0.113.{number}") for number in range(3))
    open_.hold(old, 60)
    open_.hold(new, 40)
    assert reasons(idle, old, new) == [None, None, None]
    open_.hold(new, 1)
    assert reasons(idle, old, new) == [None, "bodies", None]
    assert open_.body_bytes == 41


def test_a_body_that_came_whole_is_kept_and_counts_until_it_is_answered() -> None:
    open_ = gate()
    whole, slow = Client(open_), Client(open_)
    open_.hold(whole, 100)
    open_.work_on(whole)
    open_.hold(slow, 1)
    assert reasons(whole, slow) == [None, "bodies"]
    open_.release(whole)
    assert open_.body_bytes == 0


def test_nothing_is_left_of_those_that_left() -> None:
    dropped: Counter[Reason] = Counter()
    left = Gate(gate().bounds, dropped=lambda reason: dropped.update([reason]))
    clients = [Client(left) for _ in range(5)]
    for each in clients:
        left.hold(each, 1)
        left.wait_for(each)
        left.leave(each)
        left.leave(each, "late")
        left.wait_for(each)
        left.hold(each, 1)
    assert (left.connections, left.body_bytes) == (0, 0)
    assert not any((left._open, left._waited_for, left._of_client, left._bytes))
    assert dropped == {"connections": 2}, "whoever has left is not counted again"


def test_near_the_limit_of_open_files_fewer_are_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "open_files", lambda: 256)
    with capture_logs() as logs:
        assert serving.bounds_of(Settings()).connections == 256 - serving.FILES_OF_OURS
    assert [(log["event"], log["files"]) for log in logs] == [("receiver.files_limited", 256)], "somebody is warned"
    monkeypatch.setattr(serving, "open_files", lambda: 64)
    assert serving.bounds_of(Settings()).connections == 1
    monkeypatch.setattr(serving, "open_files", lambda: 1024)
    with capture_logs() as logs:
        assert serving.bounds_of(Settings()).connections == Settings().receiver.max_connections
    assert logs == []
