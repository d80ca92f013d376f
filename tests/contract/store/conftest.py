"""What every store test needs, for each kind of database: a URL of a migrated, empty one, an engine, an inbox."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from staging.postgres import PrivatePostgres
from store.engine import connect
from store.inbox import Inbox
from store.migrate import upgrade
from store.schema import METADATA
from tests.fakes import FakeClock

LEASE = timedelta(seconds=60)

# As a replica would apply it, the truncation passes the trigger that keeps the audit trail.
EMPTY = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
TRUNCATE {", ".join(table.name for table in METADATA.sorted_tables)} RESTART IDENTITY;
"""  # noqa: S608 - names of our own


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The URL of an empty SQLite file at head."""
    copyfile(migrated_file, tmp_path / "relay.db")
    return f"sqlite:///{tmp_path / 'relay.db'}"


@pytest.fixture(scope="session")
def migrated_database(postgres: PrivatePostgres) -> str:
    """The name of a migrated PostgreSQL database, to be emptied for each test: quicker than a new one."""
    postgres.sql("CREATE DATABASE contract")
    upgrade(postgres.url("contract"))
    return "contract"


@pytest.fixture
def postgresql_url(postgres: PrivatePostgres, migrated_database: str) -> str:
    """The URL of an empty PostgreSQL database at head. Whoever is still connected to it is thrown out."""
    postgres.sql(EMPTY, database=migrated_database)
    return postgres.url(migrated_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database at head, of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    """The URL of a file that does not exist yet, in a folder that does not either."""
    return f"sqlite:///{tmp_path / 'var' / 'relay.db'}"


@pytest.fixture
def new_postgresql_url(postgres: PrivatePostgres) -> Iterator[str]:
    """The URL of a database without any table, removed after the test."""
    name = f"new_{secrets.token_hex(4)}"
    postgres.sql(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that nobody has migrated, of each kind."""
    url: str = request.getfixturevalue(f"new_{request.param}_url")
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A pool on the database, closed after the test."""
    engine = connect(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def clock() -> FakeClock:
    """Virtual time."""
    return FakeClock()


@pytest.fixture
def inbox_of(engine: AsyncEngine, clock: FakeClock) -> Callable[[str], Inbox]:
    """Inboxes of several owners on one database and one clock."""
    return lambda owner: Inbox(engine, owner=owner, lease=LEASE, clock=clock)


@pytest.fixture
def inbox(inbox_of: Callable[[str], Inbox]) -> Inbox:
    """The inbox of a worker named a."""
    return inbox_of("a")
