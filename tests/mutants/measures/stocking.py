"""Mutants of stock: what warehouses say, what a fact posts, in which order it may come, what becomes one entry."""

from typing import Final

from tests.mutants.mutant import Mutant

BOOKING: Final = "tests/unit/workers/stock/test_booking.py"
CONVERGENCE: Final = "tests/unit/workers/stock/test_convergence.py"
MERGING: Final = "tests/unit/workers/stock/test_merging.py"
RETELLING: Final = "tests/unit/workers/stock/test_retelling.py"
PUBLISH: Final = "await publisher.publish_all([encoded_as(_event(each), each.body)])"
MARK: Final = "await outbox.published(each.id)"
STORE: Final = "tests/contract/store/test_stock.py"
TESTS: Final = "tests/unit/producers/warehouse"
EPCIS: Final = f"{TESTS}/epcis/test_epcis.py"

MUTANTS: Final = (
    Mutant(
        "unsound-document-read",
        "An EDI document whose own count is wrong is not read.",
        "producers/warehouse/edi/reading.py",
        '        if not (document.faults and settings.control_counts == "strict"):\n',
        "        if document:\n",
        (f"{TESTS}/edi/test_x12.py::test_a_set_whose_own_count_is_wrong_is_refused_and_the_others_are_read",),
    ),
    Mutant(
        "bad-line-renames",
        "A line that is refused does not change the names of the facts around it.",
        "producers/warehouse/goods.py",
        "    return len(set(orders)) > 1\n",
        "    return len(set(orders)) > 2\n",
        (f"{TESTS}/edi/test_x12.py::test_lines_of_two_orders_are_two_receipts_and_a_bad_line_does_not_rename_them",),
    ),
    Mutant(
        "booked-in-part",
        "Nothing is booked of a document of which a line is refused.",
        "producers/warehouse/goods.py",
        '    held = bad_lines == "whole" and',
        '    held = bad_lines == "none" and',
        (f"{TESTS}/test_goods.py::test_a_receipt_with_a_bad_line_is_taken_as_a_whole_or_not_at_all",),
    ),
    Mutant(
        "unsigned-damage-booked",
        "What a warehouse calls damaged never comes in as stock.",
        "producers/warehouse/edi/x12.py",
        "    if delta * SIGNS.get(code, 0) < 0:\n",
        "    if delta * SIGNS.get(code, 0) < -(10**12):\n",
        (f"{TESTS}/edi/test_x12.py::test_what_is_wrong_is_said_with_its_place_field_and_reason",),
    ),
    Mutant(
        "not-accepted-booked",
        "What came and was not accepted is no stock of ours.",
        "producers/warehouse/edi/edifact.py",
        "    good = came - not_accepted if accepted is None else accepted\n",
        "    good = came if accepted is None else accepted\n",
        (f"{TESTS}/edi/test_edifact.py::test_received_accepted_despatched_and_ordered_make_one_line",),
    ),
    Mutant(
        "received-and-accepted",
        "Goods that one document tells received and accepted are not booked twice.",
        "producers/warehouse/epcis/epcis.py",
        "    if len(known.steps) > 1:\n",
        "    if len(known.steps) > 2:\n",
        (f"{EPCIS}::test_a_document_of_both_steps_is_not_received_twice_and_one_of_accepting_alone_is_received",),
    ),
    Mutant(
        "declared-wrong-booked",
        "An event that is declared wrong comes before a person.",
        "producers/warehouse/epcis/epcis.py",
        "    if event.is_wrong:\n",
        "    if not event.is_wrong:\n",
        (f"{EPCIS}::test_an_event_declared_wrong_names_what_corrects_it_and_is_no_matter_where_it_posted_nothing",),
    ),
    Mutant(
        "voided-passed-over",
        "What is voided after it may have been booked comes before a person.",
        "producers/warehouse/cin7/cin7.py",
        "    if status == VOIDED:\n        raise _voided(task",
        '    if status == "DELETED":\n        raise _voided(task',
        (f"{TESTS}/cin7/test_cin7.py::test_a_voided_document_or_task_comes_before_a_person_and_the_other_tasks_post",),
    ),
    Mutant(
        "cost-of-nothing",
        "A cost that nobody told is never taken for 0.",
        "workers/stock/card.py",
        "        if cost is None:\n            raise NoCost\n",
        "        if cost is None:\n            cost = ZERO\n",
        (f"{BOOKING}::test_a_cost_is_never_invented",),
    ),
    Mutant(
        "late-taken-for-latest",
        "What is told late ends in the same books as what is told in time.",
        "workers/stock/card.py",
        "        if self.last is None or movement.position > self.last:\n            return True\n",
        "        return True\n",
        (f"{CONVERGENCE}::test_a_late_movement_before_a_count_moves_no_inventory",),
    ),
    Mutant(
        "changed-fact-accepted",
        "A fact about stock that says something else now is a conflict.",
        "store/stock.py",
        "            if known[0] != recording.content_hash:\n",
        "            if False:\n",
        (f"{STORE}::test_a_fact_that_says_something_else_is_refused_and_changes_nothing",),
    ),
    Mutant(
        "merged-again",
        "A fact becomes part of one entry, once.",
        "store/stock.py",
        'change.values(state="merged", batch=bindparam("into"))',
        'change.values(batch=bindparam("into"))',
        (f"{STORE}::test_pending_facts_are_merged_once_and_published_until_confirmed",),
    ),
    Mutant(
        "batch-marked-first",
        "A merged entry is published until the broker has confirmed it.",
        "messaging/outbox.py",
        f"            {PUBLISH}\n            {MARK}\n",
        f"            {MARK}\n            {PUBLISH}\n",
        (f"{MERGING}::test_a_batch_that_the_broker_did_not_confirm_is_published_again_as_it_was",),
    ),
    Mutant(
        "lost-entry-not-told-again",
        "A merged entry that the broker has lost is published again once a fact of it is told again.",
        "workers/stock/book.py",
        "        if fact.batch is not None:\n",
        "        if False:\n",
        (f"{MERGING}::test_a_merged_fact_that_is_told_again_has_its_entry_published_again_once_a_session",),
    ),
    Mutant(
        "value-without-opt-in",
        "Adjustments are posted as value only where the books opt in.",
        "workers/stock/book.py",
        "not self._adjusts and not self._books.inventory.value_entries:\n",
        "not self._adjusts and False:\n",
        (f"{BOOKING}::test_value_entries_are_opted_in_to",),
    ),
    Mutant(
        "bill-before-goods",
        "A bill waits for its goods.",
        "workers/stock/recording.py",
        "            if billed > tally.came and movement.quantity > 0:\n",
        "            if False:\n",
        (f"{BOOKING}::test_a_bill_for_goods_that_have_not_come_waits_for_them",),
    ),
    Mutant(
        "names-apart",
        "All names of an item of Solid are one item, with one cost.",
        "workers/stock/book.py",
        "        told = told.saying(cards=await self._cards_of(told))\n",
        "        await self._cards_of(told)\n",
        ("tests/unit/workers/stock/test_names.py::test_two_names_of_one_item_have_one_average_cost",),
    ),
    Mutant(
        "rest-posted-again",
        "Of a receipt that is told whole later, only what is new is posted.",
        "workers/stock/retelling.py",
        "rest = _without(told.movements, recorded)",
        "rest = list(told.movements)",
        (f"{RETELLING}::test_parts_of_a_receipt_in_any_order_end_in_the_same_books",),
    ),
    Mutant(
        "external-id-shared",
        "Two facts never share an external id.",
        "workers/external_ids.py",
        "[:_MOST_SHOWN]}~{digest}",
        "[:_MOST_SHOWN]}",
        ("tests/unit/workers/test_external_ids.py::test_two_facts_never_share_one",),
    ),
)
