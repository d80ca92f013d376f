"""The audit trail: who did what to which thing, one line an act. Lines are added, never changed or removed.

The database itself refuses UPDATE and DELETE on the table (a trigger, made by the migration).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.schema import AUDIT


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One act. `detail` is JSON and must hold no secret and no payload."""

    at: datetime
    actor: str
    act: str
    subject: str
    detail: Mapping[str, Any]


_ROWS: Final = select(*(AUDIT.c[field.name] for field in fields(AuditLine)))


class AuditTrail:
    """Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def append(self, *, actor: str, act: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
        """Write one line, stamped now. Durable on return; called twice, it writes two lines."""
        line = {
            "at": self._clock.now(),
            "actor": actor,
            "act": act,
            "subject": subject,
            "detail": dict(detail or {}),
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(AUDIT), line)

        await transact(self._engine, work)

    async def list(self, subject: str | None = None) -> Sequence[AuditLine]:
        """All lines, or those about `subject`, in the order in which they were written."""
        wanted = _ROWS if subject is None else _ROWS.where(AUDIT.c.subject == subject)
        async with reading(self._engine) as connection:
            return [AuditLine(*row) for row in await connection.execute(wanted.order_by(AUDIT.c.id))]
