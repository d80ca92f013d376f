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
from schemas.sales import RefundFailed
from workers.books.books import Books
from workers.errors import Conflicting
from workers.plans import plan, stream_of
from workers.plans.periods import place_in_open_period
from workers.plans.writes import Parked, Plan
from workers.prerequisites import PrerequisiteMissing, check
from workers.sales import captures
from workers.sales.afterwards import MemoryGroups, writes_afterwards
from workers.sales.exchange import ExchangeBook
from workers.sales.memory import COMPANY, MemoryCaptures, MemoryInbox, MemorySales
from workers.sales.told import STREAM as SALES
from workers.sales.told import SalesBook
from workers.stock.book import StockBook
from workers.stock.memory import MemoryRecords

LARGEST_FILE: Final = 1_073_741_824
_TEST_LEFT_OUT: Final = "a test posts nothing in the books of real money; --test-mode is for trial books"


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
                        yield Warned(f"{path}: {piece.where}: test_mode: {_TEST_LEFT_OUT}")
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

    What the lines tell of stock and of sales is remembered from one to the next, and forgotten at the end. What waits
    for another event of a sale comes last.
    """
    dry = _Dry(books)
    with asyncio.Runner() as runner:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                event = decode(line)
            except InvalidEvent as error:
                yield f"line {number}: {error}"
                continue
            yield from dry.planned(event, number, runner)
        for number, event in dry.waiting_still():
            yield from dry.planned(event, number, runner)


class _Dry:
    """Plans events one after another as a worker would, without a store and without Solid."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._stock = StockBook(records=MemoryRecords(), books=books, company=COMPANY)
        self._written, self._groups = MemoryInbox(), MemoryGroups()
        self._captures = MemoryCaptures(self._written)
        self._exchange = ExchangeBook(inbox=self._written, books=books, company=COMPANY)
        self._sales = SalesBook(records=MemorySales(), inbox=self._written, books=books, company=COMPANY)
        self._waiting: list[tuple[int, Event]] | None = []

    def planned(self, event: Event, number: int, runner: asyncio.Runner) -> Iterator[dict[str, Any] | str]:
        """What one event becomes; nothing yet where it may wait for what comes later."""
        try:
            planned = runner.run(self._completed(event))
        except (Parked, PrerequisiteMissing, Conflicting) as error:
            if isinstance(error, PrerequisiteMissing) and stream_of(event) == SALES and self._waiting is not None:
                self._waiting.append((number, event))
                return
            reason = "conflict" if isinstance(error, Conflicting) else error.reason
            yield {"kind": "parked", "reason": reason, "error": str(error), **_named(event, self._books)}
        except (ValueError, OverflowError) as error:
            yield f"line {number}: {event.type} cannot be planned: {type(error).__name__}"
        else:
            self._written.keep(planned)
            yield from _shown(planned, event)

    def waiting_still(self) -> list[tuple[int, Event]]:
        """The events that waited, each once; from now on nothing waits."""
        waiting, self._waiting = self._waiting or [], None
        return waiting

    async def _reached(self, planned: Plan, event: Event) -> Plan:
        """The plan as it is where what it only waits for is told, or what it takes back is not told by the same run.

        A sale that the run tells tells its refunds too; where there is no sale, what is taken back is believed.
        """
        if planned.requires and not planned.writes:
            day = self._books.day_of(event.time)
            await check(self._written, COMPANY, planned.requires, captures=self._captures, earlier=None, day=day)
            return Plan()
        data, undone = event.data, planned.undoes.write.external_id if planned.undoes else None
        if not isinstance(data, RefundFailed) or undone is None or await self._written.state_of(COMPANY, [undone]):
            return planned
        if self._waiting is not None:
            raise PrerequisiteMissing(f"prerequisite:{undone}", f"{undone} is not told yet")
        sold = f"{self._books.processor_of(data.fact).key}:charge:{data.charge}:invoice"
        return planned.cancelling() if await self._written.state_of(COMPANY, [sold]) else planned

    async def _completed(self, event: Event) -> Plan:
        resolved = await captures.resolved(event, self._captures)
        if resolved is None:
            return Plan()
        event = resolved
        planned = await self._reached(plan(event, self._books), event)
        if stream_of(event) != SALES:
            return await self._stock.complete(planned, event)
        planned = await self._exchange.complete(planned, event)
        planned = await self._sales.complete(planned, event)
        self._groups.note(planned)
        further = await writes_afterwards(planned.afterwards, groups=self._groups, books=self._books)
        placed = place_in_open_period(Plan(writes=further), self._books, stream=SALES)
        return planned.model_copy(update={"writes": (*planned.writes, *placed.writes)})


def _shown(planned: Plan, event: Event) -> Iterator[dict[str, Any]]:
    for write in planned.writes:
        yield {**json.loads(write.model_dump_json(exclude_none=True)), "event": event.id, "type": event.type}


def _named(event: Event, books: Books) -> dict[str, Any]:
    """What a parked line says of its event."""
    day = books.day_of(event.time).isoformat()
    return {"external_id": event.data.fact, "date": day, "event": event.id, "type": event.type}
