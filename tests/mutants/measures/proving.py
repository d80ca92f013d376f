"""Mutants of foreign sales and payouts: what is never assumed, and what a proof looks at."""

from typing import Final

from tests.mutants.mutant import Mutant

FOREIGN: Final = "tests/unit/workers/plans/test_foreign.py"
EXCHANGE: Final = "tests/unit/workers/sales/test_exchange.py"
BALANCE: Final = "tests/unit/producers/stripe/test_balance.py"
PROOF: Final = "tests/unit/ops/standing/test_payout_proof.py"
PAYOUTS: Final = "tests/contract/store/sales/test_payouts.py"

MUTANTS: Final = (
    Mutant(
        "foreign-sale-guessed",
        "A sale in another currency posts nothing before what reached the balance is told.",
        "workers/plans/__init__.py",
        "awaiting_settlement(event, books) or PLANS",
        "PLANS",
        (f"{FOREIGN}::test_what_is_told_without_its_settlement_posts_nothing_and_waits_for_the_same_fact",),
    ),
    Mutant(
        "foreign-sale-forgotten",
        "A sale that waits for its settlement is not settled before the same fact is booked.",
        "workers/plans/foreign.py",
        "    return Plan(requires=(needs,))\n",
        "    return Plan()\n",
        (f"{EXCHANGE}::test_a_sale_whose_settlement_never_comes_is_parked_with_its_figures",),
    ),
    Mutant(
        "refund-at-todays-rate",
        "A refund at another rate takes back its share of what the sale was booked at.",
        "workers/plans/foreign.py",
        "    if share == moved or not share:\n",
        "    if share:\n",
        (f"{FOREIGN}::test_a_refund_at_another_rate_takes_back_its_share_of_the_sale",),
    ),
    Mutant(
        "refund-posted-otherwise",
        "A refund that is booked stays as it was posted, whatever is known of its sale since.",
        "workers/sales/exchange.py",
        "        if known is not None and known.payload_hash == write.payload_hash:\n            return write\n",
        "",
        (f"{EXCHANGE}::test_a_refund_of_a_sale_that_the_inbox_does_not_know_takes_back_its_own_amount",),
    ),
    Mutant(
        "dispute-with-all-since",
        "What a dispute took is what moved until then, and not what has moved since.",
        "producers/stripe/balance.py",
        ' and each.time("created") <= created]',
        "]",
        (f"{BALANCE}::test_what_a_dispute_took_is_what_its_webhook_told_though_more_has_moved_since",),
    ),
    Mutant(
        "undone-payout-booked",
        "A payout that failed before it arrived leaves no line in the bank account.",
        "producers/stripe/balance.py",
        "    if status in _UNDONE and not (said.fee or said.fee_tax):\n",
        "    if False:\n",
        (f"{BALANCE}::test_a_payout_that_was_undone_is_not_told_and_what_undoes_it_is",),
    ),
    Mutant(
        "unlike-transaction-silent",
        "A transaction that does not fit its type is told as a move, and never silent.",
        "producers/stripe/balance.py",
        "    if said.gross.amount <= 0:\n        return moved_otherwise(document)\n",
        '    if said.gross.amount <= 0:\n        return "amount_zero"\n',
        (f"{BALANCE}::test_what_does_not_fit_its_type_is_never_silent",),
    ),
    Mutant(
        "proof-without-the-sum",
        "A payout is proven only where its list is its amount to the cent.",
        "ops/standing/payout_proof.py",
        "(listed == left and not other)",
        "not other",
        (f"{PROOF}::test_a_payout_is_proven_exactly_where_its_list_is_its_amount_to_the_cent",),
    ),
    Mutant(
        "proof-without-the-bank",
        "A payout whose line in the bank account has another amount is not proven.",
        "ops/standing/payout_proof.py",
        "    if bank is not None and bank != payout.amount:\n        adds_up = False\n",
        "",
        (f"{PROOF}::test_a_line_in_the_bank_account_of_another_amount_does_not_add_up",),
    ),
    Mutant(
        "proof-without-fees",
        "A fee that is not in the books is missing from the proof.",
        "workers/plans/in_clearing.py",
        '    return (*main, f"{fact}:fee") if apart else main\n',
        "    return main\n",
        (f"{PROOF}::test_what_is_not_in_the_books_is_missing_by_its_name_and_amount",),
    ),
    Mutant(
        "unread-transaction-proven",
        "A transaction that could not be read is missing from the proof.",
        "ops/standing/payout_proof.py",
        "    if (wanted and not missing) or _undoes_nothing",
        "    if not missing or _undoes_nothing",
        (f"{PROOF}::test_a_transaction_that_could_not_be_read_is_missing",),
    ),
    Mutant(
        "payout-kept-beside-itself",
        "A payout that is read again takes the place of what was read of it before.",
        "store/sales/payouts.py",
        "            for table in (PAYOUTS, PAYOUT_ITEMS):\n",
        "            for table in (PAYOUTS,):\n",
        (f"{PAYOUTS}::test_a_payout_that_is_read_again_takes_the_place_of_what_was_read_before",),
    ),
    Mutant(
        "gone-currency-read",
        "A balance transaction in a currency that was gone by then is refused.",
        "producers/stripe/balance.py",
        "        refuse_gone(event)\n",
        "        pass\n",
        (f"{BALANCE}::test_a_currency_that_was_gone_by_then_is_refused_as_in_a_webhook",),
    ),
    Mutant(
        "void-called-missing",
        "What is void is not missing of a payout.",
        "ops/standing/payout_proof.py",
        "if unit not in applied and unit not in void)",
        "if unit not in applied)",
        (f"{PROOF}::test_a_refund_that_failed_before_it_was_booked_is_not_missing_and_neither_is_its_failure",),
    ),
)
