"""Mutants of what bounds the reading of a file: its seconds, its memory, and the process that it is read in."""

from typing import Final

from tests.mutants.mutant import Mutant

BOUNDED: Final = "tests/unit/producers/feeds/test_bounded.py"

CAPS: Final = "tests/unit/producers/test_caps.py"
CONFUSED: Final = "tests/unit/producers/test_types_confused.py"

MUTANTS: Final = (
    Mutant(
        "budget-ignored",
        "No file holds up a feed for longer than its budget of seconds.",
        "producers/feeds/bounded.py",
        "        if clock.monotonic() > ends:\n            raise _too_slow(seconds)\n",
        "",
        (
            f"{BOUNDED}::test_a_small_file_has_the_same_budget_and_is_read_here",
            f"{BOUNDED}::test_a_file_that_takes_too_long_is_refused_and_its_process_ended",
        ),
    ),
    Mutant(
        "child-without-memory-limit",
        "No file takes more memory than its process may have.",
        "producers/feeds/reading_child.py",
        "    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))\n",
        "",
        (f"{BOUNDED}::test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read",),
    ),
    Mutant(
        "child-with-secrets",
        "The process that reads a file of strangers has no secret.",
        "producers/feeds/bounded.py",
        '        env={"LC_ALL": "C.UTF-8"},\n',
        "",
        (f"{BOUNDED}::test_the_child_has_no_secret_in_its_environment_and_no_descriptor_but_the_file",),
    ),
    Mutant(
        "child-outlives-its-file",
        "Whatever ends the reading of a file ends the process that reads it.",
        "producers/feeds/bounded.py",
        "        child.kill()\n        child.wait()\n",
        "",
        (
            f"{BOUNDED}::test_a_file_that_takes_too_long_is_refused_and_its_process_ended",
            f"{BOUNDED}::test_a_feed_that_is_told_to_stop_ends_the_process_and_gives_the_file_back",
        ),
    ),
    Mutant(
        "dead-child-believed",
        "A file of which the reading died half-way publishes nothing.",
        "producers/feeds/reading_child.py",
        '            case ["end"]:\n                return\n    raise EOFError\n',
        '            case ["end"]:\n                return\n',
        (f"{BOUNDED}::test_a_process_that_is_killed_while_it_reads_refuses_its_file_alone",),
    ),
    Mutant(
        "reasons-uncounted",
        "No report is longer than its bounds, however many words a file has for what is passed over.",
        "producers/feeds/spool.py",
        "len(ignored) >= MOST_REASONS",
        "len(ignored) < 0",
        (f"{BOUNDED}::test_a_report_is_bounded_in_every_direction",),
    ),
    Mutant(
        "elements-uncapped",
        "No segment of X12 has more elements than can be read again and again.",
        "producers/warehouse/edi/syntax.py",
        "        if body.count(signs.element) > MOST_ELEMENTS:\n",
        "        if body.count(signs.element) < 0:\n",
        (f"{CAPS}::test_a_document_holds_so_much_and_no_more",),
    ),
    Mutant(
        "values-uncapped",
        "No JSON document has more values than fit into the memory.",
        "schemas/json_text.py",
        "    if count_values(raw) > most_values:\n",
        "    if count_values(raw) < 0:\n",
        (f"{CAPS}::test_a_json_document_has_a_million_values_at_most",),
    ),
    Mutant(
        "read-over-and-over",
        "Documents that are never closed are not read over and over again.",
        "producers/reading/documents.py",
        "            end = end if left > 0 else len(text)\n",
        "",
        (f"{CAPS}::test_documents_that_are_never_closed_are_not_read_over_and_over_again",),
    ),
    Mutant(
        "type-is-a-text",
        "A type of EPCIS that is a list is read as one of its types, and is no mistake of ours.",
        "producers/warehouse/epcis/epcis.py",
        "    if _DOCUMENTS & frozenset(EpcisEvent(document).types()) or",
        '    if document.get("type") in _DOCUMENTS or',
        (f"{CONFUSED}::test_a_document_whose_type_is_no_text_is_no_mistake_of_ours",),
    ),
)
