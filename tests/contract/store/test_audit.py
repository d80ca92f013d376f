"""The audit trail can be added to and read, and nothing else: not even by SQL."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from store.audit import AuditLine, AuditTrail
from store.schema import AUDIT
from tests.fakes import NOON, FakeClock


async def test_lines_come_back_in_order_all_or_by_subject(engine: AsyncEngine, clock: FakeClock) -> None:
    trail = AuditTrail(engine, clock)
    await trail.append(actor="ann", act="replayed", subject="letter-1", detail={"lane": "replay"})
    clock.advance(1)
    await trail.append(actor="bob", act="discarded", subject="letter-2")
    first = AuditLine(NOON, "ann", "replayed", "letter-1", {"lane": "replay"})
    second = AuditLine(NOON + timedelta(seconds=1), "bob", "discarded", "letter-2", {})
    assert await trail.list() == [first, second]
    assert await trail.list("letter-2") == [second]


@pytest.mark.parametrize("statement", [update(AUDIT).values(actor="x"), delete(AUDIT)])
async def test_the_database_refuses_to_change_a_line(engine: AsyncEngine, clock: FakeClock, statement: object) -> None:
    trail = AuditTrail(engine, clock)
    await trail.append(actor="ann", act="replayed", subject="letter-1")
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(statement)  # type: ignore[call-overload]  # whatever statement it is
    assert len(await trail.list()) == 1
