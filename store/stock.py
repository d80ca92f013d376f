"""What is known of stock, kept: movements and cards of items, what each fact posts, and which facts became one entry.

It must not know accounting: what a fact does to a card is decided by the caller, within the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store import outbox
from store.claims import EventRef
from store.engine import reading, transact
from store.group_commit import GroupCommit
from store.lost import applied, no_letter
from store.schema import OUTBOX, PENDING, STOCK_CARDS, STOCK_FACTS, STOCK_MOVEMENTS

Body = dict[str, Any]
STREAM: Final = "stock"

FactState = Literal["own", "pending", "merged"]

MOST_TRACED: Final = 400
MOST_MERGED: Final = 20_000


class OtherContent(Exception):
    """The fact is recorded already, and says something else now; `known` is what it was."""

    def __init__(self, known: "StockFact") -> None:
        super().__init__(known.fact)
        self.known = known


@dataclass(frozen=True, slots=True)
class StockFact:
    """What one fact posts. `own`: as an entry of its own; `pending`: soon with others; `merged`: in entry `batch`."""

    company: str
    fact: str
    day: date
    postings: Sequence[Body]
    state: FactState
    batch: str | None
    event_source: str
    event_id: str
    event_type: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class NewMovement:
    """A movement to keep; `body` is the caller's."""

    number: int
    item: str
    at: datetime
    body: Body


@dataclass(frozen=True, slots=True)
class Decided:
    """What a fact does: its movements, the cards after it, and what it posts."""

    movements: Sequence[NewMovement]
    cards: Mapping[str, Body]
    postings: Sequence[Body]
    state: FactState


@dataclass(frozen=True, slots=True)
class Recording:
    """A fact to record. `decide` is pure and may run twice; what it raises reaches this fact's caller only.

    `needs_history` says which items' movements `decide` must see; it gets cards and histories by item.
    """

    company: str
    fact: str
    content_hash: str
    day: date
    event: EventRef
    items: Sequence[str]
    needs_history: Callable[[Mapping[str, Body]], Sequence[str]]
    decide: Callable[[Mapping[str, Body], Mapping[str, Sequence[Body]]], Decided]


@dataclass(frozen=True, slots=True)
class Merged:
    """Facts that become one entry: its fact, theirs, and the event to publish; None where nothing is left to post."""

    fact: str
    facts: Sequence[str]
    body: bytes | None


@dataclass(slots=True)
class _Batch:
    """What one transaction knows and changes; keys are company and item, or company and fact."""

    cards: dict[tuple[str, str], Body] = field(default_factory=dict)
    facts: dict[tuple[str, str], tuple[str, StockFact]] = field(default_factory=dict)
    known: set[tuple[str, str]] = field(default_factory=set)
    changed: set[tuple[str, str]] = field(default_factory=set)
    movements: list[Body] = field(default_factory=list)
    new_facts: list[Body] = field(default_factory=list)

    def take(self, recording: Recording, fact: StockFact, decided: Decided, *, now: datetime) -> None:
        """Keep what was decided, for the recordings after it and for `_save`."""
        company = recording.company
        self.facts[company, recording.fact] = (recording.content_hash, fact)
        row = {name: getattr(fact, name) for name in _FACT_FIELDS}
        self.new_facts.append(row | {"content_hash": recording.content_hash, "recorded_at": now})
        for item, body in decided.cards.items():
            self.cards[company, item] = body
            self.changed.add((company, item))
        self.movements += [
            {
                "company": company,
                "fact": recording.fact,
                "number": movement.number,
                "item": movement.item,
                "at": movement.at,
                "body": movement.body,
            }
            for movement in decided.movements
        ]


_FACT_FIELDS: Final = tuple(StockFact.__dataclass_fields__)
_FACTS: Final = select(*(STOCK_FACTS.c[name] for name in _FACT_FIELDS))


class StockStore:
    """Every method raises `StoreUnavailable` when the database cannot be used. What returned is durable."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._commits: GroupCommit[Recording, StockFact] = GroupCommit(self._commit)

    async def record(self, recording: Recording) -> StockFact:
        """Record a fact once; told again, it is given as it was. Raises OtherContent, and what `decide` does."""
        return await self._commits.submit(recording)

    async def knows(self, company: str, fact: str) -> bool:
        """Whether the fact is recorded."""
        wanted = select(STOCK_FACTS.c.fact).where(STOCK_FACTS.c.company == company, STOCK_FACTS.c.fact == fact)
        async with reading(self._engine) as connection:
            return await connection.scalar(wanted) is not None

    async def movements(self, company: str, fact: str) -> Sequence[Body]:
        """What is recorded of the fact, and of facts whose name goes on with `~` after its name."""
        name = STOCK_MOVEMENTS.c.fact
        ours = (STOCK_MOVEMENTS.c.company == company) & or_(name == fact, name.startswith(f"{fact}~", autoescape=True))
        wanted = select(STOCK_MOVEMENTS.c.body).where(ours).order_by(STOCK_MOVEMENTS.c.number)
        async with reading(self._engine) as connection:
            return list((await connection.scalars(wanted)).all())

    async def merge(
        self, company: str, *, before: datetime, batches: Callable[[Sequence[StockFact]], Sequence[Merged]]
    ) -> int:
        """Turn facts that are pending since before a moment into batches, in one transaction; how many facts it was.

        `batches` must place each fact that it is given in one batch, exactly.
        """

        async def work(connection: AsyncConnection) -> int:
            wanted = _FACTS.where(STOCK_FACTS.c.company == company, PENDING, STOCK_FACTS.c.recorded_at <= before)
            wanted = wanted.order_by(STOCK_FACTS.c.recorded_at).limit(MOST_MERGED).with_for_update(skip_locked=True)
            facts = [StockFact(*row) for row in await connection.execute(wanted)]
            made = batches(facts) if facts else []
            for batch in made:
                if batch.body is not None:
                    told = {"company": company, "stream": STREAM, "key": batch.fact}
                    await outbox.add(connection, **told, body=batch.body, now=self._clock.now())
            placed = [{"one": fact, "into": batch.fact} for batch in made for fact in batch.facts]
            if placed:
                change = update(STOCK_FACTS).where(
                    STOCK_FACTS.c.company == company, STOCK_FACTS.c.fact == bindparam("one")
                )
                await connection.execute(change.values(state="merged", batch=bindparam("into")), placed)
            return len(facts)

        return await transact(self._engine, work)

    async def tell_again(self, company: str, batch: str | None = None) -> int:
        """Have batches published again that are in no books and before no person: the broker may have lost them.

        All of them, or one; how many it was. Harmless where the broker still has them: the inbox knows them.
        """
        here = (OUTBOX.c.company == company) & (OUTBOX.c.stream == STREAM)
        lost = here & ~applied(company, OUTBOX.c.key) & no_letter(OUTBOX.c.key)
        these = lost if batch is None else lost & (OUTBOX.c.key == batch)
        return await transact(self._engine, lambda connection: outbox.again(connection, these))

    async def pending(self, company: str) -> int:
        """How many facts are recorded and wait to become one entry with others."""
        wanted = select(func.count()).where(STOCK_FACTS.c.company == company, PENDING)
        async with reading(self._engine) as connection:
            return int(await connection.scalar(wanted) or 0)

    async def trace(self, text: str) -> list[StockFact]:
        """Facts with exactly `text` as fact, event id, subject or batch."""
        ids = (STOCK_FACTS.c.fact, STOCK_FACTS.c.event_id, STOCK_FACTS.c.subject, STOCK_FACTS.c.batch)
        wanted = _FACTS.where(or_(*(column == text for column in ids))).order_by(STOCK_FACTS.c.recorded_at)
        async with reading(self._engine) as connection:
            return [StockFact(*row) for row in await connection.execute(wanted.limit(MOST_TRACED))]

    async def _commit(self, recordings: Sequence[Recording]) -> list[StockFact | Exception]:
        async def work(connection: AsyncConnection) -> list[StockFact | Exception]:
            batch = await _load(connection, recordings)
            answers: list[StockFact | Exception] = []
            for recording in recordings:
                try:
                    answers.append(await self._record(connection, recording, batch))
                except SQLAlchemyError:
                    raise
                except Exception as error:  # noqa: BLE001 - one fact's own: the others go on
                    answers.append(error)
            await _save(connection, batch)
            return answers

        return await transact(self._engine, work)

    async def _record(self, connection: AsyncConnection, recording: Recording, batch: "_Batch") -> StockFact:
        company = recording.company
        known = batch.facts.get((company, recording.fact))
        if known is not None:
            if known[0] != recording.content_hash:
                raise OtherContent(known[1])
            return known[1]
        cards = {item: batch.cards.get((company, item), {}) for item in recording.items}
        histories = {item: await _history(connection, company, item, batch) for item in recording.needs_history(cards)}
        decided = recording.decide(cards, histories)
        event = recording.event
        fact = StockFact(
            company=company,
            fact=recording.fact,
            day=recording.day,
            postings=decided.postings,
            state=decided.state,
            batch=None,
            event_source=event.source,
            event_id=event.id,
            event_type=event.type,
            subject=event.subject,
        )
        batch.take(recording, fact, decided, now=self._clock.now())
        return fact


async def _load(connection: AsyncConnection, recordings: Sequence[Recording]) -> "_Batch":
    """The cards and facts that the recordings are about; the cards locked until the transaction ends."""
    batch = _Batch()
    for company in sorted({recording.company for recording in recordings}):
        ours = [recording for recording in recordings if recording.company == company]
        items = sorted({item for recording in ours for item in recording.items})
        cards = select(STOCK_CARDS.c.item, STOCK_CARDS.c.body).where(
            STOCK_CARDS.c.company == company, STOCK_CARDS.c.item.in_(items)
        )
        rows = await connection.execute(cards.order_by(STOCK_CARDS.c.item).with_for_update())
        batch.cards |= {(company, row.item): row.body for row in rows}
        facts = select(STOCK_FACTS.c.content_hash, *_FACTS.selected_columns).where(
            STOCK_FACTS.c.company == company, STOCK_FACTS.c.fact.in_(sorted({recording.fact for recording in ours}))
        )
        batch.facts |= {
            (company, row.fact): (row.content_hash, StockFact(*row[1:])) for row in await connection.execute(facts)
        }
    batch.known = set(batch.cards)
    return batch


async def _history(connection: AsyncConnection, company: str, item: str, batch: "_Batch") -> list[Body]:
    wanted = select(STOCK_MOVEMENTS.c.body).where(STOCK_MOVEMENTS.c.company == company, STOCK_MOVEMENTS.c.item == item)
    stored = list((await connection.scalars(wanted)).all())
    return stored + [row["body"] for row in batch.movements if (row["company"], row["item"]) == (company, item)]


async def _save(connection: AsyncConnection, batch: "_Batch") -> None:
    new = [key for key in sorted(batch.changed) if key not in batch.known]
    old = [key for key in sorted(batch.changed) if key in batch.known]
    if batch.movements:
        await connection.execute(insert(STOCK_MOVEMENTS), batch.movements)
    if batch.new_facts:
        await connection.execute(insert(STOCK_FACTS), batch.new_facts)
    if new:
        rows = [{"company": company, "item": item, "body": batch.cards[company, item]} for company, item in new]
        await connection.execute(insert(STOCK_CARDS), rows)
    if old:
        change = update(STOCK_CARDS).where(
            STOCK_CARDS.c.company == bindparam("key_company"), STOCK_CARDS.c.item == bindparam("key_item")
        )
        rows = [{"key_company": company, "key_item": item, "body": batch.cards[company, item]} for company, item in old]
        await connection.execute(change.values(body=bindparam("body")), rows)
