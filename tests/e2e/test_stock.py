"""Stock in the books, by real processes, judged by what the simulator recorded.

Ten thousand adjustments of two thousand items, a tenth of them told late and some of them twice, cost few calls and end
in the same balances as one entry each would; and a worker that is killed while it merges loses nothing. Thirty thousand
of them are in `make bench`.
"""

import asyncio
import random
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Final

import pytest
from pydantic import SecretStr

from messaging.connection import Link
from messaging.publisher import Publisher
from ops.broker import Broker
from ops.processes import wait_for
from runtime.clock import SystemClock
from schemas.envelope import Event, encode
from schemas.inventory import BillLine, BillReceived, OrderLine, OrderPlaced, ReceiptLine, ReceiptPosted, StockAdjusted
from schemas.money import Money
from tests.e2e.driving import Relay, open_relay
from tests.unit.workers.stock.facts import Telling

pytestmark = pytest.mark.e2e

ITEMS: Final = 2_000
ADJUSTMENTS: Final = 10_000
BEGAN: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
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


def event(data: object, company: str, *, subject: str, minutes: int) -> Event:
    fact: str = data.fact  # type: ignore[attr-defined]
    return Event.of(
        data,  # type: ignore[arg-type]
        id=fact,
        source="/warehouse/test",
        time=BEGAN + timedelta(minutes=minutes),
        subject=subject,
        partitionkey=subject,
        company=company,
    )


def sku(number: int) -> str:
    return f"SKU-{number:04}"


def opening_receipt(company: str) -> Event:
    """All items, at costs of their own, so that every adjustment has an average to go by."""
    lines = tuple(
        ReceiptLine(item=sku(number), quantity=Decimal(50), unit_cost=usd(f"{1 + number % 90}.{number % 100:02}"))
        for number in range(ITEMS)
    )
    data = ReceiptPosted(fact="receipt:all", receipt="R-ALL", order="PO-ALL", lines=lines, day=date(2026, 3, 2))
    return event(data, company, subject="PO-ALL", minutes=0)


def adjustments(company: str, count: int, *, seed: int) -> list[Event]:
    """Adjustments whose items are distributed as Zipf says: few move often, most hardly ever."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    weights = list(accumulate(1 / (rank + 1) for rank in range(ITEMS)))
    items = chance.choices(range(ITEMS), cum_weights=weights, k=count)
    reasons = ("damage", "lost", "found", "shipment")
    return [
        event(
            StockAdjusted(
                fact=f"adjusted:{number}",
                item=sku(item),
                delta=Decimal(chance.choice([-3, -2, -1, 1, 2, 4])),
                reason=chance.choice(reasons),
            ),
            company,
            subject=sku(item),
            minutes=1 + number // 20 - (chance.randrange(30) if number % 10 == 0 and number > 600 else 0),
        )
        for number, item in enumerate(items)
    ]


def expected(events: Sequence[Event]) -> dict[str, Decimal]:
    """What one entry each would make, in another order and in one process."""
    telling = Telling()
    for each in events:
        asyncio.run(telling.tell(each))
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


def test_ten_thousand_adjustments_cost_one_call_for_a_hundred(broker: Broker, tmp_path: Path) -> None:
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}") as relay:
        company = relay.stage.company
        relay.simulator.switch(items=[sku(number) for number in range(ITEMS)])
        opening = relay.judge()["balances"]
        receipt, movements = opening_receipt(company), adjustments(company, ADJUSTMENTS, seed=1)
        again = random.Random(2).sample(movements, 500)  # noqa: S311 - no secret
        with relay.worker("first") as first:
            asyncio.run(publish(relay, [receipt]))
            relay.await_records("receipt:all")
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
            event(data, company, subject="PO-1", minutes=minutes)
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
