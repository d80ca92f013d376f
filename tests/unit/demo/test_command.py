"""How the demo ends when it cannot begin: one sentence, where the logs are, and no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demo import command
from staging.broker import BrokerError
from staging.folder import alone


@contextmanager
def no_broker(**_: object) -> Iterator[None]:
    raise BrokerError("No RabbitMQ is within reach.")
    yield


def test_a_broker_that_is_missing_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_broker", no_broker)
    done = CliRunner().invoke(command.app, ["--folder", str(tmp_path / "demo")])
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "demo: No RabbitMQ is within reach.",
        f"demo: the logs are in {tmp_path / 'demo'}",
    ]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = CliRunner().invoke(command.app, ["--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "holds something else than an earlier demo" in done.stdout
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_what_an_earlier_demo_left_is_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "books.toml").write_text("")
    (tmp_path / "worker-1.log").write_text("old")
    monkeypatch.setattr(command, "find_broker", no_broker)
    CliRunner().invoke(command.app, ["--folder", str(tmp_path)])
    assert not (tmp_path / "worker-1.log").exists()


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with alone(folder, what="demo"):
        done = CliRunner().invoke(command.app, ["--folder", str(folder)])
    assert done.exit_code == 1
    assert "another demo is running" in done.stdout
