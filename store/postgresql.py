"""PostgreSQL: several worker hosts share one database.

It knows no table. What it opens is used through `store.engine` only.
"""

from typing import Final

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

READS: Final = {"isolation_level": "AUTOCOMMIT"}  # one round trip a SELECT, no BEGIN and ROLLBACK around it
RACE_STATES: Final = {"40001", "40P01"}  # serialization failure, deadlock detected
SAYABLE: Final = frozenset(("08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"))
"""Classes of errors that speak of the server, its tables and their locks, and of no value."""


def open_postgresql(url: URL, *, timeout: float) -> AsyncEngine:
    """Prepare a pool on the database of `url`. No wait is for ever; they all follow from `timeout` (seconds).

    Connecting and waiting for a lock end after `timeout`. A transaction that stands idle for half of it is
    ended by the server, so a frozen worker does not keep its locks for as long as others wait for them. A
    server that does not answer at all is given up after one and a half.
    """
    if "sslmode" in url.query:  # as libpq spells it; asyncpg calls it ssl
        url = url.update_query_dict({"ssl": url.query["sslmode"]}).difference_update_query(["sslmode"])
    engine = create_async_engine(
        url,
        hide_parameters=True,
        connect_args={
            "timeout": timeout,
            "command_timeout": 1.5 * timeout,
            "server_settings": {
                "application_name": "solid-relay",
                "synchronous_commit": "on",  # what returned is durable, whatever the server's own setting
                "lock_timeout": _milliseconds(timeout),
                "idle_in_transaction_session_timeout": _milliseconds(timeout / 2),
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    return engine


def said(error: BaseException | None) -> str:
    """What PostgreSQL says of a failure, where it cannot hold a value; else the error's name, and what it is about."""
    server = error.__cause__ if error is not None and error.__cause__ is not None else error
    name, state = type(server).__name__, getattr(server, "sqlstate", None)  # those of asyncpg, which has no types
    told = server.args[0] if server is not None and server.args else name
    if state is None:
        return f"PostgreSQL: {told if name == 'InterfaceError' else name}"
    if state[:2] in SAYABLE:
        return f"PostgreSQL: {told} ({state})"
    about = (getattr(server, part, None) for part in ("table_name", "column_name", "constraint_name"))
    return " ".join(["PostgreSQL:", name, f"({state})", *filter(None, about)])


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def _replace_closed(_connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Open a new connection where the server has closed ours (a restart), without the cost of a ping a use."""
    connection = record.driver_connection
    if connection is not None and connection.is_closed():
        raise DisconnectionError
