"""One look of a feed: how it is made, how far it is, what came of it, and what can go wrong with it.

It must not know what a feed reads.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.clock import Clock
from store.feeds.runs import FeedRun

Progress = Callable[[str, str, int, int], None]
"""Told how far a file is: its name, what is being done, how much of how much (0: not known)."""


def no_progress(name: str, doing: str, done: int, of: int) -> None:
    """For where nobody looks."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How one pass is made: until `stop` is set, and `patient` where it is to wait for a broker that is away."""

    stop: asyncio.Event
    clock: Clock
    patient: bool = True


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
        failed = int(run.state == "failed")
        self.add(Pass(1, run.rows, run.events, run.rejects, failed, self.unfinished, self.odd))

    def add(self, later: "Pass") -> None:
        """Add a later pass; what it left is what is left now."""
        for name in ("files", "rows", "events", "rejects", "refused"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.unfinished, self.odd = later.unfinished, later.odd


class FeedProblem(Exception):
    """Base of all problems of feeds. What was not finished is taken again; the feed goes on with its next pass.

    `found` is what the pass had settled before, `after_seconds` when the other side wants to be asked again.
    """

    def __init__(self, message: str, *, found: Pass | None = None, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.found, self.after_seconds = found, after_seconds


class FolderUnusable(FeedProblem):
    """The folder, or a file in it, cannot be used now: missing, no permission, full, another disk."""


class PollRefused(FeedProblem):
    """The other side said no, or something that the settings do not expect: a person must change something."""


class PollUnavailable(FeedProblem):
    """The other side cannot answer now, and may have said when it can."""


class Interrupted(FeedProblem):
    """Told to stop, or the broker did not confirm: what was in hand will be read again, and nothing is lost."""
