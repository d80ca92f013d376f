"""A watched folder: each complete file is claimed, read to its end, published with confirms, and moved on.

    folder/x.csv  →  work/<process>/x.csv  →  done/x.csv, or failed/x.csv with its report
         ↑ put back when it is interrupted, or was still being written

Nothing is published before a file was read to its end; a file that is read twice gives the same facts. What a file
means is its source's affair. No file system is touched but in a thread that may hang.
"""

import asyncio
import contextlib
import errno
import fnmatch
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import structlog

from messaging.publisher import Publishes
from producers.feeds.aside import Aside
from producers.feeds.bounded import FeedPiece, read_within
from producers.feeds.claims import Claims
from producers.feeds.feed import IN_FLIGHT, Runs, keep_run, send
from producers.feeds.listing import Quiet, SeenFile, files_in, left_alone
from producers.feeds.moving import At, move_beside
from producers.feeds.passing import FeedProblem, FolderUnusable, Interrupted, Pass, Progress, Turn, no_progress
from producers.feeds.reports import Report, fail
from producers.feeds.spool import Spool
from producers.normalising import NormaliseContext, Refused, Rejected
from producers.sources import queued
from runtime.clock import Clock
from runtime.sections_feeds import FolderFeed
from store.feeds.runs import FeedRun

PIECES_AT_A_TIME: Final = 500

T = TypeVar("T")

log = structlog.get_logger()


class _StillWritten(Exception):
    """The file changed while it was read."""


@dataclass(slots=True)
class WatchedFolder:
    """One `[feeds.<name>]` with a folder. One pass at a time. `state` is where `work/`, `done/` and `failed/` are."""

    name: str
    settings: FolderFeed
    state: Path
    context: NormaliseContext
    publisher: Publishes
    clock: Clock
    runs: Runs | None = None
    progress: Progress = no_progress
    _claims: Claims = field(init=False)
    _quiet: Quiet = field(init=False)
    _aside: Aside = field(init=False)
    _pulse: Aside = field(init=False)
    _published: SeenFile | None = field(init=False, default=None)
    """A file that could not be moved on once it was published: next time it is moved, and not published again."""
    _beating: "asyncio.Task[None] | None" = field(init=False, default=None)
    _told: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing is touched yet. Raises ConfigurationError, see `queued`."""
        queued(self.settings.source)
        self._claims = Claims(self.settings.folder, self.state, lease_seconds=self.settings.lease_seconds)
        self._quiet = Quiet(self.settings.quiet_seconds)
        self._aside, self._pulse = Aside(f"feeds.{self.name}"), Aside(f"feeds.{self.name}")

    @property
    def every_seconds(self) -> float:
        """See `Feed`."""
        return self.settings.every_seconds

    async def look(self, turn: Turn) -> Pass:
        """Take every complete file, the oldest first. Raises FolderUnusable; Interrupted: the file is back there."""
        done = Pass()
        try:
            now = await self._call(turn, "it is opened", self._begin)
            for left in await self._call(turn, "work/ is looked at", self._claims.left_behind):
                await self._take(left, done, turn, now=now)
            listing, odd = await self._call(turn, "it is listed", self._list)
            self._tell_odd(odd)
            done.odd = sorted(odd)
            ready = list(self._quiet.of(listing, now=now, monotonic=self.clock.monotonic()))
            done.unfinished = [seen.name for seen in listing if seen not in ready]
            problem = await self._take_each(ready, done, turn, now=now)
            await self._call(turn, "work/ is swept", self._claims.sweep)
            if problem is not None:
                raise problem
        except OSError as error:
            raise FolderUnusable(_told(self.settings.folder, error), found=done) from error
        except FeedProblem as problem:
            problem.found = done
            raise
        return done

    async def _take_each(self, ready: Sequence[SeenFile], done: Pass, turn: Turn, *, now: float) -> OSError | None:
        """All of them, whatever ails one; what ailed the first."""
        problem: OSError | None = None
        for seen in ready:
            self._quiet.forget(seen.name)
            try:
                if (file := await self._call(turn, f"{seen.name} is claimed", self._claims.take, seen)) is not None:
                    await self._take(file, done, turn, now=now)
            except OSError as error:
                problem = problem or error
            if turn.stop.is_set():
                break
        return problem

    async def close(self) -> None:
        """Give up the sign of life; a file system that hangs keeps it."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        self._pulse.close()
        stopped = asyncio.Event()
        stopped.set()
        with contextlib.suppress(OSError, FeedProblem):
            await self._aside.call("it is left", self._claims.close, stop=stopped)
        self._aside.close()

    async def _call(self, turn: Turn, doing: str, work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - its own
        return await self._aside.call(
            doing, work, *arguments, stop=turn.stop, patient=turn.patient, told=self._tell_hanging
        )

    async def _tell_hanging(self, told: str) -> None:
        """For the log, and for `relay status`, where it stands until a file is settled."""
        log.warning("feed.hangs", feed=self.name, error=told)
        now = self.clock.now()
        run = FeedRun(
            company=self.context.company,
            feed=self.name,
            name=self.settings.folder.name,
            state="interrupted",
            error=told,
            started_at=now,
            ended_at=now,
        )
        await keep_run(self.runs, run)

    def _begin(self) -> float:
        self._claims.open()
        self._claims.beat()
        return self._claims.now()

    def _list(self) -> tuple[list[SeenFile], dict[str, str]]:
        folder, pattern = self._claims.folder, self.settings.files
        odd = left_alone(folder, ["*"])
        return files_in(folder, pattern), {name: odd[name] for name in odd if fnmatch.fnmatchcase(name, pattern)}

    def _tell_odd(self, odd: dict[str, str]) -> None:
        """Once each: it stays where it is, and somebody should know."""
        for name in odd.keys() - self._told.keys():
            log.warning("feed.file_left_alone", feed=self.name, name=name, reason=odd[name])
        self._told = odd

    async def _beat(self) -> None:
        """Show a sign of life while a long file is in hand; a folder that went away is noticed elsewhere."""
        while True:
            await self.clock.sleep(self.settings.lease_seconds / 4)
            with contextlib.suppress(OSError, FeedProblem):
                await self._pulse.call("its sign of life is renewed", self._claims.beat)

    async def _take(self, file: At, done: Pass, turn: Turn, *, now: float) -> None:
        """One claimed file from here to its place; put back where that does not work out."""
        self._beating = self._beating or asyncio.create_task(self._beat())
        try:
            with Spool() as spool:
                run = await self._settle(file, spool, turn, now=now)
        except _StillWritten:
            await self._put_back(file, turn)
            done.unfinished.append(file.name)
            return
        except BaseException:
            await self._put_back(file, turn)
            raise
        done.count(run)
        await keep_run(self.runs, run, ignored=spool.counts.ignored)

    async def _settle(self, file: At, spool: Spool, turn: Turn, *, now: float) -> FeedRun:
        started = self.clock.now()
        before, refusal = await self._read(file, spool, turn)
        await self._call(turn, f"{file.name} is looked at", _must_be, before, file)
        if refusal is not None:
            spool.refused[:] = [refusal]
            spool.counts.rejects = max(spool.counts.rejects, 1)
        for warned in spool.warned:
            log.warning("feed.file_warned", feed=self.name, name=file.name, where=warned.where, reason=warned.reason)
        counts = spool.counts
        publishes = refusal is None and (counts.rejects == 0 or self.settings.bad_rows == "report")
        if publishes and before != self._published:
            await self._publish(file.name, spool, turn)
            self._published = before
        await self._call(turn, f"{file.name} is moved on", self._move_on, file, before, spool, publishes)
        self._published = None
        return FeedRun(
            company=self.context.company,
            feed=self.name,
            name=file.name,
            state="failed" if counts.rejects else "done",
            size=before.size,
            rows=counts.rows,
            events=counts.events if publishes else 0,
            rejects=counts.rejects,
            lag_seconds=max(0.0, now - before.mtime),
            error=f"{spool.refused[0].where}: {spool.refused[0].reason}" if spool.refused else None,
            started_at=started,
            ended_at=self.clock.now(),
        )

    async def _read(self, file: At, spool: Spool, turn: Turn) -> tuple[SeenFile, Refused | None]:
        """Read it to its end into the spool; what was read, and why the file as a whole is refused, or None."""
        with_time = Turn(turn.stop, turn.clock)  # reading may well take longer than a call that hangs
        opened = contextlib.ExitStack()
        try:
            stream, before = await self._call(turn, f"{file.name} is opened", _open, file, opened)
            return before, await self._spool(before, stream, spool, with_time)
        finally:
            with contextlib.suppress(OSError, FeedProblem):  # what is still being read may not be closed here
                await self._call(turn, f"{file.name} is closed", opened.close)

    async def _spool(self, seen: SeenFile, stream: BinaryIO, spool: Spool, turn: Turn) -> Refused | None:
        name, over = seen.name, threading.Event()
        pieces = read_within(self.settings, stream, self.context, stopped=lambda: turn.stop.is_set() or over.is_set())
        try:
            while await self._call(turn, f"{name} is read", _spool_some, pieces, spool):
                self.progress(name, "reading", _position(stream), seen.size)
                if turn.stop.is_set():
                    raise Interrupted(f"stopped while {name} was read")
        except Rejected as rejected:
            return rejected.at("file")
        finally:
            over.set()
            with contextlib.suppress(OSError, ValueError, FeedProblem):  # a thread is at it, and sees that it is over
                await self._call(turn, f"{name} is let go", pieces.close)
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

    def _move_on(self, file: At, before: SeenFile, spool: Spool, published: bool) -> None:  # noqa: FBT001 - handed to a thread
        """To `done/` or `failed/`. A file that is gone by now was taken by somebody; its events are out."""
        _must_be(before, file)
        report = Report(self.name, self.settings.source, self.context.company, self.clock.now(), published, spool)
        try:
            if spool.counts.rejects:
                fail(file, self._claims.failed, report)
            else:
                move_beside(file, self._claims.done)
        except FileNotFoundError:
            self._claims.beat()  # raises where it is the folder that is gone
            log.warning("feed.file_vanished", feed=self.name, name=file.name)

    async def _put_back(self, file: At, turn: Turn) -> None:
        """Where even that fails, it stays in `work/` and is taken from there the next time."""
        with contextlib.suppress(OSError, FeedProblem):
            await self._call(turn, f"{file.name} is put back", self._claims.put_back, file)


def _spool_some(pieces: Iterator[FeedPiece], spool: Spool) -> bool:
    """Some more pieces; False at the end."""
    some = 0
    for piece in islice(pieces, PIECES_AT_A_TIME):
        spool.add(piece)
        some += 1
    return some == PIECES_AT_A_TIME


def _open(file: At, opened: contextlib.ExitStack) -> tuple[BinaryIO, SeenFile]:
    stream = opened.enter_context(file.open())
    return stream, SeenFile.of(file.name, os.fstat(stream.fileno()))


def _must_be(before: SeenFile, file: At) -> None:
    """Whoever has the file open may write to it until the end, and what was not read must not be moved on."""
    if SeenFile.of(file.name, file.status()) != before:
        raise _StillWritten


def _position(file: BinaryIO) -> int:
    """How far it was read, as far as that can be told: a reader may have closed it."""
    return 0 if file.closed else os.lseek(file.fileno(), 0, os.SEEK_CUR)


def _told(folder: Path, error: OSError) -> str:
    what = error.filename or folder
    advice = {
        FileNotFoundError: "Is it mounted? The feed goes on when it is there.",
        PermissionError: "The relay's user must read and write the folder and all that is in it.",
        NotADirectoryError: "Name the folder itself: no link is followed.",
    }
    said = advice.get(type(error), "Nothing is lost.")
    if error.errno == errno.EXDEV:
        said = "The folder and its work/, done/ and failed/ must be on one file system."
    return f"{folder}: {what}: {error.strerror or type(error).__name__}. {said}"
