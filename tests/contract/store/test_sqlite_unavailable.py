"""A locked, full, vanished or broken SQLite file is one clear error, loses nothing, and passes."""

# ruff: noqa: ASYNC240 - a few quick file operations break the database on purpose

import asyncio
import json
import sqlite3
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import connect, reading
from store.errors import StoreUnavailable
from store.inbox import Doubt, Fresh, Inbox
from tests.contract.store.conftest import LEASE
from tests.contract.store.samples import COMPANY, PAYMENT, claim, intent
from tests.fakes import FakeClock

Open = Callable[..., tuple[AsyncEngine, Inbox]]


@pytest.fixture(autouse=True)
async def _no_thread_outlives_its_loop() -> AsyncIterator[None]:
    """The driver does not wait for the thread of a connection that could not be opened, so we do."""
    yield
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


@pytest.fixture
def path(sqlite_url: str) -> Path:
    """The database file."""
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
async def opened(sqlite_url: str, clock: FakeClock) -> AsyncIterator[Open]:
    """Opens engines that wait 50 ms for a lock, and closes them."""
    engines: list[AsyncEngine] = []

    def open_one() -> tuple[AsyncEngine, Inbox]:
        engines.append(connect(f"{sqlite_url}?timeout=0.05"))
        return engines[-1], Inbox(engines[-1], owner="a", lease=LEASE, clock=clock)

    yield open_one
    for engine in engines:
        await engine.dispose()


async def test_a_locked_database_stops_the_claim_and_the_next_one_works(opened: Open, path: Path) -> None:
    _, inbox = opened()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await claim(inbox)
    assert await inbox.counts(COMPANY) == {}  # reading needs no lock
    with pytest.raises(StoreUnavailable, match="locked"):
        await inbox.check_in(COMPANY)
    other.execute("ROLLBACK")
    other.close()
    assert await claim(inbox) == Fresh(1)


async def test_every_caller_of_a_failed_batch_hears_of_it(opened: Open, path: Path) -> None:
    _, inbox = opened()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(claim(inbox, intent(f"w{n}")) for n in range(5)), return_exceptions=True)
    other.execute("ROLLBACK")
    other.close()
    assert [type(result) for result in results] == [StoreUnavailable] * 5
    assert len({id(result) for result in results}) == 5


async def test_a_full_disk_keeps_what_was_committed_and_refuses_the_rest(opened: Open) -> None:
    engine, inbox = opened()

    def shrink(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=40").close()

    event.listen(engine.sync_engine, "connect", shrink)
    answers: list[object] = []
    while not answers or isinstance(answers[-1], Fresh):
        answers += await asyncio.gather(claim(inbox, intent(f"write-{len(answers)}")), return_exceptions=True)
    assert isinstance(answers[-1], StoreUnavailable)
    assert "full" in str(answers[-1])
    assert await inbox.counts(COMPANY) == {"intended": len(answers) - 1}


FULL_DISK = """
import asyncio, json, resource, signal, sys
from datetime import timedelta
from runtime.clock import SystemClock
from store.engine import connect
from store.errors import StoreUnavailable
from store.inbox import EventRef, Inbox, Intent

def most_bytes_of_a_file(number):
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, resource.RLIM_INFINITY))

async def main(url):
    engine = connect(url)
    inbox = Inbox(engine, owner="a", lease=timedelta(seconds=60), clock=SystemClock())
    event = EventRef("s", "e", "t", None)
    done = []
    most_bytes_of_a_file(1_000_000)
    try:
        while True:
            name = f"write-{len(done)}"
            [answer] = await inbox.claim("main", event, [Intent(name, "payment", "h")])
            await inbox.applied("main", name, answer.epoch, solid_id=name)
            done.append(name)
    except StoreUnavailable:
        readable = await inbox.state_of("main", done) == dict.fromkeys(done, "applied")
    most_bytes_of_a_file(resource.RLIM_INFINITY)
    [answer] = await inbox.claim("main", event, [Intent(name, "payment", "h")])
    await inbox.applied("main", name, answer.epoch, solid_id=name)
    print(json.dumps([*done, name]), readable)
    await engine.dispose()

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
asyncio.run(main(sys.argv[1]))
"""


async def test_when_the_disk_refuses_to_take_more_nothing_is_lost_and_space_is_enough_to_go_on(
    opened: Open, sqlite_url: str
) -> None:
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", FULL_DISK, sqlite_url, stdout=PIPE)
    output, _ = await asyncio.wait_for(worker.communicate(), 60)
    names, readable = output.decode().rsplit(" ", 1)
    written = json.loads(names)
    assert (worker.returncode, readable) == (0, "True\n")
    assert len(written) > 10
    _, inbox = opened()
    assert await inbox.state_of(COMPANY, written) == dict.fromkeys(written, "applied")


async def test_an_answer_that_could_not_be_stored_leaves_the_write_in_doubt(opened: Open, path: Path) -> None:
    _, inbox = opened()
    await claim(inbox)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    other.execute("ROLLBACK")
    other.close()
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    assert await inbox.state_of(COMPANY, [PAYMENT]) == {PAYMENT: "applied"}


async def test_a_claim_whose_answer_was_given_up_is_in_doubt_at_the_next_delivery(opened: Open, path: Path) -> None:
    _, inbox = opened()
    await claim(inbox)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(await claim(inbox), Doubt)


async def test_a_deleted_database_is_noticed_and_not_made_again(opened: Open, path: Path) -> None:
    """SQLite itself would go on writing into the deleted file."""
    _, inbox = opened()
    await claim(inbox)
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await claim(inbox, intent("other"))
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await inbox.counts(COMPANY)
    assert not path.exists()
    path.with_suffix(".away").rename(path)
    assert await claim(inbox, intent("other")) == Fresh(1)


async def test_a_replaced_database_is_noticed(opened: Open, path: Path, migrated_file: Path) -> None:
    _, inbox = opened()
    await claim(inbox)
    path.rename(path.with_suffix(".away"))
    path.write_bytes(migrated_file.read_bytes())
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await claim(inbox, intent("other"))


async def test_a_broken_file_is_unavailable(opened: Open, path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)
    _, inbox = opened()
    with pytest.raises(StoreUnavailable, match="not a database"):
        await claim(inbox)


async def test_a_folder_that_cannot_be_written_is_unavailable(clock: FakeClock) -> None:
    engine = connect("sqlite:////proc/relay.db")
    with pytest.raises(StoreUnavailable, match="unable to open"):
        await claim(Inbox(engine, owner="a", lease=LEASE, clock=clock))
    await engine.dispose()


async def test_commits_wait_for_the_disk(opened: Open) -> None:
    engine, _ = opened()
    async with reading(engine) as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db"])
def test_a_database_that_would_forget_or_is_unknown_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="store"):
        connect(url)
