"""`python -m demo`, as a person starts it: the whole run, Ctrl-C in the middle, and starts that cannot be."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from staging.broker import Broker

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    "accepted", "applied", "dead", "parked", "lost", "duplicated",
    "solid_calls", "writes", "faults", "allowance", "worst_window", "balanced",
]  # fmt: skip

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes that are left behind in /proc"),
]


@pytest.fixture
def surroundings(broker: Broker, tmp_path: Path) -> dict[str, str]:
    """The session's broker, cleared of the dead letters of other tests: the demo refuses to carry them off."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
    environment = inherited | {"RABBITMQ_URL": broker.url}
    elsewhere = {"RELAY_STORE__URL": f"sqlite+aiosqlite:///{tmp_path}/others.db"}
    collecting = [sys.executable, "-m", "ops.commands.relay", "dead", "list"]
    subprocess.run(collecting, check=True, cwd=tmp_path, env=environment | elsewhere, capture_output=True, timeout=60)
    return environment


def arguments(folder: Path, company: str) -> list[str]:
    return [sys.executable, "-m", "demo", "--company", company, "--folder", str(folder)]


@pytest.mark.long
def test_the_demo_loses_nothing_and_books_nothing_twice(
    surroundings: Mapping[str, str], tmp_path: Path, company: str
) -> None:
    command = arguments(tmp_path / "demo", company)
    done = subprocess.run(command, check=False, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert list(summary) == KEYS
    assert summary | {"solid_calls": 0, "worst_window": 0} == {
        "accepted": 43,
        "applied": 41,
        "dead": 1,
        "parked": 1,
        "lost": 0,
        "duplicated": 0,
        "solid_calls": 0,
        "writes": 78,
        "faults": 3,
        "allowance": 100,
        "worst_window": 0,
        "balanced": True,
    }
    assert summary["worst_window"] <= summary["allowance"]
    for text in ("Trial balance", "Stripe Clearing", "Dead-letter queues", "unmapped:currency", "is killed (SIGKILL)"):
        assert text in done.stdout
    assert "WRONG" not in done.stdout
    assert (tmp_path / "demo" / "worker-1.log").stat().st_size > 0
    assert processes_in(tmp_path / "demo") == []


@pytest.mark.alone
def test_ctrl_c_in_the_middle_leaves_nothing_behind(
    surroundings: Mapping[str, str], tmp_path: Path, company: str
) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen(
        arguments(folder, company),
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        said = list(lines_until(running, "fault 1"))
        assert len(processes_in(folder)) == 4
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "Traceback" not in rest
    assert rest.splitlines()[-1].startswith("demo: stopped.")
    assert processes_in(folder) == []


def test_a_start_that_fails_is_told_in_a_sentence_with_the_log(surroundings: Mapping[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    command = arguments(folder, "Not A Company")
    done = subprocess.run(command, check=False, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert str(folder) in done.stdout
    assert ".log" in done.stdout
    assert processes_in(folder) == []


def lines_until(running: "subprocess.Popen[str]", text: str) -> Iterator[str]:
    """Read what it says up to the line that holds this text."""
    assert running.stdout is not None
    deadline = time.monotonic() + 90
    for line in running.stdout:
        yield line
        if text in line or time.monotonic() > deadline:
            break


def processes_in(folder: Path) -> list[int]:
    """Give the processes that work in this folder, as the relay's processes of a demo do."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
