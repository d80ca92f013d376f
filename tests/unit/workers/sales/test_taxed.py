"""Sales of which the seller says that they are taxed: a charge waits for its telling, and is an invoice of lines."""

from decimal import Decimal

import pytest

from schemas.envelope import Event
from tests.unit.producers.told import invoice, invoice_payment, money_of_sale, session
from tests.unit.workers.sales.till import PLAIN, TAXED, Till, told
from workers.books.sales import SalesPolicy
from workers.plans.writes import InvoiceWrite

CHARGE = "stripe:charge:ch_1"


def lines_of(till: Till, name: str = f"{CHARGE}:invoice") -> list[tuple[str, Decimal, str | None]]:
    write = till.writes[name]
    assert isinstance(write, InvoiceWrite)
    return [(line.account, line.amount, line.item_id) for line in write.lines]


async def test_a_sale_of_108_is_100_of_income_and_8_of_tax() -> None:
    till = Till(TAXED)
    sold = told("charge.succeeded", money_of_sale(amount=10800, amount_captured=10800))
    await till.take(*sold, *told("checkout.session.completed", session(tax=800, total=10800)))
    assert lines_of(till) == [("Sales Income", Decimal("100.00"), None), ("Sales Tax Payable", Decimal("8.00"), None)]
    assert set(till.writes) == {"stripe:customer:cus_1", f"{CHARGE}:invoice", f"{CHARGE}:payment"}


async def test_inclusive_tax_is_taken_out_of_the_price() -> None:
    till = Till(TAXED)
    taxes = [{"amount": 2100, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_1"}}]
    told_so = invoice("clover", subtotal=12100, total_taxes=taxes)
    await till.take(*told("charge.succeeded", money_of_sale(invoice="in_1")), *told("invoice.paid", told_so))
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}


async def test_a_sale_that_nobody_tells_the_tax_of_comes_before_a_person_and_posts_nothing() -> None:
    till = Till(TAXED)
    await till.take(*told("charge.succeeded", money_of_sale()))
    assert (till.writes, till.reasons) == ({}, [f"untold:tax:{CHARGE}"])
    assert "121.00 USD" in till.letters[0][1]


@pytest.mark.parametrize("first", ["charge", "tax"])
async def test_a_sale_for_a_connected_account_owes_the_whole_to_it_and_its_tax_is_of_the_platforms_part(
    first: str,
) -> None:
    """Of 121.00 the seller gets 80.00; of the 41.00 that are kept 21.00 are tax."""
    part = {"destination": "acct_9", "amount": 8000}
    sold = told("charge.succeeded", money_of_sale(invoice="in_1", transfer_data=part))
    taxed, till = told("invoice.paid", invoice()), Till(TAXED)
    await till.take(*((*sold, *taxed) if first == "charge" else (*taxed, *sold)))
    assert till.balance == {
        "Due to Sellers": "-80.00",
        "Sales Income": "-20.00",
        "Sales Tax Payable": "-21.00",
        "Stripe Clearing": "121.00",
    }
    untold = Till(TAXED)
    await untold.take(*sold)
    assert (untold.writes, untold.reasons) == ({}, [f"untold:tax:{CHARGE}"])


async def test_a_person_may_post_a_sale_whose_tax_nobody_tells_and_tax_told_later_is_split_off() -> None:
    till = Till(TAXED)
    sold = told("charge.succeeded", money_of_sale(invoice="in_1"))
    await till.take(*sold, waived=True)
    assert till.balance == {"Sales Income": "-121.00", "Stripe Clearing": "121.00"}
    await till.take(*told("invoice.paid", invoice()), *sold)
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}
    assert till.letters == []


def paid_in_parts(*amounts: int) -> list[Event]:
    """One invoice of 121.00, paid by several charges."""
    events = []
    for number, amount in enumerate(amounts, start=1):
        names = {"id": f"ch_{number}", "payment_intent": f"pi_{number}"}
        events += told("charge.succeeded", money_of_sale(amount=amount, amount_captured=amount, **names))
        payment = {"type": "payment_intent", "payment_intent": f"pi_{number}"}
        link = invoice_payment(id=f"inpay_{number}", amount_paid=amount, payment=payment)
        events += told("invoice_payment.paid", link)
    return events


@pytest.mark.parametrize("reverse", [False, True])
async def test_several_payments_of_one_invoice_share_its_tax_to_the_cent(reverse: bool) -> None:  # noqa: FBT001 - a case
    till, events = Till(TAXED), [*paid_in_parts(4033, 4033, 4034), *told("invoice.paid", invoice())]
    await till.take(*(reversed(events) if reverse else events))
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}
    shares = [lines_of(till, f"stripe:charge:ch_{number}:invoice")[1][1] for number in (1, 2, 3)]
    assert shares == [Decimal("7.00"), Decimal("7.00"), Decimal("7.00")]
    assert till.letters == []


async def test_payments_that_are_not_the_whole_of_an_invoice_come_before_a_person_with_the_figures() -> None:
    till = Till(TAXED)
    await till.take(*paid_in_parts(4033), *told("invoice.paid", invoice()))
    assert till.reasons == [f"untold:tax:{CHARGE}"]
    assert "121.00 USD was paid" in till.letters[0][1]
    assert "took 40.33 USD" in till.letters[0][1]
    assert till.balance == {}


async def test_a_charge_that_took_more_than_was_told_comes_before_a_person_with_the_figures() -> None:
    till = Till(TAXED)
    sold = told("charge.succeeded", money_of_sale(amount=12600, amount_captured=12600))
    await till.take(*sold, *told("checkout.session.completed", session()))
    assert till.reasons == ["does_not_add_up:stripe:session:cs_1"]
    assert "126.00" in till.letters[0][1]


async def test_lines_are_items_where_the_books_map_them_and_tax_goes_to_the_account_of_its_code() -> None:
    policy = SalesPolicy(taxed=True, items={"price_1": "MUG"}, tax_codes={"txr_1": "Sales Tax Payable CA"})
    books = TAXED.model_copy(update={"sales": policy, "items": {"MUG": "item-1"}})
    rows = [
        {"amount": 4000, "quantity": 2, "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}}},
        {"amount": 7000, "discount_amounts": [{"amount": 1000}], "price": {"id": "price_2", "product": "prod_2"}},
    ]
    till = Till(books)
    lines = {"object": "list", "data": rows, "has_more": False}
    await till.take(
        *told("charge.succeeded", money_of_sale(invoice="in_1")), *told("invoice.paid", invoice(lines=lines))
    )
    assert lines_of(till) == [
        ("Sales Income", Decimal("40.00"), "item-1"),
        ("Sales Income", Decimal("60.00"), None),
        ("Sales Tax Payable CA", Decimal("21.00"), None),
    ]


async def test_changing_to_taxed_sales_posts_nothing_twice() -> None:
    till = Till(PLAIN)
    sold = told("charge.succeeded", money_of_sale(invoice="in_1"))
    await till.take(*sold)
    till.books = TAXED
    await till.take(*told("invoice.paid", invoice()), *sold, *told("charge.captured", money_of_sale(invoice="in_1")))
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}
    assert till.letters == []


async def test_changing_back_from_taxed_sales_posts_nothing_twice() -> None:
    till = Till(TAXED)
    sold = told("charge.succeeded", money_of_sale(invoice="in_1"))
    await till.take(*sold, *told("invoice.paid", invoice()))
    till.books = PLAIN
    await till.take(*told("invoice.payment_succeeded", invoice()), *sold)
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}
    assert till.letters == []


async def test_a_sale_whose_tax_was_split_off_by_itself_stays_whole_when_its_charge_is_told_again() -> None:
    till = Till(PLAIN)
    sold = told("charge.succeeded", money_of_sale(invoice="in_1"))
    await till.take(*sold, *told("invoice.paid", invoice()))
    till.books = TAXED
    await till.take(*sold, *told("invoice.payment_succeeded", invoice()))
    assert till.balance == {"Sales Income": "-100.00", "Sales Tax Payable": "-21.00", "Stripe Clearing": "121.00"}
    assert till.letters == []
