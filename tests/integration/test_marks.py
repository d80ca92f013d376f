"""Stores on one broker: only a process whose store holds what the broker has seen of it gets tokens."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from messaging.bucket import Bucket
from messaging.drain import mint_report
from messaging.marks import Referee, replace_mark
from messaging.topology import mark_queue
from ops.composing.workers import StoreStanding
from runtime.marks import Mark
from runtime.stalls import StallWatch
from store import migrate
from store.earlier import EarlierRecords
from store.engine import connect
from store.errors import WrongStore
from store.inbox import EventRef, Inbox, Intent
from tests.integration.test_bucket import QUICK, Shop
from tests.integration.wiring import CLOCK, linked, running, soon

EVENT = EventRef(source="/webhooks/stripe", id="evt_1", type="sales.payment.succeeded.v1", subject="ch_1")


@dataclass(slots=True)
class Host:
    """One process: its inbox on some file, its bucket on the broker."""

    inbox: Inbox
    bucket: Bucket
    company: str
    names: Any

    async def claim(self) -> None:
        """Claim a write."""
        intent = Intent(external_id=f"{next(self.names)}", kind="payment", payload_hash="h")
        await self.inbox.claim(self.company, EVENT, [intent])

    def memory(self) -> dict[str, Any]:
        """What the process knows of its store, as a snapshot of its machine holds it."""
        return {name: deepcopy(value) for name, value in vars(self.inbox.marks).items() if name != "_engine"}

    async def post(self, *, within_seconds: float = 10) -> int:
        """Claim a write and take the token for its call; the count that was claimed with."""
        await self.claim()
        await soon(self.bucket.take(), within_seconds=within_seconds)
        mark = self.inbox.marks.seen(self.company)
        assert mark is not None
        return mark.count


@dataclass(slots=True)
class Broken(Shop):
    """A shop whose buckets have a store."""

    async def host(self, path: Path, owner: str) -> Host:
        """Start a process on a file."""
        migrate.upgrade(f"sqlite:///{path}")
        engine = connect(f"sqlite:///{path}")
        self.stack.push_async_callback(engine.dispose)
        inbox = Inbox(engine, owner=owner, lease=timedelta(seconds=60), clock=CLOCK)
        link = await self.stack.enter_async_context(linked(self.url, owner))
        stalls = StallWatch(CLOCK, self.pace.jitter_seconds + 0.2)
        standing = StoreStanding(inbox.marks, self.company)
        bucket = Bucket(link, company=self.company, stalls=stalls, clock=CLOCK, standing=standing)
        await self.stack.enter_async_context(running(bucket.run(), stalls.run()))
        await inbox.check_in(self.company)
        return Host(inbox, bucket, self.company, (f"{owner}_{number}" for number in count()))

    async def restored(self, path: Path) -> None:
        """What `relay restored` does."""
        engine = connect(f"sqlite:///{path}")
        _, mark = await EarlierRecords(engine, CLOCK).begin_anew(self.company, by="a person")
        await engine.dispose()
        async with linked(self.url, "person") as link:
            await replace_mark(link, self.company, mark)

    async def report(self) -> dict[str, Any]:
        """What `relay status` sees of the mint."""
        async with linked(self.url, "status") as link:
            return await mint_report(link, self.company) or {}

    async def kept(self) -> list[Mark]:
        """All that the broker keeps; only while no mint is elected."""
        async with linked(self.url, "look") as link:
            channel = await link.channel()
            queue = await channel.get_queue(mark_queue(self.company), ensure=False)
            found = []
            while (message := await queue.get(fail=False)) is not None:
                found.append(Mark.from_json(json.loads(message.body)))
            await channel.close()
            return found


@pytest.fixture
async def shop(amqp_url: str, company: str) -> AsyncIterator[Broken]:
    async with AsyncExitStack() as stack:
        yield Broken(amqp_url, company, QUICK, stack)


def back_up(path: Path, to: Path) -> None:
    """As `sqlite3 relay.db ".backup …"` does."""
    with sqlite3.connect(path) as source, sqlite3.connect(to) as target:
        source.backup(target)
    source.close()
    target.close()


async def test_of_two_hosts_with_a_file_each_only_the_first_gets_tokens(shop: Broken, tmp_path: Path) -> None:
    await shop.mint()
    first, second = await shop.host(tmp_path / "a.db", "a"), await shop.host(tmp_path / "b.db", "b")
    await first.post()
    for _ in range(3):
        with pytest.raises(WrongStore) as caught:
            await second.post()
        assert caught.value.cause == "another_store"
    await first.post()
    report = await _reported(shop, "another_store")
    assert list(report["astray"].values()) == ["another_store"]


async def _reported(shop: Broken, cause: str) -> dict[str, Any]:
    deadline = CLOCK.monotonic() + 20
    while cause not in (report := await shop.report()).get("astray", {}).values():
        assert CLOCK.monotonic() < deadline, report
        await asyncio.sleep(0.1)
    return report


async def test_when_every_store_is_the_wrong_one_that_is_why_the_brake_is_on(shop: Broken, tmp_path: Path) -> None:
    await shop.mint()
    first = await shop.host(tmp_path / "a.db", "a")
    await first.post()
    second = await shop.host(tmp_path / "b.db", "b")
    with pytest.raises(WrongStore):
        await second.post()
    assert (await _reported(shop, "another_store"))["brake"] == "another_store"


async def test_a_backup_copied_back_under_a_running_process_stops_it_and_whoever_joins(
    shop: Broken, tmp_path: Path
) -> None:
    await shop.mint()
    path, backup = tmp_path / "a.db", tmp_path / "backup.db"
    first = await shop.host(path, "a")
    await first.post()
    back_up(path, backup)
    for _ in range(3):
        await first.post()
    back_up(backup, path)  # into the open file
    with pytest.raises(WrongStore, match="gone back in time"):
        await first.post()
    joined = await shop.host(path, "b")
    for _ in range(9):  # however far it rises
        with pytest.raises(WrongStore, match="gone back in time"):
            await joined.post()
    await _reported(shop, "store_went_back")


@pytest.mark.parametrize("put_back", [True, False])
async def test_a_machine_put_back_to_a_snapshot_or_a_copy_of_it_gets_no_tokens(
    shop: Broken, tmp_path: Path, *, put_back: bool
) -> None:
    """Its process and its store agree, and what waited in its queue is claimed before the first token is asked for."""
    await shop.mint()
    path, snapshot = tmp_path / "a.db", tmp_path / "snapshot.db"
    first = await shop.host(path, "a")
    await first.post()
    back_up(path, snapshot)
    memory = first.memory()
    for _ in range(3):
        await first.post()
    if put_back:
        back_up(snapshot, path)
    second = await shop.host(path if put_back else snapshot, "a")
    vars(second.inbox.marks).update(memory)
    for _ in range(6):
        await second.claim()
    with pytest.raises(WrongStore, match="gone back in time"):
        await second.post()
    await _reported(shop, "store_went_back")
    if not put_back:
        await first.post()


async def test_a_process_alone_on_its_store_is_never_told_a_mark_however_far_it_claims_ahead(
    shop: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time would be two more messages, and a wait."""
    admitted: list[bool] = []
    admits = Referee.admits

    def spy(referee: Referee, said: Any, *, now: float) -> bool:  # noqa: ANN401 - anything may be said
        admitted.append(admits(referee, said, now=now))
        return admitted[-1]

    monkeypatch.setattr(Referee, "admits", spy)
    await shop.mint()
    host = await shop.host(tmp_path / "a.db", "a")
    for _ in range(5):
        for _ in range(3):
            await host.claim()
        await asyncio.gather(*(host.post() for _ in range(4)))
    assert len(admitted) > 5
    assert all(admitted)


async def test_a_person_says_that_the_store_is_right_and_the_others_are_wrong_from_then_on(
    shop: Broken, tmp_path: Path
) -> None:
    await shop.mint()
    path, backup = tmp_path / "a.db", tmp_path / "backup.db"
    first = await shop.host(path, "a")
    await first.post()
    back_up(path, backup)
    await first.post()
    second = await shop.host(backup, "b")
    with pytest.raises(WrongStore):
        await second.post()
    await shop.restored(backup)
    await second.inbox.check_in(shop.company)
    await second.post()
    with pytest.raises(WrongStore, match="not the one"):
        await first.post()


async def test_what_a_person_says_while_no_mint_runs_counts_when_one_does(shop: Broken, tmp_path: Path) -> None:
    minting = await shop.mint()
    first = await shop.host(tmp_path / "a.db", "a")
    await first.post()
    second = await shop.host(tmp_path / "b.db", "b")
    await _ended(minting)
    await shop.restored(tmp_path / "b.db")
    await second.inbox.check_in(shop.company)
    await shop.mint()
    await second.post(within_seconds=20)
    with pytest.raises(WrongStore):
        await first.post()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_brokers_mark_is_never_behind_what_was_posted_and_outlives_the_mint(
    shop: Broken, tmp_path: Path
) -> None:
    """All at once: the process and its mint die after a call, and the store falls back to before its claim."""
    minting = await shop.mint()
    path, backup = tmp_path / "a.db", tmp_path / "backup.db"
    first = await shop.host(path, "a")
    await first.post()
    back_up(path, backup)
    posted = await first.post()
    await _ended(minting)
    assert [mark.count for mark in await shop.kept()] == [posted]
    await shop.mint()
    second = await shop.host(backup, "b")
    with pytest.raises(WrongStore, match="gone back in time"):
        await second.post(within_seconds=20)


async def test_processes_on_one_store_claim_in_turn_and_all_get_tokens(shop: Broken, tmp_path: Path) -> None:
    await shop.mint()
    hosts = [await shop.host(tmp_path / "a.db", owner) for owner in "abc"]
    counts = [await host.post() for _ in range(5) for host in hosts]
    assert counts == sorted(set(counts))
    await asyncio.gather(*(host.post(within_seconds=30) for _ in range(8) for host in hosts))


async def test_a_broker_that_was_wiped_takes_the_word_of_the_store(shop: Broken, tmp_path: Path) -> None:
    minting = await shop.mint()
    first = await shop.host(tmp_path / "a.db", "a")
    await first.post()
    await _wipe(shop, minting)
    await shop.mint()
    await first.post(within_seconds=20)
    second = await shop.host(tmp_path / "b.db", "b")
    with pytest.raises(WrongStore):
        await second.post()


async def test_the_mint_says_that_the_broker_keeps_nothing_and_no_more_once_it_does(
    shop: Broken, tmp_path: Path
) -> None:
    said: list[str] = []
    minting = await shop.mint(nothing_kept=lambda: said.append("nothing"))
    await (await shop.host(tmp_path / "a.db", "a")).post()
    assert said == ["nothing"]
    await _ended(minting)
    minting = await shop.mint(nothing_kept=lambda: said.append("again"))
    await (await shop.host(tmp_path / "a.db", "b")).post()
    assert said == ["nothing"]
    await _wipe(shop, minting)
    await shop.mint(nothing_kept=lambda: said.append("wiped"))
    await (await shop.host(tmp_path / "a.db", "c")).post(within_seconds=20)
    assert said == ["nothing", "wiped"]


async def _wipe(shop: Broken, minting: "asyncio.Task[None]") -> None:
    await _ended(minting)
    shop.mints.clear()
    async with linked(shop.url, "wipe") as link:
        channel = await link.channel()
        await channel.queue_delete(mark_queue(shop.company))
        await channel.close()


async def test_a_process_remembers_what_a_wiped_broker_does_not(shop: Broken, tmp_path: Path) -> None:
    minting = await shop.mint()
    path, backup = tmp_path / "a.db", tmp_path / "backup.db"
    first = await shop.host(path, "a")
    await first.post()
    back_up(path, backup)
    await first.post()
    await _wipe(shop, minting)
    back_up(backup, path)
    await shop.mint()
    await first.inbox.check_in(shop.company)  # a new session
    with pytest.raises(WrongStore, match="gone back in time"):
        await soon(first.bucket.take(), within_seconds=20)
    second = await shop.host(path, "b")
    with pytest.raises(WrongStore, match="gone back in time"):
        await second.post()


async def test_who_has_no_store_gets_tokens_whatever_the_mark(shop: Broken, tmp_path: Path) -> None:
    await shop.mint()
    await (await shop.host(tmp_path / "a.db", "a")).post()
    await soon((await shop.bucket()).take())


async def test_a_process_that_was_held_back_again_and_again_goes_on_once_a_person_has_said_so(
    shop: Broken, tmp_path: Path
) -> None:
    await shop.mint()
    path, backup = tmp_path / "a.db", tmp_path / "backup.db"
    first = await shop.host(path, "a")
    await first.post()
    back_up(path, backup)
    for _ in range(4):
        await first.post()
    back_up(backup, path)
    for _ in range(25):
        await first.inbox.check_in(shop.company)
        with pytest.raises(WrongStore):
            await soon(first.bucket.take())
    await shop.restored(path)
    await first.inbox.check_in(shop.company)
    await soon(first.bucket.take())
    await first.post()
