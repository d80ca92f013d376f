"""Feeds killed fifteen times among odd files, and one that hangs: no fact is lost or renamed, no file disappears.

Judged by what the broker has and by what lies where, never by the feed's own word.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from staging.processes import Stage, stage, wait_for
from tests.forking import Forked
from tests.integration.test_feeding import CSV, rows, state, taken

ROOT = Path(__file__).parents[2]
KILLS = 15
HEADER, ROWS = "no,day,sku,qty,reason\n", 150


@pytest.fixture
def on(tmp_path: Path, amqp_url: str, company: str) -> Iterator[Stage]:
    (tmp_path / "in").mkdir()
    feed = {**CSV, "folder": str(tmp_path / "in"), "quiet_seconds": 3, "every_seconds": 0.05, "max_bytes": 200_000}
    feed |= {"child_above_bytes": 50_000, "files": "*.csv"}
    with stage(
        tmp_path / "stage", amqp_url, Forked, company=company, RELAY_FEEDS=json.dumps({"north": feed})
    ) as opened:
        yield opened


def lines(name: str, first: int, last: int) -> str:
    return "".join(rows(name, last).splitlines(keepends=True)[1 + first : 1 + last])


class Folder:
    """What partners put there. `facts` must come out, `contents` must be found again, `odd` must stay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: set[str] = set()
        self.contents: Counter[str] = Counter()
        self.odd: set[str] = set()

    def put(self, name: str | bytes, content: bytes, *, facts: str = "", count: int = 0) -> None:
        """A whole file, under its name at once; of so many facts."""
        part = self.path / ".part"
        part.write_bytes(content)
        part.rename(self.path / os.fsdecode(name))
        self._know(content, facts, count)

    def written_slowly(self, name: str) -> Callable[[], None]:
        """The first half of a file, and what writes the second before it could be taken for complete."""
        (self.path / name).write_text(HEADER + lines(name, 0, ROWS))

        def rest() -> None:
            with (self.path / name).open("a") as file:
                file.write(lines(name, ROWS, 2 * ROWS))

        self._know((HEADER + lines(name, 0, 2 * ROWS)).encode(), name, 2 * ROWS)
        return rest

    def _know(self, content: bytes, facts: str, count: int) -> None:
        self.contents[sha256(content).hexdigest()] += 1
        self.facts |= {f"north/csv:adjusted:{facts}-{number}" for number in range(count)}

    def fill(self, seed: random.Random) -> None:
        """Everything odd that the field has shown."""
        self.put("empty.csv", b"")
        self.put("binary.csv", seed.randbytes(5000))
        self.put("huge.csv", b"x" * 300_000)
        self.put("large.csv", rows("large", 3000).encode(), facts="large", count=3000)
        self.put(
            "bad.csv", (rows("bad", ROWS) + "bad-x,2026-03-02,SKU-1,many,damage\n").encode(), facts="bad", count=ROWS
        )
        self.put(b"na\xffme\n\x1b[2J.csv", rows("name", ROWS).encode(), facts="name", count=ROWS)
        self.put(b"y" * 251 + b".csv", rows("long", ROWS).encode(), facts="long", count=ROWS)
        (self.path / "link.csv").symlink_to("/etc/passwd")
        os.mkfifo(self.path / "pipe.csv")
        (self.path / "folder.csv").mkdir()
        (self.path.parent / "theirs").write_text(rows("theirs", 3))
        (self.path / "hard.csv").hardlink_to(self.path.parent / "theirs")
        self.odd = {"link.csv", "pipe.csv", "folder.csv", "hard.csv"}


@pytest.mark.long
def test_a_feed_that_is_killed_fifteen_times_among_odd_files_loses_and_doubles_nothing(
    on: Stage, tmp_path: Path
) -> None:
    seed = random.Random(11)  # noqa: S311 - moments, not secrets
    folder = Folder(tmp_path / "in")
    folder.fill(seed)
    with (
        (tmp_path / "feeds.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.forked_feed"],
            cwd=on.folder,
            env={**os.environ, **on.environment(), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        ) as forks,
    ):
        assert forks.stdin is not None
        assert forks.stdout is not None
        killed = 0
        for number in range(KILLS + 1):
            content = rows(f"f{number}", ROWS).encode()
            folder.put(f"f{number}.csv", content, facts=f"f{number}", count=ROWS)
            folder.put(f"copy of f{number}.csv", content)
            rest = folder.written_slowly(f"slow{number}.csv")
            forks.stdin.write(b"\n")
            forks.stdin.flush()
            child = int(forks.stdout.readline())
            try:
                rest()
                time.sleep(seed.uniform(0.05, 1.0))  # wherever it is then
                with contextlib.suppress(FileNotFoundError):
                    (folder.path / f"f{number}.csv").rename(folder.path / f"renamed{number}.csv")
                if number == KILLS:
                    wait_for(lambda: _all_is_settled(on, folder), what="all files to be settled", within_seconds=120)
            finally:
                os.kill(child, signal.SIGTERM if number == KILLS else signal.SIGKILL)
                killed += number < KILLS
        forks.stdin.close()
        assert forks.wait(30) == 0
        assert killed == KILLS
    events = taken(on)
    assert {event.data.fact for event in events} == folder.facts
    assert len({(event.source, event.id) for event in events}) == len(folder.facts), "each has one identity"
    found = [path for place in ("done", "failed") for path in (state(on) / place).iterdir()]
    files = [path for path in found if ".csv.report." not in path.name]
    assert Counter(sha256(path.read_bytes()).hexdigest() for path in files) == folder.contents
    failed = {path.name for path in files if path.parent.name == "failed"}
    assert failed == {"empty.csv", "binary.csv", "huge.csv", "bad.csv"}
    assert {path.name for path in folder.path.iterdir()} == folder.odd
    assert (folder.path.parent / "theirs").read_text() == rows("theirs", 3)


def _all_is_settled(on: Stage, folder: Folder) -> bool:
    waiting = {path.name for path in folder.path.iterdir()} - folder.odd
    return not waiting and not list((state(on) / "work").rglob("*.csv"))


def test_a_share_that_hangs_stops_neither_another_feed_nor_the_end_of_the_process(
    tmp_path: Path, amqp_url: str, company: str
) -> None:
    for name in ("hung", "good"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "good" / "pipe.csv")
    (tmp_path / "good" / "a.csv").write_text(rows("a", 20))
    feeds = {name: {**CSV, "folder": str(tmp_path / name)} for name in ("hung", "good")}
    with stage(tmp_path / "stage", amqp_url, Forked, company=company, RELAY_FEEDS=json.dumps(feeds)) as on:
        (tmp_path / "hung" / "b.csv").write_text(rows("b", 20))
        process = on.start("hung", "tests.integration.hung_feed", environment={"PYTHONPATH": str(ROOT)})
        wait_for((on.folder / "feeds" / "good" / "done" / "a.csv").exists, what="the other feed's file")
        assert process.stop() == 0, "SIGTERM is heard, and nobody had to kill it"
        assert len(taken(on)) == 20
        assert (tmp_path / "hung" / "b.csv").exists()
