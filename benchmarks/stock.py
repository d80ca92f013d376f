"""Adjustments of stock as few entries: what they cost in calls and time, and that they end in the same balances.

The balances to compare with are those of one entry each, made in memory by the same plans, in another order.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from benchmarks.staging import Setting, await_said
from benchmarks.stock_events import adjustments, opening_receipt, sku
from schemas.envelope import Event
from staging.processes import wait_for
from workers.books.books import sample_books
from workers.plans import plan
from workers.plans.writes import EntryWrite
from workers.stock.book import StockBook
from workers.stock.memory import MemoryRecords

ITEMS: Final = 2_000
PATIENCE_SECONDS: Final = 900


def measure(setting: Setting, *, count: int) -> dict[str, Any]:
    """Let one worker merge so many adjustments of two thousand items."""
    setting.simulator.switch(items=[sku(number) for number in range(ITEMS)])
    opening = setting.simulator.ask("/judge")["balances"]
    receipt, movements = (
        opening_receipt(setting.company, ITEMS),
        adjustments(setting.company, count, items=ITEMS, seed=1),
    )
    wanted = asyncio.run(_one_entry_each([receipt, *reversed(movements)]))
    worker = setting.stage.start_worker()
    await_said(worker, "worker.consuming")
    setting.publish([receipt])
    setting.await_writes(1)
    before, began = len(setting.calls()), time.monotonic()
    setting.publish(movements)
    wait_for(lambda: _moved(setting, opening) == wanted, what="all of it in the books", within_seconds=PATIENCE_SECONDS)
    seconds, calls = time.monotonic() - began, len(setting.calls()) - before
    worker.kill()
    return {
        "adjustments": count,
        "items": ITEMS,
        "calls": calls,
        "events_a_call": round(count / calls, 1),
        "seconds": round(seconds, 1),
        "events_per_second": round(count / seconds, 1),
        "same_balances": True,
    }


async def _one_entry_each(events: Iterable[Event]) -> dict[str, Decimal]:
    """The change of each account, by name."""
    books = sample_books()
    book = StockBook(records=MemoryRecords(), books=books, company="alone")
    balances: dict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        for write in (await book.complete(plan(event, books), event)).writes:
            if isinstance(write, EntryWrite):
                for line in write.lines:
                    balances[line.account] += (line.debit or Decimal(0)) - (line.credit or Decimal(0))
    return {name: amount for name, amount in balances.items() if amount}


def _moved(setting: Setting, opening: dict[str, str]) -> dict[str, Decimal]:
    balances = setting.simulator.ask("/judge")["balances"]
    changes = {name: Decimal(amount) - Decimal(opening[name]) for name, amount in balances.items()}
    return {name: change for name, change in changes.items() if change}
