"""Migrating: once, whoever starts first, and without a trace in the process."""

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store import migrate
from store.engine import connect, reading
from store.errors import SchemaTooNew
from store.schema import METADATA

START = """
import sys
from store.migrate import upgrade
sys.stdin.readline()
upgrade(sys.argv[1])
"""


@pytest.fixture
def empty_url(tmp_path: Path) -> str:
    """A database that does not exist yet, in a folder that does not either."""
    return f"sqlite:///{tmp_path / 'var' / 'relay.db'}"


def test_five_processes_may_start_on_an_empty_folder_at_once(empty_url: str) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", START, empty_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(5)
    ]
    time_out = 30
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


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


async def test_it_may_be_called_inside_a_running_loop_and_again(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    engine = connect(empty_url)
    async with reading(engine) as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == migrate.HEAD
    await engine.dispose()


def test_logging_is_left_alone(empty_url: str) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    here = logging.getLogger("tests.somebody")
    migrate.upgrade(empty_url)
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == before
    assert not here.disabled


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(database_url: str) -> None:
    quick = f"import sys; from store.migrate import upgrade; upgrade({database_url!r}); print('alembic' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", quick]) == b"False\n"
    began = time.perf_counter()
    migrate.upgrade(database_url)
    assert time.perf_counter() - began < 0.5


async def test_a_database_of_a_newer_relay_is_refused(database_url: str) -> None:
    engine = connect(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    with pytest.raises(SchemaTooNew, match="start a newer relay"):
        migrate.upgrade(database_url)
