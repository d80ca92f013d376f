"""X12 files: 944 and 861 receipts, 947 adjustments, 945 shipments, 846 levels.

The file reader of source `x12`. It must not read anything but the stream it is given.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Refused, Rejected, Taken
from producers.reading.files import read_whole
from producers.reading.options import read_options
from producers.warehouse.edi.envelope import Parties
from producers.warehouse.edi.x12_envelope import TransactionSet, check_envelope, transaction_sets
from producers.warehouse.edi.x12_reading import Pieces, Reading, X12Options
from producers.warehouse.edi.x12_receipts import receiving_advice, warehouse_receipt
from producers.warehouse.edi.x12_stock import adjustments, levels, shipments
from producers.warehouse.edi.x12_syntax import decode_x12

KINDS: Final[Mapping[str, Callable[[TransactionSet, Reading], Pieces]]] = {
    "846": levels,
    "861": receiving_advice,
    "944": warehouse_receipt,
    "945": shipments,
    "947": adjustments,
}
"""The transaction sets that say something about stock; every other one is ignored, by its number."""


def read_x12(stream: BinaryIO, context: NormaliseContext) -> Iterator[Taken | Refused]:
    """Read every transaction set of every interchange of the file.

    The whole envelope is checked before the first piece is given: Rejected is raised there and nowhere later. The
    sets whose own count is wrong are refused first, if `control_counts` is strict. A `Refused` whose reason begins
    with `warning:` says what is wrong with an envelope, and stops nothing.
    """
    options = read_options(X12Options, context.options)
    strict = options.control_counts == "strict"
    text = decode_x12(read_whole(stream, max_bytes=options.max_bytes), options.encoding)
    yield from check_envelope(text, strict=strict, parties=Parties(options.senders, options.receivers))
    reading = Reading(options, context.company)
    empty = True
    for found in transaction_sets(text):
        empty = False
        if found.sound or not strict:
            yield from _take(found, reading)
    if empty:
        yield Taken("file", (), ignored="no_transaction_sets")


def _take(found: TransactionSet, reading: Reading) -> Pieces:
    where = found.segments[0].where
    read = KINDS.get(found.kind)
    if read is None:
        yield Taken(where, (), ignored=f"transaction_set:{found.kind[:10]}")
    elif found.test and not reading.options.post_tests:
        yield Taken(where, (), ignored="test_interchange")
    else:
        try:
            yield from read(found, reading)
        except Rejected as error:
            yield error.at(where)
