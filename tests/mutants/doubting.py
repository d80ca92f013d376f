"""Mutants of doubts: what an earlier store may have sent, what Solid did twice, and clocks that jump."""

from typing import Final

from tests.mutants.mutant import Mutant

MODEL: Final = "tests/unit/workers/test_resolver_model.py"
SWEEPING: Final = "tests/unit/workers/test_sweeping.py"

MUTANTS: Final = (
    Mutant(
        "doubt-asks-own-days-only",
        "What an earlier inbox may have sent is asked for in doubt as well.",
        "workers/applying.py",
        "        if (isinstance(claim, Fresh) and claim.refused_before) or ",
        "        if in_doubt or (isinstance(claim, Fresh) and claim.refused_before) or ",
        (f"{MODEL}::test_a_claim_left_before_the_earlier_store_was_asked_leaves_a_doubt_that_asks_it",),
    ),
    Mutant(
        "doubt-adopts-any-amount",
        "A pay run that an earlier inbox posted with another amount is not adopted out of a doubt.",
        "workers/applying.py",
        "        if found is not None:\n            await self._must_say_the_same(",
        "        if found is not None and isinstance(claim, Fresh):\n            await self._must_say_the_same(",
        (f"{MODEL}::test_a_claim_left_before_the_earlier_store_was_asked_leaves_a_doubt_that_asks_it",),
    ),
    Mutant(
        "sweep-doubts-only",
        "Every write is looked for once more, also one whose answer came: a proxy may have repeated the call.",
        "workers/sweeping.py",
        "                pages = await self.read_once()\n",
        "                pages = 0\n",
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
        "store/storable.py",
        "    if len(kept.encode()) <= MOST_KEY_BYTES:\n",
        "    if True:\n",
        ("tests/contract/store/test_long_text.py::test_the_desk_keeps_a_letter_with_long_names",),
    ),
)
