"""Claims: a file has one owner, a dead owner's file is taken over, a living one's is not, and nothing is replaced."""

import fcntl
import os
from pathlib import Path

import pytest

from producers.feeds.claims import Claims
from producers.feeds.listing import SeenFile
from producers.feeds.moving import At, move_beside
from producers.feeds.places import hold


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("one")
    return tmp_path


def opened(folder: Path) -> Claims:
    claims = Claims(folder, folder / "state", lease_seconds=60)
    claims.open()
    return claims


def take(claims: Claims, name: str) -> Path | None:
    try:
        taken = claims.take(SeenFile.of(name, claims.folder.status(name)))
    except FileNotFoundError:
        return None
    return None if taken is None else Path(str(taken))


def left_behind(claims: Claims) -> Path | None:
    found = claims.left_behind()
    return Path(str(found[0])) if found else None


def own(claims: Claims) -> Path:
    return claims._own.path


def moved(source: Path, folder: Path, name: str) -> None:
    with hold(source.parent) as place, hold(folder) as target:
        move_beside(At(place, source.name), target, name)


def dies(claims: Claims) -> None:
    """As SIGKILL does: the kernel closes the file, and nothing is cleaned up."""
    assert claims._lock is not None
    os.close(claims._lock)
    claims._lock = None


def silent_for(claims: Claims, seconds: float) -> None:
    alive = own(claims) / ".alive"
    then = alive.stat().st_mtime - seconds
    os.utime(alive, (then, then))


def test_a_file_is_taken_by_one_of_two(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    taken = take(first, "a.csv")
    assert taken is not None
    assert taken.read_text() == "one"
    assert take(second, "a.csv") is None


def test_the_file_of_a_dead_process_is_taken_over_at_once(folder: Path) -> None:
    dead, heir = opened(folder), opened(folder)
    take(dead, "a.csv")
    assert left_behind(heir) is None, "its owner is alive"
    dies(dead)
    taken = left_behind(heir)
    assert taken is not None
    assert (taken.parent, taken.read_text()) == (own(heir), "one")


def test_the_file_of_a_living_process_stays_with_it_however_long_it_was_silent(folder: Path) -> None:
    slow, other = opened(folder), opened(folder)
    take(slow, "a.csv")
    silent_for(slow, 3600)
    assert left_behind(other) is None


@pytest.mark.parametrize(("seconds", "taken"), [(59, False), (61, True)])
def test_of_another_machine_only_the_sign_of_life_tells(folder: Path, seconds: float, *, taken: bool) -> None:
    far, here = opened(folder), opened(folder)
    take(far, "a.csv")
    alive = own(far) / ".alive"
    alive.write_text("another kernel")
    silent_for(far, seconds)
    assert (left_behind(here) is not None) is taken


def test_without_locks_the_sign_of_life_tells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    far, here = opened(folder), opened(folder)
    take(far, "a.csv")
    assert left_behind(here) is None
    silent_for(far, 61)
    assert left_behind(here) is not None


def test_what_this_process_could_not_finish_is_taken_again(folder: Path) -> None:
    claims = opened(folder)
    taken = take(claims, "a.csv")
    assert left_behind(claims) == taken


def test_empty_folders_of_long_dead_processes_are_removed_and_no_others(folder: Path) -> None:
    dead, with_file, living, here = (opened(folder) for _ in range(4))
    take(with_file, "a.csv")
    for claims in (dead, with_file):
        dies(claims)
    for claims in (dead, with_file, living):
        silent_for(claims, 61)
    here.sweep()
    assert {path.name for path in (folder / "state" / "work").iterdir()} == {
        own(claims).name for claims in (with_file, living, here)
    }


@pytest.mark.parametrize("links", [True, False])
def test_a_move_replaces_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    if not links:

        def no_links(*_: object, **__: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", no_links)
    done = folder / "done"
    done.mkdir()
    for text in ("first", "second", "third"):
        source = folder / "x.csv.gz"
        source.write_text(text)
        moved(source, done, source.name)
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
        moved(tmp_path / "source", tmp_path, name)
    first, second = sorted(tmp_path.iterdir(), key=lambda path: path.read_text())
    assert first.name == name
    assert (second.read_text(), ".2" in second.name) == ("two", True)


@pytest.mark.parametrize("links", [True, False])
def test_moving_a_file_that_is_gone_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:

        def no_links(*_: object, **__: object) -> None:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(os, "link", no_links)
    done = folder / "done"
    done.mkdir()
    with pytest.raises(FileNotFoundError):
        moved(folder / "gone.csv", done, "gone.csv")
    assert list(done.iterdir()) == []
