"""Watches a campaign from outside: what the processes log, what Solid's stand-in holds, what waits in the queues.

Nothing here is evidence. It says who is at work now, how far things are, and when all is settled.
"""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from faults.solid_port import SolidPort

LOOK_EVERY_SECONDS: Final = 0.25

_TOLD: Final = (
    '"delivery.settled"',
    '"mint.elected"',
    '"write.',
    '"brake.',
    '"worker.',
    '"case.',
    '"sweep.',
    '"delivery.not_settled"',
    '"claim.',
    '"session.',
    '"connection.',
    '"solid.',
)


@dataclass(slots=True)
class LogTail:
    """The lines of one log that are new since the last look."""

    path: Path
    _read: int = 0

    def new_lines(self) -> Iterator[Mapping[str, Any]]:
        """Lines of the relay's own kind; the last one only when it is whole."""
        if not self.path.exists():
            return
        with self.path.open("rb") as log:
            log.seek(self._read)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        for line in whole.decode(errors="replace").splitlines():
            if line.startswith("{") and any(told in line for told in _TOLD):
                try:
                    yield json.loads(line)
                except ValueError:  # written by a process that was killed in the middle of it
                    continue


@dataclass(slots=True)
class Watch:
    """What is known now. `said` counts what the relay's processes have logged, `calls` and `written` are Solid's."""

    solid: SolidPort
    logs: Mapping[str, LogTail]
    store: Path
    workers: tuple[str, str]
    said: Counter[str] = field(default_factory=Counter)
    found_twice: set[str] = field(default_factory=set)
    cases: dict[str, str] = field(default_factory=dict)
    active: str = ""
    minting: str = ""
    calls: int = 0
    written: int = 0
    late: int = 0

    @property
    def standby(self) -> str:
        """The worker that settles nothing now."""
        first, second = self.workers
        return second if self.active == first else first

    @property
    def settled(self) -> int:
        """Deliveries settled so far."""
        return sum(count for what, count in self.said.items() if what.startswith("delivery.settled"))

    async def run(self) -> None:
        """Look for ever. Safe to cancel."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Look once."""
        for name, tail in self.logs.items():
            for line in tail.new_lines():
                self._take(name, line)
        state = await self.solid.state()
        if state is not None:
            self.calls, self.written = state["calls"], state["writes"]
            self.late = state["pending_late_commits"]

    def doubts(self) -> int | None:
        """Writes that the inbox has neither applied nor refused; None when the store cannot be read."""
        return self._count("state IN ('intended', 'unknown')")

    def unswept(self) -> int | None:
        """Writes that were in doubt once, and that the sweep has not looked up yet; None as above."""
        return self._count("state = 'applied' AND was_unknown AND swept_at IS NULL")

    def _count(self, condition: str) -> int | None:
        query = f"SELECT count(*) FROM writes WHERE {condition}"  # noqa: S608 - one of the two above
        try:
            with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=1)) as database:
                return int(database.execute(query).fetchone()[0])
        except sqlite3.Error:
            return None

    def _take(self, name: str, line: Mapping[str, Any]) -> None:
        event = str(line["event"])
        match event:
            case "delivery.settled":
                self.active = name
                event = f"{event} {line['outcome']}"
                if line["outcome"] not in ("Applied", "GiveBack"):
                    event += f" {str(line['reason']).partition(':')[0]}"
            case "mint.elected":
                self.minting = name
            case "write.found_twice":
                self.found_twice.add(str(line["external_id"]))
            case "case.opened":
                event = f"{event} {line['kind']}"
                self.cases[str(line["external_id"])] = str(line["kind"])
        self.said[event] += 1
