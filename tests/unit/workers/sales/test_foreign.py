"""Sales in another currency: their tax is posted at the rate at which they reached the balance."""

import pytest

from tests.unit.producers.made import transaction
from tests.unit.producers.told import invoice, money_of_sale, refund_of_sale
from tests.unit.workers.sales.till import PLAIN, TAXED, Till, told
from workers.books.books import Books

MODES = pytest.mark.parametrize("books", [PLAIN, TAXED], ids=["at once", "taxed"])
TELLING = told("invoice.paid", invoice(currency="eur"))


def settled(**fields: object) -> dict[str, object]:
    """121.00 EUR that became 133.10 USD."""
    return money_of_sale(currency="eur", invoice="in_1", balance_transaction=transaction(13310), **fields)


@MODES
@pytest.mark.parametrize("first", ["money", "telling"])
async def test_tax_in_euros_is_booked_in_dollars_as_the_sale_was(books: Books, first: str) -> None:
    till, sold = Till(books), told("charge.succeeded", settled())
    await till.take(*(sold + TELLING if first == "money" else TELLING + sold))
    assert till.balance == {"Sales Income": "-110.00", "Sales Tax Payable": "-23.10", "Stripe Clearing": "133.10"}
    assert till.letters == []


@MODES
async def test_tax_comes_back_at_the_rate_of_the_sale(books: Books) -> None:
    till, sold = Till(books), told("charge.succeeded", settled())
    refund = refund_of_sale(currency="eur", invoice="in_1", balance_transaction=transaction(-14000))
    await till.take(*sold, *TELLING, *told("refund.created", refund))
    assert "Sales Tax Payable" not in till.balance
    assert till.letters == []


async def test_tax_whose_rate_is_never_told_comes_before_a_person() -> None:
    till, other = Till(PLAIN), told("charge.succeeded", money_of_sale(id="ch_2", payment_intent="pi_2"))
    await till.take(*other, *TELLING)
    assert till.reasons == ["unmapped:currency:EUR"]
    assert till.balance == {"Sales Income": "-121.00", "Stripe Clearing": "121.00"}
