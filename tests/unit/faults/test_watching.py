"""What the campaign makes of the relay's logs: who is at work, and what was reported."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from faults.solid_port import SolidPort
from faults.watching import LogTail, Watch

WORKERS = ("worker-1", "worker-2")


def say(log: Path, **line: object) -> None:
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    async def state(_: SolidPort) -> dict[str, int]:
        return {"calls": 7, "writes": 5, "pending_late_commits": 1}

    monkeypatch.setattr(SolidPort, "state", state)
    logs = {name: LogTail(tmp_path / f"{name}.log") for name in WORKERS}
    return Watch(solid=SolidPort(1), logs=logs, store=tmp_path / "relay.db", workers=WORKERS)


def test_a_log_gives_each_whole_line_once_and_none_that_is_torn(tmp_path: Path) -> None:
    log, tail = tmp_path / "log", LogTail(tmp_path / "log")
    assert list(tail.new_lines()) == []
    say(log, event="mint.elected")
    with log.open("a") as file:
        file.write('{"event": "mint.el')
    assert [line["event"] for line in tail.new_lines()] == ["mint.elected"]
    with log.open("a") as file:
        file.write('ected"}\nTraceback\n{"event": "brake.pulled", torn\n')
    assert [line["event"] for line in tail.new_lines()] == ["mint.elected"]


async def test_the_worker_that_settled_last_is_the_active_one(watch: Watch, tmp_path: Path) -> None:
    say(tmp_path / "worker-2.log", event="delivery.settled", outcome="Applied")
    say(tmp_path / "worker-1.log", event="mint.elected")
    await watch.look()
    assert (watch.active, watch.standby, watch.minting) == ("worker-2", "worker-1", "worker-1")
    assert (watch.calls, watch.written, watch.late, watch.settled) == (7, 5, 1, 1)


async def test_records_that_the_relay_found_twice_are_known(watch: Watch, tmp_path: Path) -> None:
    say(tmp_path / "worker-1.log", event="write.found_twice", external_id="a")
    say(tmp_path / "worker-1.log", event="case.opened", external_id="b", kind="duplicate_record")
    await watch.look()
    assert watch.found_twice == {"a"}
    assert watch.cases == {"b": "duplicate_record"}


async def test_outcomes_are_counted_by_their_reason(watch: Watch, tmp_path: Path) -> None:
    say(tmp_path / "worker-1.log", event="delivery.settled", outcome="Defer", reason="prerequisite:stripe:charge:ch_1")
    await watch.look()
    assert watch.said["delivery.settled Defer prerequisite"] == 1


def test_doubts_are_read_from_the_store_and_not_known_without_it(watch: Watch) -> None:
    assert watch.doubts() is None
    with closing(sqlite3.connect(watch.store)) as database:
        database.execute("CREATE TABLE writes (state TEXT, was_unknown BOOLEAN, swept_at TEXT)")
        rows = [("intended", 0, None), ("unknown", 1, None), ("applied", 1, None), ("applied", 1, "now")]
        database.executemany("INSERT INTO writes VALUES (?, ?, ?)", rows)
        database.commit()
    assert watch.doubts() == 2
    assert watch.unswept() == 1
