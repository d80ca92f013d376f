"""What was told of each sale, by any of its names: charge, payment intent, invoice, checkout session, refund.

Two sales that turn out to be one become one. It must not know accounting: what a sale is after something was told is
decided by the caller, within the transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.databases.storable import key_of
from store.engine import reading, transact
from store.schema import SALE_LINKS, SALES_TOLD

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known under some names. `is_one`: each of them is known, and all are of one sale."""

    bodies: Sequence[Body]
    is_one: bool


class SalesStore:
    """Every method raises `StoreUnavailable` when the database cannot be used. What returned is durable."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def change(self, company: str, names: Sequence[str], work: Callable[[Sequence[Body]], Body]) -> Body:
        """Keep what `work` makes of all that is known under these names; from now on it is known under each of them.

        `work` is pure and may run twice; what it raises leaves everything as it was. Its body says by `held` whether it
        is one for which `any_held` holds.
        """

        async def kept(connection: AsyncConnection) -> Body:
            keys = list(dict.fromkeys(map(key_of, names)))
            links = await _linked(connection, company, keys)
            bodies = await _bodies(connection, sorted(set(links.values())))
            body = work([bodies[number] for number in sorted(bodies)])
            await self._keep(
                connection, company, body, numbers=sorted(bodies), new=[key for key in keys if key not in links]
            )
            return body

        return await transact(self._engine, kept)

    async def look(self, company: str, names: Sequence[str]) -> Looked:
        """What is known under these names; nothing is changed."""
        keys = set(map(key_of, names))
        wanted = (
            select(SALE_LINKS.c.name, SALES_TOLD.c.id, SALES_TOLD.c.body)
            .join(SALES_TOLD, SALES_TOLD.c.id == SALE_LINKS.c.sale)
            .where(SALE_LINKS.c.company == company, SALE_LINKS.c.name.in_(keys))
            .order_by(SALES_TOLD.c.id)
        )
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).all()
        bodies = {row.id: row.body for row in rows}
        return Looked(tuple(bodies.values()), len(bodies) == 1 and {row.name for row in rows} == keys)

    async def any_held(self, company: str) -> bool:
        """Whether a charge was ever held for its tax: only where sales are taxed, or were."""
        wanted = select(SALES_TOLD.c.id).where(SALES_TOLD.c.company == company, SALES_TOLD.c.held).limit(1)
        async with reading(self._engine) as connection:
            return await connection.scalar(wanted) is not None

    async def _keep(
        self, connection: AsyncConnection, company: str, body: Body, *, numbers: Sequence[int], new: Sequence[str]
    ) -> None:
        values = {
            "company": company,
            "body": body,
            "held": bool(body.get("held")),
            "updated_at": self._clock.now(),
        }
        if numbers:
            number = numbers[0]
            await connection.execute(update(SALES_TOLD).where(SALES_TOLD.c.id == number).values(values))
        else:
            inserted = await connection.execute(insert(SALES_TOLD).values(values))
            assert inserted.inserted_primary_key is not None  # noqa: S101 - for the types: one row was inserted
            number = int(inserted.inserted_primary_key[0])
        if numbers[1:]:
            moved = update(SALE_LINKS).where(SALE_LINKS.c.sale.in_(numbers[1:]))
            await connection.execute(moved.values(sale=number))
            await connection.execute(delete(SALES_TOLD).where(SALES_TOLD.c.id.in_(numbers[1:])))
        if new:
            rows = [{"company": company, "name": name, "sale": number} for name in new]
            await connection.execute(insert(SALE_LINKS), rows)


async def _linked(connection: AsyncConnection, company: str, names: Sequence[str]) -> dict[str, int]:
    """The sale of each name that is known, locked until the transaction ends."""
    wanted = select(SALE_LINKS.c.name, SALE_LINKS.c.sale).where(
        SALE_LINKS.c.company == company, SALE_LINKS.c.name.in_(names)
    )
    rows = await connection.execute(wanted.order_by(SALE_LINKS.c.name).with_for_update())
    return {row.name: row.sale for row in rows}


async def _bodies(connection: AsyncConnection, numbers: Sequence[int]) -> dict[int, Body]:
    wanted = select(SALES_TOLD.c.id, SALES_TOLD.c.body).where(SALES_TOLD.c.id.in_(numbers))
    rows = await connection.execute(wanted.order_by(SALES_TOLD.c.id).with_for_update())
    return {row.id: row.body for row in rows}
