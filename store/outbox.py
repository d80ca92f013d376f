"""The outbox: events that are stored with what they tell of, and must be published until the broker has confirmed it.

An event is stored with its very bytes in the transaction that records what it tells, so that a crash publishes the same
bytes again. It must not publish, and makes no event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.schema import OUTBOX, UNPUBLISHED


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is not known to be published. Those of one `key` are to be told in their order."""

    id: int
    company: str
    key: str
    body: bytes


class Outbox:
    """Every method raises `StoreUnavailable` when the database cannot be used; what it changed is durable on return."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def unpublished(self, stream: str, companies: Iterable[str]) -> Sequence[Waiting]:
        """What these companies have not published of a stream, in the order in which it must be."""
        ours = (OUTBOX.c.company.in_(sorted(companies))) & (OUTBOX.c.stream == stream)
        wanted = select(OUTBOX.c.id, OUTBOX.c.company, OUTBOX.c.key, OUTBOX.c.body).where(ours, UNPUBLISHED)
        async with reading(self._engine) as connection:
            return [Waiting(*row) for row in await connection.execute(wanted.order_by(OUTBOX.c.id))]

    async def published(self, number: int) -> None:
        """The broker has confirmed this one. Idempotent."""
        change = update(OUTBOX).where(OUTBOX.c.id == number).values(published_at=self._clock.now())

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(change)

        await transact(self._engine, work)


async def add(  # noqa: PLR0913 - one keyword a column
    connection: AsyncConnection, *, company: str, stream: str, key: str, body: bytes, now: datetime
) -> int:
    """Store an event in the caller's transaction; give the number by which it is known. `key`: what it tells of."""
    row = {"company": company, "stream": stream, "key": key, "body": body, "added_at": now}
    inserted = await connection.execute(insert(OUTBOX).values(row))
    assert inserted.inserted_primary_key is not None  # noqa: S101 - for the types: one row was inserted
    return int(inserted.inserted_primary_key[0])


async def again(connection: AsyncConnection, these: ColumnElement[bool]) -> int:
    """Have those that meet a condition published again; how many it was."""
    change = update(OUTBOX).where(these, OUTBOX.c.published_at.is_not(None)).values(published_at=None)
    return int((await connection.execute(change)).rowcount)
