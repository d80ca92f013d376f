"""How a file's pieces pass from the process that reads it to the one that publishes: lines of JSON, and events as sent.

Both ends are ours, and of one version. It must not judge what it passes on.
"""

import json
from collections.abc import Iterator
from typing import Final

from producers.feeds.spool import Packed, Written, packed
from producers.normalising import Refused, Rejected, Taken

READY: Final = b'["ready"]\n'
END: Final = b'["end"]\n'


def sent(piece: Taken | Refused) -> bytes:
    """One piece as lines: a line about it, and two for each of its events."""
    if isinstance(piece, Refused):
        return _line("refused", piece.where, piece.reason, piece.message, piece.field)
    events = [line + b"\n" for event in piece.events for line in packed(event)]
    return b"".join((_line("taken", piece.where, len(piece.events), piece.ignored), *events))


def sent_problem(problem: Rejected | OSError) -> bytes:
    """Why the file cannot be read, or not now, as a line."""
    if isinstance(problem, OSError):
        return _line("unreadable", problem.errno, problem.strerror)
    return _line("rejected", problem.reason, problem.message, problem.field)


def received(lines: Iterator[bytes]) -> Iterator[Written | Refused]:
    """The pieces again, up to the end.

    Raises Rejected and OSError as they were raised there, and EOFError where the lines stop before the end does.
    """
    for line in lines:
        match json.loads(line):
            case ["taken", where, count, ignored]:
                yield Written(where, tuple(_event(lines) for _ in range(count)), ignored)
            case ["refused", *parts]:
                yield Refused(*parts)
            case ["rejected", reason, message, field]:
                raise Rejected(reason, message, field=field)
            case ["unreadable", number, text]:
                raise OSError(number, text)
            case ["end"]:
                return
    raise EOFError


def _event(lines: Iterator[bytes]) -> Packed:
    head, body = next(lines, None), next(lines, None)
    if head is None or body is None:
        raise EOFError
    return head, body


def _line(*parts: object) -> bytes:
    return json.dumps(parts).encode() + b"\n"
