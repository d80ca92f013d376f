"""What is seen of an exception: its kind and its way, and its words only where they are ours."""

import pytest

from runtime.errors import ConfigurationError
from runtime.tracebacks import trace_of, words_of

CANARY = "canary7319"


def test_a_traceback_shows_the_way_and_the_kinds_and_never_a_text() -> None:
    shown = ""
    try:
        try:
            try:
                int(CANARY)
            except ValueError as error:
                error.add_note(CANARY)
                raise KeyError(CANARY) from error
        except KeyError:
            raise ExceptionGroup(CANARY, [ConfigurationError(CANARY), OSError(5, CANARY)])  # noqa: B904 - both ways
    except ExceptionGroup as group:
        shown = trace_of(group)
    assert CANARY not in shown
    kinds = [line for line in shown.splitlines() if line.isidentifier() or line.endswith(("Error", "Group"))]
    assert kinds == ["ValueError", "KeyError", "ExceptionGroup", "runtime.errors.ConfigurationError", "OSError"]
    assert "direct cause" in shown
    assert "During handling" in shown
    assert "in test_a_traceback_shows" in shown


def test_a_traceback_that_was_hidden_or_goes_round_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__context__ = second, first
    assert trace_of(first).count("ValueError") == 1
    second.__suppress_context__ = True
    assert trace_of(second).count("Error") == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigurationError("set it"), "set it"),
        (OSError(2, "No such file or directory", "feeds/in"), "feeds/in: No such file or directory"),
        (OSError(111, "Connection refused"), "Connection refused"),
        (OSError(CANARY), "OSError"),
        (ValueError(CANARY), "ValueError"),
        (ConfigurationError(), "ConfigurationError"),
    ],
)
def test_only_our_own_words_and_those_of_the_operating_system_are_told(error: Exception, words: str) -> None:
    assert words_of(error) == words
