"""`python -m faults`: a small campaign as a person starts it, and Ctrl-C in the middle.

It brings a broker of its own, whatever RABBITMQ_URL says, since it halts and kills it.
"""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.schedule import draw_schedule
from faults.traffic import write_traffic
from staging.broker import Broker

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    "accepted", "applied", "dead", "parked", "lost", "duplicated",
    "solid_calls", "writes", "faults", "allowance", "worst_window", "balanced",
    "seed", "events", "seconds", "skipped",
]  # fmt: skip
SEED = 3498
"""Of 12 faults: workers, receiver and Solid killed, the disk full, answers lost, a late landing, a stream unbound and
a policy on the mint's queue."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def can_start(broker: Broker) -> None:
    """Skip where there is no broker. The session's own is left alone."""
    del broker


def arguments(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "faults", "--events", "120", "--no-download", "--folder", str(folder), *more]


@pytest.mark.long
@pytest.mark.usefixtures("can_start")
def test_a_small_campaign_loses_nothing_and_books_nothing_twice(tmp_path: Path) -> None:
    command = arguments(tmp_path / "faults", "--seed", str(SEED))
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=230)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert list(summary) == KEYS
    assert summary["lost"] == summary["duplicated"] == 0
    assert summary["balanced"] is True
    assert summary["worst_window"] <= summary["allowance"]
    assert summary["applied"] + summary["dead"] + summary["parked"] == summary["accepted"] > 90
    assert summary["faults"] + len(summary["skipped"]) == 12
    assert set(summary["skipped"]) <= {"fill_disk store", "set_clock active", "set_clock standby", "set_clock receiver"}
    assert (summary["seed"], summary["events"]) == (SEED, 120)
    assert "WRONG" not in done.stdout
    assert (tmp_path / "faults" / "worker-1.log").stat().st_size > 0
    assert processes_in(tmp_path / "faults") == []


@pytest.mark.long
@pytest.mark.usefixtures("can_start")
def test_ctrl_c_leaves_nothing_behind_and_all_faults_were_told_before_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "faults"
    story = write_traffic(120, SEED)
    drawn = draw_schedule(12, SEED, posts=len(story.posts), records=len(story.records))
    assert list(schedule_until_ctrl_c(folder)) == [str(fault).strip() for fault in drawn]
    assert processes_in(folder) == []


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = subprocess.run(arguments(tmp_path), check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "holds something else" in done.stdout
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def schedule_until_ctrl_c(folder: Path) -> Iterator[str]:
    """Start a campaign, stop it with Ctrl-C at its first fault, and give the list of faults that it showed."""
    with subprocess.Popen(
        arguments(folder, "--seed", str(SEED)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if told := re.match(r" +\d+: +(.*)", line):
                yield told[1]
            if " fault 1: " in line:
                break
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGINT, rest
    assert "Traceback" not in rest
    assert rest.splitlines()[-1].startswith("faults: stopped.")


def processes_in(folder: Path) -> list[int]:
    """Give the processes that work in this folder, as the relay's processes of a campaign do."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
