"""Mutants of stock: what a fact posts, in which order it may come, and how many facts become one entry."""

from typing import Final

from tests.mutants.mutant import Mutant

BOOKING: Final = "tests/unit/workers/stock/test_booking.py"
CONVERGENCE: Final = "tests/unit/workers/stock/test_convergence.py"
MERGING: Final = "tests/unit/workers/stock/test_merging.py"
RETELLING: Final = "tests/unit/workers/stock/test_retelling.py"
PUBLISH: Final = "await publisher.publish_all([encoded_as(_event(each), each.body)])"
MARK: Final = "await outbox.published(each.id)"
STORE: Final = "tests/contract/store/test_stock.py"

MUTANTS: Final = (
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
