"""Sales that are paid from a credit balance, outside of the processor, or not at all."""

import pytest

from tests.unit.producers.told import credit_note, invoice, invoice_payment, money_of_sale
from tests.unit.workers.sales.till import PLAIN, TAXED, Till, told
from workers.books.books import Books

MODES = pytest.mark.parametrize("books", [PLAIN, TAXED], ids=["at once", "taxed"])


@MODES
async def test_credit_that_was_used_is_income_too(books: Books) -> None:
    till = Till(books)
    paid = invoice(starting_balance=-5000, amount_due=7100, amount_paid=7100)
    sold = money_of_sale(amount=7100, amount_captured=7100, invoice="in_1")
    await till.take(*told("charge.succeeded", sold), *told("invoice.paid", paid))
    assert till.balance == {
        "Customer Credit": "50.00",
        "Sales Income": "-100.00",
        "Sales Tax Payable": "-21.00",
        "Stripe Clearing": "71.00",
    }
    assert till.letters == []


@MODES
async def test_a_sale_that_credit_paid_wholly_needs_no_charge(books: Books) -> None:
    till = Till(books)
    await till.take(*told("invoice.paid", invoice(starting_balance=-12100, amount_due=0, amount_paid=0)))
    assert till.balance == {"Customer Credit": "121.00", "Sales Income": "-100.00", "Sales Tax Payable": "-21.00"}
    assert till.letters == []


@MODES
async def test_an_earlier_debt_that_an_invoice_collects_is_no_income(books: Books) -> None:
    till = Till(books)
    paid = invoice(starting_balance=1000, amount_due=13100, amount_paid=13100)
    sold = money_of_sale(amount=13100, amount_captured=13100, invoice="in_1")
    await till.take(*told("charge.succeeded", sold), *told("invoice.paid", paid))
    assert till.balance == {
        "Customer Credit": "-10.00",
        "Sales Income": "-100.00",
        "Sales Tax Payable": "-21.00",
        "Stripe Clearing": "131.00",
    }


@MODES
async def test_a_negative_invoice_becomes_credit_of_the_customer(books: Books) -> None:
    till = Till(books)
    less = invoice(tax=-210, total=-1210, starting_balance=0, ending_balance=-1210, amount_due=0, amount_paid=0)
    await till.take(*told("invoice.paid", less))
    assert till.balance == {"Customer Credit": "-12.10", "Sales Income": "10.00", "Sales Tax Payable": "2.10"}
    assert till.letters == []


@MODES
async def test_an_invoice_paid_outside_of_stripe_is_an_invoice_that_is_open_here(books: Books) -> None:
    till = Till(books)
    await till.take(*told("invoice.paid", invoice("old", charge=None, paid_out_of_band=True, amount_paid=0)))
    assert till.balance == {
        "Accounts Receivable": "121.00",
        "Sales Income": "-100.00",
        "Sales Tax Payable": "-21.00",
    }
    assert [write.kind for write in till.writes.values()] == ["contact", "invoice"]
    assert till.letters == []


@MODES
async def test_a_payment_record_and_an_invoice_that_say_the_same_are_one_open_invoice(books: Books) -> None:
    link = told("invoice_payment.paid", invoice_payment(payment={"type": "payment_record", "payment_record": "pr_1"}))
    paid = told("invoice.paid", invoice(amount_paid_off_stripe=12100))
    for order in (link + paid, paid + link):
        till = Till(books)
        await till.take(*order)
        assert till.balance == {
            "Accounts Receivable": "121.00",
            "Sales Income": "-100.00",
            "Sales Tax Payable": "-21.00",
        }
        assert till.letters == []


@MODES
async def test_what_was_paid_too_much_is_owed_to_the_customer(books: Books) -> None:
    till = Till(books)
    paid = invoice(amount_overpaid=900, amount_paid=12100)
    sold = money_of_sale(amount=13000, amount_captured=13000, invoice="in_1")
    await till.take(*told("charge.succeeded", sold), *told("invoice.paid", paid))
    assert till.balance == {
        "Customer Credit": "-9.00",
        "Sales Income": "-100.00",
        "Sales Tax Payable": "-21.00",
        "Stripe Clearing": "130.00",
    }


async def test_one_payment_of_two_invoices_comes_before_a_person() -> None:
    till = Till(PLAIN)
    sold = money_of_sale(payment_intent="pi_1")
    second = invoice_payment(id="inpay_2", invoice="in_2")
    await till.take(
        *told("charge.succeeded", sold),
        *told("invoice_payment.paid", invoice_payment()),
        *told("invoice_payment.paid", second),
        *told("invoice.paid", invoice()),
        *told("invoice.paid", invoice(id="in_2")),
    )
    assert till.reasons == ["conflict"]


@MODES
@pytest.mark.parametrize("first", ["link", "invoice"])
async def test_a_payment_record_says_that_an_invoice_was_paid_outside(books: Books, first: str) -> None:
    till = Till(books)
    link = told("invoice_payment.paid", invoice_payment(payment={"type": "payment_record", "payment_record": "pr_1"}))
    another = told("charge.succeeded", money_of_sale(id="ch_2", payment_intent="pi_2"))
    paid = told("invoice.paid", invoice())
    await till.take(*another, waived=True)
    before = till.balance
    await till.take(*(link + paid if first == "link" else paid + link))
    assert before == {"Sales Income": "-121.00", "Stripe Clearing": "121.00"}
    assert till.balance == {
        "Accounts Receivable": "121.00",
        "Sales Income": "-221.00",
        "Sales Tax Payable": "-21.00",
        "Stripe Clearing": "121.00",
    }
    assert till.letters == []


@MODES
async def test_what_was_credited_before_it_was_paid_is_neither_income_nor_money(books: Books) -> None:
    note = told("credit_note.created", credit_note(type="pre_payment"))
    paid = invoice(pre_payment_credit_notes_amount=1210, amount_due=10890, amount_paid=10890)
    sold = money_of_sale(amount=10890, amount_captured=10890, invoice="in_1")
    till = Till(books)
    await till.take(*note, *told("invoice.paid", paid), *told("charge.succeeded", sold))
    assert till.balance == {"Sales Income": "-90.00", "Sales Tax Payable": "-18.90", "Stripe Clearing": "108.90"}
    assert till.letters == []
