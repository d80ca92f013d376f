"""EDIFACT files: RECADV receipts and INVRPT levels.

The file reader of source `edifact`. It must not read anything but the stream it is given.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.edi.edifact_envelope import Message, check_envelope, messages
from producers.warehouse.edi.edifact_messages import levels, receiving_advice
from producers.warehouse.edi.edifact_reading import EdifactOptions, Pieces, Reading
from producers.warehouse.edi.envelope import Parties

KINDS: Final[Mapping[str, Callable[[Message, Reading], Pieces]]] = {"RECADV": receiving_advice, "INVRPT": levels}
"""The messages that say something about stock; every other one is ignored, by its name."""


def read_edifact(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read every message of every interchange of the file.

    The whole envelope is checked before the first piece is given: Rejected is raised there and nowhere later. The
    messages whose own count is wrong are refused first, if `control_counts` is strict. A `Refused` whose reason begins
    with `warning:` says what is wrong with an envelope, and stops nothing.
    """
    options = read_options(EdifactOptions, context.options)
    strict = options.control_counts == "strict"
    raw = read_whole(stream, max_bytes=options.max_bytes)
    parties = Parties(options.senders, options.receivers)
    yield from check_envelope(raw, strict=strict, encoding=options.encoding, parties=parties)
    reading = Reading(options, context.company)
    empty = True
    for message in messages(raw, encoding=options.encoding):
        empty = False
        if message.sound or not strict:
            yield from _take(message, reading)
    if empty:
        yield Taken("file", (), ignored="no_messages")


def _take(message: Message, reading: Reading) -> Pieces:
    where = message.segments[0].where
    read = KINDS.get(message.kind)
    if read is None:
        yield Taken(where, (), ignored=f"message:{message.kind[:10]}")
    elif message.test and not reading.options.post_tests:
        yield Taken(where, (), ignored="test_interchange")
    else:
        try:
            yield from read(message, reading)
        except Rejected as error:
            yield error.at(where)
