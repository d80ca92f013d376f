"""Any order and any repetition of what a feed tells ends in the same books."""

import asyncio
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Event
from tests.searching import examples, search
from tests.unit.workers.stock.facts import BOOKS, Telling, adjusted, counted, histories, ordered, received


@search
@settings(max_examples=examples(40), deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_order_and_repetition_ends_in_the_same_books(history: list[Event], random: Random, times: int) -> None:
    shuffled = history * times
    random.shuffle(shuffled)
    one, other = Telling(), Telling()
    assert asyncio.run(one.tell_all(shuffled)) == asyncio.run(other.tell_all(history))
    assert one.done.keys() == other.done.keys(), "the same facts come before a person"


@search
@settings(max_examples=examples(20), deadline=None)
@given(histories())
def test_what_is_left_in_inventory_is_the_quantity_at_its_cost(history: list[Event]) -> None:
    telling = Telling()
    balances = asyncio.run(telling.tell_all(history))
    card = telling.card("MUG")
    worth = card.quantity * (card.cost or Decimal(0))
    pairs = Decimal("0.005") * len(card.booked)
    assert abs(balances.get("inventory", Decimal(0)) - worth) <= pairs, "to the cent of each pair of accounts"


async def test_a_late_movement_before_a_count_moves_no_inventory() -> None:
    telling = Telling()
    await telling.tell_all([received("r", "10", cost="2.00"), counted("c", "7", hour=5)])
    assert telling.shown() == {"inventory": 14, "received_not_billed": -20, "shrinkage": 6}
    await telling.tell(adjusted("late", "-2", hour=3))
    assert telling.shown() == {"inventory": 14, "received_not_billed": -20, "shrinkage": 2, "write_off": 4}


async def test_a_late_movement_for_the_same_account_posts_nothing() -> None:
    telling = Telling()
    await telling.tell_all([received("r", "10", cost="2.00"), counted("c", "7", hour=5)])
    assert (await telling.tell(adjusted("late", "-2", hour=3, reason="lost"))).writes == ()


async def test_a_stale_count_is_recorded_and_not_posted() -> None:
    telling = Telling()
    await telling.tell_all([received("r", "10", cost="3.33"), counted("new", "7", hour=5)])
    before = telling.shown()
    assert (await telling.tell(counted("stale", "9", hour=2))).writes == ()
    assert telling.shown() == before
    assert "stale" in telling.done


async def test_a_cost_that_comes_late_is_moved_where_it_belongs() -> None:
    telling = Telling()
    await telling.tell_all([ordered("o1", "2.00"), received("r", "10", hour=1), adjusted("a", "-4", hour=3)])
    assert telling.shown() == {"inventory": 12, "received_not_billed": -20, "write_off": 8}
    await telling.tell(ordered("o2", "3.00", hour=0))
    assert telling.shown()["received_not_billed"] in {-20, -30}, (
        "one of the two says what it cost, whichever came first"
    )


async def test_nothing_is_left_of_the_value_when_nothing_is_left_of_the_goods() -> None:
    telling = Telling()
    await telling.tell_all(
        [received("r", "3", cost="3.3333"), adjusted("a", "-1", hour=1), adjusted("b", "-2", hour=2)]
    )
    assert telling.shown() == {"received_not_billed": -10, "write_off": 10}
    assert telling.card("MUG").quantity == 0


@pytest.mark.parametrize("late", [received("back", "-3", hour=2), received("refused", "0", hour=2, rejected="3")])
async def test_what_an_order_says_late_holds_for_what_went_back_or_was_not_accepted_too(late: Event) -> None:
    first, order = received("r", "10", cost="2.00", order="PO-0"), ordered("o", "5.00", hour=1)
    assert await Telling().tell_all([first, late, order]) == await Telling().tell_all([first, order, late])


def test_the_sample_books_take_every_history() -> None:
    assert BOOKS.inventory.value_entries
    assert BOOKS.inventory.opening == "zero"
