"""A watched folder: each complete file is claimed, read to its end, published with confirms, and moved on.

    folder/x.csv  →  work/<process>/x.csv  →  done/x.csv, or failed/x.csv with its report
         ↑ put back when it is interrupted, or was still being written

Nothing is published before a file was read to its end; a file that is read twice gives the same facts. What a file
means is its source's affair.
"""

import asyncio
import contextlib
import errno
import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from producers.feeds.bounded import Piece, read_within
from producers.feeds.claims import DONE, Claims, move_beside
from producers.feeds.errors import FeedProblem, FolderUnusable, Interrupted
from producers.feeds.feed import IN_FLIGHT, Pass, Progress, Publisher, Runs, Turn, keep_run, no_progress, send
from producers.feeds.listing import Quiet, Seen, files_in
from producers.feeds.reports import Report, fail
from producers.feeds.spool import Spool
from producers.normalising import NormaliseContext, Refused, Rejected
from runtime.clock import Clock
from runtime.sections_feeds import FolderFeed
from store.feed_runs import FeedRun, RunState

PIECES_AT_A_TIME: Final = 500

log = structlog.get_logger()


class _StillWritten(Exception):
    """The file changed while it was read."""


@dataclass(slots=True)
class WatchedFolder:
    """One `[feeds.<name>]` with a folder. One pass at a time."""

    name: str
    settings: FolderFeed
    context: NormaliseContext
    publisher: Publisher
    clock: Clock
    runs: Runs | None = None
    progress: Progress = no_progress
    _claims: Claims = field(init=False)
    _quiet: Quiet = field(init=False)
    _published: Seen | None = field(init=False, default=None)
    """A file that could not be moved on once it was published: next time it is moved, and not published again."""
    _beating: "asyncio.Task[None] | None" = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Nothing is touched yet."""
        self._claims = Claims(self.settings.folder, lease_seconds=self.settings.lease_seconds)
        self._quiet = Quiet(self.settings.quiet_seconds)

    @property
    def every_seconds(self) -> float:
        """See `Feed`."""
        return self.settings.every_seconds

    async def look(self, turn: Turn) -> Pass:
        """Take every complete file, the oldest first; see `Feed`.

        Raises:
            FolderUnusable: the folder or a file cannot be used now.
            Interrupted: told to stop, or no confirm; the file is back in the folder.
        """
        done = Pass()
        try:
            now = await asyncio.to_thread(self._begin)
            while (left := await asyncio.to_thread(self._claims.left_behind)) is not None:
                if fnmatch.fnmatchcase(left.name, self.settings.files):
                    await self._take(left, done, turn, now=now)
                else:  # another feed of this folder had it, and finds it there
                    await asyncio.to_thread(self._claims.put_back, left)
            listing = await asyncio.to_thread(files_in, self.settings.folder, self.settings.files)
            ready = list(self._quiet.of(listing, now=now, monotonic=self.clock.monotonic()))
            done.unfinished = [seen.name for seen in listing if seen not in ready]
            problem = await self._take_each(ready, done, turn, now=now)
            await asyncio.to_thread(self._claims.sweep)
            if problem is not None:
                raise problem
        except OSError as error:
            raise FolderUnusable(_told(self.settings.folder, error), found=done) from error
        except FeedProblem as problem:
            problem.found = done
            raise
        return done

    async def _take_each(self, ready: Sequence[Seen], done: Pass, turn: Turn, *, now: float) -> OSError | None:
        """All of them, whatever ails one; what ailed the first."""
        problem: OSError | None = None
        for seen in ready:
            self._quiet.forget(seen.name)
            try:
                if (path := await asyncio.to_thread(self._claims.take, seen.name)) is not None:
                    await self._take(path, done, turn, now=now)
            except OSError as error:
                problem = problem or error
            if turn.stop.is_set():
                break
        return problem

    async def close(self) -> None:
        """Give up the sign of life."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._claims.close)

    def _begin(self) -> float:
        self._claims.open()
        return self._claims.beat()

    async def _beat(self) -> None:
        """Show a sign of life while a long file is in hand; a folder that went away is noticed elsewhere."""
        while True:
            await self.clock.sleep(self.settings.lease_seconds / 4)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._claims.beat)

    async def _take(self, path: Path, done: Pass, turn: Turn, *, now: float) -> None:
        """One claimed file from here to its place; put back where that does not work out."""
        self._beating = self._beating or asyncio.create_task(self._beat())
        try:
            with Spool() as spool:
                run = await self._settle(path, spool, turn, now=now)
        except _StillWritten:
            await asyncio.to_thread(self._put_back, path)
            done.unfinished.append(path.name)
            return
        except BaseException:
            self._put_back(path)
            raise
        done.count(run)
        await keep_run(self.runs, run)

    async def _settle(self, path: Path, spool: Spool, turn: Turn, *, now: float) -> FeedRun:
        started = self.clock.now()
        before = _seen(path)
        refusal = await self._read(path, spool, turn.stop)
        _must_be(before, path)
        if refusal is not None:
            spool.refused[:] = [refusal]
            spool.counts.rejects = max(spool.counts.rejects, 1)
        for warned in spool.warned:
            log.warning("feed.file_warned", feed=self.name, name=path.name, where=warned.where, reason=warned.reason)
        counts = spool.counts
        publishes = refusal is None and (counts.rejects == 0 or self.settings.bad_rows == "report")
        if publishes and before != self._published:
            await self._publish(path.name, spool, turn)
            self._published = before
        _must_be(before, path)
        await asyncio.to_thread(self._move_on, path, spool, publishes)
        self._published = None
        state: RunState = "failed" if counts.rejects else "done"
        return FeedRun(
            company=self.context.company,
            feed=self.name,
            name=path.name,
            state=state,
            size=before.size,
            rows=counts.rows,
            events=counts.events if publishes else 0,
            rejects=counts.rejects,
            lag_seconds=max(0.0, now - before.mtime),
            error=f"{spool.refused[0].where}: {spool.refused[0].reason}" if spool.refused else None,
            started_at=started,
            ended_at=self.clock.now(),
        )

    async def _read(self, path: Path, spool: Spool, stop: asyncio.Event) -> Refused | None:
        """Read it to its end into the spool; why the file as a whole is refused, or None."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            over = asyncio.Event()
            pieces = read_within(self.settings, file, self.context, stopped=lambda: stop.is_set() or over.is_set())
            try:
                while await asyncio.to_thread(_spool_some, pieces, spool):
                    self.progress(path.name, "reading", _position(file), size)
                    if stop.is_set():
                        msg = f"stopped while {path.name} was read"
                        raise Interrupted(msg)
            except Rejected as rejected:
                message = str(rejected)
                if rejected.field is not None:
                    message = message.removeprefix(f"{rejected.field}: ")
                return Refused("file", rejected.reason, message, rejected.field)
            finally:
                over.set()
                with contextlib.suppress(ValueError):  # a thread is at it, and sees that it is over
                    pieces.close()
        return None

    async def _publish(self, name: str, spool: Spool, turn: Turn) -> None:
        sent = 0
        for batch in spool.batches(IN_FLIGHT):
            await send(self.publisher, batch, turn, feed=self.name)
            sent += len(batch)
            self.progress(name, "publishing", sent, spool.counts.events)
            if turn.stop.is_set() and sent < spool.counts.events:
                msg = f"stopped while {name} was published: {sent:,} of {spool.counts.events:,} events; it starts anew"
                raise Interrupted(msg)

    def _move_on(self, path: Path, spool: Spool, published: bool) -> None:  # noqa: FBT001 - handed to a thread
        """To `done/` or `failed/`. A file that is gone by now was taken by somebody; its events are out."""
        report = Report(
            feed=self.name,
            source=self.settings.source,
            company=self.context.company,
            at=self.clock.now(),
            published=published,
            counts=spool.counts,
            refused=spool.refused,
        )
        try:
            if spool.counts.rejects:
                fail(path, self.settings.folder, report)
            else:
                move_beside(path, self.settings.folder / DONE, path.name)
        except FileNotFoundError:
            if not self.settings.folder.is_dir():
                raise
            log.warning("feed.file_vanished", feed=self.name, name=path.name)

    def _put_back(self, path: Path) -> None:
        """Where even that fails, it stays in `work/` and is taken from there the next time."""
        with contextlib.suppress(OSError):
            self._claims.put_back(path)


def _spool_some(pieces: Iterator[Piece], spool: Spool) -> bool:
    """Some more pieces; False at the end."""
    some = 0
    for piece in islice(pieces, PIECES_AT_A_TIME):
        spool.add(piece)
        some += 1
    return some == PIECES_AT_A_TIME


def _seen(path: Path) -> Seen:
    status = path.stat()
    return Seen(path.name, status.st_size, status.st_mtime_ns, status.st_ino)


def _must_be(before: Seen, path: Path) -> None:
    """Whoever has the file open may write to it until the end, and what was not read must not be moved on."""
    if _seen(path) != before:
        raise _StillWritten


def _position(file: BinaryIO) -> int:
    """How far it was read, as far as that can be told: a reader may have closed it."""
    return 0 if file.closed else os.lseek(file.fileno(), 0, os.SEEK_CUR)


def _told(folder: Path, error: OSError) -> str:
    what = error.filename or folder
    advice = {
        FileNotFoundError: "Is it mounted? The feed goes on when it is there.",
        PermissionError: "The relay's user must read and write the folder and all that is in it.",
        NotADirectoryError: "A feed watches a folder.",
    }
    said = advice.get(type(error), "Nothing is lost.")
    if error.errno == errno.EXDEV:
        said = "The folder and its work/, done/ and failed/ must be on one file system."
    return f"{folder}: {what}: {error.strerror or type(error).__name__}. {said}"
