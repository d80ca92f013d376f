"""A watched folder to play with: a tiny format of one event a line, and fakes of the ports around a feed."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from messaging.errors import MessagingError
from messaging.publisher import Encoded
from producers.feeds.folder import WatchedFolder
from producers.feeds.passing import Turn
from producers.normalising import NormaliseContext, Normalised, Piece, Refused, Rejected, Taken
from runtime.sections_feeds import FolderFeed
from schemas.envelope import Event, decode
from schemas.inventory import StockAdjusted
from store.feeds.runs import FeedRun
from tests.fakes import NOON, FakeClock

STRANGER = 65534


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it a stranger's; where we may not, we become somebody else ourselves."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)


def adjusted(name: str, company: str = "main") -> Event:
    """An event named so."""
    data = StockAdjusted(fact=f"lines:{name}", item=name, delta="-1", reason="damage")
    return Event.of(
        data, id=data.fact, source="/warehouse/lines", time=NOON, subject=name, partitionkey=name, company=company
    )


def read_lines(file: BinaryIO, context: NormaliseContext) -> Iterator[Piece]:
    """Each line an event; `bad` is refused, `#` ignored, `end` refuses the file, `bug` is a mistake of ours."""
    for number, raw in enumerate(file, start=1):
        text, where = raw.decode().strip(), f"line {number}"
        if text == "end":
            raise Rejected("cut_off", "the file says that it ends here", field="trailer")
        if text == "bug":
            raise KeyError("Jenny Rosen")
        if text == "bad":
            yield Refused(where, "not_a_number", "qty is not a number", "qty")
        elif text.startswith("#"):
            yield Taken(where, (), "comment")
        else:
            yield Taken(where, (adjusted(text, context.company),))


def one_line(document: bytes, context: NormaliseContext) -> Normalised:
    """The same for a document of one line."""
    [piece] = read_lines(BytesIO(document), context)
    if isinstance(piece, Refused):
        raise Rejected(piece.reason, piece.message, field=piece.field)
    return Normalised(piece.events, piece.ignored)


@dataclass
class FakeBroker:
    """Keeps what is published, in batches; fails as often as it is told to."""

    batches: list[list[Event]] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    failures: list[MessagingError] = field(default_factory=list)

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        """See `Publisher`."""
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append([decode(message.body) for message in messages])

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        """See `Publisher`."""
        if self.failures:
            raise self.failures.pop(0)
        self.kept.append({"body": body, "source": source, "company": company, "reason": reason, "error": error})

    @property
    def items(self) -> list[str]:
        """Which items came, in order."""
        return [event.subject for batch in self.batches for event in batch]


@dataclass
class FakeRuns:
    """Keeps runs."""

    runs: list[FeedRun] = field(default_factory=list)

    async def add(self, run: FeedRun) -> None:
        """See `FeedRuns`."""
        self.runs.append(run)


@dataclass
class Watched:
    """A folder that is watched, and everything around it."""

    folder: Path
    state: Path
    broker: FakeBroker = field(default_factory=FakeBroker)
    runs: FakeRuns = field(default_factory=FakeRuns)
    clock: FakeClock = field(default_factory=FakeClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, name: str, *lines: str, age: float = 3600) -> Path:
        """Write a file that nobody has touched for so long."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        now = path.stat().st_mtime
        os.utime(path, (now - age, now - age))
        return path

    def feed(self, **settings: Any) -> WatchedFolder:  # noqa: ANN401 - settings of any kind
        """The feed, as set."""
        known = FolderFeed.model_validate({"source": "lines", "folder": self.folder, **settings})
        return WatchedFolder("north", known, self.state, NormaliseContext(), self.broker, self.clock, self.runs)

    def turn(self, *, patient: bool = False) -> Turn:
        """How a pass is made."""
        return Turn(self.stop, self.clock, patient=patient)

    def tree(self) -> dict[str, list[str]]:
        """Which files are where, without the folders of processes."""
        places = {"in": self.folder, "done": self.state / "done", "failed": self.state / "failed"}
        found = {
            name: sorted(each.name for each in place.glob("*") if each.is_file()) for name, place in places.items()
        }
        return found | {"work": sorted(each.name for each in (self.state / "work").rglob("*") if each.is_file())}
