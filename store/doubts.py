"""Writes in doubt, and what a person found out about them.

It must not guess: without a person's word nothing changes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store import transitions, writes
from store.claims import WriteRow
from store.engine import reading, transact
from store.errors import NotInDoubt

__all__ = ["Doubts", "WriteRow", "count_doubts"]


async def count_doubts(engine: AsyncEngine, companies: Sequence[str], *, now: datetime) -> dict[str, int]:
    """Company → how many writes may have been sent and have no answer.

    Raises:
        StoreUnavailable: see there.
    """
    async with reading(engine) as connection:
        counts = await writes.doubt_counts(connection, companies, now=now)
    return {company: counts.get(company, 0) for company in companies}


class Doubts:
    """One company's. Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine, *, company: str, settle: timedelta, clock: Clock) -> None:
        self._engine = engine
        self._company = company
        self._settle = settle
        self._clock = clock

    async def list(self) -> Sequence[WriteRow]:
        """Writes that may have been sent and of which no answer is known, the oldest doubt first."""
        async with reading(self._engine) as connection:
            return await writes.in_doubt(connection, self._company, now=self._clock.now())

    async def decide(self, external_id: str, *, solid_id: str | None) -> WriteRow:
        """A person has looked: the record has this id in Solid, or (None) is certainly not there. Durable on return.

        A found one counts as applied; an absent one is sent when its event comes again.

        Raises:
            NotInDoubt: the write is unknown or applied, somebody is at it, or its doubt has not settled yet.
        """

        async def work(connection: AsyncConnection) -> WriteRow:
            key = (self._company, external_id)
            before = await writes.load(connection, [key])
            row, now = before.get(key), self._clock.now()
            decided = None if row is None else transitions.decide(row, solid_id, now=now)
            if decided is None or (solid_id is None and row is not None and self._unsettled(row, now)):
                raise NotInDoubt(external_id, None if row is None else row.state)
            await writes.save(connection, before, {key: decided})
            return decided

        return await transact(self._engine, work)

    def _unsettled(self, row: WriteRow, now: datetime) -> bool:
        """A record that is not there yet may still come: its settle time begins when the last call can have left."""
        left = row.doubt_since if row.state == "unknown" else row.lease_until
        return row.state != "refused" and left is not None and now < left + self._settle
