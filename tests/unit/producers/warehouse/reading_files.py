"""Files of the four formats, made and real, and what a reader says of them."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from producers.normalising import FileReader, NormaliseContext, Piece, Refused, Taken
from schemas.envelope import Event, decode, encode
from schemas.event_data import EventData

DATA = Path(__file__).parents[3] / "data"
MADE = DATA / "warehouse-made"

OUR_GLN = "9501101530003"


def made(name: str) -> bytes:
    return (MADE / name).read_bytes()


def pieces(reader: FileReader, raw: bytes, **options: object) -> list[Piece]:
    """What the reader gives; every event can be sent and read again."""
    found = list(reader(io.BytesIO(raw), NormaliseContext(company="acme", options=options)))
    for event in events_of(found):
        assert decode(encode(event)) == event
        assert event.company == "acme"
    return found


def events_of(found: list[Piece]) -> list[Event]:
    return [event for piece in found if isinstance(piece, Taken) for event in piece.events]


def data_of(found: list[Piece]) -> list[EventData]:
    return [event.data for event in events_of(found)]


def shown(found: list[Piece]) -> list[Mapping[str, Any]]:
    """The data of every event as JSON, without what is absent."""
    return [data.model_dump(mode="json", exclude_none=True) for data in data_of(found)]


def refusals(found: list[Piece]) -> list[Refused]:
    return [piece for piece in found if isinstance(piece, Refused)]


def ignored(found: list[Piece]) -> list[tuple[str, str | None]]:
    return [(piece.where, piece.ignored) for piece in found if isinstance(piece, Taken) and not piece.events]


def x12(functional_id: str, kind: str, *body: str, test: str = "P") -> bytes:
    """One transaction set in an envelope whose counts are right."""
    blank = " " * 10
    isa = f"ISA*00*{blank}*00*{blank}*ZZ*3PLWEST        *ZZ*ACME           *260115*0930*U*00401*000000101*0*{test}*>"
    lines = [isa, f"GS*{functional_id}*3PLWEST*ACME*20260115*0930*7*X*004010", f"ST*{kind}*0001", *body]
    lines += [f"SE*{len(body) + 2}*0001", "GE*1*7", "IEA*1*000000101"]
    return "".join(f"{line}~\n" for line in lines).encode()


def edifact(kind: str, *body: str, una: str = "UNA:+.? '", charset: str = "UNOC:3") -> bytes:
    """One message in an envelope whose counts are right."""
    lines = [f"UNB+{charset}+{OUR_GLN}:14+9501101020016:14+260115:0930+REF77", f"UNH+1+{kind}:D:01B:UN", *body]
    lines += [f"UNT+{len(body) + 2}+1", "UNZ+1+REF77"]
    return (una + "\n" + "".join(f"{line}'\n" for line in lines)).encode("latin-1")
