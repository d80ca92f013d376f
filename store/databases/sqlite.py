"""SQLite: one file in WAL mode, every commit on the disk, the write lock taken first.

It knows no table. What it opens is used through `store.engine` only.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from store.errors import StoreUnavailable

READS: Final = {"relay_reads": True}  # a connection with this option takes no write lock
MOST_SWITCHES: Final = 8  # how often the switch to WAL is tried while other processes are at it


def open_sqlite(url: URL, *, timeout: float) -> AsyncEngine:
    """Prepare a pool on the file of `url`; `timeout` is how many seconds to wait for its lock.

    Creates the folder. Raises ValueError for a database that would not outlive the process.
    """
    if not url.database or url.database == ":memory:":
        message = "the store must outlive the process: name a file, such as sqlite:///var/relay.db"
        raise ValueError(message)
    path = Path(url.database)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _keep_to_ourselves(path)
    options: dict[str, Any] = {"isolation_level": None}  # sqlite3 must not begin by itself: `_begin` does
    engine = create_async_engine(url, connect_args=options | {"timeout": timeout}, hide_parameters=True)
    same_file = _SameFile(path)
    event.listen(engine.sync_engine, "do_connect", same_file.before_connect)
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "checkout", same_file.on_checkout)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def said(error: BaseException | None) -> str:
    """What SQLite says of a failure: it names tables and columns; values it cannot, as no statement of ours has one."""
    name = getattr(error, "sqlite_errorname", None)  # only SQLite's own errors have one
    return f"SQLite: {error} ({name})" if name else f"SQLite: {type(error).__name__}"


def _keep_to_ourselves(path: Path) -> None:
    """Let no other user read the files of a database that an earlier version made; new ones follow the umask."""
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with contextlib.suppress(OSError):  # not there yet, or another user's: `relay check` tells
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


def _set_pragmas(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is removed of a person does not stay in free pages
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Of processes that switch a new file at once, some fail without waiting: take turns, then try again."""
    for _ in range(MOST_SWITCHES):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            cursor.execute("BEGIN IMMEDIATE")  # this does wait
            cursor.execute("ROLLBACK")
        else:
            return
    message = "SQLite could not be switched to WAL mode: other processes keep the file locked"
    raise StoreUnavailable(message)


def _begin(connection: Connection) -> None:
    """Take the write lock first: taken at the first write, it can fail half-way (SQLITE_BUSY_SNAPSHOT)."""
    if not connection.get_execution_options().get("relay_reads", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class _SameFile:
    """Notices a deleted or replaced database file: SQLite would go on writing into the deleted one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def before_connect(self, *_: object) -> None:
        """Keep SQLite from creating an empty file in place of the lost one."""
        if self._known is not None:
            self._check()

    def on_checkout(self, *_: object) -> None:
        """Remember the file at first, compare later."""
        if self._known is None:
            self._known = self._identity()
        self._check()

    def _check(self) -> None:
        if self._identity() != self._known:
            message = f"{self._path} was deleted or replaced while in use; put it back, then start again"
            raise StoreUnavailable(message)

    def _identity(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_dev, stat.st_ino
