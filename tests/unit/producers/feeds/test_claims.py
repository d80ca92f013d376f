"""Claims: a file has one owner, a dead owner's file is taken over, a living one's is not, and nothing is replaced."""

import fcntl
import os
from pathlib import Path

import pytest

from producers.feeds.claims import Claims, move_beside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("one")
    return tmp_path


def opened(folder: Path) -> Claims:
    claims = Claims(folder, lease_seconds=60)
    claims.open()
    return claims


def dies(claims: Claims) -> None:
    """As SIGKILL does: the kernel closes the file, and nothing is cleaned up."""
    assert claims._lock is not None
    os.close(claims._lock)
    claims._lock = None


def silent_for(claims: Claims, seconds: float) -> None:
    alive = claims._own / ".alive"
    then = alive.stat().st_mtime - seconds
    os.utime(alive, (then, then))


def test_a_file_is_taken_by_one_of_two(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    taken = first.take("a.csv")
    assert taken is not None
    assert taken.read_text() == "one"
    assert second.take("a.csv") is None


def test_the_file_of_a_dead_process_is_taken_over_at_once(folder: Path) -> None:
    dead, heir = opened(folder), opened(folder)
    dead.take("a.csv")
    assert heir.left_behind() is None, "its owner is alive"
    dies(dead)
    taken = heir.left_behind()
    assert taken is not None
    assert (taken.parent, taken.read_text()) == (heir._own, "one")


def test_the_file_of_a_living_process_stays_with_it_however_long_it_was_silent(folder: Path) -> None:
    slow, other = opened(folder), opened(folder)
    slow.take("a.csv")
    silent_for(slow, 3600)
    assert other.left_behind() is None


@pytest.mark.parametrize(("seconds", "taken"), [(59, False), (61, True)])
def test_of_another_machine_only_the_sign_of_life_tells(folder: Path, seconds: float, *, taken: bool) -> None:
    far, here = opened(folder), opened(folder)
    far.take("a.csv")
    alive = far._own / ".alive"
    alive.write_text("another kernel")
    silent_for(far, seconds)
    assert (here.left_behind() is not None) is taken


def test_without_locks_the_sign_of_life_tells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    far, here = opened(folder), opened(folder)
    far.take("a.csv")
    assert here.left_behind() is None
    silent_for(far, 61)
    assert here.left_behind() is not None


def test_what_this_process_could_not_finish_is_taken_again(folder: Path) -> None:
    claims = opened(folder)
    taken = claims.take("a.csv")
    assert claims.left_behind() == taken


def test_empty_folders_of_long_dead_processes_are_removed_and_no_others(folder: Path) -> None:
    dead, with_file, living, here = (opened(folder) for _ in range(4))
    with_file.take("a.csv")
    for claims in (dead, with_file):
        dies(claims)
    for claims in (dead, with_file, living):
        silent_for(claims, 61)
    here.sweep()
    assert {path.name for path in (folder / "work").iterdir()} == {
        claims._own.name for claims in (with_file, living, here)
    }


@pytest.mark.parametrize("links", [True, False])
def test_a_move_replaces_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    if not links:

        def no_links(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", no_links)
    done = folder / "done"
    done.mkdir()
    for text in ("first", "second", "third"):
        source = folder / "x.csv.gz"
        source.write_text(text)
        move_beside(source, done, source.name)
        assert not source.exists()
    assert {path.name: path.read_text() for path in done.iterdir()} == {
        "x.csv.gz": "first",
        "x.2.csv.gz": "second",
        "x.3.csv.gz": "third",
    }


@pytest.mark.parametrize("name", ["x" * 255, f"a.{'x' * 253}", f"{'ü' * 125}.csv"])
def test_a_second_file_of_a_name_as_long_as_may_be_is_kept_too(tmp_path: Path, name: str) -> None:
    for text in ("one", "two"):
        (tmp_path / "source").write_text(text)
        move_beside(tmp_path / "source", tmp_path, name)
    first, second = sorted(tmp_path.iterdir(), key=lambda path: path.read_text())
    assert first.name == name
    assert (second.read_text(), ".2" in second.name) == ("two", True)


@pytest.mark.parametrize("links", [True, False])
def test_moving_a_file_that_is_gone_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:

        def no_links(*_: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", no_links)
    done = folder / "done"
    done.mkdir()
    with pytest.raises(FileNotFoundError):
        move_beside(folder / "gone.csv", done, "gone.csv")
    assert list(done.iterdir()) == []
