"""Client and simulator were written apart: here they meet, in one process, in every dialect both know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from simulator.books import documents
from simulator.books.dialect import Dialect as Switches
from simulator.books.fields import Fields
from simulator.http.api import ApiApp
from simulator.service.judge import judge
from simulator.service.simulation import DEMO_KEY, Simulation
from solid.client import Absent, Everything, Inconclusive, Present, SolidClient
from solid.dialect import Dialect
from solid.errors import PeriodClosed, Refused, Unavailable
from solid.expectations import check, notes
from solid.models import BillLine, EntryLine, NewAdjustment, NewBill, NewContact, NewEntry, NewInvoice, NewPayment
from solid.transport import PacedTransport
from tests.unit.solid.support import BASE_URL, DAY, TIMEOUT, WritingLimiter

MONEY = ("decimal_string", "decimal_number", "cents")
BOOKED = {Decimal("18.95"), Decimal("-18.95")}  # on bank and income: 20.05 less 1.10; the receivable is back at 0


@asynccontextmanager
async def client_of(simulation: Simulation, dialect: Dialect) -> AsyncIterator[SolidClient]:
    transport = PacedTransport(httpx2.ASGITransport(ApiApp(simulation)), WritingLimiter())
    async with SolidClient(
        base_url=BASE_URL, api_key=lambda: DEMO_KEY, dialect=dialect, transport=transport, timeout=TIMEOUT
    ) as client:
        yield client


def speaking(**switches: Any) -> Simulation:  # noqa: ANN401 - the simulator checks them
    simulation = Simulation(allowance=100_000)
    simulation.switches.dialect = Switches().changed(switches)
    return simulation


def adjusting(money: Any = "decimal_string", **more: Any) -> Dialect:  # noqa: ANN401 - the dialect checks them
    return Dialect.model_validate({"money": money, "paths": {"adjustments": "/inventory-adjustments"}, **more})


async def sale(client: SolidClient, number: int = 1) -> tuple[NewContact, NewInvoice, NewPayment, NewEntry]:
    """A contact, its invoice, its payment and an entry, all created."""
    accounts = {account.name: account.id for account in await client.accounts()}
    bank, *_, income = accounts.values()
    contact = NewContact(external_id=f"c:{number}", display_name=f"Customer {number}")
    contact_id = await client.create(contact)
    line = {"account_id": income, "description": "Plan", "amount": Decimal("20.05")}
    dated = {"date": DAY, "currency": "USD", "customer_id": contact_id}
    invoice = NewInvoice.model_validate({"external_id": f"i:{number}", "lines": (line,), **dated})
    invoice_id = await client.create(invoice)
    paid = {"amount": Decimal("20.05"), "applications": ({"invoice_id": invoice_id, "amount": Decimal("20.05")},)}
    payment = NewPayment.model_validate({"external_id": f"p:{number}", "deposit_account_id": bank, **dated, **paid})
    await client.create(payment)
    sides = ({"account_id": income, "debit": Decimal("1.10")}, {"account_id": bank, "credit": Decimal("1.10")})
    entry = NewEntry.model_validate(
        {"external_id": f"e:{number}", "date": DAY, "currency": "USD", "memo": "Fee", "lines": sides}
    )
    await client.create(entry)
    return contact, invoice, payment, entry


@pytest.mark.parametrize("money", MONEY)
@pytest.mark.parametrize("key", ["data", "result", "resource"])
async def test_records_are_created_and_found_in_every_dialect(money: Any, key: str) -> None:  # noqa: ANN401
    dialect = Dialect(money=money, payload_key="{resource}" if key == "resource" else key)
    async with client_of(speaking(money=money, payload_key=key), dialect) as client:
        before = await client.balances()
        for record in await sale(client):
            assert isinstance(await client.find(record), Present)
            assert await client.find(record.model_copy(update={"external_id": "never:sent"})) == Absent()
        after = await client.balances()
        assert sum(after.values()) == 0
        assert {after[account] - before[account] for account in after} - {0} == BOOKED


@pytest.mark.parametrize("money", MONEY)
@pytest.mark.parametrize("openapi", ["key", "open"])
async def test_the_dialects_check_agrees(money: Any, openapi: str) -> None:  # noqa: ANN401
    async with client_of(speaking(money=money, openapi=openapi), Dialect(money=money)) as client:
        assert check(Dialect(money=money), await client.openapi()) == []
        document = await client.openapi()
        others = [Dialect.model_validate({"money": each}) for each in MONEY if each != money]
        assert all(check(dialect, document) for dialect in others)


@pytest.mark.parametrize("pagination", ["page", "offset", "cursor", "none"])
async def test_a_record_behind_many_is_found_in_every_way_of_paging(pagination: str) -> None:
    dialect = Dialect(money="decimal_string")
    async with client_of(speaking(pagination=pagination), dialect) as client:
        sales = [await sale(client, number) for number in range(61)]
        for record in (*sales[0], *sales[-1]):
            assert isinstance(await client.find(record), Present)
            assert await client.find(record.model_copy(update={"external_id": "never:sent"})) == Absent()


async def test_behind_a_silent_cap_nothing_is_absent() -> None:
    async with client_of(speaking(pagination="silent_cap"), Dialect(money="decimal_string")) as client:
        sales = [await sale(client, number) for number in range(51)]
        never = sales[0][3].model_copy(update={"external_id": "never:sent"})
        assert isinstance(await client.find(never), Inconclusive)
        assert not isinstance(await client.find(sales[-1][3]), Absent)


async def test_a_repeated_post_makes_two_and_both_are_found() -> None:
    async with client_of(speaking(), Dialect(money="decimal_string")) as client:
        _, invoice, _, entry = await sale(client)
        for record in (invoice, entry):
            first = await client.find(record)
            second = await client.create(record)
            assert isinstance(first, Present)
            assert await client.find(record) == Present((*first.ids, second))


async def stocked(client: SolidClient, simulation: Simulation) -> tuple[NewContact, NewBill, NewAdjustment]:
    """A vendor, its bill and an adjustment of an item, all created."""
    accounts = {account.name: account.id for account in await client.accounts()}
    draft = {"name": "Mug", "type": "inventory", "sku": "MUG", "asset_account_id": accounts["Inventory Asset"]}
    fields = Fields(draft, simulation.switches.dialect.money)
    item = simulation.commit(documents.item(fields, simulation.books, simulation.switches.dialect)).id
    vendor = NewContact(external_id="v:1", display_name="Acme", contact_type="vendor")
    vendor_id = await client.create(vendor)
    lines = [("Received Not Billed", "90.00"), ("Purchase Price Variance", "1.50")]
    bill = NewBill(
        external_id="b:1",
        vendor_id=vendor_id,
        date=DAY,
        due_date=DAY,
        currency="USD",
        number="4711",
        lines=tuple(BillLine(account_id=accounts[n], description="Order 7", amount=Decimal(a)) for n, a in lines),
    )
    await client.create(bill)
    adjustment = NewAdjustment(
        external_id="a:1",
        date=DAY,
        item_id=item,
        quantity_delta=Decimal("3.5"),
        account_id=accounts["Inventory Shrinkage"],
        unit_cost=Decimal("2.00"),
        currency="USD",
        reason="found",
    )
    await client.create(adjustment)
    return vendor, bill, adjustment


@pytest.mark.parametrize("money", MONEY)
@pytest.mark.parametrize("key", ["data", "resource"])
async def test_vendors_bills_and_adjustments_are_created_and_found_in_every_dialect(
    money: Any,  # noqa: ANN401
    key: str,
) -> None:
    simulation = speaking(money=money, payload_key=key, adjustments="offered")
    dialect = adjusting(money=money, payload_key="{resource}" if key == "resource" else key, bill_number="bill_number")
    async with client_of(simulation, dialect) as client:
        assert check(dialect, await client.openapi()) == []
        for record in await stocked(client, simulation):
            assert isinstance(await client.find(record), Present)
            assert await client.find(record.model_copy(update={"external_id": "never:sent"})) == Absent()
            everything = await client.everything(record.kind, since=DAY)
            assert isinstance(everything, Everything)
            assert everything.ids.keys() >= {record.external_id}
        verdict = judge(simulation)
        assert verdict["balanced"]
        moved = {"Received Not Billed": "90.00", "Purchase Price Variance": "1.50", "Accounts Payable": "-91.50"}
        moved |= {"Inventory Asset": "7.00", "Inventory Shrinkage": "-7.00"}
        assert {name: verdict["balances"][name] for name in moved} == moved
    (vendor,) = [record for record in simulation.books.log if record.draft.kind == "contact"]
    (bill,) = [record for record in simulation.books.log if record.draft.kind == "bill"]
    assert vendor.draft.fields["contact_type"] == "vendor"
    assert bill.draft.fields["bill_number"] == "4711"


@pytest.mark.parametrize("pagination", ["page", "offset", "cursor", "none"])
async def test_items_are_read_in_every_way_of_paging(pagination: str) -> None:
    simulation = speaking(pagination=pagination)
    for number in range(61):
        fields = Fields({"name": f"Item {number}", "type": "inventory", "sku": f"S{number % 60}"}, "decimal_string")
        simulation.commit(documents.item(fields, simulation.books, simulation.switches.dialect))
    async with client_of(simulation, Dialect(money="decimal_string")) as client:
        items = await client.items()
    assert sorted(item.sku or "" for item in items) == sorted(["S0", *(f"S{number}" for number in range(60))])
    assert {item.type for item in items} == {"inventory"}


async def test_behind_a_silent_cap_no_sku_is_taken_for_the_only_one() -> None:
    simulation = speaking(pagination="silent_cap")
    for number in range(51):
        fields = Fields({"name": "Mug", "type": "inventory", "sku": f"S{number % 50}"}, "decimal_string")
        simulation.commit(documents.item(fields, simulation.books, simulation.switches.dialect))
    async with client_of(simulation, Dialect(money="decimal_string")) as client:
        with pytest.raises(Refused, match="list_may_be_cut"):
            await client.items()


async def test_the_endpoint_for_adjustments_is_pointed_out_and_checked() -> None:
    async with client_of(speaking(adjustments="offered"), Dialect(money="decimal_string")) as client:
        (note,) = notes(Dialect(money="decimal_string"), await client.openapi())
        assert "/api/v1/inventory-adjustments" in note
    async with client_of(speaking(), adjusting()) as client:
        assert check(adjusting(), await client.openapi()) == ["no path /api/v1/inventory-adjustments"]


async def test_an_entry_of_six_hundred_lines_is_written_and_found_again() -> None:
    simulation = speaking()
    async with client_of(simulation, Dialect(money="decimal_string")) as client:
        bank, *_, income = [account.id for account in await client.accounts()]
        lines = [EntryLine(account_id=bank, debit=Decimal("0.05"), memo=f"line {number}") for number in range(600)]
        whole = EntryLine(account_id=income, credit=Decimal("30.00"))
        entry = NewEntry(external_id="e:1", date=DAY, currency="USD", memo="All", lines=(*lines, whole))
        assert await client.find(entry) == Absent()
        created = await client.create(entry)
        assert await client.find(entry) == Present((created,))
    (record,) = simulation.books.with_external_id("entry", "e:1")
    assert [leg.memo for leg in record.draft.legs] == [*(f"line {number}" for number in range(600)), None]


async def test_the_class_and_the_location_of_a_line_are_kept() -> None:
    simulation = speaking()
    async with client_of(simulation, Dialect(money="decimal_string")) as client:
        bank, *_, income = [account.id for account in await client.accounts()]
        split = EntryLine(account_id=income, debit=Decimal(1), class_id="class-1", location_id="location-1")
        lines = (split, EntryLine(account_id=bank, credit=Decimal(1)))
        entry = NewEntry(external_id="e:1", date=DAY, currency="USD", memo="Wages", lines=lines)
        await client.create(entry)
    (record,) = simulation.books.with_external_id("entry", "e:1")
    stored = record.draft.fields["lines"]
    assert isinstance(stored, list)
    kept = [(line["class_id"], line["location_id"]) for line in stored]
    assert kept == [("class-1", "location-1"), (None, None)]


@pytest.mark.parametrize("match", ["exact", "contains", "icase"])
async def test_a_contact_is_matched_exactly_however_solid_compares(match: str) -> None:
    async with client_of(speaking(contact_match=match), Dialect(money="decimal_string")) as client:
        for name in ("Ann", "ann", "Ann Lee", "Joann"):
            await client.create(NewContact(external_id=f"c:{name.replace(' ', '_')}", display_name=name))
        assert [contact.external_id for contact in await client.contacts_named("Ann")] == ["c:Ann"]


async def test_a_closed_period_a_wrong_key_and_a_spent_allowance_are_told_apart() -> None:
    simulation = speaking()
    async with client_of(simulation, Dialect(money="decimal_string")) as client:
        *_, entry = await sale(client)
        simulation.switches.closed_through = "2026-12-31"
        with pytest.raises(PeriodClosed):
            await client.create(entry)
        simulation.switches.closed_through, simulation.switches.accountant_copy = None, "2026-12-31"
        with pytest.raises(PeriodClosed):
            await client.create(entry)
        simulation.switches.accountant_copy = None
        with pytest.raises(Refused, match="CURRENCY"):
            await client.create(entry.model_copy(update={"currency": "EUR"}))
        simulation.limiter.allowance = 0
        for as_200 in (False, True):
            simulation.switches.rate_limit_as_200 = as_200
            with pytest.raises(Unavailable) as limited:
                await client.probe()
            assert limited.value.cause == "rate_limited"
            assert limited.value.retry_after is not None
        simulation.keys.clear()
        with pytest.raises(Unavailable) as refused:
            await client.probe()
        assert refused.value.cause == "unauthorised"
