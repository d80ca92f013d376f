"""Places and lots: each is counted for itself, and what is nowhere in particular is not guessed to be somewhere."""

from decimal import Decimal

import pytest

from schemas.inventory import ReceiptLine, ReceiptPosted, StockAdjusted, StockCounted
from tests.unit.workers.stock.facts import BOOKS, Telling, counted, received, told, usd
from workers.books.books import Books
from workers.plans.writes import Parked
from workers.stock.book import StockBook


def books(**inventory: object) -> Books:
    return BOOKS.model_copy(update={"inventory": BOOKS.inventory.model_copy(update=inventory)})


async def test_a_count_is_believed_once_the_level_before_it_is_known() -> None:
    telling = Telling(books(opening="told"))
    await telling.tell(received("r", "10", cost="2.00", hour=1))
    with pytest.raises(Parked) as parked:
        await telling.tell(counted("c", "12", hour=5))
    assert parked.value.reason == "unmapped:opening:MUG"
    assert (await telling.tell(counted("o", "3", reason="opening"))).writes == ()
    await telling.tell(counted("c", "12", hour=5))
    assert telling.shown() == {"inventory": 18, "received_not_billed": -20, "shrinkage": 2}


async def test_a_lot_is_counted_only_where_all_stock_is_of_some_lot() -> None:
    telling = Telling()
    await telling.tell(received("r", "10", cost="2.00"))
    for lot in ("L1", "L2"):
        with pytest.raises(Parked, match="no lot in particular") as parked:
            await telling.tell(told(StockCounted(fact=lot, item="MUG", lot=lot, counted=Decimal(5)), hour=1))
        assert parked.value.reason == "ambiguous:lot:MUG"
    out = StockAdjusted(fact="out", item="MUG", delta=Decimal(-10), reason="transfer_out")
    into = StockAdjusted(fact="in", item="MUG", lot="L1", delta=Decimal(10), reason="transfer_in")
    await telling.tell_all([told(out, hour=2), told(into, hour=2)])
    await telling.tell(told(StockCounted(fact="L1", item="MUG", lot="L1", counted=Decimal(5)), hour=3))
    assert telling.shown()["shrinkage"] == 10


async def test_lots_are_counted_each_for_itself() -> None:
    telling = Telling()
    for lot, quantity in [("L1", "10"), ("L2", "20")]:
        line = ReceiptLine(item="MUG", quantity=Decimal(quantity), unit_cost=usd("1.00"), lot=lot)
        await telling.tell(told(ReceiptPosted(fact=lot, receipt=lot, lines=(line,))))
    await telling.tell(told(StockCounted(fact="c", item="MUG", lot="L1", counted=Decimal(8)), hour=1))
    assert telling.card("MUG").quantity == 28


async def test_the_opening_level_of_a_place_is_not_believed_of_all_places() -> None:
    telling = Telling(books(opening="told"))
    opening = StockCounted(fact="o", item="MUG", place="A", counted=Decimal(10), reason="opening", unit_cost=usd("2"))
    await telling.tell(told(opening))
    with pytest.raises(Parked) as parked:
        await telling.tell(counted("c", "50", hour=2))
    assert parked.value.reason == "unmapped:opening:MUG"
    await telling.tell(counted("all", "50", hour=1, reason="opening"))
    await telling.tell(counted("c", "48", hour=2))
    assert telling.shown() == {"inventory": -4, "shrinkage": 4}


async def test_a_place_is_counted_only_where_all_stock_is_at_some_place() -> None:
    telling = Telling()
    await telling.tell(received("r", "10", cost="2.00"))
    with pytest.raises(Parked) as parked:
        await telling.tell(counted("c", "9", hour=1, place="WH1"))
    assert parked.value.reason == "ambiguous:place:MUG"
    at_home = Telling(books(default_place="WH1"))
    await at_home.tell_all([received("r", "10", cost="2.00"), counted("c", "9", hour=1, place="WH1")])
    assert at_home.shown()["shrinkage"] == 2


async def test_places_are_counted_each_for_itself() -> None:
    telling = Telling()
    for place, quantity in [("A", "10"), ("B", "20")]:
        line = ReceiptLine(item="MUG", quantity=Decimal(quantity), unit_cost=usd("1.00"), place=place)
        await telling.tell(told(ReceiptPosted(fact=place, receipt=place, lines=(line,))))
    await telling.tell(counted("c", "8", hour=1, place="A"))
    assert telling.card("MUG").quantity == 28


@pytest.mark.parametrize(("place", "hour"), [("B", 5), ("A", 1), (None, 1)])
async def test_an_opening_level_is_that_of_its_place_and_of_what_comes_after_it(place: str | None, hour: int) -> None:
    telling = Telling(books(opening="told"))
    await telling.tell(received("r", "10", cost="2.00"))
    opening = StockCounted(fact="o", item="CUP", place="A", counted=Decimal(10), reason="opening", unit_cost=usd("2"))
    await telling.tell(told(opening, hour=2))
    count = StockCounted(fact="c", item="CUP", place=place, counted=Decimal(50), unit_cost=usd("2"))
    with pytest.raises(Parked) as parked:
        await telling.tell(told(count, hour=hour))
    assert parked.value.reason == "unmapped:opening:CUP"
    await telling.tell(told(StockCounted(fact="d", item="CUP", place="A", counted=Decimal(9)), hour=5))
    assert telling.shown()["shrinkage"] == 2


async def test_stock_that_was_told_to_be_nowhere_is_at_the_default_place_once_there_is_one() -> None:
    telling = Telling()
    await telling.tell(received("r", "10", cost="2.00"))
    at_home = Telling(books(default_place="WH1"))
    at_home.records = telling.records
    at_home.book = StockBook(records=telling.records, books=at_home.books, company="main")
    await at_home.tell(counted("c", "9", hour=1, place="WH1"))
    assert at_home.shown() == {"inventory": -2, "shrinkage": 2}
    assert (await at_home.tell(received("r", "10", cost="2.00"))).writes, "what was told before is no conflict"
