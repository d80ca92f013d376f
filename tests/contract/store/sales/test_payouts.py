"""Payouts and what belongs to them: the same on each database."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.sales.payouts import Payout, PayoutItem, Payouts
from tests.fakes import NOON, FakeClock


@pytest.fixture
def payouts(engine: AsyncEngine, clock: FakeClock) -> Payouts:
    return Payouts(engine, clock)


def payout(number: str = "po_1", *, arrival: date = date(2026, 11, 30)) -> Payout:
    return Payout(
        payout=number,
        fact=f"stripe:payout:{number}",
        amount=Decimal("96.80"),
        currency="USD",
        arrival=arrival,
        automatic=True,
        status="paid",
        read_at=NOON,
    )


def item(number: str = "txn_1") -> PayoutItem:
    return PayoutItem(
        transaction=number,
        kind="charge",
        source="ch_1",
        facts=("stripe:charge:ch_1",),
        type="sales.payment.succeeded.v1",
        gross=Decimal("100.00"),
        fee=Decimal("3.00"),
        tax=Decimal("0.20"),
        net=Decimal("96.80"),
        currency="USD",
    )


async def test_a_payout_comes_back_with_what_belongs_to_it_in_the_order_of_its_list(payouts: Payouts) -> None:
    items = (item("txn_2"), item("txn_1"))
    await payouts.keep("main", payout(), items)
    assert await payouts.one("main", "po_1") == payout()
    assert tuple(await payouts.items("main", "po_1")) == items
    assert await payouts.one("branch", "po_1") is None
    assert not await payouts.items("branch", "po_1")


async def test_a_payout_that_is_read_again_takes_the_place_of_what_was_read_before(payouts: Payouts) -> None:
    await payouts.keep("main", payout(), (item("txn_1"), item("txn_2")))
    changed = replace(payout(), status="failed")
    await payouts.keep("main", changed, (item("txn_3"),))
    assert await payouts.one("main", "po_1") == changed
    assert [each.transaction for each in await payouts.items("main", "po_1")] == ["txn_3"]


async def test_the_latest_payouts_come_first(payouts: Payouts) -> None:
    for number, day in (("po_1", 28), ("po_2", 30), ("po_3", 29)):
        await payouts.keep("main", payout(number, arrival=date(2026, 11, day)), ())
    assert [each.payout for each in await payouts.latest("main", limit=2)] == ["po_2", "po_3"]
    assert not await payouts.latest("branch", limit=2)
