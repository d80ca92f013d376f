"""Mutants of what people see and what is kept of people: text from outside, bodies of dead letters, environments."""

from typing import Final

from tests.mutants.mutant import Mutant

OUTSIDE: Final = "tests/unit/runtime/test_outside_text.py"
ENVIRONMENT: Final = "tests/unit/runtime/test_environment.py"
TERMINAL: Final = "tests/unit/ops/test_terminal.py"

MUTANTS: Final = (
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
        "ops/terminal.py",
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
        "            structlog.processors.format_exc_info,\n",
        "            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer()),\n",
        (f"{OUTSIDE}::test_no_log_line_says_more_than_one_thing",),
    ),
    Mutant(
        "secrets-passed-on",
        "No process that the relay starts, the demo's broker least of all, inherits its secrets.",
        "runtime/environment.py",
        " if name in wanted}",
        " if wanted}",
        (f"{ENVIRONMENT}::test_only_what_every_program_may_know_is_passed_on",),
    ),
)
