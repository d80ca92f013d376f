"""What Solid had before the inbox began: a lost store begins anew, and what an earlier one sent is in the books.

It keeps when each inbox began, which records were found in Solid from before, and how far back was read. It must not
ask Solid, nor decide what is older: that is `workers.earlier`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from runtime.marks import Mark
from store import marks
from store.engine import reading, transact
from store.schema import EARLIER_READS, EARLIER_RECORDS, INBOXES, WRITES


@dataclass(frozen=True, slots=True)
class KnownRecords:
    """What was read of one kind: records dated `since` or later (`date.min`: all); external_id → Solid's id."""

    since: date
    records: Mapping[str, str]


class EarlierRecords:
    """Every method raises `StoreUnavailable` when the database cannot be used. What returned is durable."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def began(self, company: str) -> datetime:
        """When this company's inbox began: now, where nobody has asked before and no write is older."""

        async def work(connection: AsyncConnection) -> datetime:
            known: datetime | None = await connection.scalar(
                select(INBOXES.c.began_at).where(INBOXES.c.company == company)
            )
            if known is not None:
                return known
            oldest = select(func.min(WRITES.c.created_at)).where(WRITES.c.company == company)
            began: datetime = await connection.scalar(oldest) or self._clock.now()
            await connection.execute(insert(INBOXES), {"company": company, "began_at": began})
            return began

        return await transact(self._engine, work)

    async def begin_anew(self, company: str, *, by: str) -> tuple[datetime, Mark]:
        """The inbox is another one and begins now: what was read of Solid before counts no more, and is read again.

        For a store that was restored from a backup or made anew, and lacks what was written since. Gives the new
        inbox's mark, which the broker must be told.
        """
        await self.began(company)
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> Mark:
            await connection.execute(update(INBOXES).where(INBOXES.c.company == company).values(began_at=now))
            for table in (EARLIER_READS, EARLIER_RECORDS):
                await connection.execute(delete(table).where(table.c.company == company))
            return await marks.begin_anew(connection, company, by=by)

        return now, await transact(self._engine, work)

    async def was_restored(self, company: str) -> bool:
        """Whether it has writes of before its beginning: it began anew, as a backup of an inbox that went on."""
        began = select(INBOXES.c.began_at).where(INBOXES.c.company == company).scalar_subquery()
        older = select(WRITES.c.external_id).where(WRITES.c.company == company, WRITES.c.created_at < began).limit(1)
        async with reading(self._engine) as connection:
            return await connection.scalar(older) is not None

    async def known(self, company: str, kind: str) -> KnownRecords | None:
        """What was read of a kind; None when it was never read."""
        since = select(EARLIER_READS.c.since).where(EARLIER_READS.c.company == company, EARLIER_READS.c.kind == kind)
        records = select(EARLIER_RECORDS.c.external_id, EARLIER_RECORDS.c.solid_id).where(
            EARLIER_RECORDS.c.company == company, EARLIER_RECORDS.c.kind == kind
        )
        async with reading(self._engine) as connection:
            day = await connection.scalar(since)
            if day is None:
                return None
            return KnownRecords(day, {row.external_id: row.solid_id for row in await connection.execute(records)})

    async def keep(self, company: str, kind: str, known: KnownRecords) -> None:
        """Keep what was read, in the place of what was kept before. Idempotent."""

        async def work(connection: AsyncConnection) -> None:
            for table in (EARLIER_READS, EARLIER_RECORDS):
                await connection.execute(delete(table).where(table.c.company == company, table.c.kind == kind))
            about = {"company": company, "kind": kind}
            rows = [about | {"external_id": key, "solid_id": value} for key, value in sorted(known.records.items())]
            if rows:
                await connection.execute(insert(EARLIER_RECORDS), rows)
            await connection.execute(insert(EARLIER_READS), about | {"since": known.since})

        await transact(self._engine, work)
