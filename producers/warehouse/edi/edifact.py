"""EDIFACT files: RECADV receipts and INVRPT levels.

The file reader of source `edifact`. It must not read anything but the stream it is given.
"""

from collections.abc import Mapping
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext
from producers.warehouse.edi import edifact_lines as lines
from producers.warehouse.edi.edifact_fields import EdifactOptions, dated, order, party
from producers.warehouse.edi.edifact_syntax import Segment, segments
from producers.warehouse.edi.envelope import Level, Standard
from producers.warehouse.edi.reading import Layout, read_edi
from producers.warehouse.goods import Pieces

EDIFACT: Final = Standard(
    name="edifact",
    word="message",
    cut=lambda raw, encoding: segments(raw, encoding=encoding),
    interchange=Level("UNB", "UNZ", 5, "groups"),
    group=Level("UNG", "UNE", 5, "messages"),
    document=Level("UNH", "UNT", 1, "segments"),
    parties=(2, 3),
    test=(11, "1"),
    kind=2,
)

_ENDS: Final = frozenset({"CPS", "UNS", "CNT"})

MESSAGES: Final[Mapping[str, Layout[Segment, EdifactOptions]]] = {
    "RECADV": Layout(
        kind="receipt",
        head="BGM",
        line="LIN",
        ends=_ENDS,
        numbers=((2,),),
        day=dated("50", "35", "137"),
        place=party("DP", "WH", "ST"),
        supplier=lines.supplier,
        order=order,
        check=lines.advice,
        read=lines.received,
    ),
    "INVRPT": Layout(
        kind="count",
        reason="level",
        head="BGM",
        line="LIN",
        ends=_ENDS,
        numbers=((2,),),
        day=dated("366", "179", "137"),
        place=party("WH", "GY", "DP", "ST"),
        check=lines.report,
        read=lines.level,
    ),
}
"""The messages that say something about stock; every other one is ignored, by its name."""


def read_edifact(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read every message of every interchange of the file, as `read_edi` does."""
    return read_edi(stream, context, standard=EDIFACT, options=EdifactOptions, layouts=MESSAGES)
