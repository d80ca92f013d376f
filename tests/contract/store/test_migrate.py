"""Migrating: once, whoever starts first, and without a trace in the process."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from store import migrate
from store.engine import connect, reading, transact
from store.errors import SchemaTooNew
from store.feeds.names import FeedNames
from store.inbox import Inbox
from store.outbox import Outbox
from store.payroll_runs import PayrollRuns, RunKey
from store.schema import METADATA
from store.stock import StockStore
from tests.fakes import NOON, FakeClock

ONE_OUTBOX = "0011"
"""The migration after which merged entries and pay runs wait in one outbox."""

FEED_NAMES = "0008"
"""The migration after which a feed has a name in its facts."""

SWEEP = "0002"
"""The migration after the first."""

START = """
import sys
from store.migrate import upgrade
sys.stdin.readline()
upgrade(sys.argv[1])
"""

FIRST_ROW = """
INSERT INTO writes (company, external_id, kind, payload_hash, state, epoch, was_unknown, adopted, solid_id,
                    event_source, event_id, event_type, created_at, updated_at)
VALUES ('main', 'w1', 'payment', 'h', 'applied', 1, TRUE, FALSE, 's1', 's', 'evt_1', 't', :now, :now)
"""


FEED_RUN = """
INSERT INTO feed_runs (company, feed, name, state, rows, events, rejects, started_at, ended_at)
VALUES ('main', 'folder', 'a.csv', 'done', 0, 0, 0, :now, :now)
"""
CURSOR = "INSERT INTO feed_cursors (company, feed, cursor, seen, updated_at) VALUES ('main', 'polled', '1', '[]', :now)"
BATCH = """
INSERT INTO stock_batches (company, fact, body, made_at, published_at)
VALUES ('main', :fact, :body, :now, :published_at)
"""
RUN = """
INSERT INTO payroll_runs (company, provider, entity, run, version, state, live, fact, fingerprint, event, reason,
                          pay_date, updated_at)
VALUES ('main', 'gusto', 'e', :run, :version, :state, :live, :fact, 'f', :event, :reason, :day, :now)
"""


def test_five_processes_may_start_on_an_empty_database_at_once(new_url: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", START, new_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    time_out = 120
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=time_out)[1].decode() for process in started]
    assert errors == [""] * 5
    assert [process.returncode for process in started] == [0] * 5


async def test_the_migrated_tables_are_those_the_code_sees(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    engine = connect(database_url)
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def _to_schema(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def before(revision: str, url: str, *rows: tuple[str, Mapping[str, object]]) -> AsyncEngine:
    """A database as it was before a migration, with rows in SQL: the code of today writes those of today."""
    engine = connect(url)
    older = ScriptDirectory(str(migrate.MIGRATIONS)).get_revision(revision).down_revision
    await transact(engine, lambda connection: connection.run_sync(_to_schema, str(older)))
    async with engine.begin() as connection:
        for statement, values in rows:
            await connection.execute(text(statement), {**times(url), **values})
    return engine


def times(url: str) -> Mapping[str, object]:
    """`:now` and `:day` as SQL of this database takes them."""
    if "sqlite" in url:
        return {"now": "2026-01-15 12:00:00.000000", "day": "2026-01-15"}
    return {"now": NOON, "day": NOON.date()}


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


async def test_it_may_be_called_inside_a_running_loop_and_again(new_url: str) -> None:
    migrate.upgrade(new_url)
    migrate.upgrade(new_url)
    engine = connect(new_url)
    async with reading(engine) as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == migrate.HEAD
    await engine.dispose()


async def test_rows_of_the_first_schema_live_on(new_url: str) -> None:
    engine = await before(SWEEP, new_url, (FIRST_ROW, {}))
    migrate.upgrade(new_url)
    inbox = Inbox(engine, owner="a", lease=timedelta(seconds=60), clock=FakeClock())
    [row] = await inbox.trace("w1")
    assert (row.state, row.solid_id, row.about, row.swept_at) == ("applied", "s1", {}, None)
    assert await inbox.to_sweep("main", before=NOON + timedelta(days=1), limit=9) == [row]
    await engine.dispose()


async def test_feeds_that_there_were_go_on_without_their_name_in_their_facts(new_url: str) -> None:
    engine = await before(FEED_NAMES, new_url, (FEED_RUN, {}), (CURSOR, {}))
    migrate.upgrade(new_url)
    names = FeedNames(engine)
    assert [await names.of("main", feed) for feed in ("folder", "polled", "new")] == ["", "", "new"]
    assert await names.of("second", "folder") == "folder", "another company's is another feed"
    await engine.dispose()


async def test_what_either_store_had_to_publish_waits_in_the_outbox_in_its_order(new_url: str) -> None:
    batches = [
        {"fact": fact, "body": fact.encode(), "published_at": published}
        for fact, published in (("merged-1", times(new_url)["now"]), ("merged-2", None))
    ]
    versions = (("b", 2, "pending", True), ("b", 1, "told", False), ("a", 1, "pending", True))
    told = [
        {"run": run, "version": version, "state": state, "live": live, "reason": None}
        | {"fact": f"{run}:{version}", "event": f"{run}{version}".encode()}
        for run, version, state, live in versions
    ]
    reference = {"run": "b", "version": 0, "state": "refused", "live": False, "reason": "totals_differ"}
    reference |= {"fact": None, "event": None}
    rows = [*((BATCH, batch) for batch in batches), *((RUN, run) for run in (*told, reference))]
    engine = await before(ONE_OUTBOX, new_url, *rows)
    migrate.upgrade(new_url)
    clock = FakeClock()
    outbox, runs = Outbox(engine, clock), PayrollRuns(engine, clock)
    stock, payroll = [await outbox.unpublished(stream, ["main"]) for stream in ("stock", "payroll")]
    assert [(waiting.key, waiting.body) for waiting in stock] == [("merged-2", b"merged-2")]
    assert [waiting.body for waiting in payroll] == [b"a1", b"b2"]
    kept = await runs.all(["main"])
    assert [(row.run, row.version, row.state, row.live, row.event) for row in kept] == [
        ("a", 1, "pending", True, b"a1"),
        ("b", 0, "refused", False, None),
        ("b", 1, "told", False, b"b1"),
        ("b", 2, "pending", True, b"b2"),
    ]
    assert {(row.pay_date, row.updated_at) for row in kept} == {(NOON.date(), NOON)}
    assert await runs.pending(RunKey("main", "gusto", "e", "b")) == [kept[3]]
    assert await StockStore(engine, clock).tell_again("main", "merged-1") == 1, "no books have it"
    await engine.dispose()


async def test_a_merge_of_an_older_process_that_is_under_way_is_waited_for_and_moved(new_url: str) -> None:
    engine = await before(ONE_OUTBOX, new_url)
    async with engine.begin() as connection:
        batch = {"fact": "merged-1", "body": b"b", "now": times(new_url)["now"], "published_at": None}
        await connection.execute(text(BATCH), batch)
        migrating = asyncio.create_task(asyncio.to_thread(migrate.upgrade, new_url))
        await asyncio.sleep(2)
        assert not migrating.done()
    await migrating
    assert [waiting.key for waiting in await Outbox(engine, FakeClock()).unpublished("stock", ["main"])] == ["merged-1"]
    await engine.dispose()


def test_logging_is_left_alone(new_url: str) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    here = logging.getLogger("tests.somebody")
    migrate.upgrade(new_url)
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == before
    assert not here.disabled


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(database_url: str) -> None:
    quick = f"import sys; from store.migrate import upgrade; upgrade({database_url!r}); print('alembic' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", quick]) == b"False\n"


async def test_a_database_of_a_newer_relay_is_refused(new_url: str) -> None:
    migrate.upgrade(new_url)
    engine = connect(new_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(SchemaTooNew, match="start a newer relay"):
        migrate.upgrade(new_url)
