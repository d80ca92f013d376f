"""Pay runs from the provider to Solid: one live posting for each run, as the simulator sees it, and no person in it."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from staging.broker import Broker
from staging.broker.handshake import free_ports
from staging.processes import wait_for
from tests.e2e.driving import Relay, open_relay
from tests.integration.test_payroll_pulling import drained
from tests.unit.producers.payroll.providers import ENTITY, MARKS, FakeGusto, payroll, person

pytestmark = pytest.mark.e2e


@contextlib.contextmanager
def served(gusto: FakeGusto) -> Iterator[str]:
    """Serve a fake provider on a port of its own; gives its address."""

    async def answer(request: Request) -> Response:
        asked = httpx2.Request(
            request.method, str(request.url), headers=request.headers.raw, content=await request.body()
        )
        found = gusto.handle(asked)
        headers = {name: value for name, value in found.headers.items() if name.startswith("x-")}
        return Response(found.content, found.status_code, headers, "application/json")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    port = free_ports(1)[0]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started, what="the fake provider")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def account_at(address: str, folder: Path, company: str) -> dict[str, Any]:
    """Give the settings of an account at the fake provider; its secrets lie in the folder."""
    (folder / "tokens.json").write_text('{"access_token": "access-1", "refresh_token": "refresh-1"}')
    (folder / "secret").write_text("made-up-secret\n")
    return {
        "provider": "gusto",
        "base_url": address,
        "entities": {ENTITY: company},
        "client_id": "relay",
        "client_secret_file": str(folder / "secret"),
        "token_file": str(folder / "tokens.json"),
        "frequency": "semimonthly",
        "first_period": "2026-04-01",
    }


@pytest.fixture
def gusto() -> FakeGusto:
    return FakeGusto()


@pytest.fixture
def paying(gusto: FakeGusto, broker: Broker, tmp_path: Path, company: str) -> Iterator[Relay]:
    """Give a relay whose settings know the fake provider."""
    with served(gusto) as address:
        settings = {"RELAY_PAYROLL": json.dumps({"gusto": account_at(address, tmp_path, company)})}
        with open_relay(tmp_path / "relay", broker.url, company, **settings) as relay:
            yield relay


def pull(relay: Relay) -> dict[str, Any]:
    """Pull April; run → what became of it."""
    done = relay.command("payroll", "pull", "--provider", "gusto", "--period", "2026-04", "--json")
    return {each["run"]: each for each in json.loads(done.stdout)}


def calendar(relay: Relay) -> list[dict[str, Any]]:
    done = relay.command("payroll", "status", "--json")
    periods: list[dict[str, Any]] = json.loads(done.stdout)["calendars"][0]["periods"]
    return periods


def state_of(relay: Relay, run: str) -> str | None:
    return next((each["state"] for period in calendar(relay) for each in period["runs"] if each["run"] == run), None)


def entries_of(relay: Relay, run: str) -> list[dict[str, Any]]:
    """What the simulator holds of a run, whatever the relay says."""
    ids = [each for each in relay.judge()["by_external_id"] if each.startswith(f"gusto:run:{ENTITY}:{run}:")]
    return [record for each in ids for record in relay.records(each)]


def live(entries: list[dict[str, Any]]) -> list[str]:
    """The external ids of entries that no other entry takes back."""
    ids = [each["external_id"] for each in entries]
    assert len(ids) == len(set(ids)), "an external id stands in the books twice"
    return [each for each in ids if not each.endswith(":reversal") and f"{each}:reversal" not in ids]


def balances(entries: list[dict[str, Any]]) -> dict[str, Decimal]:
    """What is left on each account, debits less credits."""
    left: dict[str, Decimal] = defaultdict(Decimal)
    for line in (line for each in entries for line in each["lines"]):
        left[line["account_id"]] += Decimal(line["debit"]) - Decimal(line["credit"])
    return {account: amount for account, amount in left.items() if amount}


def test_a_run_that_is_pulled_changed_and_reopened_has_one_live_posting(paying: Relay, gusto: FakeGusto) -> None:
    nets = ("3000.00", "3000.00", "2900.00", "3000.00", "2800.00")
    with paying.worker():
        for net in nets:
            gusto.payrolls = [payroll(net=net), payroll("run-2", net="2500.00")]
            pull(paying)
        gusto.payrolls = [payroll(net="2800.00", processed=False), payroll("run-2", net="2500.00")]
        assert pull(paying)["run-1"]["became"] == "reversed"
        wait_for(lambda: state_of(paying, "run-1") == "reversed", what="the reversal")
        assert live(entries_of(paying, "run-1")) == []
        assert balances(entries_of(paying, "run-1")) == {}
        gusto.payrolls = [payroll(net="2800.00"), payroll("run-2", net="2500.00")]
        assert (pull(paying)["run-1"]["became"], pull(paying)["run-1"]["became"]) == ("told", "unchanged")
        wait_for(lambda: state_of(paying, "run-1") == "posted", what="the run to be posted again")
    assert live(entries_of(paying, "run-1")) == [f"gusto:run:{ENTITY}:run-1:v6"]
    assert live(entries_of(paying, "run-2")) == [f"gusto:run:{ENTITY}:run-2:v1"]
    assert sorted(balances(entries_of(paying, "run-1")).values()) == [-2800, -1506, 306, 4000]
    assert paying.judge()["duplicated"] == []


def test_a_run_with_an_unknown_category_is_parked_whole_and_shown_so(paying: Relay, gusto: FakeGusto) -> None:
    taxes = [
        {"name": "Federal Income Tax", "employer": False, "amount": "1000.00"},
        {"name": "Mystery Levy", "employer": True, "amount": "306.00"},
    ]
    gusto.payrolls = [payroll(payroll_taxes=taxes)]
    with paying.worker():
        pull(paying)
        wait_for(lambda: state_of(paying, "run-1") == "parked", what="the run to be parked")
    [run] = next(period for period in calendar(paying) if period["runs"])["runs"]
    assert run["reason"] == "unmapped:payroll:Mystery Levy"
    assert entries_of(paying, "run-1") == []


def test_nothing_of_a_person_is_in_queues_database_logs_or_output(paying: Relay, gusto: FakeGusto) -> None:
    negative = payroll("run-3", employee_compensations=[person(net="-6543.21")])
    wrong = payroll("run-2")
    wrong["totals"] = wrong["totals"] | {"net_pay": "1.00"}
    gusto.payrolls = [payroll(), wrong, negative]
    printed = []
    for arguments in (("payroll", "pull", "--provider", "gusto", "--period", "2026-04"), ("payroll", "status")):
        done = paying.command(*arguments, RELAY_LOG__LEVEL="debug")
        printed += [done.stdout, done.stderr]
    assert "told" in printed[0]
    assert "refused" in printed[0]
    queued = asyncio.run(drained(paying.stage.rabbitmq_url, paying.stage.company))
    assert len(queued) == 1
    letters = paying.asked("dead", "list")
    printed += [json.dumps(letters), *(paying.command("dead", "show", each["id"]).stdout for each in letters)]
    assert sum(letter["queue"] == "relay.raw.dlq" for letter in letters) >= 2
    files = [path.read_bytes() for path in paying.stage.folder.rglob("*") if path.is_file()]
    assert any(b"payroll_runs" in each for each in files), "the database is among the files"
    places = [*files, *queued, *(each.encode() for each in printed)]
    for mark in MARKS:
        for word in {mark, *(word for word in mark.split() if len(word) > 4)}:
            assert all(word.encode() not in place for place in places), word


def test_the_schedule_pulls_at_once_what_was_missed_and_ends_when_told(paying: Relay, gusto: FakeGusto) -> None:
    today = datetime.now(UTC).date()
    gusto.payrolls = [payroll(check_date=str(today))]
    account = json.loads(paying.stage.environment()["RELAY_PAYROLL"])
    account["gusto"] |= {"schedule": "0 0 1 1 *", "first_period": str(today.replace(day=1))}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RELAY_", "RABBITMQ_"))}
    scheduled = subprocess.Popen(
        [sys.executable, "-m", "ops.commands.relay", "payroll"],
        cwd=paying.stage.folder,
        env={**inherited, **paying.stage.environment(), "RELAY_PAYROLL": json.dumps(account)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: state_of(paying, "run-1") == "pulled", what="the run to be pulled", within_seconds=90)
        scheduled.terminate()
        assert scheduled.wait(timeout=60) == 0
    finally:
        scheduled.kill()
        scheduled.wait()
    assert len(asyncio.run(drained(paying.stage.rabbitmq_url, paying.stage.company))) == 1
