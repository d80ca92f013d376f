"""The store goes back in time, or there are two: nothing is posted until a person has said which one is right."""

import asyncio
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import func, insert, select

from staging.broker import Broker
from staging.postgres import PrivatePostgres
from staging.processes import Process, wait_for
from store import migrate
from store.engine import connect, reading
from store.schema import INBOXES, WRITES
from tests.e2e.driving import Relay, await_said, invoice_of, open_relay, payment_of, said
from tests.e2e.test_companies import open_group
from tests.unit.producers.made import charge, stripe_event

pytestmark = pytest.mark.e2e


class Store(Protocol):
    """A database that can be put back to what it was."""

    @property
    def url(self) -> str:
        """Where it is."""
        ...

    def remember(self) -> None:
        """Keep what it is now, while the relay runs."""
        ...

    def go_back(self) -> None:
        """Put it back, while the relay runs."""
        ...


@dataclass(slots=True)
class File:
    """An SQLite file; a backup is copied back into it."""

    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def remember(self) -> None:
        _copy(self.path, self.path.with_suffix(".backup"))

    def go_back(self) -> None:
        _copy(self.path.with_suffix(".backup"), self.path)


def _copy(path: Path, to: Path) -> None:
    source, target = sqlite3.connect(path, timeout=20), sqlite3.connect(to, timeout=20)
    source.backup(target)
    source.close()
    target.close()


@dataclass(slots=True)
class Server:
    """A PostgreSQL whose replica lags: what it was is what there is after the failover."""

    server: PrivatePostgres

    @property
    def url(self) -> str:
        return self.server.url("relay")

    def remember(self) -> None:
        self.server.halt()
        self._copy("data", "replica")
        self.server.start()

    def go_back(self) -> None:
        self.server.crash()
        shutil.rmtree(self.server.folder / "data")
        self._copy("replica", "data")
        self.server.start()

    def _copy(self, name: str, to: str) -> None:
        subprocess.run(["/bin/cp", "-a", self.server.folder / name, self.server.folder / to], check=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return File(tmp_path / "store.db")
    server: PrivatePostgres = request.getfixturevalue("own_postgres")
    server.sql("CREATE DATABASE relay")
    return Server(server)


def begun_long_ago(url: str, *companies: str) -> None:
    """An inbox that has been there for a day: what happens now is not looked up as older than it."""

    async def note() -> None:
        engine = connect(url)
        async with engine.begin() as connection:
            for company in companies:
                row = {"company": company, "began_at": datetime.now(UTC) - timedelta(days=1)}
                await connection.execute(insert(INBOXES), row)
        await engine.dispose()

    migrate.upgrade(url)
    asyncio.run(note())


def sales(*names: str, **envelope: str) -> list[bytes]:
    """Sales of this moment."""
    now = int(time.time())
    sold = {name: charge(id=f"ch_{name}", created=now) for name in names}
    about: dict[str, Any] = {"created": now, **envelope}
    return [stripe_event("charge.succeeded", sold[name], id=f"evt_{name}", **about) for name in names]


def written(names: Sequence[str]) -> list[str]:
    return [external_id for name in names for external_id in (invoice_of(name), payment_of(name))]


def await_applied(url: str, external_ids: Sequence[str]) -> None:
    """Wait until the inbox has heard of all of them."""

    async def applied() -> int:
        engine = connect(url)
        async with reading(engine) as connection:
            named = WRITES.c.external_id.in_(external_ids), WRITES.c.state == "applied"
            number = await connection.scalar(select(func.count()).select_from(WRITES).where(*named))
        await engine.dispose()
        return number or 0

    wait_for(lambda: asyncio.run(applied()) == len(external_ids), what=f"{len(external_ids)} writes to be applied")


def once(relay: Relay, names: Sequence[str]) -> bool:
    """Each of these sales is in the books once."""
    counts = relay.judge()["by_external_id"]
    return [counts.get(external_id) for external_id in written(names)] == [1] * 2 * len(names)


def await_brake(relay: Relay, cause: str, *options: str) -> None:
    wait_for(lambda: relay.asked("status", *options)["brake"] == cause, what=f"the brake to say {cause}")


def await_held_back(worker: Process, cause: str) -> None:
    """The worker has found out, and takes nothing more."""
    wait_for(lambda: [line for line in said(worker, "store.astray") if line["cause"] == cause], what=cause)
    await_said(worker, "worker.interrupted")


def test_a_store_that_goes_back_under_a_running_relay_posts_nothing_twice(
    broker: Broker, tmp_path: Path, company: str, store: Store
) -> None:
    early, late = [f"e{number}" for number in range(4)], [f"l{number}" for number in range(12)]
    begun_long_ago(store.url, company)
    with open_relay(tmp_path, broker.url, company, RELAY_STORE__URL=store.url) as relay, relay.worker() as worker:
        told = sales(*early, *late)
        relay.deliver(told[: len(early)])
        relay.await_records(*written(early))
        await_applied(store.url, written(early))
        store.remember()
        relay.deliver(told[len(early) :])
        relay.await_records(*written(late))
        store.go_back()
        calls = _posts(relay)
        relay.deliver([*told, *sales("new")])
        await_brake(relay, "store_went_back")
        assert _posts(relay) == calls
        assert "store_went_back: the store lacks" in relay.command("status").stdout
        done = relay.command("restored")
        assert done.returncode == 0, done.stderr
        relay.await_records(*written(["new"]))
        await_applied(store.url, written([*early, *late, "new"]))
        wait_for(lambda: relay.asked("status")["brake"] is None, what="the brake to be released")
        assert worker.popen.poll() is None
        assert once(relay, [*early, *late, "new"])


def _posts(relay: Relay) -> int:
    return sum(call["method"] == "POST" for call in relay.simulator.ask("/calls"))


def test_of_two_hosts_with_a_file_each_one_posts_and_the_other_says_why_not(
    broker: Broker, tmp_path: Path, company: str
) -> None:
    names = [f"h{number}" for number in range(6)]
    mine, other = (f"sqlite:///{tmp_path / name}.db" for name in ("mine", "other"))
    for url in (mine, other):
        begun_long_ago(url, company)
    with open_relay(tmp_path, broker.url, company, RELAY_STORE__URL=mine) as relay:
        told = sales(*names)
        with relay.worker("mine"):
            relay.deliver(told)
            relay.await_records(*written(names))
        with relay.worker("other", RELAY_STORE__URL=other) as second:
            relay.deliver([*told, *sales("new")])
            await_held_back(second, "another_store")
            with relay.worker("mine_again"):
                relay.await_records(*written(["new"]))
        assert once(relay, [*names, "new"])


@pytest.mark.long
def test_a_store_restored_with_several_companies_waits_for_a_word_on_each(
    broker: Broker, tmp_path: Path, company: str
) -> None:
    north, south = f"{company}-n", f"{company}-s"
    store = File(tmp_path / "store.db")
    begun_long_ago(store.url, north, south)
    with (
        open_group(tmp_path, broker, [north, south], RELAY_STORE__URL=store.url) as group,
        group.relay.worker(),
    ):
        relay = group.relay
        first = [*sales("n1"), *sales("s1", account=f"acct_{south}")]
        relay.deliver(first)
        relay.await_records(*written(["n1", "s1"]))
        await_applied(store.url, written(["n1", "s1"]))
        store.remember()
        second = [*sales("n2"), *sales("s2", account=f"acct_{south}")]
        relay.deliver(second)
        relay.await_records(*written(["n2", "s2"]))
        store.go_back()
        relay.deliver([*first, *second, *sales("n3"), *sales("s3", account=f"acct_{south}")])
        for each in (north, south):
            await_brake(relay, "store_went_back", "--company", each)
        assert relay.command("restored", "--company", south).returncode == 0
        relay.await_records(*written(["s3"]))
        assert group.status(north)["brake"] == "store_went_back"
        assert not relay.records(invoice_of("n3"))
        assert relay.command("restored", "--company", north).returncode == 0
        relay.await_records(*written(["n3"]))
        await_applied(store.url, written(["n1", "n2", "n3", "s1", "s2", "s3"]))
        assert once(relay, ["n1", "n2", "n3", "s1", "s2", "s3"])
