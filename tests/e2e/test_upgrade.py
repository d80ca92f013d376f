"""An upgrade in mid-flow: what an older relay left in broker, store and Solid is brought to its end by today's.

What it left was written down by its own code: see `tests/data/upgrade/SOURCE`.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from benchmarks.stock_events import adjustments, opening_receipt
from simulator.books.chart import sample
from staging.broker import Broker
from staging.processes import stage, wait_for
from tests.e2e.driving import QUICK, Relay, books_text, invoice_of, payment_of
from tests.e2e.test_payroll import entries_of, live
from tests.e2e.test_stock import expected, moved
from tests.forking import Forked
from tests.unit.producers.payroll.providers import ENTITY

pytestmark = pytest.mark.e2e

LEFT = Path(__file__).parents[1] / "data" / "upgrade"
COMPANY = "upgraded"
SETTINGS = {**QUICK, "RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": "[1.1, 7]"}
ITEMS = 5
SALES = [
    *(f"settled_{number}" for number in range(4)),
    "unanswered",
    *(f"failed_{number}" for number in range(3)),
    "in_hand",
    *(f"waiting_{number}" for number in range(3)),
]

PARKED = ("unmapped:currency:EUR", "unmapped:currency:DKK", "unmapped:item:MUG")


async def restore(url: str) -> None:
    """Declare what the older relay declared, and put back what lay in its queues."""
    left = json.loads((LEFT / "broker.json").read_text())
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        for each in left["exchanges"]:
            await channel.declare_exchange(each["name"], each["type"], durable=True, arguments=each["arguments"])
        for each in left["queues"]:
            if each["durable"]:
                await channel.declare_queue(each["name"], durable=True, arguments=each["arguments"])
        for each in left["bindings"]:
            queue = await channel.get_queue(each["destination"], ensure=False)
            await queue.bind(each["source"], each["routing_key"])
        for name, messages in left["messages"].items():
            for each in messages:
                exchange = await channel.get_exchange(each["exchange"], ensure=False) if each["exchange"] else None
                await (exchange or channel.default_exchange).publish(_message(each), each["key"] or name)


def _message(left: dict[str, Any]) -> aio_pika.Message:
    names = ("headers", "content_type", "message_id", "type", "reply_to")
    mode = aio_pika.DeliveryMode.PERSISTENT if left["persistent"] else aio_pika.DeliveryMode.NOT_PERSISTENT
    said = {name: left[name] for name in names if name in left}
    return aio_pika.Message(base64.b64decode(left["body"]), delivery_mode=mode, **said)


def chart_of_then() -> list[dict[str, str]]:
    """The chart that Solid had then: accounts that have come to the sample since are not in it."""
    then = json.loads((LEFT / "solid.json").read_text())["opening"]
    accounts = [account for account in sample() if account.name in then]
    return [
        {"name": each.name, "type": each.type, "number": each.number, "opening_balance": then[each.name]}
        for each in accounts
    ]


@pytest.fixture
def upgraded(broker: Broker, tmp_path: Path) -> Iterator[Relay]:
    """Give today's relay, without a worker yet, on what the older one left."""
    asyncio.run(restore(broker.url))
    with stage(tmp_path, broker.url, Forked, company=COMPANY, **SETTINGS) as opened:
        (tmp_path / "books.toml").write_text(books_text().replace("# merge_seconds = 5", "merge_seconds = 0.5"))
        shutil.copy(LEFT / "solid.jsonl", tmp_path)
        (tmp_path / "chart.json").write_text(json.dumps(chart_of_then()))
        with contextlib.closing(sqlite3.connect(tmp_path / "relay.db")) as database:
            database.executescript((LEFT / "store.sql").read_text())
        solid = opened.start_simulator(
            "--allowance", "3000", "--window-seconds", "6", "--journal", "solid.jsonl", "--accounts", "chart.json"
        )
        yield Relay(opened, solid, "")


def test_what_an_older_relay_left_under_way_is_in_the_books_once_or_before_a_person(upgraded: Relay) -> None:
    relay, left = upgraded, json.loads((LEFT / "solid.json").read_text())
    wanted = [external_id for name in SALES for external_id in (invoice_of(name), payment_of(name))]
    runs = [f"gusto:run:{ENTITY}:{run}" for run in ("run-1:v2", "run-2:v1")]
    assert set(wanted) - set(left["by_external_id"]), "some of it was to be under way"
    stock = expected([opening_receipt(COMPANY, ITEMS), *adjustments(COMPANY, 30, items=ITEMS, seed=5)])
    relay.simulator.switch(items=["MUG"])
    with relay.worker("new"):
        relay.await_records(*wanted, *runs)
        wait_for(lambda: moved(relay, left["opening"]) == stock, what="all of the stock in the books")
        assert {letter["reason"] for letter in relay.dead_letters()} == set(PARKED)
        assert relay.command("dead", "replay", "--reason", "unmapped:item:MUG").returncode == 0
        relay.await_records("receipt:mug")
        wait_for(lambda: relay.asked("status")["writes"].keys() == {"applied"}, what="every doubt to be settled")
        wait_for(lambda: relay.asked("status")["brake"] is None, what="the brake to be released")
    verdict = relay.judge()
    assert verdict["duplicated"] == []
    assert verdict["balanced"]
    assert [case["subject"] for case in relay.asked("cases", "list")] == [payment_of("settled_0")]
    assert live(entries_of(relay, "run-1")) == [f"gusto:run:{ENTITY}:run-1:v2"]
    assert live(entries_of(relay, "run-2")) == [f"gusto:run:{ENTITY}:run-2:v1"]
