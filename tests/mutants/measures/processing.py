"""Mutants of what Square and Shopify Payments tell: whose money it is, which mode, and whether it adds up."""

from typing import Final

from tests.mutants.mutant import Mutant

SQUARE: Final = "tests/unit/producers/square/test_square_payments.py"
SQUARE_PAYOUTS: Final = "tests/unit/producers/square/test_square_payouts.py"
SALES: Final = "tests/unit/producers/shopify/test_shopify_sales.py"
PAYMENTS: Final = "tests/unit/producers/shopify/test_shopify_payments.py"

MUTANTS: Final = (
    Mutant(
        "cash-in-squares-balance",
        "Money that Square does not hold never reaches its clearing account.",
        "producers/square/payments.py",
        "    if kind not in IN_BALANCE:\n",
        '    if kind == "unknown":\n',
        (f"{SQUARE}::test_what_is_not_in_squares_balance_is_for_a_person_or_ignored_by_setting",),
    ),
    Mutant(
        "other-gateway-in-shopifys-balance",
        "Money that another gateway took never reaches Shopify's clearing account.",
        "producers/shopify/transactions.py",
        "    if gateway not in {PAYMENTS, BOGUS} or",
        "    if",
        (f"{SALES}::test_money_that_another_gateway_took_is_for_a_person_or_ignored_by_setting",),
    ),
    Mutant(
        "shopify-tests-booked",
        "What Shopify marks as a test posts nothing in books of real money.",
        "producers/shopify/content.py",
        '        return None if context.mode == "test" else "test_mode"\n',
        "        return None\n",
        (f"{SALES}::test_a_test_posts_nothing_in_books_of_real_money_and_real_money_nothing_in_trial_books",),
    ),
    Mutant(
        "sandbox-booked",
        "What Square's sandbox sends posts nothing in books of real money.",
        "producers/square/square.py",
        '        if said == "sandbox" and context.mode == "live":\n',
        "        if False:\n",
        (
            f"{SQUARE_PAYOUTS}::test_the_sandbox_posts_nothing_in_books_of_real_money_and_real_money_nothing_in_trial_books",
        ),
    ),
    Mutant(
        "payout-not-added-up",
        "A payout that is not the sum of its summary is refused with both figures.",
        "producers/shopify/payouts.py",
        "    if made != amount:\n",
        "    if False:\n",
        (f"{PAYMENTS}::test_a_payout_that_is_not_is_refused_with_both_figures_and_those_beside_it_are_taken",),
    ),
    Mutant(
        "entries-not-added-up",
        "A payout that is not the sum of its entries is refused with both figures.",
        "producers/square/square.py",
        "    if made != said:\n",
        "    if False:\n",
        (f"{SQUARE_PAYOUTS}::test_a_payout_is_the_sum_of_its_entries_or_refused_with_both",),
    ),
    Mutant(
        "fee-adjusted-in-place",
        "An adjusted fee leaves the entry of the first as it is.",
        "producers/square/amounts.py",
        '        if row.token_or_none("type") == "ADJUSTMENT":\n',
        "        if False:\n",
        (f"{SQUARE}::test_an_adjusted_fee_leaves_the_first_as_it_is_and_moves_the_balance_by_itself",),
    ),
    Mutant(
        "merchant-of-nobody",
        "A merchant that is nobody's is never booked for the default company.",
        "producers/square/square.py",
        "    if merchant is None or merchant not in context.accounts:\n",
        "    if merchant is None:\n",
        (f"{SQUARE_PAYOUTS}::test_a_merchant_is_somebodys_or_kept",),
    ),
)
