"""X12 files: 944 and 861 receipts, 947 adjustments, 945 shipments, 846 levels.

The file reader of source `x12`. It must not read anything but the stream it is given.
"""

from collections.abc import Mapping
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext
from producers.warehouse.edi import x12_lines as lines
from producers.warehouse.edi.envelope import Level, Standard
from producers.warehouse.edi.reading import Head, Layout, Lines, read_edi
from producers.warehouse.edi.x12_fields import X12Options, dated, holder, receiver, reference, supplier
from producers.warehouse.edi.x12_syntax import Segment, decode_x12, segments
from producers.warehouse.goods import Pieces

X12: Final = Standard(
    name="x12",
    word="transaction_set",
    cut=lambda raw, encoding: segments(decode_x12(raw, encoding or "utf-8")),
    interchange=Level("ISA", "IEA", 13, "groups"),
    group=Level("GS", "GE", 6, "sets"),
    document=Level("ST", "SE", 2, "segments"),
    parties=(6, 8),
    test=(15, "T"),
    kind=1,
    grouped=True,
    groups={"944": "RE", "947": "AW", "945": "SW", "861": "RC", "846": "IB"},
    loose=frozenset({"TA1"}),
)

SETS: Final[Mapping[str, Layout[Segment, X12Options]]] = {
    "846": Layout(
        "count",
        Head("BIA", ((3,),), dated(4), holder, lines.purpose_at(1)),
        Lines("LIN", {"CTT"}, lines.level),
        reason="level",
    ),
    "861": Layout(
        "receipt",
        Head("BRA", ((1,),), dated("050", "50", "035", "35", 2), receiver, lines.advice),
        Lines("RCD", {"CTT"}, lines.advised, lines.order_of_advice),
        supplier=supplier,
    ),
    "944": Layout(
        "receipt",
        Head("W17", ((3,),), dated(2, "50", "050"), receiver, lines.receipt),
        Lines("W07", {"W14"}, lines.received, reference("PO"), order_at=4, total=("W14", 1)),
        supplier=supplier,
        turned=lines.returned,
    ),
    "945": Layout(
        "shipment",
        Head("W06", ((2,), (4,)), dated(3), holder, lines.shipment),
        Lines("W12", {"W03"}, lines.shipped, total=("W03", 1)),
        reason="shipment",
    ),
    "947": Layout(
        "adjustment",
        Head("W15", ((2, 3),), dated(1), holder, lines.purpose_at(4)),
        Lines("W19", {"W99"}, lines.adjusted),
    ),
}
"""The transaction sets that say something about stock; every other one is ignored, by its number."""


def read_x12(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read every transaction set of every interchange of the file, as `read_edi` does."""
    return read_edi(stream, context, standard=X12, options=X12Options, layouts=SETS)
