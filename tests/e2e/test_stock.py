"""Stock in the books, by real processes, judged by what the simulator recorded.

Ten thousand adjustments of two thousand items, a tenth of them told late and some of them twice, cost few calls and end
in the same balances as one entry each would; and a worker that is killed while it merges loses nothing. Thirty thousand
of them are in `make bench`.
"""

import asyncio
import json
import random
import secrets
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from benchmarks.stock_events import RECEIPT, adjustments, opening_receipt, sku, stock_event
from messaging.connection import Link
from messaging.publisher import Publisher
from runtime.clock import SystemClock
from schemas.envelope import Event, encode
from schemas.inventory import (
    BillLine,
    BillReceived,
    OrderLine,
    OrderPlaced,
    ReceiptLine,
    ReceiptPosted,
    StockAdjusted,
    StockCounted,
)
from schemas.money import Money
from staging.broker import Broker
from staging.processes import wait_for
from tests.e2e.driving import Relay, open_relay
from tests.unit.workers.stock.facts import Telling

pytestmark = pytest.mark.e2e

ITEMS: Final = 2_000
ADJUSTMENTS: Final = 10_000
ACCOUNTS: Final = {
    "inventory": "Inventory Asset",
    "received_not_billed": "Received Not Billed",
    "shrinkage": "Inventory Shrinkage",
    "write_off": "Inventory Write-off",
    "cogs": "Cost of Goods Sold",
    "purchase_price_variance": "Purchase Price Variance",
    "supplier_claims": "Supplier Claims",
}


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def expected(events: Sequence[Event]) -> dict[str, Decimal]:
    """What one entry each would make, in another order and in one process."""
    telling = Telling()

    async def tell() -> None:
        for each in events:
            await telling.tell(each)

    asyncio.run(tell())
    return telling.shown()


def moved(relay: Relay, opening: dict[str, str]) -> dict[str, Decimal]:
    balances = relay.judge()["balances"]
    changes = {role: Decimal(balances[name]) - Decimal(opening[name]) for role, name in ACCOUNTS.items()}
    return {role: change for role, change in changes.items() if change}


def facts_in(relay: Relay) -> int:
    """How many facts the merged entries in Solid say they are of."""
    entries = relay.simulator.ask("/records", kind="entry")
    memos = [str(entry["fields"]["memo"]) for entry in entries]
    return sum(int(memo.split()[0]) for memo in memos if " stock adjustments of " in memo)


async def publish(relay: Relay, events: Sequence[Event]) -> None:
    company = relay.stage.company
    link = Link(SecretStr(relay.stage.rabbitmq_url), name="stock")
    publisher = Publisher(link, clock=SystemClock(), companies=[company], retry_delays=[0.25, 1], timeout=60)
    rest = iter(events)

    async def some() -> None:
        for each in rest:
            key = f"{company}.{each.type}"
            await publisher.publish_raw(encode(each), key=key, message_id=each.id, headers={})

    try:
        await asyncio.gather(*(some() for _ in range(64)))
    finally:
        await link.close()


@pytest.mark.nightly
def test_ten_thousand_adjustments_cost_one_call_for_a_hundred(broker: Broker, tmp_path: Path) -> None:
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}") as relay:
        company = relay.stage.company
        relay.simulator.switch(items=[sku(number) for number in range(ITEMS)])
        opening = relay.judge()["balances"]
        receipt, movements = opening_receipt(company, ITEMS), adjustments(company, ADJUSTMENTS, items=ITEMS, seed=1)
        again = random.Random(2).sample(movements, 500)  # noqa: S311 - no secret
        with relay.worker("first") as first:
            asyncio.run(publish(relay, [receipt]))
            relay.await_records(RECEIPT)
            before = relay.judge()["calls"]
            asyncio.run(publish(relay, movements[:4_000]))
            wait_for(lambda: facts_in(relay) > 1_000, what="the first merged entries", within_seconds=120)
            first.kill()
        with relay.worker("second"):
            asyncio.run(publish(relay, [*movements[4_000:], *again]))
            wanted = expected([receipt, *reversed(movements)])
            wait_for(lambda: moved(relay, opening) == wanted, what="all of it in the books", within_seconds=200)
            verdict = relay.judge()
        assert verdict["duplicated"] == []
        assert verdict["calls"] - before <= ADJUSTMENTS / 100
        assert relay.dead_letters() == []


def test_an_order_its_receipts_and_its_bill_leave_nothing_unbilled(broker: Broker, tmp_path: Path) -> None:
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}") as relay:
        company = relay.stage.company
        relay.simulator.switch(items=["MUG"])
        opening = relay.judge()["balances"]
        order = OrderPlaced(fact="order:1", order="PO-1", lines=(OrderLine(item="MUG", unit_cost=usd("4.00")),))
        parts = [
            ReceiptPosted(
                fact=f"receipt:{number}",
                order="PO-1",
                receipt=f"R-{number}",
                lines=(ReceiptLine(item="MUG", quantity=Decimal(quantity)),),
            )
            for number, quantity in enumerate((60, 40))
        ]
        bill = BillReceived(
            fact="bill:1",
            order="PO-1",
            bill="B-1",
            supplier="Potters Ltd",
            lines=(BillLine(item="MUG", quantity=Decimal(100), amount=usd("412.00")),),
            tax=usd("41.20"),
            total=usd("453.20"),
            day=date(2026, 3, 9),
        )
        events = [
            stock_event(data, company, subject="PO-1", minutes=minutes)
            for minutes, data in enumerate((order, *parts, bill), start=1)
        ]
        relay.simulator.switch(lose_answers=2)
        with relay.worker():
            asyncio.run(publish(relay, [*events, *events]))
            relay.await_records("receipt:0", "receipt:1", "bill:1", "bill:1:variance")
        assert moved(relay, opening) == {"inventory": Decimal(400), "purchase_price_variance": Decimal(12)}
        [recorded] = relay.records("bill:1", "bill")
        assert Decimal(recorded["total"]) == Decimal("453.20")
        assert relay.judge()["duplicated"] == []


def test_without_merging_each_adjustment_is_an_entry_of_its_own_and_the_books_end_the_same(
    broker: Broker, tmp_path: Path
) -> None:
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}") as relay:
        relay.books.write_text(relay.books.read_text().replace("# merge_seconds = 5", "merge_seconds = 0"))
        company = relay.stage.company
        relay.simulator.switch(items=[sku(number) for number in range(20)])
        opening = relay.judge()["balances"]
        receipt, movements = opening_receipt(company, 20), adjustments(company, 200, items=20, seed=3)
        with relay.worker():
            asyncio.run(publish(relay, [receipt]))
            relay.await_records(RECEIPT)
            asyncio.run(publish(relay, movements))
            wanted = expected([receipt, *reversed(movements)])
            wait_for(lambda: moved(relay, opening) == wanted, what="all of it in the books", within_seconds=90)
        verdict = relay.judge()
        assert set(verdict["by_external_id"]) >= {movement.data.fact for movement in movements[::7]}
        assert verdict["duplicated"] == []


def test_an_item_that_solid_does_not_know_is_parked_and_booked_once_it_is_made(broker: Broker, tmp_path: Path) -> None:
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}") as relay:
        line = ReceiptLine(item="MUG", quantity=Decimal(2), unit_cost=usd("4.00"))
        data = ReceiptPosted(fact="receipt:mug", receipt="R", lines=(line,))
        with relay.worker():
            asyncio.run(publish(relay, [stock_event(data, relay.stage.company, subject="R", minutes=0)]))
            wait_for(relay.dead_letters, what="the dead letter")
            assert [letter["reason"] for letter in relay.dead_letters()] == ["unmapped:item:MUG"]
        relay.simulator.switch(items=["MUG"])
        with relay.worker():
            assert relay.command("dead", "replay", "--reason", "unmapped:item:MUG").returncode == 0
            relay.await_records("receipt:mug")
        assert relay.judge()["duplicated"] == []


def test_where_solid_takes_adjustments_its_own_quantities_move(broker: Broker, tmp_path: Path) -> None:
    dialect = {"money": "decimal_string", "paths": {"adjustments": "/inventory-adjustments"}}
    settings = {"RELAY_SOLID__DIALECT": json.dumps(dialect)}
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}", **settings) as relay:
        relay.simulator.switch(items=["MUG"], dialect={"adjustments": "offered"})
        company = relay.stage.company
        found = StockAdjusted(fact="found", item="MUG", delta=Decimal(10), reason="found", unit_cost=usd("4.00"))
        lost = StockAdjusted(fact="lost", item="MUG", delta=Decimal(-3), reason="lost")
        count = StockCounted(fact="count", item="MUG", counted=Decimal(6))
        with relay.worker():
            for minutes, data in enumerate((found, lost, count)):
                each = stock_event(data, company, subject="MUG", minutes=minutes)
                asyncio.run(publish(relay, [each, each]))
                relay.await_records(data.fact)
        recorded = [record["fields"]["quantity"] for record in relay.simulator.ask("/records", kind="adjustment")]
        assert recorded == ["10", "-3", "-1"]
        assert relay.judge()["duplicated"] == []
