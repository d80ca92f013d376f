"""Mutants of what stops alone: a feed or webhook whose files are wrong ends nobody else, is named, and comes back."""

from typing import Final

from tests.mutants.mutant import Mutant

FEEDS: Final = "tests/unit/ops/composing/test_waiting_feed.py"
WEBHOOKS: Final = "tests/unit/producers/webhooks/test_waiting_webhook.py"
WEBHOOK_COMES_BACK: Final = (
    f"{WEBHOOKS}::test_it_answers_503_until_its_file_is_mended_and_the_other_is_taken_all_the_time"
)
ACCOUNTS: Final = "tests/unit/ops/standing/test_stopped_accounts.py"
MODES: Final = "tests/unit/producers/stripe/test_stripe_modes.py"

MUTANTS: Final = (
    Mutant(
        "wrong-feed-ends-all",
        "A feed that cannot be used as it is set stops no other.",
        "ops/composing/feeds.py",
        "            *(WaitingFeed(name, functools.partial(make, name, feed)) for name, feed in feeds.items()),\n",
        "            *[await make(name, feed) for name, feed in feeds.items()],\n",
        (f"{FEEDS}::test_one_pass_goes_over_all_feeds_and_says_of_each_that_is_wrong_what_it_is",),
    ),
    Mutant(
        "wrong-feed-not-named",
        "`relay status` names a feed that cannot be used as it is set.",
        "ops/standing/feeds.py",
        """{"problem": problem_of(name, settings) or figures.get("problem")}""",
        """{"problem": figures.get("problem")}""",
        (f"{FEEDS}::test_status_check_and_dry_run_name_each_that_is_wrong_and_no_other",),
    ),
    Mutant(
        "wrong-webhook-ends-all",
        "A webhook whose secrets cannot be read stops no other.",
        "ops/composing/webhooks.py",
        "return [each.made() or each for each in waiting]",
        "return [each.make() for each in waiting]",
        (WEBHOOK_COMES_BACK,),
    ),
    Mutant(
        "wrong-webhook-taken-for-done",
        "A fact is never acknowledged that could not be verified: its sender is told to come again.",
        "producers/webhooks/receiver.py",
        """return JSONResponse({"error": "unavailable"}, status_code=503, headers=headers)""",
        """return JSONResponse({"error": "unavailable"}, status_code=200, headers=headers)""",
        (WEBHOOK_COMES_BACK,),
    ),
    Mutant(
        "wrong-account-not-named",
        "`relay status` names a payroll account whose files cannot be used.",
        "ops/standing/stopped.py",
        """found[f"payroll {name}"] = str(error)""",
        "del error",
        (f"{ACCOUNTS}::test_the_status_names_the_two_that_a_person_must_mend",),
    ),
    Mutant(
        "test-from-a-feed-posted",
        "A test of Stripe posts nothing in the books of real money, whichever way it comes.",
        "ops/composing/contexts.py",
        "        mode=mode,\n        facts_of=facts_of,",
        "        mode=None,\n        facts_of=facts_of,",
        (f"{MODES}::test_a_test_posts_nothing_in_live_books_by_any_way_and_real_money_does",),
    ),
    Mutant(
        "mode-kept-from-the-child",
        "The process that reads a large file knows all that the relay's own does, the mode of the books too.",
        "producers/feeds/bounded.py",
        "for each in fields(context)}",
        'for each in fields(context) if each.name != "mode"}',
        (f"{MODES}::test_a_test_posts_nothing_in_live_books_by_any_way_and_real_money_does",),
    ),
    Mutant(
        "feeds-tests-not-counted",
        "A test of Stripe that a feed left out is counted.",
        "producers/feeds/spool.py",
        "self._ignore(piece.ignored)",
        "pass",
        (f"{MODES}::test_a_feed_counts_what_it_left_out",),
    ),
    Mutant(
        "wrong-authority-not-named",
        "`relay status` names a company whose private authority cannot be read.",
        "ops/composing/companies.py",
        """        books_of(settings)
        transport_of(settings)
""",
        """        books_of(settings)
""",
        (
            "tests/unit/ops/composing/test_waiting_company.py::test_an_authority_that_cannot_be_used_stops_its_company_alone_and_is_told",
        ),
    ),
)
