"""Mutants of what people see and what is kept of people: text from outside, bodies of dead letters, environments."""

from typing import Final

from tests.mutants.mutant import Mutant

OUTSIDE: Final = "tests/unit/runtime/test_outside_text.py"
ENVIRONMENT: Final = "tests/unit/runtime/test_environment.py"
LOGS: Final = "tests/unit/runtime/test_logs.py"
TRACEBACKS: Final = "tests/unit/runtime/test_tracebacks.py"
SAID: Final = "tests/contract/store/test_said.py"
ERASING: Final = "tests/contract/store/test_erasing.py"
RETENTION: Final = "tests/unit/ops/desk/test_retention.py"
TERMINAL: Final = "tests/unit/ops/showing/test_terminal.py"

MUTANTS: Final = (
    Mutant(
        "replay-under-way-erased",
        "Who forgets a person loses no fact: a letter stays until its replay is in the books.",
        "store/letters/erasing.py",
        "and_(_SETTLED, unerased, not_(replayed_in_vain())),",
        "and_(_SETTLED, unerased),",
        (f"{ERASING}::test_a_letter_whose_replay_is_in_no_books_stays_until_it_is",),
    ),
    Mutant(
        "outside-text-raw",
        "No text from outside moves the cursor of a terminal, hides or turns its neighbours around.",
        "runtime/outside_text.py",
        "    return not letter.isprintable() or letter in _BLANK\n",
        "    return letter in _BLANK\n",
        (f"{OUTSIDE}::test_nothing_hides_and_the_text_is_one_that_can_be_printed",),
    ),
    Mutant(
        "outside-text-unseen",
        "No text from outside carries what nobody can see.",
        "runtime/outside_text.py",
        "    return not letter.isprintable() or letter in _BLANK\n",
        "    return not letter.isprintable()\n",
        (f"{OUTSIDE}::test_every_control_mark_and_blank_is_seen",),
    ),
    Mutant(
        "cells-are-markup",
        "A cell of a table is text, whatever is in it.",
        "ops/showing/terminal.py",
        '        return Text("\\n".join(map(self._shown, value)) if isinstance(value, list) else self._shown(value))\n',
        '        return Text.from_markup("\\n".join(map(self._shown, value if type(value) is list else [value])))\n',
        (f"{TERMINAL}::test_a_cell_is_text_whatever_is_in_it",),
    ),
    Mutant(
        "log-lines-forged",
        "A line of the log says one thing, whatever text from outside it holds.",
        "runtime/logs.py",
        "            _outside_text,\n",
        "",
        (f"{OUTSIDE}::test_no_log_line_says_more_than_one_thing",),
    ),
    Mutant(
        "traceback-shows-variables",
        "A traceback in the log shows no variables: they may be secrets.",
        "runtime/logs.py",
        "            structlog.processors.ExceptionRenderer(_trace),\n",
        "            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer()),\n",
        (f"{OUTSIDE}::test_no_log_line_says_more_than_one_thing",),
    ),
    Mutant(
        "library-logs-open",
        "What a library says, with what it sends and was sent, is in no line of the log.",
        "runtime/logs.py",
        "        foreign_pre_chain=[_of_a_library, *shared],\n",
        "        foreign_pre_chain=shared,\n",
        (f"{LOGS}::test_of_a_library_is_seen_that_it_spoke_and_where_and_nothing_that_it_said",),
    ),
    Mutant(
        "libraries-at-debug",
        "A log at debug does not make the libraries talk.",
        "runtime/logs.py",
        "    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))\n",
        "    root.setLevel(level.upper())\n",
        (f"{LOGS}::test_at_debug_the_relay_says_more_and_the_libraries_do_not",),
    ),
    Mutant(
        "arguments-of-a-lost-line",
        "A line that cannot be made is not printed with what was to be in it.",
        "runtime/logs.py",
        "    def handleError(self",
        "    def handle_error(self",
        (f"{LOGS}::test_a_line_that_cannot_be_made_is_lost_with_all_that_was_to_be_in_it",),
    ),
    Mutant(
        "thread-says-its-text",
        "What goes wrong in a thread is told without its text.",
        "runtime/logs.py",
        "    threading.excepthook = ",
        "    _ = ",
        (f"{LOGS}::test_what_python_tells_by_itself_is_told_without_its_text",),
    ),
    Mutant(
        "bug-says-its-text",
        "A traceback does not tell what was being worked on.",
        "runtime/tracebacks.py",
        '        yield f"{type(each).__module__}.{type(each).__qualname__}\\n".removeprefix("builtins.")\n',
        '        yield "".join(traceback.format_exception_only(each))\n',
        (f"{TRACEBACKS}::test_a_traceback_shows_the_way_and_the_kinds_and_never_a_text",),
    ),
    Mutant(
        "words-of-others-told",
        "What others' exceptions say is not told.",
        "runtime/tracebacks.py",
        '    if type(error).__module__.partition(".")[0] in ROOMS:\n',
        "    if True:\n",
        (f"{TRACEBACKS}::test_only_our_own_words_and_those_of_the_operating_system_are_told",),
    ),
    Mutant(
        "parameters-shown",
        "An error of the database does not carry the values of its statement.",
        "store/databases/sqlite.py",
        '{"timeout": timeout}, hide_parameters=True)',
        '{"timeout": timeout})',
        (f"{SAID}::test_no_value_of_a_statement_is_in_an_error_of_the_store",),
    ),
    Mutant(
        "row-in-the-error",
        "What PostgreSQL says of a row is not told.",
        "store/databases/postgresql.py",
        "    if state[:2] in SAYABLE:\n",
        "    if True:\n",
        (f"{SAID}::test_no_value_of_a_statement_is_in_an_error_of_the_store",),
    ),
    Mutant(
        "secrets-passed-on",
        "No process that the relay starts, the demo's broker least of all, inherits its secrets.",
        "runtime/environment.py",
        " if name in wanted}",
        " if wanted}",
        (f"{ENVIRONMENT}::test_only_what_every_program_may_know_is_passed_on",),
    ),
    Mutant(
        "waiting-letter-erased",
        "A dead letter that waits is never erased: its fact is in no book.",
        "store/letters/erasing.py",
        '_SETTLED: Final = DEAD_LETTERS.c.state != "waiting"\n',
        '_SETTLED: Final = DEAD_LETTERS.c.state != ""\n',
        (f"{ERASING}::test_what_a_letter_held_is_removed_so_long_after_it_was_settled",),
    ),
    Mutant(
        "name-in-doubt-erased",
        "The name that a look-up still needs is not erased.",
        "store/letters/erasing.py",
        'done = and_(WRITES.c.state == "applied", ',
        'done = or_(WRITES.c.state != "", ',
        (f"{ERASING}::test_a_write_keeps_its_ids_and_loses_the_name",),
    ),
    Mutant(
        "somebody-else-forgotten",
        "Who has a name that begins alike is not forgotten with somebody.",
        "store/letters/erasing.py",
        '(?!\\w)", re.IGNORECASE)',
        '", re.IGNORECASE)',
        (f"{ERASING}::test_a_person_is_forgotten_and_nobody_else",),
    ),
    Mutant(
        "bodies-lie-open",
        "With a key, bodies of dead letters are sealed at rest.",
        "store/letters/sealing.py",
        "            return key.encrypt(body), mark\n",
        "            return body, None\n",
        (f"{ERASING}::test_a_sealed_body_can_be_searched_and_erased_with_its_key_only",),
    ),
    Mutant(
        "removed-stays-in-the-file",
        "What was erased is not in the file of the database any more.",
        "store/databases/sqlite.py",
        '    cursor.execute("PRAGMA secure_delete=ON")',
        '    cursor.execute("PRAGMA secure_delete=OFF")',
        (f"{ERASING}::test_what_sqlite_removed_is_not_in_its_file",),
    ),
    Mutant(
        "name-in-the-audit-trail",
        "The audit trail of forgetting holds no name.",
        "ops/desk/retention.py",
        'subject="person"',
        "subject=name",
        (f"{RETENTION}::test_a_person_is_shown_first_and_forgotten_with_yes",),
    ),
    Mutant(
        "never-erased",
        "The running relay removes contents of settled letters by itself.",
        "ops/desk/retention.py",
        "                if erased := await _erase(engine, clock, days=days):\n",
        "                if erased := 0:\n",
        (f"{RETENTION}::test_a_running_relay_erases_by_itself_and_survives_a_store_that_is_gone",),
    ),
    Mutant(
        "erasing-ends-everybody",
        "Whatever keeps the running relay from erasing ends nobody else in its process.",
        "ops/desk/retention.py",
        "        except Exception:  # whatever it is: everybody else in this process goes on\n",
        "        except ZeroDivisionError:\n",
        (f"{RETENTION}::test_whatever_keeps_a_running_relay_from_erasing_ends_nobody_else",),
    ),
    Mutant(
        "frozen-store-holds-the-loop",
        "A database that never answers holds up nobody else in the process.",
        "ops/composing/workers.py",
        "    await migrate.upgraded(*_address_of(settings))\n",
        "    migrate.upgrade(*_address_of(settings))\n",
        (f"{RETENTION}::test_a_database_that_takes_a_call_and_never_answers_holds_up_nobody_while_a_store_is_opened",),
    ),
)
