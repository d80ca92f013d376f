"""Feeds on a terminal: a line in the status, a bar while a file is read."""

import pytest
from rich.console import Console

from ops.showing.feed_progress import shown_progress
from ops.showing.status import show_status
from tests.unit.ops.showing.test_show_status import FOUND


def test_the_status_shows_a_line_for_each_feed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    last = {"name": "b.csv", "state": "failed", "rows": 3000, "events": 2999, "rejects": 1, "error": "line 2: x"}
    north = {
        "left_alone": {"c.csv": "a link"},
        "last": last,
        "lag_seconds": 7200.0,
        "failed": 1,
        "waiting": 1,
        "problem": None,
    }
    shop = {"last": {**last, "state": "interrupted", "error": "answered 401"}, "lag_seconds": None}
    new = {"last": None, "lag_seconds": 0.0}
    show_status({**FOUND, "feeds": {"north": north, "shop": shop, "new": new}}, as_json=False)
    text = capsys.readouterr().out
    assert "b.csv, failed" in text
    assert "2 h 0 min" in text
    assert "answered 401" in text
    assert "1 files in failed/" in text
    assert "left alone: c.csv: a link" in text
    assert "nothing yet" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_where_nobody_looks_no_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as tell:
        tell("a.csv", "reading", 1, 2)
    assert capsys.readouterr().err == ""


def test_a_bar_is_drawn_on_a_terminal_whatever_the_file_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=80, record=True)
    monkeypatch.setattr("ops.showing.feed_progress.on_terminal", lambda: console)
    with shown_progress() as tell:
        tell("a[/x]\x1b[2J.csv", "reading", 1, 2)
        tell("a[/x]\x1b[2J.csv", "reading", 2, 2)
        tell("shop", "polling", 5, 0)
