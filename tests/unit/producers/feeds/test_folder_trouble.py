"""A watched folder in trouble: gone, forbidden, full, on another file system. Nothing is lost; all is told plainly."""

import asyncio
import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from producers.feeds.passing import FolderUnusable
from producers.feeds.places import Place
from tests.unit.producers.feeds.feeding import Watched

NOBODY = 65534


async def test_a_folder_that_went_away_is_told_plainly_and_the_feed_goes_on_when_it_is_back(watched: Watched) -> None:
    feed = watched.feed()
    watched.put("a.csv", "one")
    await feed.look(watched.turn())
    away = watched.folder.rename(watched.folder.with_name("away"))
    with pytest.raises(FolderUnusable, match="Is it mounted"):
        await feed.look(watched.turn())
    away.rename(watched.folder)
    watched.put("b.csv", "two")
    await feed.look(watched.turn())
    assert watched.broker.items == ["one", "two"]


async def test_a_new_empty_folder_under_the_same_name_is_used_at_once(watched: Watched) -> None:
    feed = watched.feed()
    await feed.look(watched.turn())
    watched.folder.rename(watched.folder.with_name("away"))
    watched.folder.mkdir()
    watched.put("b.csv", "two")
    await feed.look(watched.turn())
    assert watched.broker.items == ["two"]


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may do everything: while this lasts, a process of root is somebody who may not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that anybody may enter: the tests' own are closed to all but their user."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)


async def test_a_folder_without_permission_is_told_plainly(watched: Watched, open_place: Path) -> None:
    watched.folder, watched.state = open_place / "in", open_place / "state"
    watched.folder.mkdir()
    watched.state.mkdir()
    os.chown(watched.state, NOBODY, -1)
    watched.put("a.csv", "one")
    watched.folder.chmod(0o555)
    await asyncio.to_thread(lambda: None)  # loads what nobody may not, where Python is root's own
    with as_nobody(), pytest.raises(FolderUnusable, match="must read and write"):
        await watched.feed().look(watched.turn())
    watched.folder.chmod(0o755)
    watched.state = open_place / "of_root"
    await watched.feed().look(watched.turn())
    assert watched.broker.items == ["one"], "and the feed goes on when it may"


async def test_a_very_long_name_has_room_for_its_report(watched: Watched) -> None:
    name = f"{'ü' * 125}.csv"
    watched.put(name, "one", "bad")
    await watched.feed().look(watched.turn())
    assert watched.tree()["in"] == []
    shorter, report, text = watched.tree()["failed"]
    assert shorter.startswith("ü" * 110)
    assert shorter.endswith(".csv")
    assert (report, text) == (f"{shorter}.report.json", f"{shorter}.report.txt")


async def test_a_report_that_cannot_be_written_leaves_nothing_behind(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Place.create

    def full(place: Place, name: str) -> BinaryIO:
        if name.endswith(".txt"):
            raise OSError(28, "No space left on device", name)
        return create(place, name)

    watched.put("a.csv", "bad")
    monkeypatch.setattr(Place, "create", full)
    with pytest.raises(FolderUnusable):
        await watched.feed().look(watched.turn())
    assert (watched.tree()["in"], watched.tree()["failed"]) == (["a.csv"], [])


async def test_a_full_disk_for_temporary_files_is_told_as_such(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    watched.put("a.csv", "one")
    monkeypatch.setattr("gzip.GzipFile.write", full)
    with pytest.raises(FolderUnusable, match=f"{tempfile.gettempdir()}: No space left"):
        await watched.feed().look(watched.turn())


async def test_a_folder_for_what_is_done_on_another_file_system_is_told_as_such_and_the_others_are_counted(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def elsewhere(source: str, target: str, **more: Any) -> None:  # noqa: ANN401 - as os.link
        if source == "b.csv":
            raise OSError(errno.EXDEV, "Invalid cross-device link", source)
        link(source, target, **more)

    watched.put("a.csv", "one", age=100)
    watched.put("b.csv", "two", age=200)
    monkeypatch.setattr(os, "link", elsewhere)
    with pytest.raises(FolderUnusable, match="must be on one file system") as caught:
        await watched.feed().look(watched.turn())
    assert caught.value.found is not None
    assert caught.value.found.files == 1
