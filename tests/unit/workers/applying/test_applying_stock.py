"""Bills and adjustments through the real client against the simulator: written once, whatever becomes of the answer."""

from decimal import Decimal

import pytest

from simulator.books.dialect import Dialect as Switches
from simulator.http.api import ApiApp
from simulator.service.judge import judge
from simulator.service.simulation import DEMO_KEY
from simulator.service.switches import FaultKind
from solid.client import SolidClient
from solid.dialect import Dialect
from solid.errors import OutcomeUnknown, Refused, RefusedInDoubt
from solid.transport import PacedTransport
from store.cases import Cases
from tests.unit.solid.support import BASE_URL, TIMEOUT, WritingLimiter
from tests.unit.workers.bench import COMPANY, TIMING, event
from tests.unit.workers.shop import ADJUSTMENTS, AFTER, BILL, DAMAGE, NEWS, VENDOR, Cutting, Shop
from workers.errors import HeldForPerson, NotYet
from workers.occasion import Occasion
from workers.sweeping import Sweeper


async def test_a_bill_waits_for_its_vendor_and_posts_its_lines_against_the_payable(shop: Shop) -> None:
    await shop.apply(shop.bill())
    await shop.apply(shop.bill())
    assert shop.posts() == ["contacts", "bills"]
    verdict = judge(shop.simulation)
    assert (verdict["balances"]["Received Not Billed"], verdict["balances"]["Accounts Payable"]) == ("91.50", "-91.50")
    (bill,) = shop.simulation.books.with_external_id("bill", BILL)
    (vendor,) = shop.simulation.books.with_external_id("contact", VENDOR)
    assert bill.draft.fields["vendor_id"] == vendor.id
    assert vendor.draft.fields["contact_type"] == "vendor"


async def test_an_adjustment_moves_the_items_quantity_and_its_value(shop: Shop) -> None:
    await shop.apply(shop.damage("5", external_id="found"))
    await shop.apply(shop.damage())
    stock = shop.simulation.books.stock_of(shop.item_id)
    assert (stock.quantity, stock.value) == (Decimal(2), 400)
    balances = judge(shop.simulation)["balances"]
    assert (balances["Inventory Asset"], balances["Inventory Shrinkage"]) == ("4.00", "-4.00")
    row = await shop.bench.row(DAMAGE)
    assert (row.kind, row.state, row.amount) == ("adjustment", "applied", Decimal("6.00"))


@pytest.mark.parametrize("made", ["bill", "damage"])
@pytest.mark.parametrize("fault", ["answer_lost", "late_commit", "error"])
async def test_a_lost_answer_is_looked_up_and_there_is_one_record_in_the_end(
    shop: Shop, made: str, fault: FaultKind
) -> None:
    plan, key, path = (shop.bill(), BILL, "bills") if made == "bill" else (shop.damage(), DAMAGE, ADJUSTMENTS)
    arrives = fault != "error"
    shop.fail(fault, f"/{path}")
    with pytest.raises(OutcomeUnknown):
        await shop.apply(plan)
    assert await shop.bench.state(key) == "unknown"
    with pytest.raises(NotYet, match="settling"):
        await shop.apply(plan)
    for landing in list(shop.simulation.late):
        await landing
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    await shop.apply(plan)
    assert shop.posts().count(path) == (1 if arrives else 2)
    verdict = judge(shop.simulation)
    assert (verdict["by_external_id"][key], verdict["duplicated"], verdict["balanced"]) == (1, [], True)
    row = await shop.bench.row(key)
    assert (row.state, row.was_unknown, row.adopted) == ("applied", True, arrives)


@pytest.mark.parametrize("made", ["bill", "damage"])
async def test_a_fact_older_than_the_inbox_is_found_in_solid_by_one_reading(shop: Shop, made: str) -> None:
    plan, key = (shop.bill(), BILL) if made == "bill" else (shop.damage(), DAMAGE)
    await shop.apply(plan)
    posted = list(shop.posts())
    async with shop.bench.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM writes")
    await shop.apply(plan, old=True)
    assert shop.posts() == posted, "adopted, not sent"
    assert (await shop.bench.row(key)).adopted
    assert judge(shop.simulation)["duplicated"] == []


async def test_the_sweep_finds_an_adjustment_that_is_there_twice(shop: Shop) -> None:
    shop.fail("answer_lost", f"/{ADJUSTMENTS}")
    with pytest.raises(OutcomeUnknown):
        await shop.apply(shop.damage())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    await shop.apply(shop.damage())
    (record,) = shop.simulation.books.with_external_id("adjustment", DAMAGE)
    cases = Cases(shop.bench.engine, shop.bench.clock)
    sweeper = Sweeper(shop.client, shop.bench.inbox(), cases, COMPANY, AFTER, shop.bench.clock)
    shop.simulation.commit(record.draft)
    shop.bench.clock.advance(AFTER.total_seconds() + 1)
    assert await sweeper.sweep_once() == 1
    assert [(case.kind, case.subject) for case in await cases.list()] == [("duplicate_record", DAMAGE)]


async def test_where_the_dialect_has_no_endpoint_an_adjustment_is_refused_unsent_and_posted_once_it_has(
    shop: Shop,
) -> None:
    transport = PacedTransport(Cutting(ApiApp(shop.simulation)), WritingLimiter())
    without = Dialect(money="decimal_string")
    fact = Occasion(event(), NEWS, shop.chart)
    async with SolidClient(
        base_url=BASE_URL, api_key=lambda: DEMO_KEY, dialect=without, transport=transport, timeout=TIMEOUT
    ) as client:
        for _ in range(2):
            with pytest.raises(Refused, match="no_endpoint"):
                await shop.applier(client).apply(fact, shop.damage())
    assert shop.posts() == []
    assert await shop.bench.state(DAMAGE) == "refused"
    await shop.apply(shop.damage())
    assert shop.posts() == [ADJUSTMENTS]


async def test_a_doubt_is_held_for_a_person_where_the_endpoint_was_taken_out_of_the_dialect(shop: Shop) -> None:
    shop.fail("answer_lost", f"/{ADJUSTMENTS}")
    with pytest.raises(OutcomeUnknown):
        await shop.apply(shop.damage())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    transport = PacedTransport(Cutting(ApiApp(shop.simulation)), WritingLimiter())
    async with SolidClient(
        base_url=BASE_URL,
        api_key=lambda: DEMO_KEY,
        dialect=Dialect(money="decimal_string"),
        transport=transport,
        timeout=TIMEOUT,
    ) as client:
        with pytest.raises(HeldForPerson, match=r"paths\.adjustments"):
            await shop.applier(client).apply(Occasion(event(), NEWS, shop.chart), shop.damage())
    assert judge(shop.simulation)["by_external_id"][DAMAGE] == 1


async def test_stock_that_solid_does_not_have_is_refused_and_parked(shop: Shop) -> None:
    shop.simulation.switches.dialect = Switches(adjustments="offered")
    with pytest.raises(RefusedInDoubt, match="NEGATIVE_STOCK"):
        await shop.apply(shop.damage())
    shop.bench.clock.advance(TIMING.settle + TIMING.unasked)
    with pytest.raises(Refused, match="NEGATIVE_STOCK"):
        await shop.apply(shop.damage())
    assert await shop.bench.state(DAMAGE) == "refused"
