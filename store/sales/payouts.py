"""Payouts as their processor lists them, each with the balance transactions that belong to it.

It says what was read, and judges nothing: whether a payout adds up is found out when somebody asks.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.schema import PAYOUT_FACTS, PAYOUT_ITEMS, PAYOUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutItem:
    """One balance transaction of a payout, signed as the processor signs it; `gross - fee - tax == net`.

    `facts` are those its events tell, `ignored` is why it tells none; with neither it could not be read.
    `type` is the type of those events.
    """

    transaction: str
    kind: str
    source: str | None = None
    facts: tuple[str, ...] = ()
    type: str | None = None
    ignored: str | None = None
    gross: Decimal
    fee: Decimal
    tax: Decimal
    net: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One payout: `amount` is signed, `fee` (with its tax) what it cost itself. `status` is the processor's word.

    `automatic` is False for one that a person asked for: the processor lists nothing for it. `fact` is that of its own
    entry, in the books.
    """

    payout: str
    fact: str
    amount: Decimal
    currency: str
    arrival: date
    automatic: bool
    status: str
    fee: Decimal = Decimal(0)
    read_at: datetime | None = None


_PAYOUT: Final = select(*(PAYOUTS.c[field.name] for field in fields(Payout)))
_ITEM: Final = select(*(PAYOUT_ITEMS.c[field.name] for field in fields(PayoutItem)))


class Payouts:
    """Every method raises `StoreUnavailable` when the database cannot be used; what it changed is durable on return."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def keep(self, company: str, payout: Payout, items: Sequence[PayoutItem]) -> None:
        """Keep it as it was read now, instead of what was read of it before. Idempotent."""
        row = {"company": company, **asdict(payout), "read_at": self._clock.now()}
        rows = [
            {"company": company, "payout": payout.payout, "position": number, **asdict(item), "facts": list(item.facts)}
            for number, item in enumerate(items)
        ]

        async def work(connection: AsyncConnection) -> None:
            for table in (PAYOUTS, PAYOUT_ITEMS):
                await connection.execute(delete(table).where(*_of(table, company, payout.payout)))
            await connection.execute(insert(PAYOUTS), row)
            if rows:
                await connection.execute(insert(PAYOUT_ITEMS), rows)
            await _keep_facts(connection, company, payout.payout, items, now=row["read_at"])

        await transact(self._engine, work)

    async def latest(self, company: str, *, limit: int) -> Sequence[Payout]:
        """Give those that arrived last, the youngest first."""
        wanted = _PAYOUT.where(PAYOUTS.c.company == company).order_by(PAYOUTS.c.arrival.desc(), PAYOUTS.c.payout)
        async with reading(self._engine) as connection:
            return [Payout(**row) for row in (await connection.execute(wanted.limit(limit))).mappings()]

    async def one(self, company: str, payout: str) -> Payout | None:
        """Give the payout of this id; None for one that was never read."""
        async with reading(self._engine) as connection:
            row = (await connection.execute(_PAYOUT.where(*_of(PAYOUTS, company, payout)))).mappings().one_or_none()
        return None if row is None else Payout(**row)

    async def items(self, company: str, payout: str) -> Sequence[PayoutItem]:
        """Give what belongs to it, in the order in which it was listed."""
        wanted = _ITEM.where(*_of(PAYOUT_ITEMS, company, payout)).order_by(PAYOUT_ITEMS.c.position)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).mappings()
            return [PayoutItem(**{**row, "facts": tuple(row["facts"])}) for row in rows]


async def _keep_facts(
    connection: AsyncConnection, company: str, payout: str, items: Sequence[PayoutItem], *, now: datetime
) -> None:
    """Whose payout each fact is, and since when that is known: reading it once more changes nothing of that."""
    ours = PAYOUT_FACTS.c
    known = await connection.scalars(select(ours.fact).where(ours.company == company, ours.payout == payout))
    new = {fact for item in items for fact in item.facts} - set(known.all())
    if new:
        rows = [{"company": company, "fact": fact, "payout": payout, "read_at": now} for fact in sorted(new)]
        await connection.execute(insert(PAYOUT_FACTS), rows)


def _of(table: Table, company: str, payout: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.company == company, table.c.payout == payout
