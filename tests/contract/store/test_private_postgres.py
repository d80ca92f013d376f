"""The tests' own PostgreSQL: nobody else's server, and gone when they are, however they end."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from staging.postgres import PostgresFailed, PostgresNotFound, PrivatePostgres, installed_binaries
from store.engine import connect, reading
from store.errors import StoreUnavailable

STARTED = """
import sys, time
from staging.postgres import PrivatePostgres, installed_binaries
cluster = PrivatePostgres(installed_binaries())
cluster.start()
print(cluster.url("postgres"), cluster.folder, flush=True)
time.sleep(600)
"""


def answers(url: str) -> bool:
    parsed = make_url(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parsed.host), parsed.port or 0)) == 0


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.usefixtures("postgres")  # skips where there is none
def test_a_cluster_goes_with_its_parent_however_that_ends(number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STARTED], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout
        url, folder = parent.stdout.readline().decode().split()
        assert answers(url)
        parent.send_signal(number)
    eventually(lambda: not answers(url))
    eventually(lambda: not Path(folder).exists())


def test_a_stopped_cluster_leaves_nothing_even_when_it_was_frozen(own_postgres: PrivatePostgres) -> None:
    another = PrivatePostgres(installed_binaries())
    another.start()
    another.pause()
    another.stop()
    assert not answers(another.url("postgres"))
    assert not another.folder.exists()
    assert answers(own_postgres.url("postgres"))


async def test_a_stranger_on_this_machine_does_not_get_in(postgres: PrivatePostgres) -> None:
    url = make_url(postgres.url("postgres")).set(password="guessed")
    engine = connect(url.render_as_string(hide_password=False))
    with pytest.raises(StoreUnavailable, match="authentication failed"):
        async with reading(engine):
            await asyncio.sleep(0)
    await engine.dispose()


def test_a_server_that_cannot_start_says_why(own_postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    own_postgres.halt()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules["staging.postgres"].SETTINGS, "shared_buffers", "nonsense")
        with pytest.raises(PostgresFailed, match="shared_buffers"):
            own_postgres.start()
    own_postgres.start()
    assert own_postgres.sql("SHOW fsync") == "on"


def test_a_machine_without_a_server_is_told_which_package_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("staging.postgres.FOLDERS", ("/nowhere/*/bin",))
    with pytest.raises(PostgresNotFound, match="package postgresql"):
        installed_binaries()
