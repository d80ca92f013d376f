"""What opening a database does that no real race shows on demand."""

import sqlite3

import pytest

from store.errors import StoreUnavailable
from store.sqlite import _switch_to_wal


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
    _switch_to_wal(cursor)  # type: ignore[arg-type]
    wal = "PRAGMA journal_mode=WAL"
    assert cursor.said == [wal, "BEGIN IMMEDIATE", "ROLLBACK", wal]


def test_a_switch_to_wal_that_never_works_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="WAL"):
        _switch_to_wal(Contested(times=1000))  # type: ignore[arg-type]
