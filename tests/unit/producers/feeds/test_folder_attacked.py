"""Somebody who may write into a watched folder tries to reach what is not theirs: nothing is read, moved or made there.

Each attack was seen to work on an earlier version.
"""

import contextlib
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producers.feeds.passing import FeedProblem, FolderUnusable
from tests.unit.producers.feeds.feeding import Watched, give_away

SECRET = "stolen"


def names_in(folder: Path) -> list[str]:
    """All that is in it."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The relay's own folder, with what nobody else may have."""
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    (made / "relay.db").write_text(f"{SECRET}\n")
    os.utime(made / "relay.db", (1, 1))
    (made / "relay.db").chmod(0o600)
    os.utime(made, (1, 1))  # as quiet as the folder of a process that died long ago
    return made


async def passes(watched: Watched, count: int = 2, **settings: object) -> None:
    """Look so many times, whatever comes of it."""
    feed = watched.feed(quiet_seconds=0, **settings)
    for _ in range(count):
        with contextlib.suppress(FeedProblem):
            await feed.look(watched.turn())
    await feed.close()


async def test_a_refused_file_is_not_put_where_a_link_called_failed_leads(watched: Watched, home: Path) -> None:
    (watched.folder / "failed").symlink_to(home)
    (watched.folder / "done").symlink_to(home)
    watched.put("sitecustomize.py", "bad")
    watched.put("good.py", "one")
    await passes(watched)
    assert names_in(home) == ["relay.db"]
    assert "sitecustomize.py" in watched.tree()["failed"]


@pytest.mark.parametrize("state", [False, True], ids=["in the folder", "in the state"])
@pytest.mark.parametrize("link", ["work", "work/old"])
async def test_nothing_is_taken_out_of_a_folder_to_which_a_link_in_work_leads(
    watched: Watched, home: Path, link: str, *, state: bool
) -> None:
    place = (watched.state if state else watched.folder) / link
    place.parent.mkdir(exist_ok=True, parents=True)
    place.symlink_to(home)
    watched.put("a.csv", "one")
    await passes(watched)
    assert (home / "relay.db").read_text() == f"{SECRET}\n"
    assert SECRET not in watched.broker.items


@pytest.mark.parametrize("part", ["", "work", "done", "failed"])
@pytest.mark.parametrize("how", ["link", "stranger", "open"])
async def test_a_folder_of_the_state_that_may_be_somebody_elses_is_refused(
    watched: Watched, home: Path, monkeypatch: pytest.MonkeyPatch, part: str, how: str
) -> None:
    place = watched.state / part
    if how == "link":
        place.parent.mkdir(exist_ok=True, parents=True)
        place.symlink_to(home)
    else:
        place.mkdir(parents=True)
        if how == "stranger":
            give_away(place, monkeypatch)
        else:
            place.chmod(0o777)
    watched.put("a.csv", "bad")
    with pytest.raises(FolderUnusable, match=r"others may write there|belongs to user|a link, or no folder"):
        await watched.feed().look(watched.turn())
    assert watched.tree()["in"] == ["a.csv"]
    assert names_in(home) == ["relay.db"]


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
async def test_a_link_to_somebody_elses_file_is_not_read(
    watched: Watched, home: Path, link: Callable[[Path, Path], None]
) -> None:
    link(watched.folder / "a.csv", home / "relay.db")
    watched.put("b.csv", "one")
    feed = watched.feed(quiet_seconds=0)
    found = await feed.look(watched.turn())
    assert watched.broker.items == ["one"]
    assert found.odd == ["a.csv"], "and somebody is told"
    assert (home / "relay.db").exists()


async def test_a_report_makes_no_file_where_a_dangling_link_leads(watched: Watched, tmp_path: Path) -> None:
    for place in (watched.folder / "failed", watched.state / "failed"):
        place.mkdir(parents=True)
        (place / "a.csv.report.json").symlink_to(tmp_path / "made")
        (place / "a.csv.report.txt").symlink_to(tmp_path / "made")
    watched.put("a.csv", "bad")
    await passes(watched)
    assert not (tmp_path / "made").exists()
    assert "a.2.csv.report.json" in watched.tree()["failed"]


async def test_a_watched_folder_that_is_a_link_is_refused(watched: Watched, home: Path) -> None:
    watched.folder.rmdir()
    watched.folder.symlink_to(home)
    with pytest.raises(FolderUnusable, match="a link, or no folder"):
        await watched.feed(quiet_seconds=0).look(watched.turn())
    assert (home / "relay.db").exists()


async def test_a_link_on_the_way_to_the_folder_is_followed_only_where_nobody_else_could_put_it(
    watched: Watched, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "in").mkdir()
    (home / "in" / "a.csv").write_text(f"{SECRET}\n")
    partner = tmp_path / "partner"
    partner.mkdir()
    (partner / "out").symlink_to(home)
    watched.folder = partner / "out" / "in"
    with monkeypatch.context() as strangers:
        give_away(partner, strangers)
        with pytest.raises(FolderUnusable, match="a link on the way to it may be anybody's"):
            await watched.feed(quiet_seconds=0).look(watched.turn())
    os.chown(partner, os.geteuid(), -1)
    partner.chmod(0o777)
    with pytest.raises(FolderUnusable, match="a link on the way to it may be anybody's"):
        await watched.feed(quiet_seconds=0).look(watched.turn())
    assert watched.broker.items == []
    partner.chmod(0o755)
    await watched.feed(quiet_seconds=0).look(watched.turn())
    assert watched.broker.items == [SECRET], "the relay's own user put this one there"


@contextlib.contextmanager
def swapping(*steps: Callable[[], None]) -> Iterator[None]:
    """Do the steps again and again meanwhile, as fast as can be."""
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            for step in steps:
                with contextlib.suppress(OSError):
                    step()

    thread = threading.Thread(target=swap, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


async def test_a_file_that_becomes_a_link_again_and_again_is_never_read_through_it(
    watched: Watched, home: Path
) -> None:
    (home / "linked").write_text(f"{SECRET}\n")
    name, spare = watched.folder / "a.csv", watched.folder / ".spare"

    def becomes(make: Callable[[], object]) -> Callable[[], None]:
        def step() -> None:
            make()
            spare.replace(name)

        return step

    steps = (
        becomes(lambda: spare.write_text("one\n")),
        becomes(lambda: spare.symlink_to(home / "relay.db")),
        becomes(lambda: spare.write_text("two\n")),
        becomes(lambda: spare.hardlink_to(home / "linked")),
        becomes(lambda: os.mkfifo(spare)),
    )
    with swapping(*steps):
        await passes(watched, 100)
        for _ in range(50):  # whether a pass meets a file or a link, is luck
            if not watched.broker.items:
                await passes(watched, 20)
    assert set(watched.broker.items) <= {"one", "two"}
    assert watched.broker.items
    assert (home / "relay.db").read_text() == (home / "linked").read_text() == f"{SECRET}\n"
    assert not any(path.is_symlink() for path in watched.state.rglob("*"))


async def test_a_folder_that_becomes_a_link_again_and_again_is_never_watched_through_it(
    watched: Watched, home: Path
) -> None:
    (home / "a.csv").write_text(f"{SECRET}\n")
    other = watched.folder.with_name("other")

    def as_link() -> None:
        watched.folder.rename(other)
        watched.folder.symlink_to(home)

    def as_folder() -> None:
        watched.folder.unlink()
        other.rename(watched.folder)

    with swapping(as_link, as_folder):
        await passes(watched, 150)
    assert SECRET not in watched.broker.items
    assert names_in(home) == ["a.csv", "relay.db"]


async def test_a_folder_that_is_replaced_in_the_middle_of_a_pass_gets_nothing_of_the_other(
    watched: Watched, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "b.csv").write_text(f"{SECRET}\n")
    watched.put("a.csv", "one")
    watched.put("b.csv", "two")
    feed = watched.feed(quiet_seconds=0)
    publish = watched.broker.publish_all

    async def replacing(messages: list[object]) -> None:
        await publish(messages)  # type: ignore[arg-type]  # whatever is published
        if not watched.folder.is_symlink():
            watched.folder.rename(watched.folder.with_name("moved"))
            watched.folder.symlink_to(home)

    monkeypatch.setattr(watched.broker, "publish_all", replacing)
    await feed.look(watched.turn())
    assert watched.broker.items == ["one", "two"], "of the folder that was opened"
    assert (home / "b.csv").exists()


async def test_what_is_no_file_is_left_alone_and_holds_up_nothing(watched: Watched) -> None:
    os.mkfifo(watched.folder / "a.csv")
    (watched.folder / "b.csv").mkdir()
    (watched.folder / "c.csv").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(watched.folder / "d.csv"))
        watched.put("e.csv", "one")
        found = await watched.feed().look(watched.turn())
    assert watched.broker.items == ["one"]
    assert found.odd == ["a.csv", "b.csv", "c.csv", "d.csv"]


@pytest.mark.parametrize(
    "name",
    [
        b"..csv",
        b"a\nb.csv",
        b"\x1b[2Ja.csv",
        b"\xff\xfe.csv",
        b"x" * 251 + b".csv",
        b"\xe2\x80\xaegnp.csv",
        b"a.csv.report.json",
        b"$(id).csv",
        b"-rf.csv",
        b" .csv",
        b"work.csv",
        "\ud800.csv".encode("utf-8", "surrogatepass"),
    ],
)
@pytest.mark.parametrize("row", ["one", "bad"])
async def test_any_name_is_only_a_name(watched: Watched, name: bytes, row: str) -> None:
    watched.put(os.fsdecode(name), row)
    feed = watched.feed(quiet_seconds=0)
    found = await feed.look(watched.turn())
    if name.startswith(b"."):
        assert found.files == 0, "hidden"
        return
    assert (found.files, watched.tree()["in"]) == (1, [])
    tree = watched.tree()
    assert len(tree["done"]) == (row == "one")
    assert len(tree["failed"]) == (3 if row == "bad" else 0)


async def test_what_the_relay_makes_is_open_to_nobody_else_for_writing(watched: Watched) -> None:
    watched.put("a.csv", "bad")
    await passes(watched, 1)
    made = [watched.state, *watched.state.rglob("*")]
    made.remove(watched.state / "failed" / "a.csv")
    assert [path for path in made if path.lstat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)] == []
