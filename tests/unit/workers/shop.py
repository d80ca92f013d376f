"""A company on the real client and the simulator, in this process and on virtual time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import httpx2

from simulator.books.dialect import Dialect as Switches
from simulator.http.api import ApiApp
from simulator.service.simulation import DEMO_KEY, Simulation
from simulator.service.switches import Fault, FaultKind
from solid.client import SolidClient
from solid.dialect import Dialect
from solid.transport import PacedTransport
from store.cases import Cases
from store.earlier import EarlierRecords
from tests.fakes import NOON
from tests.unit.solid.support import BASE_URL, TIMEOUT, WritingLimiter
from tests.unit.workers.bench import COMPANY, DAY, TIMING, Bench, event
from workers.applying import Applier
from workers.catalogue import Catalogue
from workers.chart import Chart
from workers.earlier import Earlier
from workers.occasion import Occasion
from workers.plans.writes import AdjustmentWrite, BillLine, BillWrite, ContactWrite, Plan

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
        return Earlier(
            solid=self.client,
            records=records,
            inbox=self.bench.inbox(),
            cases=Cases(self.bench.engine, self.bench.clock),
            company=COMPANY,
            settle=timedelta(seconds=TIMING.settle),
            clock=self.bench.clock,
        )

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
        await self.applier().apply(Occasion(event(), OLD if old else NEWS, self.chart), plan)

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


@asynccontextmanager
async def open_shop(bench: Bench) -> AsyncIterator[Shop]:
    """Open it: a migrated inbox that is older than the settle time, a Solid with one item."""
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
