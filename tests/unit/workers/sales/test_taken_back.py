"""Refunds and credit notes take tax back, in proportion or as it was told, whichever comes first."""

from itertools import permutations

import pytest

from schemas.envelope import Event
from tests.unit.producers.told import credit_note, invoice_payment, money_of_sale, refund_of_sale
from tests.unit.producers.told import invoice as an_invoice
from tests.unit.workers.sales.till import PLAIN, TAXED, Till, told
from workers.books.books import Books

MODES = pytest.mark.parametrize("books", [PLAIN, TAXED], ids=["at once", "taxed"])
SOLD = [
    *told("charge.succeeded", money_of_sale()),
    *told("invoice.paid", an_invoice()),
    *told("invoice_payment.paid", invoice_payment()),
]


async def in_every_order(books: Books, *more: Event) -> Till:
    """The till after a sale and more, which is the same in every order, and leaves no letter."""
    tills: list[Till] = []
    for order in permutations([*SOLD, *more]):
        till = Till(books)
        await till.take(*order)
        tills.append(till)
        assert (till.balance, till.letters) == (tills[0].balance, []), [event.id for event in order]
    return tills[0]


@MODES
async def test_a_refund_takes_its_part_of_the_tax_back_whichever_is_told_first(books: Books) -> None:
    refunded = told("refund.created", refund_of_sale(amount=1210))
    till = await in_every_order(books, *refunded)
    assert till.balance == {
        "Sales Income": "-100.00",
        "Sales Returns": "10.00",
        "Sales Tax Payable": "-18.90",
        "Stripe Clearing": "108.90",
    }


@MODES
async def test_the_last_of_several_refunds_takes_the_rest_of_the_tax(books: Books) -> None:
    thirds = [told("refund.created", refund_of_sale(number, amount=amount)) for number, amount in _THIRDS]
    till = Till(books)
    await till.take(*SOLD, *(event for each in thirds for event in each))
    assert till.balance == {"Sales Income": "-100.00", "Sales Returns": "100.00"}
    again = Till(books)
    await again.take(*(event for each in reversed(thirds) for event in each), *SOLD)
    assert again.balance == till.balance


_THIRDS = [(1, 4033), (2, 4033), (3, 4034)]


@MODES
async def test_a_refund_that_fails_gives_its_tax_again(books: Books) -> None:
    refunded = told("refund.created", refund_of_sale(amount=1210))
    failed = told("refund.failed", refund_of_sale(amount=1210, status="failed"))
    till = await in_every_order(books, *refunded, *failed)
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}


@MODES
async def test_a_refund_of_a_sale_without_tax_takes_none_back(books: Books) -> None:
    till = Till(books)
    refunded = told("refund.created", refund_of_sale(amount=1210))
    untaxed = told("invoice.paid", an_invoice(tax=0))
    await till.take(SOLD[0], SOLD[2], *untaxed, *refunded)
    assert till.balance == {"Sales Income": "-121.00", "Sales Returns": "12.10", "Stripe Clearing": "108.90"}


@MODES
async def test_a_credit_note_tells_exactly_how_much_tax_its_refund_takes_back(books: Books) -> None:
    refunded = told("refund.created", refund_of_sale(amount=1210))
    row = {"refund": "re_1", "amount_refunded": 1210}
    credited = told("credit_note.created", credit_note(amount=1210, tax=0, refunds=[row]))
    till = await in_every_order(books, *refunded, *credited)
    assert till.balance["Sales Tax Payable"] == "-21.00", "the goods that came back were not taxed"
    assert till.balance["Sales Returns"] == "12.10"


@MODES
async def test_what_a_credit_note_puts_onto_the_balance_is_owed_to_the_customer(books: Books) -> None:
    credited = told("credit_note.created", credit_note())
    till = await in_every_order(books, *credited)
    assert till.balance == {
        "Customer Credit": "-12.10",
        "Sales Income": "-100.00",
        "Sales Returns": "10.00",
        "Sales Tax Payable": "-18.90",
        "Stripe Clearing": "121.00",
    }


@MODES
async def test_a_credit_note_that_is_voided_leaves_nothing(books: Books) -> None:
    credited = told("credit_note.created", credit_note())
    voided = told("credit_note.voided", credit_note(status="void"))
    till = await in_every_order(books, *credited, *voided)
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}


@MODES
async def test_more_tax_taken_back_than_there_was_comes_before_a_person_with_the_figures(books: Books) -> None:
    till = Till(books)
    refunded = told("refund.created", refund_of_sale())
    credited = told("credit_note.created", credit_note(amount=12100, tax=2100))
    await till.take(*SOLD, *refunded, *credited)
    assert till.reasons == ["does_not_add_up:stripe:invoice:in_1"]
    assert "21.00" in till.letters[0][1]
    assert "42.00" in till.letters[0][1]
