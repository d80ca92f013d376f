"""Mutants of sales: what was never booked, captures in parts, what no person may waive, and what moves the balance."""

from typing import Final

from tests.mutants.mutant import Mutant

VOIDS: Final = "tests/unit/workers/test_voids.py"
CAPTURES: Final = "tests/unit/workers/test_captures.py"
REFUNDS: Final = "tests/unit/producers/stripe/test_stripe_refunds.py"
PARTS: Final = "tests/unit/producers/stripe/test_stripe_captures.py"
INBOX: Final = "tests/contract/store/test_inbox.py"
LETTERS: Final = "tests/contract/store/test_dead_letters.py"
MOVES: Final = "tests/unit/producers/stripe/test_stripe_moves.py"
MOVE_PLANS: Final = "tests/unit/workers/plans/test_moves.py"
DISPUTES: Final = "tests/unit/workers/test_disputes_end.py"
CURRENCIES: Final = "tests/unit/producers/test_currencies.py"

MUTANTS: Final = (
    Mutant(
        "void-not-kept",
        "What was undone before it was booked is never booked.",
        "store/transitions.py",
        "    if row is not None and is_void(row):\n        return _void_or_conflict(row, intent), None\n"
        "    if row is None or _certainly_unsent(row):\n        mine = _intended(row, company=company, event=event,"
        " intent=intent, owner=owner,",
        "    if row is None or _certainly_unsent(row):\n        mine = _intended(row, company=company, event=event,"
        " intent=intent, owner=owner,",
        (f"{VOIDS}::test_a_refund_that_comes_after_its_failure_was_settled_posts_nothing_either",),
    ),
    Mutant(
        "void-though-sent",
        "What was, or may have been, sent is never taken for void.",
        "store/transitions.py",
        '    if row.state == "applied":\n        return Done(row.solid_id or ""), None\n    return Busy(',
        '    if row.state == "applied":\n        return Done(row.solid_id or ""), None\n    return Voided() or Busy(',
        (f"{INBOX}::test_what_was_or_may_have_been_sent_cannot_be_void",),
    ),
    Mutant(
        "void-whatever-the-amount",
        "Two cancel out only where they are worth the same.",
        "store/transitions.py",
        "    return Voided() if row.payload_hash == intent.payload_hash else Conflict(row.payload_hash, row.state)\n",
        "    return Voided()\n",
        (f"{VOIDS}::test_a_refund_of_another_amount_than_the_void_one_comes_before_a_person",),
    ),
    Mutant(
        "void-at-once",
        "What undoes something waits for it first: it may be merely late.",
        "workers/pipeline.py",
        "        if planned.undoes is None or not (last and missing.surely):\n",
        "        if planned.undoes is None or not missing.surely:\n",
        (f"{VOIDS}::test_a_bank_refund_that_fails_while_it_is_pending_leaves_only_the_sale",),
    ),
    Mutant(
        "void-though-nobody-knows",
        "Nothing is void where an inbox that was lost may have booked it.",
        "workers/pipeline.py",
        "        if planned.undoes is None or not (last and missing.surely):\n",
        "        if planned.undoes is None or not last:\n",
        (f"{VOIDS}::test_where_solids_list_does_not_tell_nothing_is_void",),
    ),
    Mutant(
        "reverse-waived",
        "No person can have posted the reverse of what was not posted.",
        "workers/plans/writes.py",
        "        kept = [each for each in self.requires if not self.writes or"
        " (isinstance(each, Prerequisite) and each.always)]\n",
        "        kept = [each for each in self.requires if not self.writes]\n",
        (f"{VOIDS}::test_a_person_cannot_waive_what_is_to_be_taken_back",),
    ),
    Mutant(
        "capture-counted-twice",
        "Of a sum that is captured only what nobody has told is booked.",
        "store/sales/captures.py",
        "        rests = [rest for start, end in rests for rest in _without(start, end, each)]\n",
        "        pass\n",
        (f"{CAPTURES}::test_captures_add_up_to_what_was_captured_in_any_order",),
    ),
    Mutant(
        "capture-lost-in-a-crash",
        "A capture that was recorded is booked however often its event comes.",
        "store/sales/captures.py",
        "            new = own or new_part(known, part)\n",
        "            new = None if own else new_part(known, part)\n",
        (f"{CAPTURES}::test_a_capture_that_was_recorded_before_a_crash_is_booked_afterwards",),
    ),
    Mutant(
        "fee-of-a-part-dropped",
        "A settlement of a part that was told otherwise is before a person, and not dropped.",
        "workers/sales/captures.py",
        "    if data.settlement is not None:\n",
        "    if False:\n",
        (f"{CAPTURES}::test_a_settlement_of_a_part_that_was_told_otherwise_comes_before_a_person",),
    ),
    Mutant(
        "release-always-counted",
        "A sum refunded is taken to count what was never captured only where the source says so.",
        "producers/stripe/refunds.py",
        "    if not rest or total <= captured_amount(charge):\n",
        "    if not rest or total < rest:\n",
        (f"{REFUNDS}::test_a_sum_of_more_than_was_captured_counts_what_never_was",),
    ),
    Mutant(
        "release-waited-for",
        "What was never captured is no refund that is waited for.",
        "workers/prerequisites.py",
        "        counted = max(await captures.released(*of), surely) + await captures.under_way(*of)\n",
        "        counted = surely + await captures.under_way(*of)\n",
        (f"{CAPTURES}::test_after_a_partial_capture_only_the_true_refund_is_waited_for",),
    ),
    Mutant(
        "capture-taken-back-in-silence",
        "A capture that is taken back is before a person.",
        "producers/stripe/captures.py",
        "    if in_all < before:\n",
        "    if False:\n",
        (f"{PARTS}::test_a_capture_that_is_taken_back_is_for_a_person",),
    ),
    Mutant(
        "copy-with-other-bytes",
        "A letter with other bytes is no copy, and is never dropped.",
        "store/dead_letters.py",
        '    return hashlib.sha256(of + b"\\0" + (letter.body if body is None else body)).hexdigest()\n',
        "    return hashlib.sha256(of).hexdigest()\n",
        (f"{LETTERS}::test_what_differs_in_anything_that_a_person_must_see_is_no_copy",),
    ),
    Mutant(
        "copies-kept",
        "An event that is delivered twice is one letter.",
        "ops/desk/desk.py",
        "            new += await self.letters.keep(letter, told=self._told(letter))\n",
        "            new += await self.letters.add(letter)\n",
        ("tests/unit/ops/desk/test_desk.py::test_a_body_that_is_delivered_and_refused_twice_is_one_letter",),
    ),
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
        """for field in ("account", "context", "user_id"):""",
        """for field in ("account", "user_id"):""",
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
        (f"{MOVE_PLANS}::test_what_nobody_has_said_the_meaning_of_is_for_a_person_with_its_figures",),
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
        (f"{MOVE_PLANS}::test_of_a_sale_for_a_connected_account_the_platform_earns_its_fee_and_not_the_whole",),
    ),
    Mutant(
        "currency-after-its-day",
        "A currency that was withdrawn is not booked in facts of a later day.",
        "schemas/withdrawn.py",
        "if found is not None and day > found.last_day else None",
        "if False else None",
        (f"{CURRENCIES}::test_a_sale_after_its_last_day_is_refused_and_says_what_came_instead",),
    ),
    Mutant(
        "release-booked-as-refund",
        "A refund that is the release of what was never captured is not booked.",
        "workers/sales/captures.py",
        "        return None if released == data.amount.amount else event\n",
        "        return event if released is not None else None\n",
        (f"{VOIDS}::test_a_refund_without_a_transaction_is_booked_where_it_is_no_release",),
    ),
    Mutant(
        "unmoved-refund-void-though-moved",
        "Only a refund that moved no balance is void without its charge.",
        "workers/plans/sales.py",
        "group=group) if data.unmoved else None\n",
        "group=group)\n",
        (f"{VOIDS}::test_a_refund_of_what_was_never_captured_posts_nothing",),
    ),
)
