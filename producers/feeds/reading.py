"""Any source as something that reads a file piece by piece, and what is refused before a byte of it is normalised.

Pure but for the file it is given. It must not publish or move anything.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, Final

from producers.normalising import NormaliseContext, Normalised, Piece, Rejected, Taken
from producers.reading.files import LONGEST_MARK, refuse_packed
from producers.sources import SOURCES

LARGEST_DOCUMENTS: Final = 67_108_864
"""Bytes of a file of documents: it is read whole."""


def normalise_document(source: str, document: bytes, context: NormaliseContext) -> Normalised:
    """A single document of this source, whole or not at all. Raises Rejected."""
    normalised, rejected = read_document(source, document, context)
    if rejected is not None:
        raise rejected
    return normalised


def read_document(source: str, document: bytes, context: NormaliseContext) -> tuple[Normalised, Rejected | None]:
    """Give what is good in a single document, and what was refused first; a mistake of ours is a `Rejected` too."""
    taken: list[Taken] = []
    rejected: Rejected | None = None
    try:
        for piece in SOURCES[source].pieces(BytesIO(document), context):
            if isinstance(piece, Taken):
                taken.append(piece)
            elif rejected is None and not piece.is_warning:
                rejected = Rejected(piece.reason, piece.message, field=piece.field)
    except Rejected as error:
        rejected = error
    except Exception as error:  # noqa: BLE001 - a mistake of ours must not lose a document
        rejected = Rejected.of_mistake(error)
    events = tuple(event for piece in taken for event in piece.events)
    ignored = next((piece.ignored for piece in taken if piece.ignored), None)
    return Normalised(events, ignored=None if events else ignored), rejected


def read(source: str, file: BinaryIO, context: NormaliseContext, *, max_bytes: int) -> Iterator[Piece]:
    """Read a file from its start, piece by piece. A mistake of ours in one piece refuses the file.

    Raises Rejected (too large, packed, or whatever the source refuses), KeyError, and OSError as the file does.
    """
    own = SOURCES[source]
    _refuse_unreadable(file, max_bytes=min(max_bytes, LARGEST_DOCUMENTS) if own.document else max_bytes)
    try:
        yield from own.pieces(file, context)
    except (Rejected, OSError, MemoryError):
        raise
    except Exception as error:  # a mistake of ours must not lose a file
        raise Rejected.of_mistake(error) from error


def _refuse_unreadable(file: BinaryIO, *, max_bytes: int) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if size > max_bytes:
        message = f"the file has {size:,} bytes, and {max_bytes:,} are allowed: cut it, or raise the feed's max_bytes"
        raise Rejected("too_large", message)
    refuse_packed(file.read(LONGEST_MARK))
    file.seek(0)
