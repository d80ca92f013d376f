"""`relay normalize` and `relay plan`: the two pure functions on files, with no broker, no network and no database."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from producers.feeds.reading import read
from producers.normalising import NormaliseContext, Rejected, Taken
from schemas.envelope import Event, decode, encode
from schemas.errors import InvalidEvent
from workers.books.books import Books
from workers.errors import Conflicting
from workers.plans import plan, stream_of
from workers.plans.periods import place_in_open_period
from workers.plans.writes import Parked, Plan
from workers.prerequisites import PrerequisiteMissing
from workers.sales.afterwards import MemoryGroups, writes_afterwards
from workers.stock.book import StockBook
from workers.stock.memory import MemoryRecords

LARGEST_FILE: Final = 1_073_741_824


class Warned(str):
    """What is wrong with a file though all of it was read."""

    __slots__ = ()


def normalise_file(source: str, path: Path, context: NormaliseContext) -> Iterator[bytes | str]:
    """Each event of a file as bytes (one JSON line), each refused part as the text of what is wrong with it.

    What is only a warning is `Warned`.
    """
    try:
        with path.open("rb") as file:
            for piece in read(source, file, context, max_bytes=LARGEST_FILE):
                if isinstance(piece, Taken):
                    yield from map(encode, piece.events)
                    if piece.ignored == "test_mode":
                        yield Warned(
                            f"{path}: {piece.where}: test_mode: a test posts nothing in the books of real money"
                        )
                    continue
                field = f"{piece.field}: " if piece.field else ""
                sentence = f"{path}: {piece.where}: {piece.reason}: {field}{piece.message}"
                yield Warned(sentence) if piece.is_warning else sentence
    except Rejected as error:
        yield f"{path}: {error.reason}: {error}"
    except OSError as error:
        yield f"{path}: {error.strerror}"


def plan_lines(lines: Iterable[bytes], books: Books) -> Iterator[dict[str, Any] | str]:
    """Each write of each event line as JSON-ready values; a line that is no event as the text of what is wrong.

    What the lines tell of stock is remembered from one to the next, and forgotten at the end.
    """
    stock, groups = StockBook(records=MemoryRecords(), books=books, company="offline"), MemoryGroups()
    with asyncio.Runner() as runner:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                event = decode(line)
            except InvalidEvent as error:
                yield f"line {number}: {error}"
                continue
            try:
                planned = runner.run(_completed(event, books, stock, groups))
            except (Parked, PrerequisiteMissing, Conflicting) as error:
                reason = "conflict" if isinstance(error, Conflicting) else error.reason
                yield {"kind": "parked", "reason": reason, "error": str(error), **_named(event, books)}
            except (ValueError, OverflowError) as error:
                yield f"line {number}: {event.type} cannot be planned: {type(error).__name__}"
            else:
                yield from _shown(planned, event, books)


async def _completed(event: Event, books: Books, stock: StockBook, groups: MemoryGroups) -> Plan:
    planned = await stock.complete(plan(event, books), event)
    groups.note(planned)
    further = await writes_afterwards(planned.afterwards, groups=groups, books=books)
    if not further:
        return planned
    placed = place_in_open_period(Plan(writes=further), books, stream=stream_of(event))
    return planned.model_copy(update={"writes": (*planned.writes, *placed.writes)})


def _shown(planned: Plan, event: Event, books: Books) -> Iterator[dict[str, Any]]:
    for write in planned.writes:
        yield {**json.loads(write.model_dump_json(exclude_none=True)), "event": event.id, "type": event.type}
    if planned.requires and not planned.writes:
        needs = [requirement.model_dump(mode="json", exclude_none=True) for requirement in planned.requires]
        reason = planned.requires[0].key
        yield {"kind": "parked", "reason": reason, "requires": needs, **_named(event, books)}


def _named(event: Event, books: Books) -> dict[str, Any]:
    """What a parked line says of its event."""
    day = books.day_of(event.time).isoformat()
    return {"external_id": event.data.fact, "date": day, "event": event.id, "type": event.type}
