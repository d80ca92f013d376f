"""A locked, full, halted, crashed, frozen or vanished PostgreSQL is one clear error, loses nothing, and passes."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from staging.postgres import PrivatePostgres
from store.engine import connect, reading, transact
from store.errors import StoreUnavailable
from store.inbox import Doubt, Fresh, Inbox
from store.migrate import upgrade
from store.writes import load
from tests.contract.store.conftest import LEASE
from tests.contract.store.samples import COMPANY, PAYMENT, claim, intent
from tests.fakes import FakeClock

Open = Callable[..., tuple[AsyncEngine, Inbox]]

# Stands for a full disk, which cannot be had without a disk to fill: the server's own error of that name.
DISK_FULL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON writes EXECUTE FUNCTION refuse();
"""


@pytest.fixture(scope="module")
def migrated(own_postgres: PrivatePostgres) -> str:
    own_postgres.sql("CREATE DATABASE migrated")
    upgrade(own_postgres.url("migrated"))
    return "migrated"


@pytest.fixture
def database(own_postgres: PrivatePostgres, migrated: str) -> Iterator[str]:
    """The name of a database of this test's own, on a server that runs."""
    name = f"d{secrets.token_hex(4)}"
    own_postgres.sql(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield name
    own_postgres.resume()
    own_postgres.start()
    own_postgres.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
async def opened(own_postgres: PrivatePostgres, database: str, clock: FakeClock) -> AsyncIterator[Open]:
    """Opens engines that do not wait for long, and closes them."""
    engines: list[AsyncEngine] = []

    def open_one(owner: str = "a", *, timeout: float = 2.0) -> tuple[AsyncEngine, Inbox]:
        engines.append(connect(f"{own_postgres.url(database)}?timeout={timeout}"))
        return engines[-1], Inbox(engines[-1], owner=owner, lease=LEASE, clock=clock)

    yield open_one
    own_postgres.resume()
    for engine in engines:
        await engine.dispose()


async def test_a_halted_server_stops_every_call_and_the_same_pool_goes_on_when_it_is_back(
    opened: Open, own_postgres: PrivatePostgres
) -> None:
    _, inbox = opened()
    await claim(inbox)
    own_postgres.halt()
    with pytest.raises(StoreUnavailable):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    with pytest.raises(StoreUnavailable):
        await claim(inbox, intent("other"))
    with pytest.raises(StoreUnavailable):
        await inbox.counts(COMPANY)
    own_postgres.start()
    assert await inbox.counts(COMPANY) == {"intended": 1}
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    assert await claim(inbox, intent("other")) == Fresh(1)


@pytest.mark.parametrize("ending", ["halt", "crash"])
async def test_a_restart_between_two_calls_is_not_noticed(
    opened: Open, own_postgres: PrivatePostgres, ending: str
) -> None:
    _, inbox = opened()
    await asyncio.gather(inbox.counts(COMPANY), inbox.counts(COMPANY), claim(inbox))
    await asyncio.to_thread(getattr(own_postgres, ending))  # the loop goes on, and hears of its closed connections
    await asyncio.to_thread(own_postgres.start)
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    assert await asyncio.gather(*(inbox.counts(COMPANY) for _ in range(3))) == [{"applied": 1}] * 3


async def test_a_crash_in_the_middle_of_the_work_loses_no_answer(opened: Open, own_postgres: PrivatePostgres) -> None:
    """What was answered is stored; what was not is Fresh or in doubt at the next claim, and never forgotten."""
    _, inbox = opened()
    answered: set[str] = set()
    first = asyncio.Event()

    async def work(name: str) -> None:
        await claim(inbox, intent(name))
        await inbox.applied(COMPANY, name, 1, solid_id=name)
        answered.add(name)
        first.set()

    names = [f"write-{number}" for number in range(2000)]
    tasks = [asyncio.create_task(work(name)) for name in names]
    await first.wait()
    await asyncio.to_thread(own_postgres.crash)
    failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(failure) for failure in failures} == {type(None), StoreUnavailable}
    own_postgres.start()
    states = await inbox.state_of(COMPANY, names)
    assert {name for name, state in states.items() if state == "applied"} >= answered
    for name in [name for name, state in states.items() if state == "intended"][:20]:
        assert isinstance(await claim(inbox, intent(name)), Doubt)


async def test_a_frozen_server_stops_work_in_time_and_goes_on_when_it_wakes(
    opened: Open, own_postgres: PrivatePostgres
) -> None:
    _, inbox = opened(timeout=1.0)
    await claim(inbox)
    own_postgres.pause()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await claim(inbox, intent("other"))
    with pytest.raises(StoreUnavailable):
        await inbox.counts(COMPANY)
    assert time.monotonic() - started < 15
    own_postgres.resume()
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    assert isinstance(await claim(inbox, intent("other")), Fresh | Doubt)


async def test_a_locked_table_stops_the_claim_and_the_next_one_works(opened: Open) -> None:
    _, inbox = opened(timeout=1.0)
    other, _ = opened("b")
    async with other.connect() as connection:
        await connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
        await connection.execute(text("LOCK TABLE writes IN EXCLUSIVE MODE"))
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await claim(inbox)
        assert await inbox.counts(COMPANY) == {}  # reading needs no lock
        await connection.rollback()
    assert await claim(inbox) == Fresh(1)


async def test_a_worker_that_freezes_in_a_transaction_does_not_stop_the_others(opened: Open, clock: FakeClock) -> None:
    """The server ends the idle transaction before anybody has waited too long for its locks."""
    stuck, first = opened("a")
    _, second = opened("b")
    await claim(first)
    clock.advance(61)
    locked = asyncio.Event()
    thawed = asyncio.Event()

    async def freeze(connection: AsyncConnection) -> None:
        await load(connection, [(COMPANY, PAYMENT)])
        locked.set()
        await thawed.wait()

    frozen = asyncio.create_task(transact(stuck, freeze))
    await locked.wait()
    assert isinstance(await claim(second), Doubt)
    thawed.set()
    with pytest.raises(StoreUnavailable):
        await frozen


async def test_a_full_disk_refuses_new_work_keeps_the_old_and_passes(
    opened: Open, own_postgres: PrivatePostgres, database: str
) -> None:
    _, inbox = opened()
    await claim(inbox)
    own_postgres.sql(DISK_FULL, database=database)
    with pytest.raises(StoreUnavailable, match="No space left"):
        await claim(inbox, intent("other"))
    with pytest.raises(StoreUnavailable, match="No space left"):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    assert await inbox.counts(COMPANY) == {"intended": 1}
    own_postgres.sql("DROP TRIGGER refuse ON writes", database=database)
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")


async def test_a_dropped_database_is_unavailable(opened: Open, own_postgres: PrivatePostgres, database: str) -> None:
    _, inbox = opened()
    await claim(inbox)
    own_postgres.sql(f"DROP DATABASE {database} WITH (FORCE)")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await claim(inbox, intent("other"))


async def test_a_wrong_password_is_unavailable_and_not_repeated_in_the_error(
    own_postgres: PrivatePostgres, clock: FakeClock
) -> None:
    engine = connect(own_postgres.url("migrated").replace("relay:", "relay:wrong-"))
    with pytest.raises(StoreUnavailable, match="authentication failed") as caught:
        await claim(Inbox(engine, owner="a", lease=LEASE, clock=clock))
    assert "wrong-" not in str(caught.value)
    await engine.dispose()


async def test_commits_wait_for_the_disk_whatever_the_database_says(
    opened: Open, own_postgres: PrivatePostgres, database: str
) -> None:
    own_postgres.sql(f"ALTER DATABASE {database} SET synchronous_commit = off")
    engine, _ = opened()
    async with reading(engine) as connection:
        assert await connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert await connection.scalar(text("SHOW application_name")) == "solid-relay"


@pytest.mark.parametrize(("mode", "message"), [("disable", None), ("require", "rejected SSL")])
async def test_sslmode_is_understood_as_libpq_spells_it(
    own_postgres: PrivatePostgres, migrated: str, mode: str, message: str | None
) -> None:
    engine = connect(f"{own_postgres.url(migrated)}?sslmode={mode}")
    inbox = Inbox(engine, owner="a", lease=LEASE, clock=FakeClock())
    if message is None:
        assert await inbox.counts("nobody") == {}
    else:
        with pytest.raises(StoreUnavailable, match=message):
            await inbox.counts("nobody")
    await engine.dispose()
