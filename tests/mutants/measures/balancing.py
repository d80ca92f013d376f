"""Mutants of what sales become: what moves the balance, what disputes end at, whose an event is."""

from typing import Final

from tests.mutants.mutant import Mutant

MOVES: Final = "tests/unit/producers/stripe/test_stripe_moves.py"
DISPUTES: Final = "tests/unit/workers/test_disputes_end.py"
PLANS: Final = "tests/unit/workers/plans/test_moves.py"
CURRENCIES: Final = "tests/unit/producers/test_currencies.py"
PLAIN: Final = "tests/unit/test_plain_amounts.py"

MUTANTS: Final = (
    Mutant(
        "money-passed-over",
        "An event that moves money and is not booked comes before a person.",
        "producers/stripe/outside.py",
        """if moves_money(stripe_type) and context.outside == "hold":""",
        """if moves_money(stripe_type) and context.outside != "hold":""",
        (f"{MOVES}::test_a_type_that_moves_money_and_is_not_read_is_kept_or_ignored_by_the_setting",),
    ),
    Mutant(
        "thin-event-passed-over",
        "A thin event of what would be booked comes before a person.",
        "producers/stripe/thin.py",
        "if is_read and not moves_money(stripe_type):",
        "if False:",
        (f"{MOVES}::test_a_thin_event_of_what_is_booked_is_kept_as_it_holds_no_object",),
    ),
    Mutant(
        "context-not-asked",
        "An event that names its account in its context alone is never booked for another.",
        "producers/stripe/whose.py",
        """for field in ("account", "context"):""",
        """for field in ("account",):""",
        (f"{MOVES}::test_an_account_of_nobody_is_kept_also_where_only_the_context_names_it",),
    ),
    Mutant(
        "sum-without-parts",
        "A sum whose parts are not told is not booked under a name of its own.",
        "producers/stripe/moves.py",
        "    raise Rejected(unmapped(stripe_type), figures, field=whole.at(listed))",
        "    return parts",
        (f"{MOVES}::test_a_sum_whose_parts_are_not_told_is_for_a_person",),
    ),
    Mutant(
        "move-without-meaning",
        "A move of the balance that nobody has said the meaning of comes before a person.",
        "workers/plans/moves.py",
        "        if role == HOLD:",
        """        if name == "other":
            return "income"
        if role == HOLD:""",
        (f"{PLANS}::test_what_nobody_has_said_the_meaning_of_is_for_a_person_with_its_figures",),
    ),
    Mutant(
        "return-after-a-loss",
        "A dispute that was lost and given back after all is no loss, whichever event comes last.",
        "workers/pipeline.py",
        "            if not further:",
        "            if True:",
        (f"{DISPUTES}::test_the_worker_ends_a_dispute_at_zero_whichever_of_its_events_comes_last",),
    ),
    Mutant(
        "loss-forgotten-by-an-upgrade",
        "A loss that an earlier version booked is known.",
        "workers/sales/afterwards.py",
        "and group in (row.group_key, row.external_id)",
        "and group == row.group_key",
        (f"{DISPUTES}::test_a_loss_from_before_it_had_a_group_is_known_by_its_name",),
    ),
    Mutant(
        "rate-left-in-receivable",
        "What a rate has changed does not stay in the receivable of a dispute.",
        "workers/plans/disputes.py",
        "taken, ends = data.taken or data.amount, _ends(event, data, books)",
        "taken, ends = data.amount, _ends(event, data, books)",
        (f"{DISPUTES}::test_all_orders_of_a_disputes_events_end_at_the_same_books_and_at_zero",),
    ),
    Mutant(
        "sellers-money-as-income",
        "A platform's income is its fee, and not the whole of what it sold for others.",
        "workers/plans/connect.py",
        """return "due_to_sellers" if data.destination else "income\"""",
        """return "income\"""",
        (f"{PLANS}::test_of_a_sale_for_a_connected_account_the_platform_earns_its_fee_and_not_the_whole",),
    ),
    Mutant(
        "currency-after-its-day",
        "A currency that was withdrawn is not booked in facts of a later day.",
        "schemas/withdrawn.py",
        "if found is not None and day > found.last_day else None",
        "if False else None",
        (f"{CURRENCIES}::test_a_sale_after_its_last_day_is_refused_and_says_what_came_instead",),
    ),
)
