"""A file system that hangs: the feed is told to be hanging, others go on, and the process can always end."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from producers.feeds.aside import Aside
from producers.feeds.passing import FolderUnusable, Interrupted
from producers.feeds.places import Place
from tests.unit.producers.feeds.feeding import Watched

Hang = Callable[[str], None]


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hang]:
    """Have a method of held folders not return until the test ends."""
    over = threading.Event()

    def at(method: str) -> None:
        real = getattr(Place, method)

        def hanging(place: Place, *arguments: str, **more: bool) -> object:
            if place.path.name == "in":
                over.wait(60)
            return real(place, *arguments, **more)

        monkeypatch.setattr(Place, method, hanging)

    yield at
    over.set()


@pytest.mark.parametrize("method", ["names", "status"])
async def test_a_hanging_folder_is_told_and_ends_when_it_is_to_stop(watched: Watched, hang: Hang, method: str) -> None:
    watched.put("a.csv", "one")
    hang(method)
    feed = watched.feed()
    feed._aside = Aside("feeds.north", hangs=0.02, last=0.02)
    looking = asyncio.create_task(feed.look(watched.turn(patient=True)))
    while not watched.runs.runs:  # noqa: ASYNC110 - a thread tells nothing to the loop
        await asyncio.sleep(0.01)
    [run] = watched.runs.runs
    assert run.state == "interrupted"
    assert "does the file system hang?" in (run.error or "")
    assert not looking.done(), "it is waited for"
    watched.stop.set()
    with pytest.raises(Interrupted):
        await asyncio.wait_for(looking, 20)
    await asyncio.wait_for(feed.close(), 20)


async def test_one_pass_alone_does_not_wait_for_a_hanging_folder(watched: Watched, hang: Hang) -> None:
    hang("names")
    feed = watched.feed()
    feed._aside = Aside("hanging", hangs=0.02, last=0.02)
    with pytest.raises(FolderUnusable, match="does the file system hang"):
        await feed.look(watched.turn())
    with pytest.raises(FolderUnusable, match="does the file system hang"):
        await feed.look(watched.turn())
    assert sum(thread.name == "hanging" for thread in threading.enumerate()) <= 1


async def test_a_folder_that_answers_again_is_taken_up_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.put("a.csv", "one")
    back = threading.Event()
    names = Place.names

    def slowly(place: Place) -> list[str]:
        back.wait(60)
        return names(place)

    monkeypatch.setattr(Place, "names", slowly)
    feed = watched.feed()
    feed._aside = Aside("feeds.north", hangs=0.02)
    looking = asyncio.create_task(feed.look(watched.turn(patient=True)))
    while not watched.runs.runs:  # noqa: ASYNC110 - a thread tells nothing to the loop
        await asyncio.sleep(0.01)
    back.set()
    await asyncio.wait_for(looking, 20)
    assert watched.broker.items == ["one"]


async def test_a_pipe_in_the_folder_holds_up_nothing(watched: Watched) -> None:
    os.mkfifo(watched.folder / "a.csv")
    watched.put("b.csv", "one")
    feed = watched.feed(quiet_seconds=0)
    await asyncio.wait_for(feed.look(watched.turn()), 20)
    assert watched.broker.items == ["one"]
