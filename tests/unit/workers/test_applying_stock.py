"""Bills and adjustments through the real client against the simulator: written once, whatever becomes of the answer."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import httpx2
import pytest

from simulator.api import ApiApp
from simulator.dialect import Dialect as Switches
from simulator.judge import judge
from simulator.simulation import DEMO_KEY, Simulation
from simulator.switches import Fault, FaultKind
from solid.client import SolidClient
from solid.dialect import Dialect
from solid.errors import OutcomeUnknown, Refused
from solid.transport import PacedTransport
from store.cases import Cases
from store.earlier import EarlierRecords
from tests.fakes import NOON
from tests.unit.solid.support import BASE_URL, TIMEOUT, WritingLimiter
from tests.unit.workers.bench import COMPANY, DAY, TIMING, Bench, event
from workers.applying import Applier, Fact
from workers.catalogue import Catalogue
from workers.chart import Chart
from workers.earlier import Earlier
from workers.errors import HeldForPerson, NotYet
from workers.plans.writes import AdjustmentWrite, BillLine, BillWrite, ContactWrite, Plan
from workers.sweeping import Sweeper

DIALECT = Dialect.model_validate({"money": "decimal_string", "paths": {"adjustments": "/inventory-adjustments"}})
OLD = NOON - timedelta(days=3)
NEWS = NOON + timedelta(days=1)
AFTER = timedelta(hours=1)
VENDOR, BILL, DAMAGE = "vendor:acme", "bill:4711", "adjustment:17"
ADJUSTMENTS = "inventory-adjustments"


class Cutting(httpx2.ASGITransport):
    """The simulator in this process; a connection that it cuts looks as it does over a socket."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx2.ReadError(str(error), request=request) from error


@dataclass(slots=True)
class Shop:
    """One company: the simulated Solid, its client, its inbox and clock, and what its plans need."""

    bench: Bench
    simulation: Simulation
    client: SolidClient
    chart: Chart
    item_id: str

    def earlier(self) -> Earlier:
        records = EarlierRecords(self.bench.engine, self.bench.clock)
        settle, inbox = timedelta(seconds=TIMING.settle), self.bench.inbox()
        return Earlier(solid=self.client, records=records, inbox=inbox, company=COMPANY, settle=settle)

    def applier(self, client: SolidClient | None = None) -> Applier:
        return Applier(
            solid=client or self.client,
            inbox=self.bench.inbox(),
            earlier=self.earlier(),
            company=COMPANY,
            timing=TIMING,
            clock=self.bench.clock,
        )

    async def apply(self, plan: Plan, *, old: bool = False) -> None:
        await self.applier().apply(Fact(event(), OLD if old else NEWS, self.chart), plan)

    def fail(self, kind: FaultKind, path: str) -> None:
        self.simulation.switches.arm(Fault(kind, 1, only=f"POST {path}", status=500))

    def posts(self) -> Sequence[str]:
        return [call.path.rpartition("/")[2] for call in self.simulation.calls if call.method == "POST"]

    def bill(self) -> Plan:
        about = {"date": DAY, "currency": "USD", "memo": "Acme"}
        vendor = ContactWrite.model_validate(
            {"external_id": VENDOR, "display_name": "Acme", "contact_type": "vendor", **about}
        )
        line = BillLine(role="received_not_billed", account="Received Not Billed", amount=Decimal("91.50"))
        bill = BillWrite.model_validate(
            {"external_id": BILL, "contact": VENDOR, "total": "91.50", "number": "4711", "lines": [line], **about}
        )
        return Plan(writes=(vendor, bill))

    def damage(self, quantity: str = "-3", **changes: object) -> Plan:
        about = {"external_id": DAMAGE, "date": DAY, "currency": "USD", "memo": "Damage", "reason": "damage"}
        item = {"sku": "MUG", "item_id": self.item_id, "quantity": quantity, "unit_cost": "2.00"}
        posted = {"role": "shrinkage", "account": "Inventory Shrinkage"}
        return Plan(writes=(AdjustmentWrite.model_validate({**about, **item, **posted, **changes}),))


@pytest.fixture
async def shop(bench: Bench) -> AsyncIterator[Shop]:
    simulation = Simulation(allowance=100_000)
    simulation.switches.dialect = Switches(adjustments="offered", negative_stock="allowed")
    transport = PacedTransport(Cutting(ApiApp(simulation)), WritingLimiter())
    bench.watch.saw(("inbox", COMPANY, await EarlierRecords(bench.engine, bench.clock).began(COMPANY)))
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    async with SolidClient(
        base_url=BASE_URL, api_key=lambda: DEMO_KEY, dialect=DIALECT, transport=transport, timeout=TIMEOUT
    ) as client:
        accounts = {account.name: account.id for account in await client.accounts()}
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(ApiApp(simulation)), headers={"X-API-Key": DEMO_KEY}
        ) as http:
            item = {"name": "Mug", "sku": "MUG", "type": "inventory", "asset_account_id": accounts["Inventory Asset"]}
            made = await http.post(f"{BASE_URL}/api/v1/items", json=item)
        assert made.status_code == 201
        simulation.calls.clear()
        item_id = Catalogue(await client.items()).id_of("MUG")
        yield Shop(bench, simulation, client, Chart(await client.accounts()), item_id)
    simulation.close()


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
    fact = Fact(event(), NEWS, shop.chart)
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
            await shop.applier(client).apply(Fact(event(), NEWS, shop.chart), shop.damage())
    assert judge(shop.simulation)["by_external_id"][DAMAGE] == 1


async def test_stock_that_solid_does_not_have_is_refused_and_parked(shop: Shop) -> None:
    shop.simulation.switches.dialect = Switches(adjustments="offered")
    with pytest.raises(Refused, match="NEGATIVE_STOCK"):
        await shop.apply(shop.damage())
    assert await shop.bench.state(DAMAGE) == "refused"
