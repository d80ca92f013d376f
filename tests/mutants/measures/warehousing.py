"""Mutants of the formats of warehouses: what counts as received, and what comes before a person."""

from typing import Final

from tests.mutants.mutant import Mutant

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
)
