"""Adjustments of stock: what they do to quantity, value and ledger, and what is refused."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import SwitchError
from simulator.service.reloading import reloaded
from simulator.service.simulation import Simulation
from tests.unit.simulator.client import Client, Json, Time

PATH = "/inventory-adjustments"


@pytest.fixture(autouse=True)
async def offered(solid: Client) -> None:
    await solid.switch(dialect={"adjustments": "offered"})


async def mug(solid: Client, **changes: object) -> str:
    asset = await solid.account("Inventory Asset")
    item = {"name": "Mug", "sku": "MUG", "type": "inventory", "asset_account_id": asset, **changes}
    return str((await solid.made("/items", item))["id"])


async def adjusted(solid: Client, item: str, quantity: str, **changes: object) -> dict[str, Json]:
    account = await solid.account("Inventory Shrinkage")
    about = {"item_id": item, "quantity": quantity, "account_id": account, "reason": "stocktake"}
    return {"date": "2026-03-05", "external_id": f"a:{quantity}", **about, **changes}


async def shown(solid: Client, item: str) -> tuple[str, str | None]:
    row = await solid.data(f"/items/{item}")
    return row["quantity_on_hand"], row["average_cost"]


async def balances(solid: Client) -> tuple[str, str]:
    found = (await solid.judge())["balances"]
    return found["Inventory Asset"], found["Inventory Shrinkage"]


async def test_stock_comes_at_its_cost_and_goes_at_the_average(solid: Client) -> None:
    item = await mug(solid)
    made = await solid.made(PATH, await adjusted(solid, item, "10", unit_cost="5.00"))
    assert (made["value"], made["total"], made["transaction_type"]) == ("50.00", "50.00", "adjustment")
    await solid.made(PATH, await adjusted(solid, item, "10", unit_cost="6.00"))
    assert await shown(solid, item) == ("20", "5.5")
    out = await solid.made(PATH, await adjusted(solid, item, "-12", unit_cost="99.00"))
    assert out["value"] == "-66.00"
    assert await shown(solid, item) == ("8", "5.5")
    assert await balances(solid) == ("44.00", "-44.00")
    assert (await solid.judge())["balanced"]


async def test_stock_that_comes_without_a_cost_costs_the_average_or_the_items_own(solid: Client) -> None:
    item = await mug(solid, cost="2.50")
    await solid.made(PATH, await adjusted(solid, item, "2"))
    assert await shown(solid, item) == ("2", "2.5")
    await solid.made(PATH, await adjusted(solid, item, "2", unit_cost="3.50"))
    assert (await solid.made(PATH, await adjusted(solid, item, "1")))["value"] == "3.00"
    nothing_known = await mug(solid)
    assert await solid.error(PATH, await adjusted(solid, nothing_known, "1")) == (422, "VALIDATION_ERROR")


async def test_when_all_goes_no_cent_stays(solid: Client) -> None:
    item = await mug(solid)
    await solid.made(PATH, await adjusted(solid, item, "3", unit_cost="0.33333"))
    for _ in range(3):
        await solid.made(PATH, await adjusted(solid, item, "-1"))
    assert await shown(solid, item) == ("0", None)
    assert await balances(solid) == ("0.00", "0.00")


async def test_the_average_is_rounded_only_in_what_is_posted(solid: Client) -> None:
    item = await mug(solid)
    await solid.made(PATH, await adjusted(solid, item, "3", unit_cost="0.33333"))
    assert (await solid.made(PATH, await adjusted(solid, item, "-2")))["value"] == "-0.67"
    assert await shown(solid, item) == ("1", "0.33")


async def test_more_than_there_is_goes_only_where_a_switch_allows_it(solid: Client) -> None:
    item = await mug(solid)
    await solid.made(PATH, await adjusted(solid, item, "2.5", unit_cost="4.00"))
    assert await solid.error(PATH, await adjusted(solid, item, "-2.6")) == (422, "NEGATIVE_STOCK")
    await solid.switch(dialect={"negative_stock": "allowed"})
    await solid.made(PATH, await adjusted(solid, item, "-3.5"))
    assert await shown(solid, item) == ("-1.0", None)
    assert await balances(solid) == ("-4.00", "4.00")
    await solid.switch(dialect={"negative_stock": "refused"})
    await solid.made(PATH, await adjusted(solid, item, "0.5", unit_cost="4.00"))
    assert (await shown(solid, item))[0] == "-0.5", "what mends a negative stock is never refused"


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": "0"},
        {"quantity": None},
        {"quantity": True},
        {"quantity": "1e99"},
        {"item_id": "MUG"},
        {"account_id": "Shrinkage"},
        {"unit_cost": "-1.00"},
        {"unit_cost": 1.5},
        {"date": None},
    ],
)
async def test_an_adjustment_must_say_what_where_and_when(solid: Client, changes: dict[str, Any]) -> None:
    body = await adjusted(solid, await mug(solid), "1", unit_cost="1.00")
    assert await solid.error(PATH, body | changes) == (422, "VALIDATION_ERROR")
    assert (await solid.judge())["writes_by_kind"] == {"item": 1}


@pytest.mark.parametrize("changes", [{"type": "service"}, {"type": "non_inventory"}, {"asset_account_id": None}])
async def test_only_items_with_an_asset_account_hold_stock(solid: Client, changes: dict[str, Any]) -> None:
    body = await adjusted(solid, await mug(solid, **changes), "1", unit_cost="1.00")
    assert await solid.error(PATH, body) == (422, "VALIDATION_ERROR")


async def test_closed_dates_and_other_currencies_hold_for_adjustments_too(solid: Client) -> None:
    item = await mug(solid)
    await solid.switch(closed_through="2026-03-31")
    assert await solid.error(PATH, await adjusted(solid, item, "1", unit_cost="1.00")) == (422, "PERIOD_CLOSED")
    body = await adjusted(solid, item, "1", unit_cost="1.00", currency="EUR")
    assert await solid.error(PATH, body) == (422, "CURRENCY_NOT_SUPPORTED")


@pytest.mark.parametrize(("money", "cost"), [("decimal_number", 2.125), ("cents", 212)])
async def test_a_quantity_is_text_and_a_unit_cost_is_like_money_in_every_dialect(
    solid: Client, money: str, cost: float
) -> None:
    item = await mug(solid)
    body = await adjusted(solid, item, "2")
    await solid.switch(dialect={"money": money})
    assert await solid.error(PATH, body | {"unit_cost": "2.12"}) == (422, "VALIDATION_ERROR")
    await solid.made(PATH, body | {"unit_cost": cost})
    assert await shown(solid, item) == ("2", "2.125" if money == "decimal_number" else "2.12")


async def test_adjustments_are_listed_by_date_and_stand_among_the_entries(solid: Client) -> None:
    item = await mug(solid)
    for day in ("2026-03-07", "2026-03-05"):
        await solid.made(PATH, await adjusted(solid, item, "1", unit_cost="1.00", date=day))
    rows = await solid.data(PATH, **{"from": "2026-03-06"})
    assert [(row["date"], row["quantity"], row["reason"]) for row in rows] == [("2026-03-07", "1", "stocktake")]
    entries = await solid.data("/entries", **{"from": "2026-03-01"})
    assert [row["transaction_type"] for row in entries] == ["adjustment", "adjustment"]
    assert (await solid.data(f"/entries/{rows[0]['id']}"))["external_id"] == "a:1"
    assert (await solid.data(f"{PATH}/{rows[0]['id']}"))["item_id"] == item


async def test_a_repeated_adjustment_is_a_duplicate_for_the_judge(solid: Client) -> None:
    body = await adjusted(solid, await mug(solid), "1", unit_cost="1.00")
    await solid.made(PATH, body)
    await solid.made(PATH, body)
    verdict = await solid.judge()
    assert (verdict["duplicated"], verdict["writes_by_kind"]["adjustment"]) == (["a:1"], 2)


async def test_where_they_are_absent_there_is_no_path_and_the_document_has_none(solid: Client) -> None:
    item = await mug(solid)
    body = await adjusted(solid, item, "1", unit_cost="1.00")
    document = (await solid.http.get("/openapi.json")).json()
    assert document["paths"][f"/api/v1{PATH}"].keys() == {"get", "post"}
    await solid.switch(dialect={"adjustments": "absent"})
    assert (await solid.post(PATH, body)).status_code == 404
    assert (await solid.get(PATH)).status_code == 404
    assert f"/api/v1{PATH}" not in (await solid.http.get("/openapi.json")).json()["paths"]


async def test_a_restore_and_a_restart_bring_the_stock_back(tmp_path: Path, moment: Time) -> None:
    journal = tmp_path / "books.jsonl"
    simulation = reloaded(Simulation(clock=moment.clock(), journal=journal))
    solid = Client(simulation)
    await solid.switch(dialect={"adjustments": "offered"})
    item = await mug(solid)
    await solid.made(PATH, await adjusted(solid, item, "4", unit_cost="1.25"))
    await solid.switch(snapshot=True)
    await solid.made(PATH, await adjusted(solid, item, "-3"))
    await solid.switch(restore=True)
    assert await shown(solid, item) == ("4", "1.25")
    simulation.close()
    again = reloaded(Simulation(clock=moment.clock(), journal=journal))
    assert again.books.stock_of(item).quantity == Decimal(4)
    assert again.books.stock_of(item).value == 500
    again.close()
    assert json.loads(journal.read_text().splitlines()[0])["line"]
    await solid.http.aclose()
    await solid.control.aclose()


async def test_items_may_share_a_sku_and_are_paged_like_other_lists(solid: Client) -> None:
    first, second = await mug(solid), await mug(solid)
    rows = await solid.data("/items")
    assert [(row["id"], row["sku"]) for row in rows] == [(first, "MUG"), (second, "MUG")]
    assert len(await solid.data("/items", per_page=1)) == 1


async def test_an_unknown_way_to_treat_stock_is_refused(solid: Client) -> None:
    with pytest.raises(SwitchError, match="negative_stock"):
        solid.simulation.switches.dialect.changed({"negative_stock": "fifo"})
