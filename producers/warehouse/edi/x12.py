"""X12 files: 944 and 861 receipts, 947 adjustments, 945 shipments, 846 levels.

The file reader of source `x12`. It must not read anything but the stream it is given.
"""

from collections.abc import Mapping
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext
from producers.warehouse.edi import x12_lines as lines
from producers.warehouse.edi.envelope import Level, Standard
from producers.warehouse.edi.reading import Layout, read_edi
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
        kind="count",
        reason="level",
        head="BIA",
        line="LIN",
        ends=frozenset({"CTT"}),
        numbers=((3,),),
        day=dated(4),
        place=holder,
        check=lines.purpose_at(1),
        read=lines.level,
    ),
    "861": Layout(
        kind="receipt",
        head="BRA",
        line="RCD",
        ends=frozenset({"CTT"}),
        numbers=((1,),),
        day=dated("050", "50", "035", "35", 2),
        place=receiver,
        supplier=supplier,
        order=lines.order_of_advice,
        check=lines.advice,
        read=lines.advised,
    ),
    "944": Layout(
        kind="receipt",
        head="W17",
        line="W07",
        ends=frozenset({"W14"}),
        numbers=((3,),),
        day=dated(2, "50", "050"),
        place=receiver,
        supplier=supplier,
        order=reference("PO"),
        order_at=4,
        total=("W14", 1),
        check=lines.receipt,
        read=lines.received,
        turned=lines.returned,
    ),
    "945": Layout(
        kind="shipment",
        reason="shipment",
        head="W06",
        line="W12",
        ends=frozenset({"W03"}),
        numbers=((2,), (4,)),
        day=dated(3),
        place=holder,
        total=("W03", 1),
        check=lines.shipment,
        read=lines.shipped,
    ),
    "947": Layout(
        kind="adjustment",
        head="W15",
        line="W19",
        ends=frozenset({"W99"}),
        numbers=((2, 3),),
        day=dated(1),
        place=holder,
        check=lines.purpose_at(4),
        read=lines.adjusted,
    ),
}
"""The transaction sets that say something about stock; every other one is ignored, by its number."""


def read_x12(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read every transaction set of every interchange of the file, as `read_edi` does."""
    return read_edi(stream, context, standard=X12, options=X12Options, layouts=SETS)
