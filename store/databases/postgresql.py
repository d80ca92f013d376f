"""PostgreSQL: several worker hosts share one database.

It knows no table. What it opens is used through `store.engine` only.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from runtime.tls import trusting

READS: Final = {"isolation_level": "AUTOCOMMIT"}  # one round trip a SELECT, no BEGIN and ROLLBACK around it
RACE_STATES: Final = {"40001", "40P01"}  # serialization failure, deadlock detected
UNTRUSTED: Final = (
    "PostgreSQL's certificate is not accepted: {}. Name the certificate of the authority that signed it with "
    "store.ca_file, and in store.url a host that the certificate names."
)
_ROOT: Final = Path("~/.postgresql/root.crt")
SAYABLE: Final = frozenset(("08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"))
"""Classes of errors that speak of the server, its tables and their locks, and of no value."""


@dataclass(frozen=True, slots=True)
class Access:
    """What proves the two to each other, where it does not stand in the URL: our password, and their authority.

    The password is asked for at each connect.
    """

    password: Callable[[], str | None] | None = None
    ca_file: Path | None = None


def open_postgresql(url: URL, access: Access, *, timeout: float) -> AsyncEngine:
    """Prepare a pool on the database of `url`. No wait is for ever; they all follow from `timeout` (seconds).

    Connecting and waiting for a lock end after `timeout`. A transaction that stands idle for half of it is
    ended by the server, so a frozen worker does not keep its locks for as long as others wait for them. A
    server that does not answer at all is given up after one and a half.
    """
    url, tls = _tls(url, access.ca_file)
    engine = create_async_engine(
        url,
        hide_parameters=True,
        connect_args={
            **tls,
            **({} if access.password is None else {"password": access.password}),
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


def _tls(url: URL, ca_file: Path | None) -> tuple[URL, dict[str, Any]]:
    """The URL without its words of TLS, and those as asyncpg takes them: libpq's are read in a DSN only.

    Where a certificate is asked for and no authority is named, here or where libpq looks, the system's are trusted.
    """
    said = {name: str(value) for name, value in url.query.items() if name.startswith("ssl")}
    bare = url.difference_update_query(said)
    if "ssl" in said:  # asyncpg's own word
        said.setdefault("sslmode", said.pop("ssl"))
    if ca_file is not None:
        said = {"sslmode": "verify-full", **said, "sslrootcert": str(ca_file)}
    if (root := said.get("sslrootcert", "system")) != "system":
        trusting("store.ca_file" if ca_file else "sslrootcert of store.url", Path(root))  # told at start if it is none
    elsewhere = "PGSSLROOTCERT" in os.environ or _ROOT.expanduser().exists()
    unnamed = "sslrootcert" not in said and not elsewhere and said.get("sslmode", "").startswith("verify")
    if unnamed or said.get("sslrootcert") == "system":
        return bare, {"ssl": trusting("store.url", None)}
    return bare, {"dsn": f"postgresql:///?{urlencode(said)}"} if said else {}


def said(error: BaseException | None) -> str:
    """What PostgreSQL says of a failure, where it cannot hold a value; else the error's name, and what it is about."""
    server = error.__cause__ if error is not None and error.__cause__ is not None else error
    name, state = type(server).__name__, getattr(server, "sqlstate", None)  # those of asyncpg, which has no types
    told = server.args[0] if server is not None and server.args else name
    if state is None:
        return f"PostgreSQL: {told if name == 'InterfaceError' else name}"
    if state[:2] in SAYABLE:
        return f"PostgreSQL: {told} ({state}){WAYS_ON.get(state, '')}"
    about = (getattr(server, part, None) for part in ("table_name", "column_name", "constraint_name"))
    return " ".join(["PostgreSQL:", name, f"({state})", *filter(None, about)])


WAYS_ON: Final = {
    "28P01": ". Correct the password in store.password_file (or store.url), or the server's: ALTER ROLE … PASSWORD …",
}


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def _replace_closed(_connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Open a new connection where the server has closed ours (a restart), without the cost of a ping a use."""
    connection = record.driver_connection
    if connection is not None and connection.is_closed():
        raise DisconnectionError
