"""How feeds stand: the last file, what waits and for how long, and folders that cannot be looked into."""

import threading
from pathlib import Path

import pytest

from ops.standing import feeds as feed_status
from ops.standing.feeds import feeds as feeds_of
from producers.feeds.places import Place
from runtime.clock import SystemClock
from store import migrate
from store.engine import connect
from store.feeds.runs import FeedRun, FeedRuns
from tests.fakes import NOON, FakeClock
from tests.unit.ops.feed_folder import folder, settings

__all__ = ["folder"]


async def test_the_status_has_the_last_file_and_how_long_the_oldest_waits(folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    run = FeedRun(company="main", feed="north", name="b.csv", state="done", rows=3, started_at=NOON, ended_at=NOON)
    await FeedRuns(engine).add(run)
    (folder / "c.csv").symlink_to("a.csv")
    found = await feeds_of(settings(folder), engine, SystemClock(), company="main")
    await engine.dispose()
    assert (found["north"]["last"]["name"], found["north"]["last"]["rows"]) == ("b.csv", 3)
    assert (found["north"]["waiting"], found["north"]["lag_seconds"]) == (1, pytest.approx(3600, abs=600))
    assert found["north"]["left_alone"] == {"c.csv": "a link"}


async def test_a_folder_that_hangs_is_a_problem_in_the_status(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(Place, "names", lambda _: over.wait(60))
    monkeypatch.setattr(feed_status, "_PATIENCE_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    found = await feeds_of(settings(folder), engine, SystemClock(), company="main")
    over.set()
    await engine.dispose()
    assert "does the file system hang" in found["north"]["problem"]


async def test_a_folder_that_is_away_is_a_problem_in_the_status_and_no_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    found = await feeds_of(settings(tmp_path / "away"), engine, FakeClock())
    await engine.dispose()
    assert found["north"]["lag_seconds"] is None
    assert "No such file" in found["north"]["problem"]
