"""Mutants of doubts: what an earlier store may have sent, what Solid did twice, and clocks that jump."""

from typing import Final

from tests.mutants.mutant import Mutant

MODEL: Final = "tests/unit/workers/model/test_resolver_model.py"
EARLIER: Final = "tests/unit/workers/test_earlier.py"
INBOX: Final = "tests/contract/store/test_inbox.py"
SWEEPING: Final = "tests/unit/workers/test_sweeping.py"

MUTANTS: Final = (
    Mutant(
        "doubt-asks-own-days-only",
        "What an earlier inbox may have sent is asked for in doubt as well.",
        "workers/finding.py",
        "        if not await self._earlier.concerns(occasion.stream, occasion.happened, day):\n",
        "        if in_doubt or not await self._earlier.concerns(occasion.stream, occasion.happened, day):\n",
        (f"{MODEL}::test_a_claim_left_before_the_earlier_store_was_asked_leaves_a_doubt_that_asks_it",),
    ),
    Mutant(
        "doubt-adopts-any-amount",
        "A pay run that an earlier inbox posted with another amount is not adopted out of a doubt.",
        "workers/finding.py",
        "        if known is not None:\n            await self._must_say_the_same(",
        "        if known is not None and isinstance(claim, Fresh):\n            await self._must_say_the_same(",
        (f"{MODEL}::test_a_claim_left_before_the_earlier_store_was_asked_leaves_a_doubt_that_asks_it",),
    ),
    Mutant(
        "told-ahead-taken-for-new",
        "What bears a day for its time may have been told before it, by an inbox that was lost.",
        "workers/earlier.py",
        "by=DATED_AHEAD if stream in DATED else CLOCKS_MAY_DIFFER)",
        "by=CLOCKS_MAY_DIFFER)",
        (
            f"{EARLIER}::test_what_bears_a_day_may_have_been_told_long_before_it",
            f"{MODEL}::test_a_claim_left_before_the_earlier_store_was_asked_leaves_a_doubt_that_asks_it",
        ),
    ),
    Mutant(
        "counted-ahead-merged-again",
        "Stock that bears a day for its time may be in an entry that a lost store merged that day.",
        "workers/earlier.py",
        "by=A_DAY_AHEAD)",
        "by=CLOCKS_MAY_DIFFER)",
        (f"{EARLIER}::test_adjustments_that_an_earlier_store_merged_are_known_by_their_entry",),
    ),
    Mutant(
        "contact-known-by-name-only",
        "A customer of an inbox that was lost is found by external id, whatever the name is by now.",
        "workers/finding.py",
        "            if known is not None:\n",
        "            if False:\n",
        (f"{EARLIER}::test_a_customer_of_a_lost_inbox_who_has_another_name_by_now_is_not_made_again",),
    ),
    Mutant(
        "lost-sale-never-found",
        "What must come first may have been posted by an inbox that was lost.",
        "workers/pipeline.py",
        "earlier, day = self.earlier if delivery.deferred else None, ",
        "earlier, day = None, ",
        ("tests/unit/workers/test_pipeline.py::test_a_refund_of_what_a_lost_inbox_sold_asks_at_its_second_look",),
    ),
    Mutant(
        "sweep-doubts-only",
        "Every write is looked for once more, also one whose answer came: a proxy may have repeated the call.",
        "workers/sweeping.py",
        "            pages = await self._unless_closed(self.read_once)\n",
        "            pages = 0\n",
        (f"{SWEEPING}::test_each_round_looks_at_what_was_in_doubt_and_at_some_of_the_rest",),
    ),
    Mutant(
        "swept-before-its-case",
        "A write counts as swept only after its case is written.",
        "workers/sweeping.py",
        "            finding = judge(row, answer)\n",
        "            await self.inbox.swept(self.company, [row.external_id])\n"
        "            finding = judge(row, answer)\n",
        (f"{SWEEPING}::test_a_crash_before_the_case_is_written_leaves_the_write_to_be_swept",),
    ),
    Mutant(
        "no-longest-name",
        "An event with a name that no index can hold is one dead letter, on every database.",
        "schemas/attributes.py",
        '    if len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:\n',
        "    if False:\n",
        ("tests/unit/workers/test_pipeline.py::test_an_event_with_a_name_that_no_index_can_hold_is_one_dead_letter",),
    ),
    Mutant(
        "key-as-long-as-it-comes",
        "What an index holds fits into it, so that no text ends a session over and over.",
        "store/databases/storable.py",
        "    if len(kept.encode()) <= MOST_KEY_BYTES:\n",
        "    if True:\n",
        ("tests/contract/store/test_long_text.py::test_the_desk_keeps_a_letter_with_long_names",),
    ),
    Mutant(
        "clocks-never-differ",
        "A fact is called older than the inbox also where its source's clock is ahead of ours.",
        "workers/earlier.py",
        "CLOCKS_MAY_DIFFER: Final = timedelta(hours=1)\n",
        "CLOCKS_MAY_DIFFER: Final = timedelta(0)\n",
        (f"{EARLIER}::test_a_fact_whose_source_has_a_clock_that_is_ahead_is_old_all_the_same",),
    ),
    Mutant(
        "settles-by-the-wall",
        "A doubt settles by a clock that does not jump.",
        "store/watch.py",
        "        first, _ = self._seen.get(thing, (now, now))\n",
        "        first, _ = self._seen.get(thing, (-1e9, now))\n",
        (f"{MODEL}::test_a_clock_that_is_set_while_a_doubt_settles_makes_it_neither_shorter_nor_longer",),
    ),
    Mutant(
        "leases-never-differ",
        "Whoever takes a claim over by a clock that may be ahead waits for what its holder may still send.",
        "workers/applying.py",
        "        last = 0.0 if claim.ours else self._timing.unasked\n",
        "        last = 0.0\n",
        (f"{MODEL}::test_a_host_whose_clock_is_ahead_takes_a_claim_over_and_waits_for_what_its_holder_still_sends",),
    ),
    Mutant(
        "lease-held-by-the-wall",
        "A clock that is set back does not keep a dead holder's claim alive.",
        "store/inbox.py",
        "            now = max(now, row.lease_until)\n",
        "            pass\n",
        (f"{INBOX}::test_a_lease_ends_though_the_clock_was_set_back_meanwhile",),
    ),
    Mutant(
        "sweeps-by-the-wall",
        "A clock that is set forward makes no write due for the sweep before its time.",
        "workers/sweeping.py",
        "        return now - self.after if steady >= self._rests_until else LONG_AGO\n",
        "        return now - self.after\n",
        (f"{SWEEPING}::test_a_clock_that_is_set_forward_makes_no_write_due_before_its_time",),
    ),
    Mutant(
        "unreadable-asks-one-day",
        "Where the list cannot be read, an old fact is looked up on every day that it may have been dated.",
        "workers/finding.py",
        "            wide = self._until_any_day(days)\n",
        "",
        (f"{MODEL}::test_where_the_list_cannot_be_read_a_fact_is_looked_up_on_every_day_that_it_may_have",),
    ),
    Mutant(
        "restored-and-in-a-hurry",
        "After a restore, what was under way when the store went is waited for.",
        "workers/earlier.py",
        "        return await self._records.was_restored(self._company) or await self._not_all_ours(ids)\n",
        "        return await self._not_all_ours(ids)\n",
        (f"{MODEL}::test_a_call_in_flight_when_a_backup_is_restored_is_waited_for",),
    ),
)
