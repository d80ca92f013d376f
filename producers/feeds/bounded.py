"""Reading a file of strangers within bounds of time, and a large one in a process of its own, with bounds of memory.

That process gets the open file and how it is read, and nothing else: no environment, no other descriptor. Whatever ends
it early (its memory, its time, a crash) refuses the file, and this process goes on.
"""

import errno
import json
import math
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import producers
from producers.feeds.passing import Interrupted
from producers.feeds.reading import read
from producers.feeds.reading_child import OUT_OF_MEMORY, READY, received
from producers.feeds.spool import Written
from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from runtime.clock import Clock, SystemClock
from runtime.sections_feeds import FolderFeed

FeedPiece = Taken | Written | Refused

BYTES_A_BUDGET: Final = 4 << 20
"""A larger file gets the budget once for each so many bytes of it."""

_REAL: Final = SystemClock()
_LOOK_EVERY_SECONDS: Final = 0.2
_CHUNK: Final = 1 << 16
_START: Final = "import sys; sys.path.insert(0, sys.argv[1]); from producers.feeds.reading_child import main; main()"
_ROOT: Final = str(Path(producers.__file__).parents[1])


def read_within(
    settings: FolderFeed,
    file: BinaryIO,
    context: NormaliseContext,
    *,
    stopped: Callable[[], bool],
    clock: Clock = _REAL,
) -> Generator[FeedPiece, None, None]:
    """Read an open file from its start, piece by piece. To be called in a thread, and closed.

    Raises as `reading.read`, and Rejected: `too_slow`, `too_much_memory`, `reading_died`; Interrupted.
    """
    size = os.fstat(file.fileno()).st_size
    seconds = settings.max_seconds * max(1.0, size / BYTES_A_BUDGET)
    ends = clock.monotonic() + seconds

    def look() -> None:
        if stopped():
            raise Interrupted("stopped while a file was read")
        if clock.monotonic() > ends:
            raise _too_slow(seconds)

    if size > settings.child_above_bytes:
        yield from _in_child(settings, file, context, seconds=seconds, look=look)
        return
    for piece in read(settings.source, file, context, max_bytes=settings.max_bytes):
        look()
        yield piece


def _in_child(
    settings: FolderFeed, file: BinaryIO, context: NormaliseContext, *, seconds: float, look: Callable[[], None]
) -> Iterator[FeedPiece]:
    job = {
        "file": file.fileno(),
        "source": settings.source,
        "max_bytes": settings.max_bytes,
        "memory_bytes": settings.max_memory_bytes,
        "seconds": math.ceil(seconds) + 1,
        "context": {each.name: getattr(context, each.name) for each in fields(context)},
    }
    file.seek(0)
    with _child(file) as child:
        lines = _lines(child, json.dumps(job, default=_plain).encode(), look)
        is_up = next(lines, b"") + b"\n" == READY
        try:
            yield from received(lines)
        except EOFError:
            _refuse(child.wait(), settings, seconds=seconds, is_up=is_up)


def _plain(value: object) -> object:
    """What JSON does not know: other mappings, and the dates of TOML."""
    return dict(value) if isinstance(value, Mapping) else str(value)


@contextmanager
def _child(file: BinaryIO) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that has the open file, two pipes to here and nothing else; it does not outlive this block."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", _START, _ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what is said there may hold what was read
        pass_fds=(file.fileno(),),
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # of what it was not told any more
                    pipe.close()


def _lines(child: "subprocess.Popen[bytes]", job: bytes, look: Callable[[], None]) -> Iterator[bytes]:
    """Give it the job, and then its lines, without their ends; `look` is asked again and again meanwhile."""
    stdin, stdout = child.stdin, child.stdout
    if stdin is None or stdout is None:
        raise AssertionError
    with suppress(BrokenPipeError):  # it is gone already, and how it ended says why
        stdin.write(job)
        stdin.close()
    parts: list[bytes] = []
    with selectors.DefaultSelector() as waiting:
        waiting.register(stdout, selectors.EVENT_READ)
        while True:
            look()
            if not waiting.select(_LOOK_EVERY_SECONDS):
                continue
            chunk = os.read(stdout.fileno(), _CHUNK)
            if not chunk:
                return
            first, *more = chunk.split(b"\n")
            parts.append(first)
            if more:
                yield b"".join(parts)
                yield from more[:-1]
                parts = [more[-1]]


def _refuse(code: int, settings: FolderFeed, *, seconds: float, is_up: bool) -> NoReturn:
    """Say why a child ended before the file did. A file of which no byte was read is not at fault."""
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    if code in {-signal.SIGTERM, -signal.SIGINT}:
        raise Interrupted("the process that reads a file was told to end")
    if not is_up:
        raise OSError(errno.EAGAIN, f"the process that reads large files did not start ({how})")
    if code == -signal.SIGXCPU:
        raise _too_slow(seconds)
    if code == OUT_OF_MEMORY:
        message = (
            f"to read it took more than {settings.max_memory_bytes:,} bytes of memory, and nothing of it was used: "
            "cut it, or raise the feed's max_memory_bytes"
        )
        raise Rejected("too_much_memory", message)
    message = (
        f"the process that read it died ({how}), and nothing of it was used: put it back where the machine was "
        "short of memory; else somebody must look at it"
    )
    raise Rejected("reading_died", message)


def _too_slow(seconds: float) -> Rejected:
    message = (
        f"it was not read to its end within {seconds:,.0f} seconds, and nothing of it was used: "
        "cut it, or raise the feed's max_seconds"
    )
    return Rejected("too_slow", message)
