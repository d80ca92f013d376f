"""The tables of pay runs: versions in order, one live at most, and references beside them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.envelope import decode, encode
from store.dead_letters import DeadLetters
from store.engine import connect
from store.inbox import EventRef, Fresh, Inbox
from store.outbox import Outbox
from store.payroll_runs import STREAM, NewVersion, PayrollRuns, Reference, RunDates, RunKey, RunRow, provider_of
from tests.contract.store.samples import claim, intent, letter
from tests.fakes import NOON, FakeClock

GOLDEN = Path(__file__).parents[1] / "golden"
KEY = RunKey("main", "gusto", "entity-1", "run-1")
DATES = RunDates(
    pay_date=date(2026, 4, 15),
    period_start=date(2026, 4, 1),
    period_end=date(2026, 4, 14),
    deadline=datetime(2026, 4, 15, 21, tzinfo=UTC),
    run_type="regular",
)


@pytest.fixture
def runs(engine: AsyncEngine, clock: FakeClock) -> PayrollRuns:
    return PayrollRuns(engine, clock)


@pytest.fixture
def outbox(engine: AsyncEngine, clock: FakeClock) -> Outbox:
    return Outbox(engine, clock)


def following(content: str, *, live: bool = True) -> Callable[[RunRow | None], NewVersion | None]:
    """The next version, unless the newest says the same."""

    def decide(latest: RunRow | None) -> NewVersion | None:
        if latest is not None and latest.fingerprint == content:
            return None
        version = 1 if latest is None else latest.version + 1
        return NewVersion(
            version=version,
            fact=f"fact:v{version}",
            fingerprint=content,
            event=f"{content} v{version}".encode(),
            live=live,
            dates=DATES,
        )

    return decide


async def test_a_version_comes_back_as_it_was_stored(runs: PayrollRuns) -> None:
    stored = await runs.advance(KEY, following("a"))
    assert stored is not None
    assert stored == await runs.latest(KEY)
    assert (stored.version, stored.state, stored.live, stored.event) == (1, "pending", True, b"a v1")
    assert (stored.pay_date, stored.deadline, stored.updated_at) == (DATES.pay_date, DATES.deadline, NOON)


async def test_only_the_newest_version_is_live(runs: PayrollRuns) -> None:
    for content in ("a", "b", "b", "a"):
        await runs.advance(KEY, following(content))
    rows = await runs.all(["main"])
    assert [(row.version, row.live) for row in rows] == [(1, False), (2, False), (3, True)]
    await runs.advance(KEY, following("reversed", live=False))
    assert [row.live for row in await runs.all(["main"])] == [False] * 4
    assert await runs.live("main", "gusto", "entity-1") == []


async def test_whoever_pulls_at_once_makes_one_version(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(4)]
    each = [PayrollRuns(engine, clock) for engine in engines]
    try:
        rows = await asyncio.gather(*(runs.advance(KEY, following("a")) for runs in each))
        assert sum(row is not None for row in rows) == 1
        rows = await asyncio.gather(*(runs.advance(KEY, following(f"b{n}")) for n, runs in enumerate(each)))
        assert sorted(row.version for row in rows if row is not None) == [2, 3, 4, 5]
        assert len(await each[0].live("main", "gusto", "entity-1")) == 1
    finally:
        for engine in engines:
            await engine.dispose()


async def test_what_is_pending_comes_in_the_order_of_versions_until_it_is_told(
    runs: PayrollRuns, outbox: Outbox, clock: FakeClock
) -> None:
    for content in ("a", "b"):
        await runs.advance(KEY, following(content))
    await runs.advance(RunKey("main", "finch", "entity-1", "run-1"), following("a"))
    pending = await runs.pending(KEY)
    assert [row.event for row in pending] == [b"a v1", b"b v2"]
    waiting = await outbox.unpublished(STREAM, ["main", "other"])
    assert [provider_of(each.key) for each in waiting] == ["gusto", "gusto", "finch"]
    assert [each.id for each in waiting[:2]] == [row.outbox for row in pending]
    clock.advance(60)
    await outbox.published(waiting[0].id)
    await outbox.published(waiting[0].id)
    assert [row.version for row in await runs.pending(KEY)] == [2]
    told = (await runs.all(["main"]))[1]
    assert (told.state, told.updated_at) == ("told", NOON + timedelta(seconds=60))


async def test_a_reference_stands_beside_the_versions_until_one_follows(runs: PayrollRuns) -> None:
    refused = Reference(state="refused", reason="totals_differ", field="totals.net_pay", dates=DATES)
    await runs.advance(KEY, following("a"))
    assert await runs.is_new(KEY, refused)
    for _ in range(2):
        await runs.refer(KEY, refused)
    assert not await runs.is_new(KEY, refused)
    assert await runs.is_new(KEY, Reference(state="refused", reason="totals_differ", field=None))
    rows = await runs.all(["main"])
    assert [(row.version, row.state, row.reason) for row in rows] == [
        (0, "refused", "totals_differ"),
        (1, "pending", None),
    ]
    latest = await runs.latest(KEY)
    assert latest is not None
    assert latest.version == 1
    await runs.advance(KEY, following("a"))
    assert [row.version for row in await runs.all(["main"])] == [1]


async def test_a_missing_run_keeps_since_when_until_it_is_seen(runs: PayrollRuns, clock: FakeClock) -> None:
    await runs.advance(KEY, following("a"))
    await runs.missing(KEY)
    clock.advance(60)
    await runs.missing(KEY)
    assert [row.missing_since for row in await runs.all(["main"])] == [NOON]
    await runs.advance(KEY, following("a"))
    assert [row.missing_since for row in await runs.all(["main"])] == [None]


async def test_months_are_noted_with_when_they_were_pulled(runs: PayrollRuns, clock: FakeClock) -> None:
    march, april = date(2026, 3, 1), date(2026, 4, 1)
    await runs.pulled("main", "gusto", "entity-1", [march, april])
    clock.advance(60)
    await runs.pulled("main", "gusto", "entity-1", [april])
    await runs.pulled("main", "gusto", "entity-1", [])
    later = NOON + timedelta(seconds=60)
    assert await runs.pulls("main", "gusto", "entity-1") == {march: NOON, april: later}
    assert await runs.pulls("main", "gusto", "entity-2") == {}


async def test_companies_do_not_see_each_other(runs: PayrollRuns) -> None:
    await runs.advance(KEY, following("a"))
    await runs.advance(RunKey("other", "gusto", "entity-1", "run-1"), following("b"))
    assert [row.company for row in await runs.all(["other"])] == ["other"]
    assert [row.fingerprint for row in await runs.live("main", "gusto", "entity-1")] == ["a"]


async def test_versions_that_are_in_no_books_and_before_no_person_are_told_again_in_their_order(
    runs: PayrollRuns, outbox: Outbox, engine: AsyncEngine, clock: FakeClock, inbox: Inbox
) -> None:
    golden = decode((GOLDEN / "payroll.run.paid.v1.json").read_bytes())
    keys = {name: RunKey("main", "gusto", "entity-1", name) for name in ("lost", "posted", "overtaken", "parked")}
    for name, versions in {"lost": 2, "posted": 1, "overtaken": 2, "parked": 1}.items():
        for version in range(1, versions + 1):
            event = encode(golden.model_copy(update={"id": f"{name}:{version}"}))
            stored = await runs.advance(keys[name], lambda _, v=version, e=event: _version(v, e))  # type: ignore[misc]  # mypy infers no type for defaults of a lambda
            assert stored is not None
            await outbox.published(stored.outbox or 0)
    for name in ("posted:1", "overtaken:2"):
        fresh = await claim(inbox, intent(name), EventRef(source="/payroll", id=name, type="t", subject=None))
        assert isinstance(fresh, Fresh)
        await inbox.applied("main", name, epoch=fresh.epoch, solid_id=name, adopted=False)
    await DeadLetters(engine, clock).add(letter(event_id="parked:1"))
    assert await runs.tell_again("main", older_than=timedelta(days=1)) == 0
    assert await runs.tell_again("main", keys["posted"]) == 0
    assert await runs.tell_again("main") == 2
    assert [row.version for row in await runs.pending(keys["lost"])] == [1, 2]
    assert len(await outbox.unpublished(STREAM, ["main"])) == 2


def _version(version: int, event: bytes) -> NewVersion:
    return NewVersion(
        version=version, fact=f"fact:v{version}", fingerprint="f", event=event, live=True, dates=RunDates()
    )
