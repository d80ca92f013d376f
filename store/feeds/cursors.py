"""Where each polled feed stands: its cursor, its ETag, and what the last pass has seen.

It must not decide how far a cursor may move: whoever moves one has had every event before it confirmed by the broker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.schema import FEED_CURSORS

MOST_SEEN: Final = 10_000
"""Digests that are kept. One that is forgotten costs a publish of an event that has been published before."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a feed has been read. `seen` are digests of the items of the last pass, settled all."""

    value: str | None = None
    etag: str | None = None
    seen: Sequence[str] = ()
    updated_at: datetime | None = None


_ROW: Final = select(FEED_CURSORS.c.cursor, FEED_CURSORS.c.etag, FEED_CURSORS.c.seen, FEED_CURSORS.c.updated_at)


class Cursors:
    """Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def get(self, company: str, feed: str) -> Cursor:
        """Where the feed stands; an empty cursor where it has never been read."""
        async with reading(self._engine) as connection:
            row = (await connection.execute(_ROW.where(*_of(company, feed)))).one_or_none()
        return Cursor() if row is None else Cursor(row[0], row[1], tuple(row[2]), row[3])

    async def move(self, company: str, feed: str, to: Cursor) -> None:
        """Set it, durable on return. Its `updated_at` is now, whatever was said."""
        values = {
            "cursor": to.value,
            "etag": to.etag,
            "seen": list(to.seen[-MOST_SEEN:]),
            "updated_at": self._clock.now(),
        }

        async def work(connection: AsyncConnection) -> None:
            changed = await connection.execute(update(FEED_CURSORS).where(*_of(company, feed)).values(**values))
            if not changed.rowcount:
                await connection.execute(insert(FEED_CURSORS), {"company": company, "feed": feed, **values})

        await transact(self._engine, work)


def _of(company: str, feed: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return FEED_CURSORS.c.company == company, FEED_CURSORS.c.feed == feed
