"""Brings the database to the schema this code knows. Called once at every start, by every process.

It must not change anything else of the process: no logging set-up, no loop left behind.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.databases.postgresql import Access
from store.engine import connect, lock_schema, reading, transact
from store.errors import SchemaTooNew

MIGRATIONS: Final = Path(__file__).with_name("migrations")
HEAD: Final = max(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def upgrade(url: str, access: Access | None = None) -> None:
    """Migrate the database at `url` to `HEAD`, creating it if need be. Idempotent, all or nothing.

    Any number of processes may call it at once: one migrates, the others wait. Costs a few milliseconds when
    nothing is to be done. Blocks, so who serves others meanwhile takes `upgraded`. Raises StoreUnavailable,
    SchemaTooNew.
    """
    with ThreadPoolExecutor(1) as thread:  # its own thread, as a running loop cannot run a second one
        thread.submit(asyncio.run, upgraded(url, access)).result()


async def upgraded(url: str, access: Access | None = None) -> None:
    """Do the same as `upgrade` in a running loop, and hold nobody up while the database does not answer."""
    engine = connect(url, access)
    try:
        async with reading(engine) as connection:
            version = await connection.run_sync(_version)
        if version != HEAD:
            await transact(engine, _migrate)
    finally:
        await engine.dispose()


async def _migrate(connection: AsyncConnection) -> None:
    await lock_schema(connection)
    version = await connection.run_sync(_version)  # perhaps somebody has migrated while we waited
    if version is not None and version > HEAD:
        message = f"the database has schema {version}, this relay knows {HEAD}: start a newer relay"
        raise SchemaTooNew(message)
    await connection.run_sync(_run_alembic)  # does nothing at head


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _run_alembic(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 50 ms that a start with nothing to migrate need not pay
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
