"""The process that reads one large file, and ends: started by `bounded`, with the open file and what to do with it.

It has no secret and no connection; its memory and its processor time are limited by the system before it reads a byte.
Signals that end the relay are left to the relay, which ends this process itself. What it reads passes as lines of JSON,
and events as they are sent; both ends are ours and of one version, and judge nothing of it.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from producers.feeds.reading import read
from producers.feeds.spool import Written, packed
from producers.normalising import NormaliseContext, Refused, Rejected, Taken

OUT_OF_MEMORY: Final = 77
"""Exit code of a child that could not even say so."""

READY: Final = b'["ready"]\n'
END: Final = b'["end"]\n'


def main() -> None:
    """Read the job from standard input, the file from the descriptor that it names, and write what comes of it."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    job = json.load(sys.stdin.buffer)
    out = sys.stdout.buffer
    try:
        with os.fdopen(job["file"], "rb") as file:
            limit(memory_bytes=job["memory_bytes"], seconds=job["seconds"])
            out.write(READY)
            out.flush()
            _read(file, job, out)
            out.flush()
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def limit(*, memory_bytes: int, seconds: int) -> None:
    """From here on no more memory than this, no more processor time, and not a byte into a file; for good."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    for nothing in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(nothing, (0, 0))


def _read(file: BinaryIO, job: dict[str, Any], out: BinaryIO) -> None:
    context = NormaliseContext(**job["context"])
    try:
        out.writelines(sent(piece) for piece in read(job["source"], file, context, max_bytes=job["max_bytes"]))
    except BrokenPipeError:
        raise
    except (Rejected, OSError) as problem:
        out.write(sent_problem(problem))
    else:
        out.write(END)


def sent(piece: Taken | Refused) -> bytes:
    """One piece as lines: a line about it, and two for each of its events."""
    if isinstance(piece, Refused):
        return _line("refused", piece.where, piece.reason, piece.message, piece.field)
    return b"".join((_line("taken", len(piece.events), piece.ignored), *map(packed, piece.events)))


def sent_problem(problem: Rejected | OSError) -> bytes:
    """Why the file cannot be read, or not now, as a line."""
    if isinstance(problem, OSError):
        return _line("unreadable", problem.errno, problem.strerror)
    return _line("rejected", problem.reason, problem.message, problem.field)


def received(lines: Iterator[bytes]) -> Iterator[Written | Refused]:
    """The pieces again, of lines without their ends, up to the end.

    Raises Rejected and OSError as they were raised there, and EOFError where the lines stop before the end does.
    """
    for line in lines:
        match json.loads(line):
            case ["taken", count, ignored]:
                yield Written(tuple(_event(lines) for _ in range(count)), ignored)
            case ["refused", *parts]:
                yield Refused(*parts)
            case ["rejected", reason, message, field]:
                raise Rejected(reason, message, field=field)
            case ["unreadable", number, text]:
                raise OSError(number, text)
            case ["end"]:
                return
    raise EOFError


def _event(lines: Iterator[bytes]) -> bytes:
    head, body = next(lines, None), next(lines, None)
    if head is None or body is None:
        raise EOFError
    return b"%b\n%b\n" % (head, body)


def _line(*parts: object) -> bytes:
    return json.dumps(parts).encode() + b"\n"
