"""Calls to Solid a charge, by how sales are booked: each by itself, in one entry a day, in one entry a payout.

Each mode has a worker and a Solid of its own, and must end in the same balances as the others.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from benchmarks.staging import Progress, Setting, await_said, opened
from runtime.clock import SystemClock
from schemas.envelope import Event
from schemas.money import Money
from schemas.sales import PaymentSucceeded, Settlement
from staging.processes import wait_for
from store.engine import connect
from store.sales.payouts import Payout, PayoutItem, Payouts

Mode = Literal["each", "day", "payout"]
PAYOUT: Final = "po_bench"
PATIENCE_SECONDS: Final = 300
PATIENCE_A_CHARGE: Final = 0.3
TWO_DAYS_AGO: Final = datetime.now(UTC) - timedelta(days=2)
GROSS, FEE, NET = Decimal("20.00"), Decimal("0.88"), Decimal("19.12")


def measure(
    rabbitmq_url: str, *, progress: Progress, charges: int, modes: Sequence[Mode] = get_args(Mode)
) -> dict[str, Any]:
    """Tell as many charges in each mode, and count calls."""
    found: dict[str, Any] = {}
    for mode in modes:
        progress(f"{charges} charges, entries = {mode}")
        found[mode] = _measured(rabbitmq_url, mode, charges=charges)
    return {"charges": charges, **found, "same_balances": True}


def _measured(rabbitmq_url: str, mode: Mode, *, charges: int) -> dict[str, Any]:
    with opened(rabbitmq_url) as setting:
        books = setting.stage.folder / "books.toml"
        books.write_text(f'{books.read_text()}\n[sales]\nentries = "{mode}"\nclose_after_minutes = 0.2\n')
        opening = setting.simulator.ask("/judge")["balances"]
        worker = setting.stage.start_worker()
        await_said(worker, "worker.consuming")
        patience = PATIENCE_SECONDS + PATIENCE_A_CHARGE * charges
        before, began = len(setting.calls()), time.monotonic()
        setting.publish(_charges(setting.company, charges))
        if mode == "payout":
            asyncio.run(_list_payout(setting, charges))
        wait_for(lambda: _booked(setting, opening, charges), what="all of it in the books", within_seconds=patience)
        calls, seconds = len(setting.calls()) - before, time.monotonic() - began
        worker.kill()
    return {"calls": calls, "calls_a_charge": round(calls / charges, 3), "seconds": round(seconds, 1)}


def _charges(company: str, count: int) -> Iterator[Event]:
    usd = {name: Money.of(amount, "USD") for name, amount in (("gross", GROSS), ("fee", FEE), ("net", NET))}
    for number in range(count):
        thing = f"ch_{number}"
        settlement = Settlement(balance_transaction=f"txn_{number}", fee_tax=Money.zero("USD"), **usd)
        data = PaymentSucceeded(fact=f"stripe:charge:{thing}", charge=thing, amount=usd["gross"], settlement=settlement)
        yield Event.of(
            data,
            id=f"evt_{thing}",
            source="/webhooks/stripe",
            time=TWO_DAYS_AGO,
            subject=thing,
            partitionkey=thing,
            company=company,
        )


async def _list_payout(setting: Setting, charges: int) -> None:
    """Say which charges the payout pays, as a reading of Stripe does."""
    engine = connect(f"sqlite:///{setting.stage.folder / 'relay.db'}")
    payout = Payout(
        payout=PAYOUT,
        fact=f"stripe:payout:{PAYOUT}",
        amount=NET * charges,
        currency="USD",
        arrival=TWO_DAYS_AGO.date(),
        automatic=True,
        status="paid",
    )
    figures = {"gross": GROSS, "fee": FEE, "tax": Decimal(0), "net": NET, "currency": "USD"}
    items = [
        PayoutItem(transaction=f"txn_{number}", kind="charge", facts=(f"stripe:charge:ch_{number}",), **figures)  # type: ignore[arg-type]  # as named
        for number in range(charges)
    ]
    try:
        await Payouts(engine, SystemClock()).keep(setting.company, payout, items)
    finally:
        await engine.dispose()


def _booked(setting: Setting, opening: dict[str, str], charges: int) -> bool:
    """Whether the balances moved by what the charges say, and nothing else."""
    balances = setting.simulator.ask("/judge")["balances"]
    changes = {name: Decimal(amount) - Decimal(opening[name]) for name, amount in balances.items()}
    moved = {name: abs(change) for name, change in changes.items() if change}
    return moved == {"Sales Income": GROSS * charges, "Stripe Clearing": NET * charges, "Stripe Fees": FEE * charges}
