"""A broker that loses its disk: what the store calls published and no books have is told again, and posts once.

Merged entries of stock and pay runs have no source that would tell them again: their facts are known already.
"""

import asyncio
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stock_events import RECEIPT, adjustments, opening_receipt, sku
from staging.broker import Broker
from staging.broker.node import PrivateNode
from staging.processes import wait_for
from tests.e2e.driving import Relay, open_relay
from tests.e2e.test_payroll import account_at, entries_of, live, pull, served
from tests.e2e.test_stock import expected, facts_in, moved, publish
from tests.unit.producers.payroll.providers import ENTITY, FakeGusto, payroll

pytestmark = pytest.mark.e2e

ITEMS = 10


@pytest.fixture
def gusto() -> FakeGusto:
    return FakeGusto()


@pytest.fixture
def keeping(gusto: FakeGusto, own_broker: Broker, tmp_path: Path) -> Iterator[Relay]:
    """Give a relay with stock and pay runs, on a broker of its own."""
    company = f"w{secrets.token_hex(4)}"
    with served(gusto) as address:
        accounts = json.dumps({"gusto": account_at(address, tmp_path, company)})
        with open_relay(tmp_path / "relay", own_broker.url, company, RELAY_PAYROLL=accounts) as relay:
            relay.books.write_text(relay.books.read_text().replace("# merge_seconds = 5", "merge_seconds = 0.5"))
            relay.simulator.switch(items=[sku(number) for number in range(ITEMS)])
            yield relay


def wipe(broker: Broker) -> None:
    """Take its disk away and start it empty."""
    assert isinstance(broker, PrivateNode)
    broker.halt()
    shutil.rmtree(broker._folder / "data")
    broker.start()


def rows(relay: Relay, query: str) -> int:
    with sqlite3.connect(relay.stage.folder / "relay.db") as database:
        return int(database.execute(query).fetchone()[0])


@pytest.mark.long
def test_merged_entries_and_pay_runs_that_waited_in_a_broker_that_lost_its_disk_are_posted_once(
    keeping: Relay, gusto: FakeGusto, own_broker: Broker
) -> None:
    relay, company = keeping, keeping.stage.company
    opening = relay.judge()["balances"]
    receipt, movements = opening_receipt(company, ITEMS), adjustments(company, 40, items=ITEMS, seed=7)
    gusto.payrolls = [payroll()]
    with relay.worker():
        asyncio.run(publish(relay, [receipt, *movements[:20]]))
        pull(relay)
        relay.await_records(RECEIPT, f"gusto:run:{ENTITY}:run-1:v1")
        wait_for(lambda: facts_in(relay) >= 20, what="the first half of the stock to be posted")
        relay.simulator.switch(errors=10_000, status=503, only="POST")
        asyncio.run(publish(relay, movements[20:]))
        gusto.payrolls = [payroll(net="2900.00"), payroll("run-2", net="2500.00")]
        pull(relay)
        waiting = "SELECT count(*) FROM stock_facts AS f JOIN outbox AS b ON b.key = f.batch "
        waiting += "WHERE b.published_at IS NOT NULL"
        wait_for(lambda: rows(relay, waiting) == len(movements), what="all of the stock to be told")
        assert rows(relay, "SELECT count(*) FROM outbox WHERE stream = 'payroll' AND published_at IS NOT NULL") == 3
        wipe(own_broker)
        assert len(live(entries_of(relay, "run-1"))) + len(entries_of(relay, "run-2")) == 1, "they were to wait"
        relay.simulator.switch(clear_faults=True)
        relay.await_records(*[f"gusto:run:{ENTITY}:{run}" for run in ("run-1:v2", "run-2:v1")])
        asyncio.run(publish(relay, movements))
        assert {each["became"] for each in pull(relay).values()} == {"unchanged"}
        wanted = expected([receipt, *movements])
        wait_for(lambda: moved(relay, opening).items() >= wanted.items(), what="all of the stock in the books")
    assert live(entries_of(relay, "run-1")) == [f"gusto:run:{ENTITY}:run-1:v2"]
    assert live(entries_of(relay, "run-2")) == [f"gusto:run:{ENTITY}:run-2:v1"]
    assert relay.judge()["duplicated"] == []
    assert relay.dead_letters() == []
    assert relay.asked("cases", "list") == []
