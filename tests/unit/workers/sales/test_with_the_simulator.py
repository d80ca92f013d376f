"""A taxed sale in the journal of a Solid that is simulated: 108.00 is 100.00 of income and 8.00 of tax."""

from typing import Any

import pytest

from schemas.envelope import Event
from simulator.books.reports import trial_balance
from tests.unit.producers.told import invoice, money_of_sale
from tests.unit.workers.bench import COMPANY
from tests.unit.workers.sales.till import TAXED, told
from tests.unit.workers.shop import Shop
from workers.books.sales import SalesPolicy
from workers.plans import plan
from workers.prerequisites import PrerequisiteMissing
from workers.sales.memory import MemoryInbox, MemorySales
from workers.sales.told import SalesBook
from workers.stock.items import Items

BOOKS = TAXED.model_copy(update={"sales": SalesPolicy(taxed=True, items={"price_1": "MUG"})})


async def test_a_sale_of_108_is_in_the_journal_as_solid_itself_would_have_it_with_the_item(shop: Shop) -> None:
    items = Items(shop.client.items, overrides={}, clock=shop.bench.clock)
    book = SalesBook(records=MemorySales(), inbox=MemoryInbox(), books=BOOKS, company=COMPANY, items=items)

    async def take(event: Event) -> None:
        await shop.apply(await book.complete(plan(event, BOOKS), event))

    row = {"amount": 10000, "quantity": 2, "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}}}
    lines = {"object": "list", "data": [row], "has_more": False}
    [telling] = told("invoice.paid", invoice(tax=800, total=10800, lines=lines, charge="ch_1"))
    [sold] = told("charge.succeeded", money_of_sale(amount=10800, amount_captured=10800, invoice="in_1"))
    with pytest.raises(PrerequisiteMissing, match=r"108\.00"):
        await take(telling)
    await take(sold)
    await take(telling)
    accounts: Any = trial_balance(shop.simulation.books, as_of=None)["accounts"]
    balances = {each["name"]: each["debit"] - each["credit"] for each in accounts if each["debit"] != each["credit"]}
    opening = {"Checking": 1_000_000, "Opening Balance Equity": -1_000_000}
    assert balances == opening | {"Stripe Clearing": 10800, "Sales Income": -10000, "Sales Tax Payable": -800}
    [posted] = [each for each in shop.simulation.books.log if each.draft.kind == "invoice"]
    rows: Any = posted.draft.fields["lines"]
    assert [each["item_id"] for each in rows] == [shop.item_id, None]
