"""Held folders: no link is followed, nothing waits, nothing is replaced, and another file system is copied from."""

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producers.feeds.claims import Claims
from producers.feeds.listing import SeenFile
from producers.feeds.moving import At, copy_over
from producers.feeds.places import OddFile, Place, hold


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "held").mkdir()
    with hold(tmp_path / "held") as held:
        yield held


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    made = tmp_path / "theirs"
    made.write_text("theirs")
    return made


def test_a_file_is_not_opened_through_a_link(place: Place, theirs: Path) -> None:
    (place.path / "a").symlink_to(theirs)
    with pytest.raises(OddFile, match="a link"):
        place.open("a")


def test_a_file_with_a_second_name_is_not_opened(place: Place, theirs: Path) -> None:
    (place.path / "a").hardlink_to(theirs)
    with pytest.raises(OddFile, match="another name elsewhere"):
        place.open("a")


def test_opening_a_pipe_does_not_wait_for_its_other_end(place: Place) -> None:
    os.mkfifo(place.path / "a")
    raised: list[BaseException] = []

    def opening() -> None:
        try:
            place.open("a")
        except OSError as error:
            raised.append(error)

    thread = threading.Thread(target=opening, daemon=True)
    thread.start()
    thread.join(20)
    assert [type(error) for error in raised] == [OddFile]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "../theirs"])
def test_no_name_leads_out_of_the_folder(place: Place, theirs: Path, name: str) -> None:
    assert theirs.exists()
    for act in (place.open, place.create, place.remove, place.inner, place.status):
        with pytest.raises(OddFile, match="no name of a file"):
            act(name)


def test_nothing_is_made_where_a_link_leads(place: Place, tmp_path: Path) -> None:
    (place.path / "a").symlink_to(tmp_path / "made")
    with pytest.raises(FileExistsError):
        place.create("a")
    assert not (tmp_path / "made").exists()


def test_a_link_to_a_folder_is_no_inner_folder(place: Place, tmp_path: Path) -> None:
    (place.path / "work").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError):
        place.inner("work", make=True)


@pytest.mark.parametrize("becomes", ["another file", "link", "pipe", "folder", "hard link"])
def test_what_is_not_the_file_that_was_listed_goes_back(tmp_path: Path, theirs: Path, becomes: str) -> None:
    (tmp_path / "in").mkdir()
    name = tmp_path / "in" / "a.csv"
    name.write_text("ours")
    claims = Claims(tmp_path / "in", tmp_path / "state", lease_seconds=60)
    claims.open()
    seen = SeenFile.of("a.csv", claims.folder.status("a.csv"))
    make: dict[str, Any] = {
        "another file": lambda: (tmp_path / "other").write_text("else"),
        "link": lambda: (tmp_path / "other").symlink_to(theirs),
        "pipe": lambda: os.mkfifo(tmp_path / "other"),
        "folder": (tmp_path / "other").mkdir,
        "hard link": lambda: (tmp_path / "other").hardlink_to(name),
    }
    make[becomes]()
    name.unlink()
    (tmp_path / "other").rename(name)
    if becomes == "hard link":
        (tmp_path / "second").hardlink_to(name)
    assert claims.take(seen) is None
    assert os.path.lexists(name)
    assert [path.name for path in (tmp_path / "state" / "work").rglob("*") if path.name != claims.own_name] == [
        ".alive"
    ]
    claims.close()


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Claims:
    """A folder on another file system than its state."""
    (tmp_path / "in").mkdir()
    folder = (tmp_path / "in").stat()
    for name in ("rename", "link"):
        monkeypatch.setattr(os, name, _across(getattr(os, name), folder.st_ino))
    claims = Claims(tmp_path / "in", tmp_path / "state", lease_seconds=60)
    claims.open()
    return claims


def _across(real: Any, inode: int) -> Any:  # noqa: ANN401 - os.rename or os.link
    def moved(source: str, target: str, *, src_dir_fd: int, dst_dir_fd: int, **more: Any) -> None:  # noqa: ANN401
        if (os.fstat(src_dir_fd).st_ino == inode) != (os.fstat(dst_dir_fd).st_ino == inode):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, **more)

    return moved


def put(claims: Claims, text: str) -> SeenFile:
    (claims.folder.path / "a.csv").write_text(text)
    return SeenFile.of("a.csv", claims.folder.status("a.csv"))


def test_from_another_file_system_a_file_is_copied_and_leaves_the_folder(apart: Claims) -> None:
    seen = put(apart, "one")
    taken = apart.take(seen)
    assert taken is not None
    assert Path(str(taken)).read_text() == "one"
    assert apart.folder.names() == []
    assert taken.status().st_mtime_ns == seen.mtime_ns, "its age is told by it"
    apart.put_back(taken)
    assert [file.name for file in apart.left_behind()] == ["a.csv"], "it stays, and is read next time"


def test_a_file_that_is_written_to_while_it_is_copied_stays(apart: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shutil.copyfileobj

    def writing(source: Any, target: Any, size: int) -> None:  # noqa: ANN401 - as shutil
        copy(source, target, size)
        with (apart.folder.path / "a.csv").open("a") as more:
            more.write("two")

    monkeypatch.setattr(shutil, "copyfileobj", writing)
    assert apart.take(put(apart, "one")) is None
    assert (apart.folder.path / "a.csv").read_text() == "onetwo"
    assert apart.left_behind() == []


def test_a_crash_before_the_original_is_removed_leaves_both(apart: Claims, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    seen = put(apart, "one")
    with monkeypatch.context() as crash:
        crash.setattr(Place, "remove", dies)
        with pytest.raises(KeyboardInterrupt):
            apart.take(seen)
    assert apart.folder.names() == ["a.csv"]
    assert [Path(str(file)).read_text() for file in apart.left_behind()] == ["one"]


def test_a_folder_that_may_not_be_changed_is_not_copied_from_again_and_again(
    apart: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    seen = put(apart, "one")
    with monkeypatch.context() as rights:
        rights.setattr(apart.folder, "remove", forbidden)
        with pytest.raises(PermissionError):
            copy_over(At(apart.folder, seen.name), At(apart._own, seen.name))
    assert apart.left_behind() == []


def test_a_copy_of_which_a_crash_left_a_part_is_not_read(apart: Claims) -> None:
    (apart._own.path / "0123456789abcdef.copy.part").write_text("on")
    assert apart.left_behind() == []
