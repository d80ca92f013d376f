"""Where feeds stand, and what became of their files: the same on each database."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import connect
from store.feeds import feed_runs
from store.feeds.cursors import MOST_SEEN, Cursor, Cursors
from store.feeds.feed_names import FeedNames
from store.feeds.feed_runs import FeedRun, FeedRuns
from tests.fakes import NOON, FakeClock


@pytest.fixture
def cursors(engine: AsyncEngine, clock: FakeClock) -> Cursors:
    return Cursors(engine, clock)


@pytest.fixture
def runs(engine: AsyncEngine) -> FeedRuns:
    return FeedRuns(engine)


def run(name: str, feed: str = "north", company: str = "main") -> FeedRun:
    return FeedRun(
        company=company,
        feed=feed,
        name=name,
        state="failed",
        size=5_000_000_000,
        rows=3,
        events=2,
        rejects=1,
        lag_seconds=1.5,
        error="line 2: not_a_number",
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=2),
    )


async def test_a_feed_that_was_never_read_has_an_empty_cursor(cursors: Cursors) -> None:
    assert await cursors.get("main", "shop") == Cursor()


async def test_a_cursor_comes_back_as_it_was_moved_to(cursors: Cursors, clock: FakeClock) -> None:
    await cursors.move("main", "shop", Cursor("2026-01-15T10:00:00Z", '"v1"', ["aa", "bb"]))
    assert await cursors.get("main", "shop") == Cursor("2026-01-15T10:00:00Z", '"v1"', ("aa", "bb"), NOON)
    clock.advance(60)
    await cursors.move("main", "shop", Cursor("later"))
    assert await cursors.get("main", "shop") == Cursor("later", None, (), NOON + timedelta(seconds=60))


async def test_another_company_or_feed_has_another_cursor(cursors: Cursors) -> None:
    await cursors.move("main", "shop", Cursor("1"))
    await cursors.move("second", "shop", Cursor("2"))
    await cursors.move("main", "other", Cursor("3"))
    assert (await cursors.get("main", "shop")).value == "1"


async def test_only_the_latest_digests_are_kept(cursors: Cursors) -> None:
    await cursors.move("main", "shop", Cursor(seen=[str(number) for number in range(MOST_SEEN + 5)]))
    seen = (await cursors.get("main", "shop")).seen
    assert (len(seen), seen[0]) == (MOST_SEEN, "5")


async def test_several_hosts_may_move_the_same_cursor_for_the_first_time_at_once(
    database_url: str, clock: FakeClock
) -> None:
    engines = [connect(database_url) for _ in range(3)]
    for number in range(5):
        feed = f"feed-{number}"
        await asyncio.gather(*(Cursors(engine, clock).move("main", feed, Cursor("1")) for engine in engines))
        assert (await Cursors(engines[0], clock).get("main", feed)).value == "1"
    for engine in engines:
        await engine.dispose()


async def test_text_that_no_database_keeps_does_not_stop_a_feed(cursors: Cursors, runs: FeedRuns) -> None:
    await cursors.move("main", "shop", Cursor("a\x00b", "\ud800"))
    assert (await cursors.get("main", "shop")).value == "a\ufffdb"
    await runs.add(run("\udcff.csv"))
    assert len(await runs.latest("main", "north")) == 1


async def test_runs_come_back_as_they_were_the_youngest_first(runs: FeedRuns) -> None:
    for name in ("a", "b"):
        await runs.add(run(name))
    await runs.add(run("other", feed="south"))
    await runs.add(run("theirs", company="second"))
    assert await runs.latest("main", "north") == [run("b"), run("a")]
    assert await runs.latest("main", "north", limit=1) == [run("b")]


async def test_old_runs_are_forgotten_and_those_of_others_are_not(
    runs: FeedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_runs, "KEPT", 3)
    await runs.add(run("other", feed="south"))
    for number in range(6):
        await runs.add(run(str(number)))
    assert [each.name for each in await runs.latest("main", "north")] == ["5", "4", "3"]
    assert len(await runs.latest("main", "south")) == 1


async def test_a_feed_that_is_new_has_its_name_in_its_facts_and_keeps_it(engine: AsyncEngine) -> None:
    names = FeedNames(engine)
    assert await names.known("main", "north") is None
    assert await names.of("main", "north") == "north"
    assert await names.of("main", "north") == await names.known("main", "north") == "north"
    assert await names.known("second", "north") is None


async def test_two_processes_that_decide_at_once_decide_the_same(engine: AsyncEngine) -> None:
    assert await asyncio.gather(*(FeedNames(engine).of("main", "north") for _ in range(4))) == ["north"] * 4
