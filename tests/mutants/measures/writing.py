"""Mutants of the step that writes to Solid: what applies, decides and settles a write, and the inbox below it."""

from typing import Final

from tests.mutants.mutant import Mutant

APPLYING: Final = "tests/unit/workers/applying/test_applying.py"
FENCE: Final = "tests/unit/workers/test_fence.py"
EARLIER: Final = "tests/unit/workers/test_earlier.py"
CONTACTS: Final = "tests/unit/workers/applying/test_contacts.py"
PIPELINE: Final = "tests/unit/workers/test_pipeline.py"
INBOX: Final = "tests/contract/store/test_inbox.py"

MUTANTS: Final = (
    Mutant(
        "ack-before-commit",
        "Solid's answer is committed before the delivery is acknowledged.",
        "workers/applying.py",
        "        await self._inbox.applied(self._company, write.external_id, epoch,"
        " solid_id=solid_id, adopted=known is not None)\n",
        "        asyncio.ensure_future(self._inbox.applied(self._company, write.external_id, epoch,"
        " solid_id=solid_id, adopted=known is not None))\n",
        (f"{PIPELINE}::test_a_delivery_is_acknowledged_only_when_its_last_write_is_stored_as_applied",),
    ),
    Mutant(
        "intent-not-committed",
        "An intent is committed before its call leaves.",
        "store/inbox.py",
        "            rows[key] = mine\n",
        "",
        (f"{APPLYING}::test_a_crash_between_the_intent_and_the_answer_is_looked_up_by_the_next_process",),
    ),
    Mutant(
        "no-settle-wait",
        "A write in doubt is looked up only after the settle time.",
        "workers/applying.py",
        "        if rest > 0:\n",
        "        if False:\n",
        (f"{APPLYING}::test_a_commit_that_lands_late_but_within_the_settle_time_is_not_doubled",),
    ),
    Mutant(
        "no-fence",
        "A claim that may end before its call is renewed right before it, or nothing is sent.",
        "workers/fence.py",
        "        while self._age() >= self._good_for / 2:\n",
        "        while False:\n",
        (f"{APPLYING}::test_a_claim_that_another_has_taken_over_meanwhile_sends_nothing",),
    ),
    Mutant(
        "fence-asks-one-clock",
        "A claim that may have ended is noticed though the wall clock was set back meanwhile.",
        "workers/fence.py",
        "max(abs(wall), steady)",
        "abs(wall)",
        (f"{FENCE}::test_a_claim_is_renewed_whichever_clock_says_that_it_may_end",),
    ),
    Mutant(
        "fence-asks-other-clock",
        "A claim that ended while the computer slept is noticed.",
        "workers/fence.py",
        "max(abs(wall), steady)",
        "steady",
        (f"{FENCE}::test_a_claim_is_renewed_whichever_clock_says_that_it_may_end",),
    ),
    Mutant(
        "sent-taken-for-unsent",
        "A claim whose call may have left is never released as unsent.",
        "workers/fence.py",
        "        self.passed = True\n",
        "        self.passed = False\n",
        (f"{APPLYING}::test_an_answer_that_could_not_be_stored_never_leads_to_a_second_record",),
    ),
    Mutant(
        "sent-again-unlooked",
        "A call is made again at once only where nothing was sent.",
        "workers/patience.py",
        "            if error.sent:\n",
        "            if False:\n",
        (f"{APPLYING}::test_a_503_after_sending_leaves_a_doubt",),
    ),
    Mutant(
        "first-date-forgotten",
        "A write that was dated anew is looked up from the earliest date it ever had.",
        "workers/finding.py",
        "        days, in_doubt = _days(about), ",
        "        days, in_doubt = None, ",
        (
            "tests/unit/workers/applying/test_dated_anew.py::test_a_doubt_that_was_dated_anew_is_looked_up_under_every_date_it_had",
        ),
    ),
    Mutant(
        "held-sent-again",
        "Where a look-up cannot tell, a person decides; nothing is sent again.",
        "workers/finding.py",
        "                raise _in_doubt(write, unclear)\n\n",
        "                return None\n\n",
        (f"{APPLYING}::test_a_look_up_that_cannot_tell_never_sends_again",),
    ),
    Mutant(
        "earlier-inbox-forgotten",
        "What an earlier inbox posted, before the store was lost, is not posted again.",
        "workers/finding.py",
        "not await self._earlier.concerns(occasion.stream, occasion.happened, day):\n",
        "True:\n",
        (f"{EARLIER}::test_a_fact_that_an_earlier_inbox_posted_is_adopted_and_not_sent",),
    ),
    Mutant(
        "no-contact-lock",
        "Events of one customer that come together wait in line for the contact.",
        "workers/applying.py",
        "        async with lock:\n",
        "        async with asyncio.Lock():\n",
        (f"{CONTACTS}::test_events_of_one_customer_that_come_together_create_one_contact",),
    ),
    Mutant(
        "unbalanced-entry",
        "An entry balances to the cent, or it does not exist.",
        "workers/plans/writes.py",
        "        if debit != credit or not debit:\n",
        "        if not debit:\n",
        ("tests/unit/workers/plans/test_plans.py::test_an_entry_that_does_not_balance_does_not_exist",),
    ),
    Mutant(
        "late-fact-dated-anew",
        "A fact of a closed month waits for a person, unless books.toml says otherwise.",
        "workers/plans/periods.py",
        ' and books.late.get(stream, "hold") == "hold":',
        " and False:",
        ("tests/unit/workers/plans/test_periods.py::test_a_fact_of_a_closed_month_is_parked_under_that_month",),
    ),
    Mutant(
        "sent-taken-for-applied",
        "What must come first is in the books, not just on its way.",
        "workers/prerequisites.py",
        '                if states.get(external_id) == "applied":\n',
        "                if external_id in states:\n",
        ("tests/unit/workers/test_prerequisites.py::test_what_is_sent_but_not_known_to_be_applied_is_missing",),
    ),
    Mutant(
        "half-done-never-looked-for",
        "What a restored inbox has half done is in the books where a lost one finished it.",
        "workers/prerequisites.py",
        "                if not posted:",
        "                if external_id in states or not posted:",
        (
            "tests/unit/workers/test_prerequisites.py::test_what_a_restored_inbox_left_half_done_is_there_where_a_lost_one_finished_it",
        ),
    ),
    Mutant(
        "conflict-ignored",
        "One external id never stands for two amounts.",
        "store/transitions.py",
        "    if row.payload_hash != intent.payload_hash:\n",
        "    if False:\n",
        (f"{APPLYING}::test_the_same_external_id_with_other_amounts_is_a_conflict_and_is_not_sent",),
    ),
    Mutant(
        "lease-ignored",
        "While one worker is at a write, no other is.",
        "store/transitions.py",
        "    if row.lease_until is not None and row.lease_until > now and (held or row.owner != owner):\n",
        "    if False:\n",
        (f"{INBOX}::test_a_live_lease_of_another_owner_is_busy_until_it_ends[sqlite]",),
    ),
    Mutant(
        "doubt-forgotten",
        "Giving a claim up never turns “perhaps it was sent” into “it was not”.",
        "store/transitions.py",
        '    if row.doubt_since is not None:\n        return "unknown"\n',
        "",
        (f"{INBOX}::test_releasing_a_claim_in_doubt_keeps_the_doubt_and_its_age[sqlite]",),
    ),
    Mutant(
        "epoch-not-compared",
        "Who has lost its claim cannot settle the write.",
        "store/inbox.py",
        "        if row is None or row.epoch != request.epoch:\n",
        "        if row is None:\n",
        (f"{INBOX}::test_an_old_epoch_cannot_settle[sqlite]",),
    ),
    Mutant(
        "commit-not-on-disk",
        "What was announced to be durable survives a power cut.",
        "store/databases/sqlite.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=NORMAL",
        ("tests/contract/store/test_sqlite_unavailable.py::test_commits_wait_for_the_disk",),
    ),
    Mutant(
        "ambiguous-sku-taken",
        "A SKU that several items have stands for none of them.",
        "workers/catalogue.py",
        "        if len(items) == 1:\n",
        "        if items:\n",
        ("tests/unit/workers/test_catalogue.py::test_a_sku_of_several_items_is_nobodys",),
    ),
    Mutant(
        "cut-items-taken-for-all",
        "A SKU counts as the only one of its kind only where every item was read.",
        "solid/client.py",
        '        if listing.cut is not None:\n            raise Refused("list_may_be_cut", f"items',
        '        if False:\n            raise Refused("list_may_be_cut", f"items',
        ("tests/unit/solid/test_client_lists.py::test_fifty_items_without_hints_may_lack_one_of_the_same_sku",),
    ),
)
