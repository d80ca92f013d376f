"""The table of cases: what a person must decide, such as a fact that stands in Solid twice.

It must not act on a case: it keeps what was found, and who closed it with which words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.schema import CASES


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `kind` says what is wrong (`duplicate_record`), `subject` with what (an external_id).

    `detail` is JSON and must hold no secret and no payload. Open while `closed_at` is None.
    """

    id: int
    company: str
    kind: str
    subject: str
    detail: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


_ROWS: Final = select(*(CASES.c[field.name] for field in fields(Case)))


class Cases:
    """Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def open(self, company: str, kind: str, subject: str, detail: Mapping[str, Any]) -> bool:
        """Open a case. False: one of this company, kind and subject is open already, and stays as it is.

        Durable on return. After it was closed, the same finding opens a new one.
        """
        values = {
            "company": company,
            "kind": kind,
            "subject": subject,
            "detail": dict(detail),
            "opened_at": self._clock.now(),
        }
        same = select(CASES.c.id).where(
            CASES.c.company == company,
            CASES.c.kind == kind,
            CASES.c.subject == subject,
            CASES.c.closed_at.is_(None),
        )

        async def work(connection: AsyncConnection) -> bool:
            if await connection.scalar(same) is not None:
                return False
            await connection.execute(insert(CASES), values)
            return True

        return await transact(self._engine, work)

    async def was_closed(self, company: str, kind: str, subject: str) -> bool:
        """Whether a person has closed one of this company, kind and subject."""
        same = (CASES.c.company == company, CASES.c.kind == kind, CASES.c.subject == subject)
        async with reading(self._engine) as connection:
            case_id = await connection.scalar(select(CASES.c.id).where(*same, CASES.c.closed_at.is_not(None)).limit(1))
        return case_id is not None

    async def list(self, *, open_only: bool = True) -> Sequence[Case]:
        """Cases of all companies, oldest first; the closed ones too if asked."""
        wanted = _ROWS.where(CASES.c.closed_at.is_(None)) if open_only else _ROWS
        async with reading(self._engine) as connection:
            return [Case(*row) for row in await connection.execute(wanted.order_by(CASES.c.id))]

    async def close(self, case_id: int, *, by: str, note: str) -> bool:
        """Close it, in somebody's name. False: it is closed already (the first note stays), or not there."""
        change = (
            update(CASES)
            .where(CASES.c.id == case_id, CASES.c.closed_at.is_(None))
            .values(closed_at=self._clock.now(), closed_by=by, note=note)
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(change)).rowcount == 1

        return await transact(self._engine, work)

    async def counts(self) -> dict[str, int]:
        """Count open cases: kind → number, for the kinds that occur."""
        wanted = select(CASES.c.kind, func.count()).where(CASES.c.closed_at.is_(None)).group_by(CASES.c.kind)
        async with reading(self._engine) as connection:
            return dict((await connection.execute(wanted)).all())
