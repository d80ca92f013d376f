"""The tiny format stands in the table of sources, and a folder to watch, an address to poll."""

from pathlib import Path

import pytest

from tests.unit.producers.feeds.feeding import Watched, one_line, read_lines
from tests.unit.producers.feeds.polled import Polled, item_event
from tests.unit.producers.sourcing import put


@pytest.fixture(autouse=True)
def _tiny_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, "lines", read_lines)
    put(monkeypatch, "line", document=one_line)
    put(monkeypatch, "items", document=item_event)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    folder = tmp_path / "in"
    folder.mkdir()
    return Watched(folder, tmp_path / "state")


@pytest.fixture
def polled() -> Polled:
    return Polled()
