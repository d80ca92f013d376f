"""The log: the relay's own lines, and of everybody else only that something was said."""

import json
import logging
import subprocess
import sys

import pytest
import structlog

from runtime.logs import log_formatter

CANARY = "canary7319"
START = "import logging, structlog, threading, warnings; from runtime.logs import configure_logs; "


def said_by(program: str, *, level: str = "debug") -> list[dict[str, str]]:
    """The log of a process, in JSON."""
    line = f"{START}configure_logs({level!r}, 'json'); {program}"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False, timeout=60)
    assert CANARY not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("pretty", [True, False])
def test_of_a_library_is_seen_that_it_spoke_and_where_and_nothing_that_it_said(*, pretty: bool) -> None:
    formatter = log_formatter([structlog.stdlib.add_log_level], pretty=pretty)
    error = ValueError(CANARY)
    found = (ValueError, error, None)
    record = logging.getLogger("some.library").makeRecord(
        "some.library", 40, "/x/wire.py", 7, f"{CANARY} %s", (CANARY,), found, "send", None, CANARY
    )
    text = formatter.format(record)
    assert CANARY not in text
    for told in ("some.library", "wire.py:7 in send", "ValueError", "error"):
        assert told in text


@pytest.mark.parametrize(("level", "ours"), [("debug", ["first", "second"]), ("error", [])])
def test_at_debug_the_relay_says_more_and_the_libraries_do_not(level: str, ours: list[str]) -> None:
    library = "[logging.getLogger(name).debug('canary' '7319') for name in ('aiosqlite', 'httpcore2', 'new')]; "
    lines = said_by(
        f"{library} log = structlog.get_logger('x'); log.debug('first'); log.warning('second')", level=level
    )
    assert [line["event"] for line in lines] == ours


def test_a_line_that_cannot_be_made_is_lost_with_all_that_was_to_be_in_it() -> None:
    lines = said_by("logging.getLogger('new').error('%d', 'canary' '7319')")
    assert lines == [{"event": "log.line_lost", "logger": "new"}]


def test_what_python_tells_by_itself_is_told_without_its_text() -> None:
    thread = "thread = threading.Thread(target=int, args=('canary' '7319',)); thread.start(); thread.join(); "
    lines = said_by(f"{thread}warnings.simplefilter('always'); warnings.warn('canary' '7319'); int('canary' '7319')")
    assert [line["event"] for line in lines] == ["thread.failed", "library.said", "process.failed"]
    assert lines[1]["logger"] == "UserWarning"
    assert lines[2]["exception"].endswith("ValueError")
