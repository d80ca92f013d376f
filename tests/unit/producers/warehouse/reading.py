"""Reading made-up warehouse files, for the tests of their normalisers."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from producers.normalising import FileReader, NormaliseContext, Normalised, Piece, Refused, Rejected, Taken
from producers.warehouse.cin7.cin7 import read_cin7
from producers.warehouse.rows import csv_rows, json_rows
from schemas.envelope import Event

DATA = Path(__file__).parents[3] / "data"


def pieces(reader: FileReader, raw: bytes, **options: Any) -> list[Piece]:  # noqa: ANN401  (settings of any kind)
    return list(reader(BytesIO(raw), NormaliseContext(options=options)))


def read_csv(text: str | bytes, **options: Any) -> list[Piece]:  # noqa: ANN401  (settings of any kind)
    return pieces(csv_rows.read, text if isinstance(text, bytes) else text.encode(), **options)


def read_json(value: object, **options: Any) -> list[Piece]:  # noqa: ANN401  (settings of any kind)
    return pieces(json_rows.read, value if isinstance(value, bytes) else json.dumps(value).encode(), **options)


def normalise_cin7(document: bytes, context: NormaliseContext) -> Normalised:
    """What a document gives, all pieces together. Raises Rejected for the first piece that is refused."""
    found = list(read_cin7(BytesIO(document), context))
    for piece in found:
        if isinstance(piece, Refused):
            raise Rejected(piece.reason, piece.message, field=piece.field)
    ignored = next((piece.ignored for piece in found if isinstance(piece, Taken) and piece.ignored), None)
    events = tuple(events_of(found))
    return Normalised(events, ignored=None if events else ignored)


def json_lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def events_of(found: list[Piece]) -> list[Event]:
    return [event for piece in found if isinstance(piece, Taken) for event in piece.events]


def facts_of(found: list[Piece]) -> list[str]:
    return [event.data.fact for event in events_of(found)]


def refused(found: list[Piece]) -> list[tuple[str, str, str | None]]:
    return [(piece.where, piece.reason, piece.field) for piece in found if isinstance(piece, Refused)]


def ignored(found: list[Piece]) -> list[tuple[str, str | None]]:
    return [(piece.where, piece.ignored) for piece in found if isinstance(piece, Taken) and not piece.events]


def rejected_csv(text: str | bytes, **options: Any) -> Rejected:  # noqa: ANN401  (settings of any kind)
    with pytest.raises(Rejected) as caught:
        read_csv(text, **options)
    return caught.value
