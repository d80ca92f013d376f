"""What every store test needs, for each kind of database: a URL of a migrated, empty one, an engine, an inbox."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import connect
from store.inbox import Inbox
from store.migrate import upgrade
from tests.fakes import FakeClock

LEASE = timedelta(seconds=60)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> str:
    """The URL of an empty database at head, of each kind."""
    assert request.param == "sqlite"
    copyfile(migrated_file, tmp_path / "relay.db")
    return f"sqlite:///{tmp_path / 'relay.db'}"


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
