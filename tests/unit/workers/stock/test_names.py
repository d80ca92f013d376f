"""Names of items: all that name one item of Solid are one card, whichever of them is told and whenever it is mapped."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from schemas.envelope import Event
from schemas.inventory import OrderLine, OrderPlaced, ReceiptLine, ReceiptPosted, StockAdjusted
from solid.models import Item
from tests.fakes import FakeClock
from tests.unit.workers.stock.facts import BOOKS, Telling, told, usd
from workers.plans.writes import AdjustmentWrite, EntryWrite, Parked
from workers.stock.book import StockBook
from workers.stock.items import Items

SOLID = (
    Item(id="id-mug", sku="MUG", name="Mug", type="inventory"),
    Item(id="id-cup", sku="CUP", name="Cup", type="inventory"),
    Item(id="id-care", sku="CARE", name="Care", type="service"),
)


def with_items(telling: Telling, overrides: Mapping[str, str], *, adjusts: bool = False) -> Telling:
    """The same records, with Solid's items and what `books.toml` says of names."""

    async def read() -> list[Item]:
        return list(SOLID)

    items = Items(read, overrides=overrides, clock=FakeClock())
    telling.book = StockBook(records=telling.records, books=BOOKS, company="main", items=items, adjusts=adjusts)
    return telling


def came(name: str, item: str, quantity: str, cost: str | None, *, hour: int = 0) -> Event:
    unit_cost = None if cost is None else usd(cost)
    line = ReceiptLine(item=item, quantity=Decimal(quantity), unit_cost=unit_cost)
    return told(ReceiptPosted(fact=name, order="PO-1", receipt=name, lines=(line,)), hour=hour)


def lost(name: str, item: str, *, hour: int = 5) -> Event:
    return told(StockAdjusted(fact=name, item=item, delta=Decimal(-4), reason="lost"), hour=hour)


async def test_two_names_of_one_item_have_one_average_cost() -> None:
    telling = with_items(Telling(), {"gid-7": "id-mug", "mug": "id-mug"})
    await telling.tell_all([came("r1", "MUG", "10", "2.00"), came("r2", "gid-7", "10", "3.00"), lost("a", "mug")])
    assert telling.shown() == {"inventory": 40, "received_not_billed": -50, "shrinkage": 10}
    [entry] = telling.done["a"].writes
    assert isinstance(entry, EntryWrite)
    assert entry.lines[0].memo == "mug: -4 (lost)", "people read what the source said"


async def test_a_name_that_is_mapped_later_joins_the_card_of_its_item() -> None:
    telling = with_items(Telling(), {})
    await telling.tell(came("r1", "MUG", "10", "2.00"))
    with pytest.raises(Parked) as parked:
        await telling.tell(came("r2", "gid-7", "10", "3.00"))
    assert parked.value.reason == "unmapped:item:gid-7"
    with_items(telling, {"gid-7": "id-mug"})
    await telling.tell_all([came("r2", "gid-7", "10", "3.00"), lost("a", "MUG")])
    assert telling.shown()["shrinkage"] == 10


async def test_an_order_of_an_item_that_solid_does_not_have_waits_for_its_name() -> None:
    order = told(OrderPlaced(fact="o", order="PO-1", lines=(OrderLine(item="gid-7", unit_cost=usd("3.00")),)))
    telling = with_items(Telling(), {})
    with pytest.raises(Parked) as parked:
        await telling.tell(order)
    assert parked.value.reason == "unmapped:item:gid-7"
    with_items(telling, {"gid-7": "id-mug"})
    await telling.tell_all([order, came("r", "MUG", "10", None, hour=1)])
    assert telling.shown() == {"inventory": 30, "received_not_billed": -30}


async def test_an_order_may_name_what_holds_no_stock() -> None:
    lines = tuple(OrderLine(item=item, unit_cost=usd("3.00")) for item in ("MUG", "CARE"))
    telling = with_items(Telling(), {})
    assert (await telling.tell(told(OrderPlaced(fact="o", order="PO-1", lines=lines)))).writes == ()
    with pytest.raises(Parked, match="holds no stock"):
        await telling.tell(came("r", "CARE", "1", None, hour=1))


async def test_what_is_told_again_after_its_name_was_mapped_elsewhere_is_the_same_fact() -> None:
    telling = with_items(Telling(), {"gid-7": "id-mug"})
    first = await telling.tell(came("r", "gid-7", "10", "3.00"))
    with_items(telling, {"gid-7": "id-mug", "other": "id-mug"})
    assert await telling.tell(came("r", "gid-7", "10", "3.00")) == first


async def test_solids_own_adjustment_is_of_the_item_that_the_name_means() -> None:
    telling = with_items(Telling(), {"gid-7": "id-mug"}, adjusts=True)
    await telling.tell(came("r", "MUG", "10", "3.00"))
    [write] = (await telling.tell(lost("a", "gid-7"))).writes
    assert isinstance(write, AdjustmentWrite)
    assert (write.sku, write.item_id, write.quantity) == ("gid-7", "id-mug", Decimal(-4))


async def test_offline_the_names_that_the_books_map_are_one_item() -> None:
    telling = Telling(BOOKS.model_copy(update={"items": {"MUG": "id-mug", "gid-7": "id-mug"}}))
    await telling.tell_all([came("r1", "MUG", "10", "2.00"), came("r2", "gid-7", "10", "3.00"), lost("a", "MUG")])
    assert telling.shown()["shrinkage"] == 10


async def test_more_of_a_receipt_does_not_post_again_what_is_on_the_card_that_its_name_had_before() -> None:
    lines = tuple(ReceiptLine(item="gid-7", quantity=Decimal(10), unit_cost=usd("2.00"), line=name) for name in "12")
    part, whole = (told(ReceiptPosted(fact="r", receipt="r", lines=some)) for some in (lines[:1], lines))
    telling = with_items(Telling(), {"gid-7": "id-mug"})
    await telling.tell(part)
    telling.done.clear()
    with_items(telling, {"gid-7": "id-cup"})
    await telling.tell(whole)
    assert telling.shown() == {"inventory": 40, "received_not_billed": -40}
