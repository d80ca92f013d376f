"""Mutants of summaries: what is sent by itself, what is a line of an entry with others, and never both."""

from typing import Final

from tests.mutants.mutant import Mutant

STORE: Final = "tests/contract/store/sales/test_summaries.py"
GUARD: Final = "tests/contract/store/sales/test_guard.py"
SALES: Final = "tests/unit/workers/sales/test_summaries.py"
RESTORED: Final = "tests/unit/workers/sales/test_after_restoring.py"
CAPTURES: Final = "tests/contract/store/sales/test_captures.py"

MUTANTS: Final = (
    Mutant(
        "recorded-and-sent",
        "What is a line of a summary is never sent by itself.",
        "store/inbox.py",
        "            if recorded := await self._guard.recorded_among(connection, taken, marks):",
        "            if recorded := await self._guard.recorded_among(connection, set(), marks):",
        (
            f"{STORE}::test_what_is_recorded_cannot_be_claimed_and_holds_up_no_other",
            f"{SALES}::test_a_claim_of_what_was_recorded_meanwhile_is_refused",
        ),
    ),
    Mutant(
        "recorded-meanwhile-and-sent",
        "Lines are looked for again once another process was at work.",
        "store/sales/guard.py",
        "(last.inbox, last.count + 1) == (mark.inbox, mark.count)",
        "last.inbox == mark.inbox",
        (f"{GUARD}::test_what_another_process_has_recorded_since_the_last_claim_gets_none",),
    ),
    Mutant(
        "sent-and-recorded",
        "What was sent by itself is never a line of a summary.",
        "store/sales/lines.py",
        "        if any(line.external_id in sent for line in unit):\n",
        "        if all(line.external_id in sent for line in unit) and not unit:\n",
        (
            f"{STORE}::test_what_is_claimed_is_not_recorded_and_nor_is_what_goes_with_it",
            f"{SALES}::test_what_was_sent_by_itself_is_no_line_of_a_summary",
        ),
    ),
    Mutant(
        "half-of-a-sale-recorded",
        "An invoice and its payment are both sent by themselves, or both a line.",
        "store/sales/lines.py",
        "        if any(line.external_id in sent for line in unit):\n",
        "        if all(line.external_id in sent for line in unit):\n",
        (f"{STORE}::test_what_is_claimed_is_not_recorded_and_nor_is_what_goes_with_it",),
    ),
    Mutant(
        "line-says-something-else",
        "A line that says something else now is a conflict.",
        "store/sales/lines.py",
        "before is not None and before.payload_hash != line.payload_hash",
        "before is not None and False",
        (f"{STORE}::test_a_line_that_says_something_else_is_refused_and_nothing_of_its_event_is_recorded",),
    ),
    Mutant(
        "line-in-two-entries",
        "A line becomes part of one entry, once.",
        "store/sales/summaries.py",
        "await connection.execute(change.values(summary=made.external_id),",
        "await connection.execute(change.values(summary=None),",
        (f"{STORE}::test_what_comes_later_is_in_the_next_entry_alone",),
    ),
    Mutant(
        "recorded-in-another-store",
        "Nothing is recorded in a store that is not the one last used.",
        "store/sales/summaries.py",
        "            marks = await self._marks.raise_all(connection, {company})\n",
        "            marks = await self._marks.raise_all(connection, set())\n",
        (f"{STORE}::test_nothing_is_recorded_in_a_store_that_went_back",),
    ),
    Mutant(
        "day-closed-early",
        "The entry of a day is made after its end and its grace.",
        "workers/sales/closing.py",
        "        return self.clock.now() >= max(known_at, since) + self._grace\n",
        "        return self.clock.now() >= since\n",
        (f"{SALES}::test_an_entry_waits_for_the_grace_after_midnight",),
    ),
    Mutant(
        "months-in-one-entry",
        "Sales of two months are never in one entry.",
        "workers/sales/closing.py",
        "                parts[line.day.replace(day=1), line.currency].append(line)\n",
        "                parts[line.day.replace(day=1, month=1), line.currency].append(line)\n",
        (f"{SALES}::test_one_entry_a_payout_split_by_month",),
    ),
    Mutant(
        "bank-in-a-summary",
        "What moves the bank is an entry by itself, that the bank's statement shows.",
        "workers/sales/units.py",
        "not any(line.role == BANK for line in write.lines)",
        "write.lines",
        (f"{SALES}::test_what_moves_the_bank_stays_by_itself",),
    ),
    Mutant(
        "recorded-refund-not-counted",
        "Refunds that are recorded count towards what was refunded in all.",
        "workers/in_books.py",
        "        return applied + await self.summaries.group_total(company, group_key, currency)\n",
        "        return applied\n",
        (f"{SALES}::test_refunds_that_are_recorded_count_towards_what_was_refunded_in_all",),
    ),
    Mutant(
        "lost-summary-not-told-again",
        "An entry that the broker has lost is published again once a line of it is told again.",
        "workers/sales/summaries.py",
        "            await self._records.tell_again(self._company, summary)\n",
        "            pass\n",
        (f"{SALES}::test_an_entry_that_the_broker_has_lost_is_published_again_once_a_line_is_told_again",),
    ),
    Mutant(
        "summarised-before-recorded-again",
        "What may be in a summary of a store that was lost comes before a person.",
        "workers/sales/summaries.py",
        "        if not insists and await earlier.summarised(event.time, day):\n",
        "        if False:\n",
        (f"{RESTORED}::test_what_may_be_in_a_summary_of_a_lost_store_comes_before_a_person",),
    ),
    Mutant(
        "sent-before-recorded-again",
        "What a lost store has sent by itself is no line of a summary.",
        "workers/sales/summaries.py",
        "                if await self._found_earlier(earlier, line):\n",
        "                if False:\n",
        (f"{RESTORED}::test_what_a_lost_store_sent_by_itself_is_no_line_of_a_summary",),
    ),
    Mutant(
        "pending-and-recorded",
        "A refund that became a line of a summary does not count a second time, as one that is under way.",
        "store/sales/captures.py",
        "where(*ours, ~settled, ~recorded)",
        "where(*ours, ~settled)",
        (f"{CAPTURES}::test_a_pending_refund_that_became_a_line_of_a_summary_counts_no_more",),
    ),
)
