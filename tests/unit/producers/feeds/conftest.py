"""The tiny format stands in the table of sources, and a folder to watch, an address to poll."""

from pathlib import Path

import pytest

from producers.feeds import reading
from tests.unit.producers.feeds.feeding import Watched, one_line, read_lines
from tests.unit.producers.feeds.polled import Polled, item_event


@pytest.fixture(autouse=True)
def _tiny_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FILE_SOURCES", {"lines": read_lines})
    monkeypatch.setattr(reading, "SOURCES", {"line": one_line})


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    folder = tmp_path / "in"
    folder.mkdir()
    return Watched(folder, tmp_path / "state")


@pytest.fixture
def polled(monkeypatch: pytest.MonkeyPatch) -> Polled:
    monkeypatch.setattr(reading, "SOURCES", {"items": item_event})
    return Polled()
