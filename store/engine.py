"""Opens the database and runs transactions on it. Nothing above this module knows which database it is.

Here live the rules of transactions and the translation of database errors into `store.errors`; what is one
database's own lives in `store.databases.sqlite` and `store.databases.postgresql`. It must not know any table.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.errors import ConfigurationError
from runtime.tls import distrust
from store.databases import postgresql, sqlite
from store.databases.postgresql import Access
from store.errors import Raced, StoreUnavailable

T = TypeVar("T")

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
READS: dict[str, dict[str, Any]] = {"sqlite": sqlite.READS, "postgresql": postgresql.READS}
SAID = {"sqlite": sqlite.said, "postgresql": postgresql.said}
BUSY_SECONDS = 10.0  # how long a transaction waits for another process's; `?timeout=` in the URL overrides it
MOST_RACES = 8  # how often a transaction is tried before it gives up with `Raced`
_turns: WeakKeyDictionary[AsyncEngine, asyncio.Lock] = WeakKeyDictionary()
SCHEMA_LOCK = 7_305_118  # any number, the same in every relay: PostgreSQL's advisory lock for migrations


def connect(url: str, access: Access | None = None) -> AsyncEngine:
    """Open a pool on `url` (`sqlite:///var/relay.db` or `postgresql://…`). No connection is made yet.

    What is committed survives a power cut: SQLite is in WAL mode with `synchronous=FULL`, PostgreSQL has
    `synchronous_commit=on`. SQLite: the folder is created; a file that is deleted or replaced while in use
    raises `StoreUnavailable`. PostgreSQL: connections lost in a restart of the server are made anew. Run
    `store.migrate.upgrade` first. Raises ValueError for a URL that names no lasting database, ConfigurationError for
    an authority's certificate that cannot be read.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in DRIVERS:
        message = f"the store knows {' and '.join(DRIVERS)}, not {backend}"
        raise ValueError(message)
    timeout = float(str(parsed.query.get("timeout", BUSY_SECONDS)))
    parsed = parsed.set(drivername=DRIVERS[backend]).difference_update_query(["timeout"])
    if backend == "sqlite":
        return sqlite.open_sqlite(parsed, timeout=timeout)
    return postgresql.open_postgresql(parsed, access or Access(), timeout=timeout)


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for SELECTs: each sees one moment and waits for no writer. Raises `StoreUnavailable`."""
    with _translated(engine):
        async with engine.connect() as connection:
            yield await connection.execution_options(**READS[engine.dialect.name])


async def transact(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` in one write transaction and commit it; the result is durable when this returns.

    On SQLite the write lock is taken first, so what `work` reads cannot change before it writes. On
    PostgreSQL two hosts can insert the same key at once: one of them is rolled back and its `work` runs
    again, so `work` must have no other effect. Raises `StoreUnavailable`, and `Raced` after `MOST_RACES`
    tries.
    """
    for attempt in range(1, MOST_RACES + 1):
        try:
            with _translated(engine):
                async with _turn(engine), engine.begin() as connection:
                    return await work(connection)
        except Raced:
            if attempt == MOST_RACES:
                raise
    raise AssertionError


def _turn(engine: AsyncEngine) -> AbstractAsyncContextManager[None]:
    """SQLite has one writer: the tasks of a process wait here for their turn, first come, first served.

    Without it each would take a connection and ask the file for its lock again and again, and some would never get it.
    """
    if engine.dialect.name != "sqlite":
        return nullcontext()
    return _turns.setdefault(engine, asyncio.Lock())


async def lock_schema(connection: AsyncConnection) -> None:
    """Let nobody else migrate until this transaction ends. SQLite's write lock already does that."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})


@contextmanager
def _translated(engine: AsyncEngine) -> Iterator[None]:
    """Turn the database's errors into ours, in this one place, without the values that they show."""
    try:
        yield
    except DBAPIError as exc:
        raced = isinstance(exc, IntegrityError) or getattr(exc.orig, "sqlstate", None) in postgresql.RACE_STATES
        raise (Raced if raced else StoreUnavailable)(SAID[engine.dialect.name](exc.orig)) from exc
    except (PoolTimeout, OSError) as exc:
        why = distrust(exc)
        told = str(exc) or "the database did not answer in time"
        raise StoreUnavailable(told if why is None else postgresql.UNTRUSTED.format(why)) from exc
    except ConfigurationError as exc:  # a file of the settings that is read at each connect
        raise StoreUnavailable(str(exc)) from exc
