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


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def _replace_closed(_connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Open a new connection where the server has closed ours (a restart), without the cost of a ping a use."""
    connection = record.driver_connection
    if connection is not None and connection.is_closed():
        raise DisconnectionError
