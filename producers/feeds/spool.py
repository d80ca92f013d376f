"""What a file became, between reading and publishing: events on disk, counts and refusals in memory.

Nothing of a file is published before it was read to its end: only then is it known that it can be used as a whole.
"""

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final

from messaging.publisher import Encoded, encoded
from producers.normalising import Refused, Taken
from schemas.envelope import Event

MOST_REFUSALS: Final = 10_000
"""Refusals that are kept word for word; further ones are counted."""

MOST_REASONS: Final = 200
"""Reasons for which something had no event that are counted apart; all others are `others`."""

_LONGEST_TEXT: Final = 1_000

Packed = tuple[bytes, bytes]
"""An event as it lies in a spool: what the broker is told besides, as JSON, and its body. Neither has a line break."""


@dataclass(frozen=True, slots=True)
class Written:
    """As `Taken`, of events that another process has made ready."""

    where: str
    events: tuple[Packed, ...]
    ignored: str | None = None


def packed(event: Event) -> Packed:
    """Make an event ready."""
    found = encoded(event)
    return json.dumps([found.key, found.message_id, found.partition]).encode(), found.body


@dataclass(slots=True)
class Counts:
    """What became of the pieces of a file. `ignored` says how many had no event, by reason.

    `warnings` are in no row's way: a file with warnings alone is done.
    """

    rows: int = 0
    events: int = 0
    rejects: int = 0
    warnings: int = 0
    ignored: dict[str, int] = field(default_factory=dict)


class Spool(AbstractContextManager["Spool"]):
    """Events of one file in the order in which they were read, in a temporary file that has no name."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.refused: list[Refused] = []
        self.warned: list[Refused] = []
        self._file = tempfile.TemporaryFile(prefix="relay-feed-")  # noqa: SIM115 - closed by __exit__
        self._packed: gzip.GzipFile | None = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Throw it all away."""
        if self._packed is not None:
            self._packed.close()
        self._file.close()

    def add(self, piece: Taken | Written | Refused) -> None:
        """Keep one piece. Raises OSError when the disk is full."""
        if isinstance(piece, Refused) and piece.is_warning:
            self.counts.warnings += 1
            if len(self.warned) < MOST_REFUSALS:
                self.warned.append(_cut(piece))
            return
        self.counts.rows += 1
        if isinstance(piece, Refused):
            self.counts.rejects += 1
            if len(self.refused) < MOST_REFUSALS:
                self.refused.append(_cut(piece))
            return
        if piece.ignored is not None:
            self._ignore(piece.ignored)
        for event in piece.events if isinstance(piece, Written) else map(packed, piece.events):
            self._write(event)

    def batches(self, size: int) -> Iterator[list[Encoded]]:
        """All events, so many at a time; nothing can be added any more."""
        self._seal()
        self._file.seek(0)
        batch: list[Encoded] = []
        with gzip.GzipFile(fileobj=self._file, mode="rb") as lines:
            for head in lines:
                key, message_id, partition = json.loads(head)
                batch.append(Encoded(lines.readline().removesuffix(b"\n"), key, message_id, partition))
                if len(batch) == size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _ignore(self, reason: str) -> None:
        """Some reasons hold a word of the file, and a file may have any number of them."""
        ignored = self.counts.ignored
        if reason not in ignored and len(ignored) >= MOST_REASONS:
            reason = "others"
        ignored[reason] = ignored.get(reason, 0) + 1

    def _write(self, event: Packed) -> None:
        if self._packed is None:
            msg = "the spool is being read already"
            raise ValueError(msg)
        head, body = event
        try:
            self._packed.write(head + b"\n" + body + b"\n")  # JSON holds no line break
        except OSError as error:  # of the folder for temporary files, not of the one that is watched
            raise OSError(error.errno, error.strerror, tempfile.gettempdir()) from error
        self.counts.events += 1

    def _seal(self) -> None:
        if self._packed is not None:
            self._packed.close()
            self._packed = None


def _cut(refused: Refused) -> Refused:
    """No report is longer than its refusals are many."""
    if max(map(len, (refused.message, refused.where, refused.reason, refused.field or ""))) <= _LONGEST_TEXT:
        return refused
    where, reason, message = (text[:_LONGEST_TEXT] for text in (refused.where, refused.reason, refused.message))
    return replace(refused, where=where, reason=reason, message=message, field=(refused.field or "")[:_LONGEST_TEXT])
