"""Mutants of sales: one sale told many ways, its tax, and what takes it back."""

from typing import Final

from tests.mutants.mutant import Mutant

TAXED: Final = "tests/unit/workers/sales/test_taxed.py"
BACK: Final = "tests/unit/workers/sales/test_taken_back.py"
STORED: Final = "tests/unit/workers/sales/test_stored.py"
TOLD: Final = "tests/unit/producers/stripe/test_stripe_told.py"

MUTANTS: Final = (
    Mutant(
        "tax-of-a-split-sale-again",
        "The tax of a sale is posted by itself or in its invoice, never both, whatever the setting is by then.",
        "workers/sales/deciding.py",
        "    if split and not whole:\n"
        "        return None\n"
        "    if taxed and data.paid and not whole:\n"
        "        return None\n"
        "    return data.tax - sum(split, Money.zero(data.tax.currency))\n",
        "    return data.tax\n",
        (f"{TAXED}::test_changing_back_from_taxed_sales_posts_nothing_twice",),
    ),
    Mutant(
        "charge-without-its-tax",
        "Where sales are taxed a charge posts nothing before its tax is told.",
        "workers/sales/told.py",
        "        if plan.insists or not self.books.sales.taxed:\n            return True\n",
        "        return True\n",
        (f"{TAXED}::test_a_sale_that_nobody_tells_the_tax_of_comes_before_a_person_and_posts_nothing",),
    ),
    Mutant(
        "part-of-a-sale",
        "Charges post with their tax once they are all of what was told.",
        "workers/sales/deciding.py",
        "    elif taxed and not missing(sale, telling):\n",
        "    elif taxed:\n",
        (f"{TAXED}::test_payments_that_are_not_the_whole_of_an_invoice_come_before_a_person_with_the_figures",),
    ),
    Mutant(
        "whole-sale-split-later",
        "What was posted whole before the setting changed is not split anew.",
        "workers/sales/told.py",
        "        return bool(await self.inbox.state_of(self.company, [invoice]))\n",
        "        return False\n",
        (f"{TAXED}::test_changing_to_taxed_sales_posts_nothing_twice",),
    ),
    Mutant(
        "tax-back-twice",
        "More tax than there was is not taken back.",
        "workers/sales/deciding.py",
        "    _must_be_possible(sale, telling.data)\n",
        "",
        (f"{BACK}::test_more_tax_taken_back_than_there_was_comes_before_a_person_with_the_figures",),
    ),
    Mutant(
        "credit-note-beside-its-refund",
        "A credit note and its refund take the same tax back once.",
        "workers/sales/deciding.py",
        "        elif refund.fact in credited or not tax:\n",
        "        elif not tax:\n",
        (f"{BACK}::test_a_credit_note_tells_exactly_how_much_tax_its_refund_takes_back",),
    ),
    Mutant(
        "lines-that-are-not-the-sale",
        "An invoice whose figures contradict each other is refused.",
        "producers/stripe/taxes.py",
        '        must_be(other, sums[0], what="the tax", field=document.at(_field_of(document)))\n',
        "        pass\n",
        (f"{TOLD}::test_an_invoice_that_contradicts_itself_is_refused_with_its_figures",),
    ),
    Mutant(
        "store-asked-for-a-plain-sale",
        "Who sells without tax pays nothing for it: a plain sale is not looked up.",
        "workers/sales/told.py",
        "        if not names or (isinstance(data, PaymentSucceeded) and not await self._counts(data)):\n",
        "        if not names:\n",
        (f"{STORED}::test_a_plain_sale_asks_the_store_nothing_more_than_it_did",),
    ),
    Mutant(
        "customer-kept-with-the-sale",
        "What is kept of sales names nobody: a person who is forgotten is not in it.",
        "workers/sales/noting.py",
        'data.model_copy(update={"customer": None})',
        "data",
        ("tests/unit/workers/sales/test_stored.py::test_of_the_customer_of_a_sale_not_even_the_id_is_kept_with_it",),
    ),
)
