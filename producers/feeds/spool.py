"""What a file became, between reading and publishing: events on disk, counts and refusals in memory.

Nothing of a file is published before it was read to its end: only then is it known that it can be used as a whole.
"""

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from messaging.publisher import Encoded, encoded
from producers.normalising import Refused, Taken
from schemas.envelope import Event

MOST_REFUSALS: Final = 10_000
"""Refusals that are kept word for word; further ones are counted."""

MOST_REASONS: Final = 200
"""Reasons for which something had no event that are counted apart; all others are `others`."""

_LONGEST_TEXT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Written:
    """As `Taken`, of events that another process has made ready with `packed`."""

    events: tuple[bytes, ...]
    ignored: str | None = None


def packed(event: Event) -> bytes:
    """Make an event ready: a line of what the broker is told besides, and one of its body; JSON has no line break."""
    found = encoded(event)
    return b"%b\n%b\n" % (json.dumps([found.key, found.message_id, found.partition]).encode(), found.body)


@dataclass(slots=True)
class Counts:
    """What became of the pieces of a file. `ignored` says how many had no event, by reason."""

    rows: int = 0
    events: int = 0
    rejects: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


class Spool(AbstractContextManager["Spool"]):
    """Events of one file in the order in which they were read, in a temporary file that has no name."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.refused: list[Refused] = []
        self.warned: list[Refused] = []
        self._file = tempfile.TemporaryFile(prefix="relay-feed-")  # noqa: SIM115 - closed by __exit__
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=1)

    def __exit__(self, *_: object) -> None:
        """Throw it all away."""
        self._packed.close()
        self._file.close()

    def add(self, piece: Taken | Written | Refused) -> None:
        """Keep one piece; a warning is in no row's way. Raises OSError when the disk is full."""
        if isinstance(piece, Refused) and piece.is_warning:
            _keep(self.warned, piece)
            return
        self.counts.rows += 1
        if isinstance(piece, Refused):
            self.counts.rejects += 1
            _keep(self.refused, piece)
            return
        if piece.ignored is not None:
            self._ignore(piece.ignored)
        for event in piece.events if isinstance(piece, Written) else map(packed, piece.events):
            self._write(event)

    def batches(self, size: int) -> Iterator[list[Encoded]]:
        """All events, so many at a time; nothing can be added any more."""
        self._packed.close()
        self._file.seek(0)
        with gzip.GzipFile(fileobj=self._file, mode="rb") as lines:
            events = (Encoded(lines.readline().removesuffix(b"\n"), *json.loads(head)) for head in lines)
            while batch := list(islice(events, size)):
                yield batch

    def _ignore(self, reason: str) -> None:
        """Some reasons hold a word of the file, and a file may have any number of them."""
        ignored = self.counts.ignored
        if reason not in ignored and len(ignored) >= MOST_REASONS:
            reason = "others"
        ignored[reason] = ignored.get(reason, 0) + 1

    def _write(self, event: bytes) -> None:
        try:
            self._packed.write(event)
        except OSError as error:  # of the folder for temporary files, not of the one that is watched
            raise OSError(error.errno, error.strerror, tempfile.gettempdir()) from error
        self.counts.events += 1


def _keep(kept: list[Refused], refused: Refused) -> None:
    """No report is longer than its refusals are many."""
    if len(kept) >= MOST_REFUSALS:
        return
    parts = refused.where, refused.reason, refused.message, refused.field
    if max(len(part or "") for part in parts) > _LONGEST_TEXT:
        where, reason, message, field = ((part or "")[:_LONGEST_TEXT] for part in parts)
        refused = Refused(where, reason, message, field)
    kept.append(refused)
