"""One sale told by many events, whichever of them are subscribed to and in whatever order they come."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations

import pytest

from schemas.envelope import Event
from tests.searching import search, some
from tests.unit.producers.told import SHAPES, intent, invoice, invoice_payment, money_of_sale, session
from tests.unit.workers.sales.till import PLAIN, TAXED, Till, told
from workers.books.books import Books

SPLIT = {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}
GROSS = {"Sales Income": "-121.00", "Stripe Clearing": "121.00"}

MONEY = {"charge.succeeded"}
TELLING = {"invoice.paid", "invoice.payment_succeeded", "checkout.session.completed"}


def events_of(shape: str) -> dict[str, list[Event]]:
    """One sale in all the ways in which it can be told; its session made the invoice."""
    documents = {
        "charge.succeeded": money_of_sale(**({"invoice": "in_1"} if shape != "clover" else {})),
        "payment_intent.succeeded": intent(),
        "invoice.paid": invoice(shape),
        "invoice.payment_succeeded": invoice(shape),
        "invoice_payment.paid": invoice_payment(),
        "checkout.session.completed": session(invoice="in_1"),
    }
    return {kind: told(kind, document) for kind, document in documents.items()}


def orders() -> Iterator[tuple[str, ...]]:
    kinds = list(events_of("clover"))
    return chain.from_iterable(permutations(subset) for size in range(1, 7) for subset in combinations(kinds, size))


def sales_in(order: Sequence[str], shape: str) -> int:
    """How many sales these events seem to be: since 2025 an invoice and its payment name each other no more."""
    linked = shape != "clover" or not {"invoice_payment.paid", "checkout.session.completed"}.isdisjoint(order)
    by_invoice = {"invoice.paid", "invoice.payment_succeeded"}
    by_payment = {"charge.succeeded", "payment_intent.succeeded"}
    return 1 if linked or by_invoice.isdisjoint(order) or by_payment.isdisjoint(order) else 2


async def played(order: Sequence[str], shape: str, books: Books, *, times: int = 1) -> Till:
    till, events = Till(books), events_of(shape)
    await till.take(*(event for kind in order for _ in range(times) for event in events[kind]))
    return till


@search
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_sale_that_is_posted_at_once_is_one_sale_whatever_tells_it_in_any_order(shape: str) -> None:
    for order in some(orders()):
        till = await played(order, shape, PLAIN)
        if MONEY.isdisjoint(order):
            assert till.balance == {}, order
            assert len(till.letters) == sales_in(order, shape), (order, till.letters)
            assert till.reasons[0].startswith("prerequisite:stripe:charge:")
        else:
            assert till.balance == (GROSS if TELLING.isdisjoint(order) else SPLIT), order
            assert till.letters == [], order


@search
@pytest.mark.parametrize("shape", SHAPES)
async def test_a_taxed_sale_is_one_invoice_whatever_tells_it_in_any_order(shape: str) -> None:
    for order in some(orders()):
        till = await played(order, shape, TAXED)
        if not MONEY.isdisjoint(order) and not TELLING.isdisjoint(order) and sales_in(order, shape) == 1:
            assert till.balance == SPLIT, order
            assert till.letters == [], order
            assert not any(name.endswith(":tax") for name in till.writes), order
        else:
            assert till.balance == {}, order
            letters = 1 if "charge.succeeded" in order else sales_in(order, shape)
            assert len(till.letters) == letters, (order, till.letters)


@pytest.mark.parametrize("books", [PLAIN, TAXED], ids=["at once", "taxed"])
async def test_all_of_it_told_again_and_again_changes_nothing(books: Books) -> None:
    till = await played(list(events_of("clover")), "clover", books, times=3)
    assert (till.balance, till.letters) == (SPLIT, [])
