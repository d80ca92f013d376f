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
from producers.warehouse.edi.reading import Head, Layout, Lines, read_edi
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
        "receipt",
        Head("BGM", ((2,),), dated("50", "35", "137"), party("DP", "WH", "ST"), lines.advice),
        Lines("LIN", _ENDS, lines.received, order),
        supplier=lines.supplier,
    ),
    "INVRPT": Layout(
        "count",
        Head("BGM", ((2,),), dated("366", "179", "137"), party("WH", "GY", "DP", "ST"), lines.report),
        Lines("LIN", _ENDS, lines.level),
        reason="level",
    ),
}
"""The messages that say something about stock; every other one is ignored, by its name."""


def read_edifact(stream: BinaryIO, context: NormaliseContext) -> Pieces:
    """Read every message of every interchange of the file, as `read_edi` does."""
    return read_edi(stream, context, standard=EDIFACT, options=EdifactOptions, layouts=MESSAGES)
