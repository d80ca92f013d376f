"""The process that reads one large file, and ends: started by `bounded`, with the open file and what to do with it.

It has no secret and no connection; its memory and its processor time are limited by the system before it reads a byte.
Signals that end the relay are left to the relay, which ends this process itself.
"""

import json
import os
import resource
import signal
import sys
from typing import Any, BinaryIO, Final

from producers.feeds.reading import read
from producers.feeds.wire import END, READY, sent, sent_problem
from producers.normalising import NormaliseContext, Rejected

OUT_OF_MEMORY: Final = 77
"""Exit code of a child that could not even say so."""


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
