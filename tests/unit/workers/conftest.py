"""A worker's insides on virtual time: the real inbox on an empty SQLite file, and a fake Solid."""

from collections.abc import AsyncIterator
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.earlier import EarlierRecords
from store.engine import connect
from store.migrate import upgrade
from tests.fakes import FakeClock
from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.shop import Shop, open_shop


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated file to copy: quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("inbox") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
async def engine(tmp_path: Path, migrated_file: Path) -> AsyncIterator[AsyncEngine]:
    """Give a pool on an empty database."""
    copyfile(migrated_file, tmp_path / "relay.db")
    engine = connect(f"sqlite:///{tmp_path / 'relay.db'}")
    yield engine
    await engine.dispose()


@pytest.fixture
def bench(engine: AsyncEngine) -> Bench:
    """Give workers that share one Solid, one inbox and one clock."""
    return Bench(engine, FakeClock())


@pytest.fixture
async def young(bench: Bench, tmp_path: Path, migrated_file: Path) -> AsyncIterator[Bench]:
    """Give an empty store beside the same Solid, begun when the test begins."""
    copyfile(migrated_file, tmp_path / "young.db")
    engine = connect(f"sqlite:///{tmp_path / 'young.db'}")
    another = Bench(engine, bench.clock, bench.solid)
    another.watch.saw(("inbox", COMPANY, await EarlierRecords(engine, bench.clock).began(COMPANY)))
    yield another
    await engine.dispose()


@pytest.fixture
async def shop(bench: Bench) -> AsyncIterator[Shop]:
    """Give a company whose Solid is the simulator."""
    async with open_shop(bench) as shop:
        yield shop
