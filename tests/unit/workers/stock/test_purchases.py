"""Orders, what came of them, what went back, and what vendors charge and credit: in the end all is billed."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest

from schemas.envelope import Event
from schemas.inventory import BillLine, BillReceived, OrderLine, OrderPlaced, ReceiptLine, ReceiptPosted
from tests.unit.workers.stock.facts import Telling, billed, ordered, received, told, usd
from workers.plans.writes import EntryWrite, Parked
from workers.prerequisites import PrerequisiteMissing
from workers.stock.purchases import Purchases, Tally

ORDER, CAME = ordered("o", "4.00"), received("r", "10", hour=1)


def of_line(name: str, line: str, quantity: str, amount: str) -> Event:
    """A bill that names the line of the order."""
    lines = (BillLine(line=line, item="MUG", quantity=Decimal(quantity), amount=usd(amount)),)
    bill = BillReceived(
        fact=name, order="PO-1", bill=name, supplier="Potters", lines=lines, total=usd(amount), day=date(2026, 3, 9)
    )
    return told(bill, hour=9)


async def test_a_credit_note_after_a_return_leaves_nothing_unbilled() -> None:
    telling = Telling()
    await telling.tell_all([ORDER, CAME, billed("b", "10", "40.00", hour=2, tax="4.00")])
    await telling.tell(received("back", "-4", hour=3))
    assert telling.shown()["received_not_billed"] == 16, "the vendor owes it"
    credit = await telling.tell(billed("credit", "-4", "-16.00", hour=4, tax="-1.60"))
    [entry] = credit.writes
    assert isinstance(entry, EntryWrite)
    assert entry.memo == "Credit note credit of Potters for order PO-1"
    assert telling.shown() == {"inventory": 24, "payable": Decimal("-26.40"), "input_vat": Decimal("2.40")}


async def test_what_was_not_accepted_is_billed_without_waiting_and_its_credit_clears_the_claim() -> None:
    telling = Telling()
    await telling.tell_all([ORDER, received("r", "90", hour=1, rejected="10"), billed("b", "100", "400.00", hour=2)])
    assert telling.shown() == {"inventory": 360, "supplier_claims": 40, "payable": -400}
    await telling.tell(billed("credit", "-10", "-40.00", hour=3))
    assert telling.shown() == {"inventory": 360, "payable": -360}


async def test_a_credit_at_another_price_is_a_variance() -> None:
    telling = Telling()
    await telling.tell_all([ORDER, CAME, billed("b", "10", "40.00", hour=2), received("back", "-4", hour=3)])
    await telling.tell(billed("credit", "-4", "-15.00", hour=4))
    assert telling.shown() == {"inventory": 24, "payable": -25, "purchase_price_variance": 1}


async def test_a_return_at_another_cost_than_it_came_at_is_cleared_by_its_credit() -> None:
    telling = Telling()
    await telling.tell_all([ORDER, CAME, billed("b", "10", "40.00", hour=2)])
    await telling.tell_all([received("back", "-4", cost="5.00", hour=3), billed("credit", "-4", "-20.00", hour=4)])
    assert telling.shown() == {"inventory": 20, "payable": -20}


async def test_returns_claims_bills_and_credits_end_the_same_in_any_order() -> None:
    history = [
        ORDER,
        received("r", "9", hour=1, rejected="1"),
        billed("b", "10", "43.00", hour=2),
        received("back", "-3", cost="4.50", hour=3),
        billed("credit", "-4", "-17.50", hour=4),
    ]
    expected = await Telling().tell_all(history)
    assert "received_not_billed" not in expected
    assert "supplier_claims" not in expected
    for order in permutations(history):
        assert await Telling().tell_all(order) == expected


async def test_a_bill_that_names_lines_of_the_order_is_compared_line_by_line() -> None:
    lines = tuple(OrderLine(line=n, item="MUG", unit_cost=usd(cost)) for n, cost in (("1", "2.00"), ("2", "4.00")))
    goods = tuple(ReceiptLine(line=n, item="MUG", quantity=Decimal(10)) for n in ("1", "2"))
    telling = Telling()
    await telling.tell(told(OrderPlaced(fact="o", order="PO-1", lines=lines)))
    await telling.tell(told(ReceiptPosted(fact="r", order="PO-1", receipt="r", lines=goods), hour=1))
    await telling.tell(of_line("b1", "1", "10", "20.00"))
    assert "purchase_price_variance" not in telling.shown()
    await telling.tell(of_line("b2", "2", "10", "41.00"))
    assert telling.shown() == {"inventory": 60, "payable": -61, "purchase_price_variance": 1}


def order_of(name: str, *lines: tuple[str | None, str], hour: int = 0) -> Event:
    """An order of mugs on several lines: the name of each and what one costs there."""
    said = tuple(OrderLine(line=line, item="MUG", unit_cost=usd(cost)) for line, cost in lines)
    return told(OrderPlaced(fact=name, order="PO-1", lines=said), hour=hour)


@pytest.mark.parametrize("line", [None, "1"])
async def test_an_order_with_two_costs_of_one_item_and_nothing_to_tell_them_apart_is_parked(line: str | None) -> None:
    telling = Telling()
    with pytest.raises(Parked, match="twice, at other costs") as parked:
        await telling.tell(order_of("o", (line, "2.00"), (line, "0.00")))
    assert parked.value.reason == "ambiguous:cost:MUG"
    await telling.tell(order_of("p", (line, "2.00"), (line, "2.00")))


async def test_a_change_of_the_cost_of_all_lines_moves_what_is_received_after_it() -> None:
    first, second = order_of("o", ("1", "2.00"), ("2", "2.00")), order_of("o2", ("1", "3.00"), ("2", "3.00"), hour=2)
    history = [first, received("r1", "10", hour=1), second, received("r2", "10", hour=3)]
    for order in permutations(history):
        assert await Telling().tell_all(order) == {"inventory": 50, "received_not_billed": -50}


async def test_a_bill_that_names_a_line_of_its_own_is_compared_with_all_of_the_order() -> None:
    telling = Telling()
    await telling.tell_all([ORDER, CAME, of_line("b", "7", "10", "41.00")])
    assert telling.shown() == {"inventory": 40, "payable": -41, "purchase_price_variance": 1}


async def test_a_second_bill_for_the_same_goods_waits_though_some_of_them_were_credited() -> None:
    telling = Telling()
    await telling.tell_all([ORDER, CAME, billed("b", "10", "40.00", hour=2), billed("c", "-4", "-16.00", hour=3)])
    await telling.tell(billed("again", "4", "16.00", hour=4))
    with pytest.raises(PrerequisiteMissing, match="15 of MUG are billed on order PO-1, and 10 have come"):
        await telling.tell(billed("more", "5", "20.00", hour=5))


def test_what_is_kept_of_purchases_is_what_is_read_again() -> None:
    purchases = Purchases()
    purchases.ordered("PO-1", "1", at="2026-03-02", cost=Decimal(4))
    purchases.received("PO-1", "1", Decimal(9), rejected=Decimal(1), cost=Decimal(4))
    purchases.billed("PO-1", None, Decimal(-2), Decimal(-8))
    again = Purchases.from_json(purchases.as_json())
    assert again.as_json() == purchases.as_json() == purchases.copy().as_json()
    assert again.cost("PO-1", None, "2026-03-03") == 4
    assert again.tally("PO-1") == Tally(
        came=Decimal(10),
        came_worth=Decimal(40),
        rejected=Decimal(1),
        rejected_worth=Decimal(4),
        credited=Decimal(2),
        charged=Decimal(-8),
    )
