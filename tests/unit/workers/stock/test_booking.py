"""What each fact about stock posts, and what comes before a person instead."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from schemas.envelope import Event
from schemas.inventory import (
    MergedLine,
    OrderLine,
    OrderPlaced,
    ReceiptLine,
    ReceiptPosted,
    StockAdjusted,
    StockMerged,
)
from schemas.money import Money
from tests.unit.workers.model.order import NothingEarlier
from tests.unit.workers.stock.facts import (
    BOOKS,
    Telling,
    adjusted,
    billed,
    ordered,
    received,
    told,
    usd,
)
from workers.books.books import Books
from workers.errors import Conflicting
from workers.plans import plan
from workers.plans.writes import EntryWrite, Parked
from workers.prerequisites import PrerequisiteMissing
from workers.stock.book import StockBook
from workers.stock.memory import MemoryRecords


def books(**inventory: object) -> Books:
    return BOOKS.model_copy(update={"inventory": BOOKS.inventory.model_copy(update=inventory)})


async def test_a_receipt_is_inventory_against_received_not_billed_at_the_orders_cost() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o", "4.00"), received("r1", "60", hour=1), received("r2", "40", hour=2)])
    assert telling.shown() == {"inventory": 400, "received_not_billed": -400}
    assert telling.done["o"].writes == (), "an order posts nothing"
    [entry] = telling.done["r1"].writes
    assert (entry.external_id, entry.amount) == ("r1", Decimal("240.00"))


async def test_what_came_and_was_not_accepted_is_a_claim_on_the_supplier() -> None:
    telling = Telling()
    await telling.tell(received("r", "90", cost="4.00", rejected="2"))
    assert telling.shown() == {"inventory": 360, "supplier_claims": 8, "received_not_billed": -368}


async def test_a_return_to_the_vendor_takes_the_receipt_back_at_its_cost() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o", "4.00"), received("r", "10", hour=1), received("back", "-4", hour=2)])
    assert telling.shown() == {"inventory": 24, "received_not_billed": -24}


async def test_a_receipt_of_several_items_is_one_entry_with_lines_for_each() -> None:
    lines = tuple(
        ReceiptLine(item=item, quantity=Decimal(quantity), unit_cost=usd(cost))
        for item, quantity, cost in [("MUG", "10", "2.00"), ("CUP", "3", "1.50"), ("MUG", "5", "2.00")]
    )
    telling = Telling()
    planned = await telling.tell(told(ReceiptPosted(fact="r", receipt="r", lines=lines)))
    [entry] = planned.writes
    assert isinstance(entry, EntryWrite)
    assert [(line.role, line.debit or line.credit, line.memo) for line in entry.lines] == [
        ("inventory", Decimal("30.00"), "MUG: +15 (Receipt r)"),
        ("received_not_billed", Decimal("30.00"), "MUG: +15 (Receipt r)"),
        ("inventory", Decimal("4.50"), "CUP: +3 (Receipt r)"),
        ("received_not_billed", Decimal("4.50"), "CUP: +3 (Receipt r)"),
    ]


@pytest.mark.parametrize(
    ("reason", "role"),
    [("damage", "write_off"), ("lost", "shrinkage"), ("found", "shrinkage"), ("shipment", "cogs")],
)
async def test_an_adjustment_goes_by_reason_to_its_account_at_the_average_cost(reason: str, role: str) -> None:
    telling = Telling()
    await telling.tell_all([received("r1", "10", cost="2.00"), received("r2", "10", cost="3.00", hour=1)])
    await telling.tell(adjusted("a", "-4", hour=2, reason=reason))
    assert telling.shown()[role] == Decimal("10.00")
    await telling.tell(adjusted("b", "2", hour=3, reason=reason))
    assert telling.shown()[role] == Decimal("5.00")


async def test_a_transfer_moves_goods_and_posts_nothing() -> None:
    telling = Telling()
    await telling.tell(received("r", "10", cost="2.00"))
    assert (await telling.tell(adjusted("t", "-4", hour=1, reason="transfer_out"))).writes == ()
    assert telling.card("MUG").quantity == 6


async def test_a_bill_clears_received_not_billed_with_the_variance_to_its_own_account() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o", "4.00"), received("r", "10", hour=1)])
    planned = await telling.tell(billed("b", "10", "43.00", hour=2, tax="4.30"))
    assert [(write.kind, write.external_id) for write in planned.writes] == [
        ("contact", "vendor:Potters"),
        ("bill", "b"),
        ("entry", "b:variance"),
    ]
    assert telling.shown() == {
        "inventory": 40,
        "payable": Decimal("-47.30"),
        "input_vat": Decimal("4.30"),
        "purchase_price_variance": 3,
    }


async def test_a_bill_at_the_orders_cost_has_no_variance_and_a_part_leaves_the_rest_open() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o", "4.00"), received("r", "10", hour=1)])
    planned = await telling.tell(billed("b", "6", "24.00", hour=2))
    assert [write.kind for write in planned.writes] == ["contact", "bill"]
    assert telling.shown()["received_not_billed"] == -16


async def test_a_bill_for_goods_that_have_not_come_waits_for_them() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o", "4.00"), received("r", "10", hour=1)])
    with pytest.raises(PrerequisiteMissing, match="12 of MUG are billed on order PO-1, and 10 have come") as missing:
        await telling.tell(billed("b", "12", "48.00", hour=2))
    assert missing.value.reason == "prerequisite:receipt:PO-1:MUG"
    await telling.tell(received("r2", "2", hour=3))
    await telling.tell(billed("b", "12", "48.00", hour=2))
    assert "received_not_billed" not in telling.shown()


async def test_a_bill_that_a_person_does_not_let_wait_gets_its_variance_with_the_goods() -> None:
    telling = Telling()
    event = billed("b", "10", "43.00")
    completed = await telling.book.complete(plan(event, BOOKS).waived(), event)
    assert [write.kind for write in completed.writes] == ["contact", "bill"]
    await telling.tell_all([ordered("o", "4.00"), received("r", "10", hour=1)])
    assert telling.shown() == {"inventory": 40, "received_not_billed": -43, "purchase_price_variance": 3}


async def test_a_cost_is_never_invented() -> None:
    with pytest.raises(Parked) as parked:
        await Telling().tell(received("r", "10"))
    assert parked.value.reason == "unmapped:cost:MUG"


async def test_value_entries_are_opted_in_to() -> None:
    with pytest.raises(Parked, match="quantities in Solid would not move") as parked:
        await Telling(books(value_entries=False)).tell(adjusted("a", "-1", cost="2.00"))
    assert parked.value.reason == "opt_in:inventory.value_entries"


async def test_what_would_take_out_more_than_there_is_is_parked_where_that_is_asked_for() -> None:
    telling = Telling(books(negative_stock="park"))
    await telling.tell(received("r", "3", cost="2.00"))
    with pytest.raises(Parked, match="leave -1 of MUG") as parked:
        await telling.tell(adjusted("a", "-4", hour=1))
    assert parked.value.reason == "negative_stock:MUG"
    await telling.tell(received("r2", "1", cost="2.00", hour=0))
    await telling.tell(adjusted("a", "-4", hour=1))
    assert telling.shown() == {"received_not_billed": -8, "write_off": 8}


async def test_what_went_out_before_it_came_in_is_put_right_when_its_cost_is_known() -> None:
    telling = Telling()
    await telling.tell_all([received("r", "1", cost="2.00"), adjusted("a", "-5", hour=1)])
    assert telling.shown() == {"inventory": -8, "received_not_billed": -2, "write_off": 10}
    await telling.tell(received("r2", "4", cost="3.00", hour=2))
    assert telling.shown() == {"received_not_billed": -14, "write_off": 10, "purchase_price_variance": 4}


async def test_goods_without_value_are_parked_or_skipped() -> None:
    with pytest.raises(Parked) as parked:
        await Telling(books(zero_value="park")).tell(received("r", "10", cost="0"))
    assert parked.value.reason == "zero_value:MUG"
    assert (await Telling(books(zero_value="skip")).tell(received("r", "10", cost="0"))).writes == ()


@pytest.mark.parametrize(
    "event",
    [
        received("r2", "5", cost="0", hour=1),
        received("r2", "5", order="PO-0", hour=1),
        adjusted("a", "-2", cost="0", hour=1),
    ],
)
async def test_goods_without_value_are_parked_though_others_of_the_item_have_one(event: Event) -> None:
    for setting in ("park", "skip"):
        telling = Telling(books(zero_value=setting))
        await telling.tell_all([received("r", "10", cost="2.00"), ordered("o", "0", order="PO-0")])
        if setting == "park":
            with pytest.raises(Parked, match="moved at a cost of 0"):
                await telling.tell(event)
        else:
            assert (await telling.tell(event)).writes == ()


async def test_no_cent_of_the_value_is_left_when_nothing_is_left_of_the_goods() -> None:
    telling = Telling()
    history = [received("r", "3", cost="3.33333")]
    history += [adjusted(reason, "-1", hour=2, reason=reason) for reason in ("damage", "lost", "shipment")]
    await telling.tell_all(history)
    assert "inventory" not in telling.shown()
    assert sum(telling.shown().values()) == 0
    assert await Telling().tell_all(history[::-1]) == telling.shown()


async def test_another_currency_than_the_books_is_parked() -> None:
    euros = BOOKS.model_copy(update={"base_currency": "EUR"})
    with pytest.raises(Parked) as parked:
        await Telling(euros).tell(received("r", "10", cost="2.00"))
    assert parked.value.reason == "unmapped:currency:USD"


async def test_an_unknown_reason_is_parked_and_a_mapping_frees_it() -> None:
    with pytest.raises(Parked) as parked:
        await Telling().tell(adjusted("a", "-1", cost="2.00", reason="x12:07"))
    assert parked.value.reason == "unmapped:reason:x12:07"
    mapped = Telling(books(reasons={**BOOKS.inventory.reasons, "x12:07": "write_off"}))
    await mapped.tell(adjusted("a", "-1", cost="2.00", reason="x12:07"))
    assert mapped.shown() == {"inventory": -2, "write_off": 2}


async def test_a_fact_that_says_something_else_now_is_a_conflict() -> None:
    telling = Telling()
    await telling.tell(received("r", "10", cost="2.00"))
    with pytest.raises(Conflicting):
        await telling.tell(received("r", "11", cost="2.00"))


async def test_the_entry_says_plainly_that_solids_quantity_does_not_move() -> None:
    planned = await Telling().tell(adjusted("a", "-1", cost="2.00"))
    assert "the quantity in Solid does not move" in planned.writes[0].memo


def test_a_fact_of_a_closed_month_is_parked_before_anything_is_recorded() -> None:
    closed = BOOKS.model_copy(update={"open_from": date(2026, 4, 1)})
    with pytest.raises(Parked) as parked:
        plan(adjusted("a", "-1", cost="2.00"), closed)
    assert parked.value.reason == "period_closed:2026-03"


async def test_a_fact_of_a_closed_month_goes_to_the_first_open_day_where_that_is_asked_for() -> None:
    late = BOOKS.model_copy(update={"open_from": date(2026, 4, 1), "late": {"inventory": "first_open_day"}})
    [entry] = (await Telling(late).tell(adjusted("a", "-1", cost="2.00"))).writes
    assert (entry.date, entry.true_date) == (date(2026, 4, 1), date(2026, 3, 2))
    assert "2026-03-02" in entry.memo


def test_many_adjustments_are_one_entry_with_two_lines_each() -> None:
    merged = StockMerged(
        fact="stock:merged:1",
        day=date(2026, 3, 2),
        lines=(
            MergedLine(
                item="MUG", reason="lost", credit="shrinkage", quantity=Decimal(-3), value=usd("-6.00"), facts=2
            ),
            MergedLine(item="CUP", reason="found", credit="shrinkage", quantity=Decimal(1), value=usd("1.50"), facts=1),
        ),
    )
    [entry] = plan(told(merged), BOOKS).writes
    assert isinstance(entry, EntryWrite)
    assert [(line.role, line.debit, line.credit, line.memo) for line in entry.lines] == [
        ("shrinkage", Decimal("6.00"), None, "MUG: -3 (lost)"),
        ("inventory", None, Decimal("6.00"), "MUG: -3 (lost)"),
        ("inventory", Decimal("1.50"), None, "CUP: +1 (found)"),
        ("shrinkage", None, Decimal("1.50"), "CUP: +1 (found)"),
    ]


async def test_the_day_a_source_gives_is_the_day_of_the_entry() -> None:
    data = StockAdjusted(
        fact="a", item="MUG", delta=Decimal(-1), reason="lost", unit_cost=Money.of("2", "USD"), day=date(2026, 2, 27)
    )
    [entry] = (await Telling().tell(told(data))).writes
    assert entry.date == date(2026, 2, 27)


async def test_a_changed_order_is_another_fact_and_says_what_comes_after_it_costs() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o", "4.00"), received("r1", "10", hour=1)])
    first = telling.done.pop("o")
    await telling.tell(ordered("o", "5.00", hour=2))
    await telling.tell(received("r2", "10", hour=3))
    assert telling.shown() == {"inventory": 90, "received_not_billed": -90}
    telling.done["o"] = first
    await telling.tell(ordered("o", "4.00"))
    with pytest.raises(Conflicting):
        await telling.tell(ordered("o", "6.00"))


async def test_what_solid_booked_itself_is_not_booked_again_when_a_late_receipt_changes_the_cost() -> None:
    telling = Telling()
    telling.book = StockBook(records=telling.records, books=BOOKS, company="main", adjusts=True)
    await telling.tell(received("r", "10", cost="2.00"))
    assert [write.kind for write in (await telling.tell(adjusted("a", "-3", hour=5))).writes] == ["adjustment"]
    await telling.tell(received("late", "5", hour=3, cost="3.00"))
    assert telling.shown() == {"inventory": 35, "received_not_billed": -35}


async def test_solid_is_told_of_goods_without_value_only_where_that_is_wanted() -> None:
    for setting in ("park", "skip"):
        set_so = books(zero_value=setting)
        book = StockBook(records=Telling().records, books=set_so, company="main", adjusts=True)
        telling = Telling(set_so)
        telling.book = book
        if setting == "park":
            with pytest.raises(Parked, match="moved at a cost of 0"):
                await telling.tell(adjusted("a", "3", cost="0"))
        else:
            assert [write.kind for write in (await telling.tell(adjusted("a", "3", cost="0"))).writes] == ["adjustment"]


async def test_what_goes_back_is_credited_at_its_cost_though_less_is_left_in_the_books() -> None:
    telling = Telling()
    await telling.tell_all([received("r", "10", cost="4.00"), received("back", "-10", cost="6.00", hour=1)])
    assert telling.shown() == {"received_not_billed": 20, "purchase_price_variance": -20}


async def test_of_two_lines_of_an_order_with_other_costs_none_is_guessed() -> None:
    lines = tuple(OrderLine(line=str(n), item="MUG", unit_cost=usd(cost)) for n, cost in enumerate(("2.00", "4.00")))
    telling = Telling()
    await telling.tell(told(OrderPlaced(fact="o", order="PO-1", lines=lines)))
    with pytest.raises(Parked) as parked:
        await telling.tell(received("r", "10", hour=1))
    assert parked.value.reason == "unmapped:cost:MUG"


async def test_a_bill_finer_than_its_currency_is_parked() -> None:
    with pytest.raises(Parked) as parked:
        await Telling().tell(billed("b", "3", "0.999"))
    assert parked.value.reason == "fraction:bill"


class FakeEarlier(NothingEarlier):
    """An earlier store that merged, or did not."""

    def __init__(self, *, merged: bool) -> None:
        self.merged = merged

    async def merged_stock(self, happened: datetime, day: date) -> bool:
        del happened, day
        return self.merged


@pytest.mark.parametrize("merged", [True, False])
async def test_what_an_earlier_store_may_have_merged_comes_before_a_person(*, merged: bool) -> None:
    records, earlier = MemoryRecords(), FakeEarlier(merged=merged)
    book = StockBook(records=records, books=BOOKS, company="main", earlier=earlier)
    event = adjusted("a", "-1", cost="2.00")
    planned = plan(event, BOOKS)
    if merged:
        with pytest.raises(Parked) as parked:
            await book.complete(planned, event)
        assert parked.value.reason == "held:merged_before"
        planned = planned.waived()
    first = await book.complete(planned, event)
    assert first.writes
    assert await book.complete(plan(event, BOOKS), event) == first, "what this store has recorded is its own"
