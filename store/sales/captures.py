"""What counts as refunded of a payment and is no refund that is booked: what was never captured, and what is pending.

The table of captures holds the parts of each authorised payment that were told: ranges of its amount, from what was
captured before up to what is captured with it. Ranges of one payment never overlap. It must not decide what is booked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.schema import CAPTURES, PENDING_REFUNDS, SUMMARY_LINES, WRITES
from store.writes import ACCOUNTED_FOR


class PartsContradict(Exception):
    """What an event tells was captured cannot be what was told before it: nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What was captured of a payment, from `before` up to `in_all`; `released` was never taken, and counts as refunded.

    The event is the first that told it.
    """

    before: Decimal
    in_all: Decimal
    currency: str
    released: Decimal | None = None
    event_source: str
    event_id: str


class Captures:
    """Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def take(self, company: str, payment: str, part: Part) -> Part | None:
        """Record the part as far as it is new, and give that; None where others have told all of it before.

        The same event always gets the same answer. Durable on return. Raises PartsContradict.
        """

        async def work(connection: AsyncConnection) -> Part | None:
            known = await _parts(connection, company, payment)
            own = next((each for each in known if _event(each) == _event(part)), None)
            new = own or new_part(known, part)
            if new is not None and new not in known and _range(new) not in map(_range, known):
                values = {name: getattr(new, name) for name in Part.__dataclass_fields__}
                key = {"company": company, "payment": payment, "recorded_at": self._clock.now()}
                await connection.execute(insert(CAPTURES), values | key)
            elif part.released is not None:
                same = (CAPTURES.c.in_all == part.in_all) & CAPTURES.c.released.is_(None)
                ours = (CAPTURES.c.company == company) & (CAPTURES.c.payment == payment)
                await connection.execute(update(CAPTURES).where(ours, same).values(released=part.released))
            return new

        return await transact(self._engine, work)

    async def released(self, company: str, payment: str, currency: str) -> Decimal:
        """How much of a payment was never captured and counts as refunded, as far as its captures told."""
        async with reading(self._engine) as connection:
            parts = await _parts(connection, company, payment)
        return sum((part.released or Decimal(0) for part in parts if part.currency == currency), Decimal(0))

    async def pending(self, company: str, payment: str, *, refund: str, amount: Decimal, currency: str) -> None:
        """Note a refund that is under way, and counts as refunded already. Idempotent; durable on return."""
        key = {"company": company, "payment": payment, "refund": refund}
        row = key | {"amount": amount, "currency": currency, "recorded_at": self._clock.now()}
        same = select(PENDING_REFUNDS.c.refund).where(*(PENDING_REFUNDS.c[name] == key[name] for name in key))

        async def work(connection: AsyncConnection) -> None:
            if await connection.scalar(same) is None:
                await connection.execute(insert(PENDING_REFUNDS), row)

        await transact(self._engine, work)

    async def under_way(self, company: str, payment: str, currency: str) -> Decimal:
        """How much of a payment is being refunded, and neither booked, by itself or in a summary, nor void."""
        table = PENDING_REFUNDS.c
        settled = exists().where(WRITES.c.company == company, WRITES.c.external_id == table.refund, ACCOUNTED_FOR)
        lines = SUMMARY_LINES.c
        recorded = exists().where(lines.company == company, lines.external_id == table.refund)
        ours = (table.company == company, table.payment == payment, table.currency == currency)
        async with reading(self._engine) as connection:
            amounts = await connection.scalars(select(table.amount).where(*ours, ~settled, ~recorded))
            return sum(amounts.all(), Decimal(0))


async def _parts(connection: AsyncConnection, company: str, payment: str) -> list[Part]:
    """In the order of their ranges; locked until the transaction ends, where it is one that writes."""
    names = tuple(Part.__dataclass_fields__)
    wanted = select(*(CAPTURES.c[name] for name in names)).where(
        CAPTURES.c.company == company, CAPTURES.c.payment == payment
    )
    parts = [Part(**dict(zip(names, row, strict=True))) for row in await connection.execute(wanted)]
    return sorted(parts, key=lambda part: part.before)


def new_part(known: Sequence[Part], part: Part) -> Part | None:
    """What of the part nobody has told yet. One that was told exactly so is given again. Raises PartsContradict."""
    if any(each.currency != part.currency for each in known):
        msg = f"captured in {part.currency}, and before that in {known[0].currency}"
        raise PartsContradict(msg)
    if any(_range(each) == _range(part) for each in known):
        return part
    rests = [(part.before, part.in_all)]
    for each in known:
        rests = [rest for start, end in rests for rest in _without(start, end, each)]
    if len(rests) > 1:
        told = ", ".join(f"{each.before:f} to {each.in_all:f}" for each in known)
        msg = f"captured from {part.before:f} to {part.in_all:f} {part.currency}, and told before that: {told}"
        raise PartsContradict(msg)
    return replace(part, before=rests[0][0], in_all=rests[0][1]) if rests else None


def _without(start: Decimal, end: Decimal, known: Part) -> list[tuple[Decimal, Decimal]]:
    """What of a range lies outside of a known one."""
    left, right = (start, min(end, known.before)), (max(start, known.in_all), end)
    return [(low, high) for low, high in (left, right) if low < high]


def _range(part: Part) -> tuple[Decimal, Decimal]:
    return part.before, part.in_all


def _event(part: Part) -> tuple[str, str]:
    return part.event_source, part.event_id
