"""One look of a feed: how it is made, how far it is, and what came of it. It must not know what a feed reads."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.clock import Clock
from store.feeds.feed_runs import FeedRun

Progress = Callable[[str, str, int, int], None]
"""Told how far a file is: its name, what is being done, how much of how much (0: not known)."""


def no_progress(name: str, doing: str, done: int, of: int) -> None:
    """For where nobody looks."""


@dataclass(slots=True)
class Pass:
    """What came of looking once. `unfinished`: somebody still writes them; `odd`: no files of their own."""

    files: int = 0
    rows: int = 0
    events: int = 0
    rejects: int = 0
    refused: int = 0
    unfinished: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def count(self, run: FeedRun) -> None:
        """Add one file or poll."""
        self.files += 1
        self.rows += run.rows
        self.events += run.events
        self.rejects += run.rejects
        self.refused += run.state == "failed"

    def add(self, later: "Pass") -> None:
        """Add a later pass; what it left is what is left now."""
        for name in ("files", "rows", "events", "rejects", "refused"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.unfinished, self.odd = later.unfinished, later.odd

    def as_json(self) -> Mapping[str, Any]:
        """Ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Turn:
    """How one pass is made: until `stop` is set, and `patient` where it is to wait for a broker that is away."""

    stop: asyncio.Event
    clock: Clock
    patient: bool = True
