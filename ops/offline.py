"""`relay normalize` and `relay plan`: the two pure functions on files, with no broker, no network and no database."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from producers.documents import split_documents
from producers.normalising import NormaliseContext, Rejected
from producers.sources import SOURCES
from schemas.envelope import decode, encode
from schemas.errors import InvalidEvent
from workers.books import Books
from workers.plans import plan
from workers.plans.writes import Parked


def normalise_file(source: str, path: Path, context: NormaliseContext) -> Iterator[bytes | str]:
    """Each event of a file as bytes (one JSON line), each rejected document as the text of what is wrong with it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        yield f"{path}: {error.strerror}"
        return
    for number, document in enumerate(split_documents(raw), start=1):
        try:
            for event in SOURCES[source](document, context).events:
                yield encode(event)
        except Rejected as error:
            yield f"{path}: document {number}: {error.reason}: {error}"


def plan_lines(lines: Iterable[bytes], books: Books) -> Iterator[dict[str, Any] | str]:
    """Each write of each event line as JSON-ready values; a line that is no event as the text of what is wrong."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = decode(line)
        except InvalidEvent as error:
            yield f"line {number}: {error}"
            continue
        known: Mapping[str, Any] = {"event": event.id, "type": event.type}
        try:
            planned = plan(event, books)
        except Parked as parked:
            fact = {"external_id": event.data.fact, "date": books.day_of(event.time).isoformat()}
            yield {"kind": "parked", "reason": parked.reason, "error": str(parked), **fact, **known}
            continue
        except (ValueError, OverflowError) as error:
            yield f"line {number}: {event.type} cannot be planned: {type(error).__name__}"
            continue
        for write in planned.writes:
            yield {**json.loads(write.model_dump_json(exclude_none=True)), **known}
        if planned.requires and not planned.writes:
            needs = [requirement.model_dump(mode="json") for requirement in planned.requires]
            reason = f"prerequisite:{needs[0].get('external_id') or needs[0].get('group')}"
            figures = {"external_id": event.data.fact, "date": books.day_of(event.time).isoformat(), "requires": needs}
            yield {"kind": "parked", "reason": reason, **figures, **known}
