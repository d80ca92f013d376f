"""Opens the database and runs transactions on it: the only module that knows which database it is.

Here live SQLite's settings, the locking rules, and the translation of database errors into `store.errors`.
It must not know any table.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from store.errors import Raced, StoreUnavailable

T = TypeVar("T")

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
BUSY_SECONDS = 10.0  # how long a transaction waits for another process's; `?timeout=` in the URL overrides it
MOST_RACES = 8  # how often a transaction is tried before it gives up with `Raced`
SCHEMA_LOCK = 7_305_118  # any number, the same in every relay: PostgreSQL's advisory lock for migrations
RACE_STATES = {"40001", "40P01"}  # PostgreSQL: serialization failure, deadlock detected


def connect(url: str) -> AsyncEngine:
    """Open a pool on `url` (`sqlite:///var/relay.db` or `postgresql://…`). No connection is made yet.

    SQLite: the folder is created; every connection is in WAL mode with `synchronous=FULL`, so a committed
    transaction survives a power cut; a file that is deleted or replaced while in use raises
    `StoreUnavailable`. Run `store.migrate.upgrade` first. Raises ValueError for a URL that names no lasting
    database.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in DRIVERS:
        message = f"the store knows {' and '.join(DRIVERS)}, not {backend}"
        raise ValueError(message)
    parsed = parsed.set(drivername=DRIVERS[backend])
    return _sqlite(parsed) if backend == "sqlite" else create_async_engine(parsed, pool_pre_ping=True)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for SELECTs: each sees one moment and waits for no writer. Raises `StoreUnavailable`."""
    with _translated():
        async with engine.connect() as connection:
            yield await connection.execution_options(relay_reads=True)


async def transact(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` in one write transaction and commit it; the result is durable when this returns.

    On SQLite the write lock is taken first, so what `work` reads cannot change before it writes. On
    PostgreSQL two hosts can insert the same key at once: one of them is rolled back and its `work` runs
    again, so `work` must have no other effect. Raises `StoreUnavailable`, and `Raced` after `MOST_RACES`
    tries.
    """
    for attempt in range(1, MOST_RACES + 1):
        try:
            with _translated():
                async with engine.begin() as connection:
                    return await work(connection)
        except Raced:
            if attempt == MOST_RACES:
                raise
    raise AssertionError


async def lock_schema(connection: AsyncConnection) -> None:
    """Let nobody else migrate until this transaction ends. SQLite's write lock already does that."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the database's errors into ours, in this one place."""
    try:
        yield
    except DBAPIError as exc:
        raced = isinstance(exc, IntegrityError) or getattr(exc.orig, "sqlstate", None) in RACE_STATES
        raise (Raced if raced else StoreUnavailable)(str(exc.orig)) from exc
    except (PoolTimeout, OSError) as exc:
        raise StoreUnavailable(str(exc)) from exc


def _sqlite(url: URL) -> AsyncEngine:
    if not url.database or url.database == ":memory:":
        message = "the store must outlive the process: name a file, such as sqlite:///var/relay.db"
        raise ValueError(message)
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"isolation_level": None}  # sqlite3 must not begin by itself: `_begin` does
    if "timeout" not in url.query:
        options["timeout"] = BUSY_SECONDS
    engine = create_async_engine(url, connect_args=options)
    same_file = _SameFile(path)
    event.listen(engine.sync_engine, "do_connect", same_file.before_connect)
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "checkout", same_file.on_checkout)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_pragmas(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Of processes that switch a new file at once, some fail without waiting: take turns, then try again."""
    for _ in range(MOST_RACES):
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
