"""Many companies in one process: each with its own key, queues, bucket and books; what ails one is its own affair."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import STRIPE_SECRET, Process, launched, stage, wait_for
from tests.e2e.driving import QUICK, Json, Relay, await_said, books_text, invoice_of, payment_of
from tests.forking import Forked
from tests.unit.producers.made import charge, stripe_event

pytestmark = pytest.mark.e2e

MANY = 200
CONNECTIONS = 4
"""At most so many to the broker, of one worker process, however many companies it serves."""

MEGABYTES = 150
MEGABYTES_A_COMPANY = 0.5


def key_of(company: str) -> str:
    return hashlib.sha256(company.encode()).hexdigest()


def name_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@dataclass(slots=True)
class Group:
    """A relay of several companies; the first is the one that events without an account belong to."""

    relay: Relay
    companies: list[str]

    def charge(self, company: str, name: str) -> bytes:
        """A sale of one company's."""
        account: Json = {} if company == self.companies[0] else {"account": f"acct_{company}"}
        return stripe_event("charge.succeeded", charge(id=f"ch_{name}"), id=f"evt_{name}", **account)

    def status(self, company: str) -> Json:
        """What `relay status` says of one company."""
        return self.relay.asked("status", "--company", company)


@contextmanager
def open_group(folder: Path, broker: Broker, companies: list[str], **settings: str) -> Iterator[Group]:
    """A simulated Solid that knows every company's key, and a receiver that knows every company's account."""
    own = {company: {"solid": {"api_key": key_of(company)}} for company in companies}
    accounts = {f"acct_{company}": company for company in companies[1:]}
    settings = {
        **QUICK,
        "RELAY_COMPANIES": json.dumps(own),
        "RELAY_STRIPE__ACCOUNTS": json.dumps(accounts),
        "RELAY_STRIPE__SECRETS": json.dumps([STRIPE_SECRET]),
        **settings,
    }
    with stage(folder, broker.url, Forked, company=companies[0], **settings) as opened:
        (opened.folder / "books.toml").write_text(books_text())
        keys = opened.folder / "keys"
        keys.write_text("\n".join(map(key_of, companies)))
        pace = ("--allowance", settings["RELAY_BUCKET__ALLOWANCE"], "--window-seconds", "6")
        simulator = opened.start_simulator("--keys-file", str(keys), *pace)
        yield Group(Relay(opened, simulator, opened.start_receiver()), companies)


def test_a_company_whose_app_is_closed_or_whose_key_is_revoked_never_slows_another(
    broker: Broker, tmp_path: Path, company: str
) -> None:
    names = [f"{company}-{letter}" for letter in "abc"]
    with open_group(tmp_path, broker, names) as group:
        relay, (_, closed, revoked) = group.relay, names
        relay.simulator.switch(closed_for={"key": name_of(key_of(closed)), "seconds": 3600})
        relay.simulator.switch(revoke_key=name_of(key_of(revoked)))
        sold = {each: [f"{each}_{number}" for number in range(20)] for each in names}
        relay.deliver([group.charge(each, name) for each in names for name in sold[each]])
        with relay.worker() as worker:
            relay.await_records(*[payment_of(name) for name in sold[names[0]]])
            _await_brake(group, closed, "unavailable")
            _await_brake(group, revoked, "unauthorised")
            everyone = relay.asked("status")["companies"]
            brakes = [everyone[each]["brake"] for each in names]
            assert brakes == [None, "unavailable", "unauthorised"]
            assert [relay.records(invoice_of(name)) for name in sold[closed] + sold[revoked]] == [[]] * 40
            relay.simulator.switch(closed_for={"key": name_of(key_of(closed)), "seconds": 0})
            relay.await_records(*[payment_of(name) for name in sold[closed]])
            assert worker.popen.poll() is None
        assert relay.dead_letters() == []
        assert relay.judge()["duplicated"] == []


def test_a_company_with_the_key_of_another_or_a_wrong_setting_stops_alone(
    broker: Broker, tmp_path: Path, company: str
) -> None:
    names = [f"{company}-{letter}" for letter in "abc"]
    own = {name: {"solid": {"api_key": key_of(name)}} for name in names}
    own[names[1]] = {"solid": {"api_key": key_of(names[0])}}
    own[names[2]]["solid"] |= {"timeout_seconds": "soon"}
    with open_group(tmp_path, broker, names, RELAY_COMPANIES=json.dumps(own)) as group:
        relay = group.relay
        relay.deliver([group.charge(each, each) for each in names])
        with relay.worker():
            relay.await_records(payment_of(names[0]))
            everyone = relay.asked("status")["companies"]
        assert everyone[names[0]]["problem"] is None
        assert "the same API key" in everyone[names[1]]["problem"]
        assert "solid.timeout_seconds" in everyone[names[2]]["problem"]
        assert [everyone[each]["backlog"] for each in names[1:]] == [1, 1], "what came for them waits for them"


@pytest.mark.alone
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_one_process_serves_two_hundred_companies_at_once(own_broker: Broker, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(MANY)]
    with open_group(tmp_path, own_broker, names, RELAY_WORKER__PREFETCH="4") as group:
        relay = group.relay
        relay.stage.starter = launched  # a forked process has the memory of its template
        sold = {each: [f"{each}_{number}" for number in range(2)] for each in names}
        relay.deliver([group.charge(each, name) for each in names for name in sold[each]])
        with relay.worker() as worker:
            await_said(worker, "worker.consuming", times=MANY, within_seconds=240)
            written = [payment_of(name) for each in names for name in sold[each]]
            relay.await_records(*written, within_seconds=240)
            assert _connections(worker, own_broker) <= CONNECTIONS
            assert _megabytes(worker) < MEGABYTES + MEGABYTES_A_COMPANY * MANY
        verdict = relay.judge()
        assert set(verdict["duplicated"]) <= {"stripe:walk-in"}, "the simulator keeps one set of books for all"
        calls = {name: each["calls"] for name, each in verdict["by_key"].items()}
        assert all(calls[name_of(key_of(each))] >= 4 for each in names), "each on its own key"


def _await_brake(group: Group, company: str, cause: str) -> None:
    wait_for(lambda: group.status(company)["brake"] == cause, what=f"the brake of {company}: {cause}")


def _connections(process: Process, broker: Broker) -> int:
    """Established TCP connections of a process to the broker (Linux only)."""
    port = int(broker.url.rsplit(":", 1)[1].split("/")[0])
    sockets = {
        target.removeprefix("socket:[").removesuffix("]")
        for path in Path(f"/proc/{process.popen.pid}/fd").iterdir()
        if (target := str(path.readlink())).startswith("socket:")
    }
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[9] in sockets and row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def _megabytes(process: Process) -> float:
    lines = Path(f"/proc/{process.popen.pid}/status").read_text().splitlines()
    [kilobytes] = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
    return kilobytes / 1024
