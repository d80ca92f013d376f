"""Mutants of reading Stripe with a key: whose key, lists that move, what is told once, payouts that do not add up."""

from typing import Final

from tests.mutants.mutant import Mutant

API: Final = "tests/unit/producers/stripe/api"
FEED: Final = "tests/unit/ops/composing/test_stripe_feed.py"
BACKFILL: Final = "tests/unit/ops/desk/test_backfill.py"

MUTANTS: Final = (
    Mutant(
        "key-of-the-other-mode",
        "A key of the other mode is refused before it is used.",
        "producers/stripe/api/client.py",
        '        if ("_live_" in key[:8]) != self.is_live:\n',
        "        if False:\n",
        (f"{API}/test_client.py::test_a_key_of_the_other_mode_is_refused_before_it_is_used",),
    ),
    Mutant(
        "answer-of-the-other-mode",
        "Rows of the other mode are not booked, whatever the key looks like.",
        "producers/stripe/api/client.py",
        'row.get("livemode") is (not self.key.is_live) for row',
        'row.get("livemode") is None and False for row',
        (f"{API}/test_client.py::test_an_answer_of_the_other_mode_is_refused_whatever_the_key_looks_like",),
    ),
    Mutant(
        "key-of-another-account",
        "A key of another account than was read until now books nothing.",
        "ops/composing/stripe.py",
        '        if account is not None and said["account"] not in (None, account):\n',
        "        if False:\n",
        (f"{FEED}::test_a_key_of_another_account_is_refused_and_nothing_of_it_is_told",),
    ),
    Mutant(
        "key-of-a-stranger",
        "Where accounts are set, money of no other account is booked.",
        "ops/composing/stripe.py",
        "    if mine not in own.accounts:\n",
        "    if False:\n",
        (f"{FEED}::test_a_key_whose_account_is_not_among_those_that_are_set_is_refused",),
    ),
    Mutant(
        "page-that-repeats",
        "Pages that repeat a row are no list.",
        "producers/stripe/api/listing.py",
        "        if len({*ids} - seen) < len(ids):\n",
        "        if False:\n",
        (f"{API}/test_listing.py::test_pages_that_repeat_a_row_are_refused",),
    ),
    Mutant(
        "row-gone-between-pages",
        "A list whose row is gone when the next page is asked for is read anew.",
        "producers/stripe/api/client.py",
        '        if error.get("code") == "resource_missing" and error.get("param") == "starting_after":\n',
        "        if False:\n",
        (f"{API}/test_listing.py::test_a_row_that_is_gone_when_its_page_follows_begins_the_reading_anew",),
    ),
    Mutant(
        "no-overlap",
        "A row that Stripe lists late is told.",
        "ops/composing/stripe.py",
        "        await reader.read(Span(stand.until - OVERLAP, until))\n",
        "        await reader.read(Span(stand.until, until))\n",
        (f"{FEED}::test_a_row_that_stripe_lists_late_is_told",),
    ),
    Mutant(
        "moved-before-told",
        "A reading that dies is repeated from its start.",
        "ops/composing/stripe.py",
        "        await reader.read(Span(stand.until - OVERLAP, until))\n",
        "        await place.move(replace(stand, until=until + timedelta(days=1), account=number))\n"
        "        await reader.read(Span(stand.until - OVERLAP, until))\n",
        (f"{FEED}::test_a_reading_that_dies_anywhere_is_repeated_from_its_start",),
    ),
    Mutant(
        "off-payout-kept-in-silence",
        "A payout that does not add up comes before a person.",
        "producers/stripe/api/payouts.py",
        "        await self._letter(row, _off(found, belongs))\n",
        "        pass\n",
        (f"{API}/test_payouts_read.py::test_who_reads_once_is_told_at_once",),
    ),
    Mutant(
        "off-payout-each-time",
        "A payout that does not add up makes one letter.",
        "producers/stripe/api/payouts.py",
        "        if mark not in self.marks:\n",
        "        if True:\n",
        (
            f"{API}/test_payouts_read.py::test_one_that_stays_off_comes_before_a_person_once_and_not_at_the_first_reading",
        ),
    ),
    Mutant(
        "backfill-tells-all",
        "What the books have is not published again.",
        "ops/composing/known.py",
        "            if not _is_applied(ids, states[event.company]) and",
        "            if",
        (f"{BACKFILL}::test_what_the_books_have_is_not_published_again",),
    ),
    Mutant(
        "backfill-tells-what-is-recorded",
        "What is recorded for an entry of a day is in the books.",
        "ops/composing/known.py",
        "await in_books.state_of(",
        "await inbox.state_of(",
        (f"{BACKFILL}::test_what_is_recorded_for_an_entry_is_not_published_again",),
    ),
    Mutant(
        "backfill-drops-a-telling",
        "A sale that another event names has not told its tax.",
        "ops/composing/known.py",
        "return any(telling.data.fact == event.data.fact for telling in sale.tellings)",
        "return bool(found.bodies)",
        (f"{BACKFILL}::test_what_another_event_names_of_a_sale_is_not_what_the_sale_tells_of_itself",),
    ),
    Mutant(
        "backfill-drops-a-fee",
        "A sale whose fee is missing is told again.",
        "ops/composing/known.py",
        'all(states.get(each) == "applied" for each in ids)',
        'any(states.get(each) == "applied" for each in ids)',
        (f"{BACKFILL}::test_a_sale_whose_fee_is_missing_is_published",),
    ),
    Mutant(
        "dry-run-keeps",
        "A dry run publishes nothing.",
        "ops/desk/backfill.py",
        "        if not wanted.is_dry:\n",
        "        if True:\n",
        (f"{BACKFILL}::test_a_dry_run_says_what_would_be_published_with_counts_and_money",),
    ),
    Mutant(
        "recorded-line-told-again",
        "What a line of a summary holds is known: no backfill says that it is missing.",
        "ops/composing/known.py",
        "await in_books.state_of(company, wanted)",
        "await inbox.state_of(company, wanted)",
        ("tests/unit/ops/desk/test_backfill.py::test_what_a_line_of_a_summary_holds_is_not_published_again",),
    ),
)
