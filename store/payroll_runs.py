"""The tables of pay runs: which version of a run was told, and why there is none.

A version is stored with its whole event in the outbox before anybody publishes it.
Nothing of a person may stand here: totals of the event only. It must not decide what a new version is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

import structlog
from sqlalchemy import ColumnElement, and_, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from schemas.envelope import decode
from schemas.errors import InvalidEvent
from store import outbox
from store.engine import reading, transact
from store.lost import arrived_events
from store.schema import OUTBOX, PAYROLL_PULLS, PAYROLL_RUNS

log = structlog.get_logger()

RunState = Literal["pending", "told", "open", "refused", "ignored"]
"""Of a version: stored and not yet confirmed by the broker, or told. Of a reference (version 0): why there is none."""


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """One pay run: whose books, and the provider's words for itself, the company and the run."""

    company: str
    provider: str
    entity: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDates:
    """What a calendar needs to know of a run; None where the provider does not say."""

    pay_date: date | None = None
    period_start: date | None = None
    period_end: date | None = None
    deadline: datetime | None = None
    run_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version to be told: its number, the event as it will be published, and whether it leaves a live posting."""

    version: int
    fact: str
    fingerprint: str
    event: bytes
    live: bool
    dates: RunDates


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A run without a version: where to pull it again, and why. `reason` and `field` are words, never values."""

    state: Literal["open", "refused", "ignored"]
    reason: str
    field: str | None = None
    dates: RunDates = RunDates()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A row as it is stored: a version (from 1), or a reference (version 0, without an event)."""

    company: str
    provider: str
    entity: str
    run: str
    version: int
    outbox: int | None
    state: RunState
    live: bool
    fact: str | None
    fingerprint: str | None
    event: bytes | None
    reason: str | None
    field: str | None
    run_type: str | None
    pay_date: date | None
    period_start: date | None
    period_end: date | None
    deadline: datetime | None
    missing_since: datetime | None
    updated_at: datetime

    @property
    def key(self) -> RunKey:
        """Which run it is of."""
        return RunKey(self.company, self.provider, self.entity, self.run)


STREAM: Final = "payroll"

_COLUMNS: Final = tuple(field.name for field in fields(RunRow))
_TOLD: Final = case((OUTBOX.c.published_at.is_(None), "pending"), else_="told")
_JOINED: Final = {
    "state": func.coalesce(PAYROLL_RUNS.c.state, _TOLD),
    "event": OUTBOX.c.body,
    "updated_at": func.coalesce(OUTBOX.c.published_at, PAYROLL_RUNS.c.updated_at),
}
_ROWS: Final = select(*(_JOINED[name] if name in _JOINED else PAYROLL_RUNS.c[name] for name in _COLUMNS)).select_from(
    PAYROLL_RUNS.outerjoin(OUTBOX, PAYROLL_RUNS.c.outbox == OUTBOX.c.id)
)
_ORDER: Final = tuple(PAYROLL_RUNS.c[name] for name in ("company", "provider", "entity", "run", "version"))


class PayrollRuns:
    """Every method raises `StoreUnavailable` when the database cannot be used; what it changed is durable on return."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def latest(self, key: RunKey) -> RunRow | None:
        """The newest version of a run; None where none was ever stored."""
        async with reading(self._engine) as connection:
            return await _latest(connection, key)

    async def advance(self, key: RunKey, following: Callable[[RunRow | None], NewVersion | None]) -> RunRow | None:
        """Store the version that follows the newest one, pending; None where nothing follows.

        `following` is asked inside the transaction, perhaps several times, so it must be pure: whoever pulls at the
        same moment sees one order of versions. A reference to the run is gone afterwards, and it is not missing.
        """

        async def work(connection: AsyncConnection) -> RunRow | None:
            latest = await _latest(connection, key)
            new = following(latest)
            await connection.execute(delete(PAYROLL_RUNS).where(_is(key), PAYROLL_RUNS.c.version == 0))
            seen = update(PAYROLL_RUNS).where(_is(key), PAYROLL_RUNS.c.missing_since.is_not(None))
            await connection.execute(seen.values(missing_since=None))
            if new is None:
                return None
            await connection.execute(update(PAYROLL_RUNS).where(_is(key), PAYROLL_RUNS.c.live).values(live=False))
            told = {"company": key.company, "stream": STREAM, "key": outbox_key(key)}
            number = await outbox.add(connection, **told, body=new.event, now=self._clock.now())
            values = {"outbox": number, "live": new.live, "fact": new.fact, "fingerprint": new.fingerprint}
            await connection.execute(insert(PAYROLL_RUNS), self._values(key, new.version, new.dates) | values)
            return await _latest(connection, key)

        return await transact(self._engine, work)

    async def is_new(self, key: RunKey, reference: Reference) -> bool:
        """Whether the run has no reference with this state, reason and field."""
        table = PAYROLL_RUNS.c
        wanted = _ROWS.where(
            _is(key), table.version == 0, table.state == reference.state, table.reason == reference.reason
        )
        return all(row.field != reference.field for row in await self._read(wanted))

    async def refer(self, key: RunKey, reference: Reference) -> None:
        """Keep a reference to a run that has no (new) version now, instead of the one before."""
        said = {"state": reference.state, "reason": reference.reason, "field": reference.field, "live": False}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(PAYROLL_RUNS).where(_is(key), PAYROLL_RUNS.c.version == 0))
            await connection.execute(insert(PAYROLL_RUNS), self._values(key, 0, reference.dates) | said)

        await transact(self._engine, work)

    async def pending(self, key: RunKey) -> Sequence[RunRow]:
        """Versions of a run that were stored and are not known to be published, in the order in which they must be."""
        return await self._read(_ROWS.where(_is(key), PAYROLL_RUNS.c.version > 0, OUTBOX.c.published_at.is_(None)))

    async def tell_again(self, company: str, key: RunKey | None = None, *, older_than: timedelta | None = None) -> int:
        """Have versions told again that are in no books and before no person: the broker may have lost them.

        All of the company, or one run's; those told so long ago, or ever. How many it was; they are pending then.
        What a later version of the run has overtaken is left alone.
        """
        wanted = _ROWS.where(PAYROLL_RUNS.c.company == company, PAYROLL_RUNS.c.version > 0)

        async def work(connection: AsyncConnection) -> int:
            found = await connection.execute((wanted if key is None else wanted.where(_is(key))).order_by(*_ORDER))
            lost = await _lost([_row(row) for row in found], connection)
            before = None if older_than is None else self._clock.now() - older_than
            late = [row for row in lost if before is None or row.updated_at < before]
            for row in late:
                await outbox.again(connection, OUTBOX.c.id == row.outbox)
            return len(late)

        return await transact(self._engine, work)

    async def live(self, company: str, provider: str, entity: str) -> Sequence[RunRow]:
        """The versions of an entity that stand in the books, or will."""
        here = (PAYROLL_RUNS.c.company == company, PAYROLL_RUNS.c.provider == provider)
        return await self._read(_ROWS.where(*here, PAYROLL_RUNS.c.entity == entity, PAYROLL_RUNS.c.live))

    async def elsewhere(self, key: RunKey) -> str | None:
        """The company in whose books the run stands, where that is another one than the key's."""
        run = [PAYROLL_RUNS.c[name] == getattr(key, name) for name in ("provider", "entity", "run")]
        rows = await self._read(_ROWS.where(*run, PAYROLL_RUNS.c.company != key.company, PAYROLL_RUNS.c.live))
        return rows[0].company if rows else None

    async def missing(self, key: RunKey) -> None:
        """Note that the provider does not show a live run any more. Nothing is reversed for that."""
        change = update(PAYROLL_RUNS).where(_is(key), PAYROLL_RUNS.c.live, PAYROLL_RUNS.c.missing_since.is_(None))
        await self._write(change.values(missing_since=self._clock.now()))

    async def all(self, companies: Sequence[str]) -> Sequence[RunRow]:
        """Every row of these companies, by run and version."""
        return await self._read(_ROWS.where(PAYROLL_RUNS.c.company.in_(companies)))

    async def pulled(self, company: str, provider: str, entity: str, months: Sequence[date]) -> None:
        """Note that these months (their first days) were pulled whole, now."""
        here = {"company": company, "provider": provider, "entity": entity}
        rows = [{**here, "month": month, "pulled_at": self._clock.now()} for month in months]

        async def work(connection: AsyncConnection) -> None:
            own = [PAYROLL_PULLS.c[name] == value for name, value in here.items()]
            await connection.execute(delete(PAYROLL_PULLS).where(*own, PAYROLL_PULLS.c.month.in_(months)))
            if rows:
                await connection.execute(insert(PAYROLL_PULLS), rows)

        await transact(self._engine, work)

    async def pulls(self, company: str, provider: str, entity: str) -> dict[date, datetime]:
        """When each month was last pulled whole; a month that never was is not there."""
        table = PAYROLL_PULLS.c
        wanted = select(table.month, table.pulled_at).where(
            table.company == company, table.provider == provider, table.entity == entity
        )
        async with reading(self._engine) as connection:
            return dict((await connection.execute(wanted)).all())

    async def _read(self, wanted: Any) -> Sequence[RunRow]:  # noqa: ANN401 - a SELECT of rows, whose type is longer
        async with reading(self._engine) as connection:
            return [_row(row) for row in await connection.execute(wanted.order_by(*_ORDER))]

    async def _write(self, change: Any) -> None:  # noqa: ANN401 - an UPDATE
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(change)

        await transact(self._engine, work)

    def _values(self, key: RunKey, version: int, dates: RunDates) -> dict[str, Any]:
        return {
            "company": key.company,
            "provider": key.provider,
            "entity": key.entity,
            "run": key.run,
            "version": version,
            **{field.name: getattr(dates, field.name) for field in fields(RunDates)},
            "updated_at": self._clock.now(),
        }


def outbox_key(key: RunKey) -> str:
    """By which the versions of a run are known in the outbox; the provider is its first word."""
    return f"{key.provider} pay run {key.run} of {key.entity}"


def provider_of(key: str) -> str:
    """The provider of a run that is known so in the outbox."""
    return key.partition(" ")[0]


def _is(key: RunKey) -> ColumnElement[bool]:
    return and_(*(PAYROLL_RUNS.c[field.name] == getattr(key, field.name) for field in fields(RunKey)))


async def _latest(connection: AsyncConnection, key: RunKey) -> RunRow | None:
    version = PAYROLL_RUNS.c.version
    wanted = _ROWS.where(_is(key), version > 0).order_by(version.desc()).limit(1)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else _row(row)


async def _lost(rows: Sequence[RunRow], connection: AsyncConnection) -> list[RunRow]:
    """Of the versions of one company, by run and number, those that were told and never arrived."""
    ids = {row: found for row in rows if (found := _event_id(row)) is not None}
    arrived = await arrived_events(connection, rows[0].company if rows else "", ids.values())
    lost: list[RunRow] = []
    for row, event_id in ids.items():
        if event_id in arrived.posted:
            lost = [each for each in lost if each.key != row.key]
        elif row.state == "told" and event_id not in arrived.before_a_person:
            lost.append(row)
    return lost


def _event_id(row: RunRow) -> str | None:
    """None for what another version of the relay stored and this one cannot read: it keeps no other from being told."""
    try:
        return decode(row.event or b"").id
    except InvalidEvent:
        log.warning("payroll.run_not_readable", company=row.company, run=row.run, version=row.version)
        return None


def _row(row: Any) -> RunRow:  # noqa: ANN401 - a row of _ROWS
    return RunRow(**dict(zip(_COLUMNS, row, strict=True)))
