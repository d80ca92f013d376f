"""Which files of a watched folder are complete: nobody has changed them for a while, and their names say nothing else.

It must not move or open anything; it only lists.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from producers.feeds.places import Place, oddity

UNFINISHED: Final = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp", "~")

WORK, DONE, FAILED = "work", "done", "failed"
"""The folders that the relay makes; watched folders of earlier versions hold them too."""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as a listing showed it."""

    name: str
    size: int
    mtime_ns: int
    inode: int = 0
    device: int = 0

    @classmethod
    def of(cls, name: str, status: os.stat_result) -> "SeenFile":
        """What stands under a name."""
        return cls(name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)

    @property
    def mtime(self) -> float:
        """Seconds since 1970, by the clock of the file system."""
        return self.mtime_ns / 1e9


def files_in(place: Place, pattern: str) -> list[SeenFile]:
    """Files that may be meant for us, oldest first: no links, nothing hidden, no name of a file under way."""
    named = ((name, status) for name, status in _entries(place) if fnmatchcase(name, pattern))
    found = [SeenFile.of(name, status) for name, status in named if not oddity(status)]
    return sorted(found, key=lambda seen: (seen.mtime_ns, seen.name))


def left_alone(place: Place, patterns: Sequence[str]) -> dict[str, str]:
    """What nobody will ever take, and why: no regular files, and names that none of the patterns fits."""
    found = {}
    for name, status in _entries(place):
        odd = oddity(status)
        if odd is not None and name not in (WORK, DONE, FAILED):
            found[name] = odd
        elif odd is None and not any(fnmatchcase(name, pattern) for pattern in patterns):
            found[name] = "no feed takes this name; capitals count in files"
    return found


def _entries(place: Place) -> Iterator[tuple[str, os.stat_result]]:
    """All that is finished, and not hidden."""
    for name in place.names():
        if not name.startswith(".") and not name.lower().endswith(UNFINISHED):
            with suppress(FileNotFoundError):
                yield name, place.status(name)


class Quiet:
    """Tells files that are still being written from those that are complete, listing by listing."""

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet = quiet_seconds
        self._known: dict[str, tuple[SeenFile, float, bool]] = {}

    def forget(self, name: str) -> None:
        """It was taken: another file of its name is another file."""
        self._known.pop(name, None)

    def of(self, listing: list[SeenFile], *, now: float, monotonic: float) -> Iterator[SeenFile]:
        """What has not changed while it was watched for long enough, or was not touched for so long when first seen.

        `now` is the file system's time, `monotonic` ours.
        """
        known, self._known = self._known, {}
        for seen in listing:
            before, since, changed = known.get(seen.name, (seen, monotonic, False))
            if before != seen:
                since, changed = monotonic, True
            self._known[seen.name] = (seen, since, changed)
            if monotonic - since >= self._quiet or (not changed and now - seen.mtime >= self._quiet):
                yield seen
