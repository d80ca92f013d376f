"""What opening a database does that no real race shows on demand."""

import sqlite3
from pathlib import Path

import pytest

from store.databases.sqlite import _switch_to_wal
from store.engine import connect
from store.errors import StoreUnavailable


class Contested:
    """A cursor on a new file that other processes switch to WAL at the same moment: it fails `times` times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.said: list[str] = []

    def execute(self, sql: str) -> None:
        self.said.append(sql)
        if sql == "PRAGMA journal_mode=WAL" and self.times > 0:
            self.times -= 1
            message = "database is locked"
            raise sqlite3.OperationalError(message)


def test_a_contested_switch_to_wal_waits_its_turn_and_tries_again() -> None:
    cursor = Contested(times=1)
    _switch_to_wal(cursor)  # type: ignore[arg-type]  # a stand-in with what is used
    wal = "PRAGMA journal_mode=WAL"
    assert cursor.said == [wal, "BEGIN IMMEDIATE", "ROLLBACK", wal]


def test_a_switch_to_wal_that_never_works_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="WAL"):
        _switch_to_wal(Contested(times=1000))  # type: ignore[arg-type]  # a stand-in with what is used


async def test_nobody_else_reads_the_files_of_a_store(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    await connect(f"sqlite:///{folder}/relay.db").dispose()
    assert folder.stat().st_mode & 0o077 == 0
    files = [folder / name for name in ("relay.db", "relay.db-wal", "relay.db-shm")]
    for each in files:
        each.touch()
        each.chmod(0o644)
    await connect(f"sqlite:///{folder}/relay.db").dispose()
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
