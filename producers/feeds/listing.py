"""Which files of a watched folder are complete: nobody has changed them for a while, and their names say nothing else.

It must not move or open anything; it only lists.
"""

import fnmatch
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UNFINISHED: Final = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp", "~")


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a listing showed it."""

    name: str
    size: int
    mtime_ns: int
    inode: int = 0

    @property
    def mtime(self) -> float:
        """Seconds since 1970, by the clock of the file system."""
        return self.mtime_ns / 1e9


def files_in(folder: Path, pattern: str = "*") -> list[Seen]:
    """Files that may be meant for us, oldest first: no links, nothing hidden, no name of a file under way.

    Raises OSError: the folder is missing, or not to be read.
    """
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False) or not _meant(entry.name, pattern):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            found.append(Seen(entry.name, status.st_size, status.st_mtime_ns, status.st_ino))
    return sorted(found, key=lambda seen: (seen.mtime_ns, seen.name))


def _meant(name: str, pattern: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED) and fnmatch.fnmatchcase(name, pattern)


class Quiet:
    """Tells files that are still being written from those that are complete, listing by listing."""

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet = quiet_seconds
        self._known: dict[str, tuple[Seen, float, bool]] = {}

    def forget(self, name: str) -> None:
        """It was taken: another file of its name is another file."""
        self._known.pop(name, None)

    def of(self, listing: list[Seen], *, now: float, monotonic: float) -> Iterator[Seen]:
        """Files of this listing that are complete. `now` is the file system's time, `monotonic` ours.

        Complete is what has not changed while it was watched for long enough, or what nobody has touched for so long
        when it was first seen.
        """
        known, self._known = self._known, {}
        for seen in listing:
            before, since, changed = known.get(seen.name, (seen, monotonic, False))
            if before != seen:
                since, changed = monotonic, True
            self._known[seen.name] = (seen, since, changed)
            if monotonic - since >= self._quiet or (not changed and now - seen.mtime >= self._quiet):
                yield seen
