"""The stock that benchmarks and tests play: a receipt of all items, and adjustments distributed as Zipf says."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted
from schemas.money import Money

BEGAN: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
RECEIPT: Final = "receipt:all"
_REASONS: Final = ("damage", "lost", "found", "shipment")
_DELTAS: Final = (-3, -2, -1, 1, 2, 4)
_A_MINUTE: Final = 20


def sku(number: int) -> str:
    """The SKU of the item of that number."""
    return f"SKU-{number:04}"


def opening_receipt(company: str, items: int) -> Event:
    """Fifty of each item, at costs of their own, so that every adjustment has an average to go by."""
    lines = tuple(
        ReceiptLine(
            item=sku(number), quantity=Decimal(50), unit_cost=Money.of(f"{1 + number % 90}.{number % 100:02}", "USD")
        )
        for number in range(items)
    )
    data = ReceiptPosted(fact=RECEIPT, receipt="R-ALL", order="PO-ALL", lines=lines, day=date(2026, 3, 2))
    return stock_event(data, company, subject="PO-ALL", minutes=0)


def adjustments(company: str, count: int, *, items: int, seed: int) -> list[Event]:
    """Few items move often, most hardly ever; a tenth is told late, by up to half an hour."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    weights = list(accumulate(1 / (rank + 1) for rank in range(items)))
    found = []
    for number, item in enumerate(chance.choices(range(items), cum_weights=weights, k=count)):
        late = chance.randrange(30) if number % 10 == 0 and number > 30 * _A_MINUTE else 0
        delta, reason = Decimal(chance.choice(_DELTAS)), chance.choice(_REASONS)
        data = StockAdjusted(fact=f"adjusted:{number}", item=sku(item), delta=delta, reason=reason)
        found.append(stock_event(data, company, subject=sku(item), minutes=1 + number // _A_MINUTE - late))
    return found


def stock_event(data: EventData, company: str, *, subject: str, minutes: int) -> Event:
    """The event of a fact, so many minutes after the beginning."""
    return Event.of(
        data,
        id=data.fact,
        source="/warehouse/test",
        time=BEGAN + timedelta(minutes=minutes),
        subject=subject,
        partitionkey=subject,
        company=company,
    )
