"""The SQL on the tables `writes` and `write_events`: load rows to change them, save what changed, answer questions.

It must not decide anything: that is `store.transitions`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.claims import WriteRow
from store.schema import UNREAD, UNSWEPT, WRITE_EVENTS, WRITES
from store.transitions import VOID

IS_VOID: Final = and_(WRITES.c.state == "refused", WRITES.c.error_code == VOID)
"""A condition: undone before it was sent."""

ACCOUNTED_FOR: Final = or_(WRITES.c.state == "applied", IS_VOID)
"""A condition: in the books, or void."""

Key = tuple[str, str]  # company, external_id
Position = tuple[datetime, str]  # updated_at, external_id

KEYS_AT_A_TIME: Final = 500

_COLUMNS: Final = tuple(field.name for field in fields(WriteRow))
_PROGRESS: Final = (
    "state",
    "epoch",
    "owner",
    "lease_until",
    "doubt_since",
    "was_unknown",
    "adopted",
    "solid_id",
    "error_code",
    "error_message",
    "updated_at",
)
_CONTENT: Final = tuple(name for name in _COLUMNS if name not in (*_PROGRESS, "company", "external_id", "created_at"))

_ROWS: Final = select(*(WRITES.c[name] for name in _COLUMNS))
_ONE: Final = (WRITES.c.company == bindparam("key_company")) & (WRITES.c.external_id == bindparam("key_external_id"))
_INSERT: Final = insert(WRITES)
_UPDATE_PROGRESS: Final = update(WRITES).where(_ONE).values({name: bindparam(name) for name in _PROGRESS})
_UPDATE_ALL: Final = update(WRITES).where(_ONE).values({name: bindparam(name) for name in (*_PROGRESS, *_CONTENT)})

_EVENT_KEY: Final = ("company", "external_id", "event_source", "event_id")
_EVENT: Final = (*_EVENT_KEY, "event_type", "subject")
_SAME_EVENT: Final = [WRITE_EVENTS.c[name] == bindparam(name, type_=WRITE_EVENTS.c[name].type) for name in _EVENT_KEY]
# Safe without an upsert: whoever displaces an event holds the lock of its row in `writes`.
_KEEP_EVENT: Final = insert(WRITE_EVENTS).from_select(
    (*_EVENT, "seen_at"),
    select(*(bindparam(name, type_=WRITE_EVENTS.c[name].type) for name in (*_EVENT, "seen_at"))).where(
        ~exists().where(*_SAME_EVENT)
    ),
)


async def load(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, WriteRow]:
    """The rows under `keys` that exist, locked until the transaction ends, always in one order."""
    by_company: dict[str, set[str]] = {}
    for company, external_id in keys:
        by_company.setdefault(company, set()).add(external_id)
    rows = await connection.execute(_some(len(by_company)), _numbered(by_company))
    return {(row.company, row.external_id): WriteRow(*row) for row in rows}


@cache
def _some(companies: int) -> Select[Any]:
    """Rows of so many companies in one statement: as "or", for SQLite finds pairs of values by no index."""
    pairs = (
        (WRITES.c.company == bindparam(f"company_{number}"))
        & WRITES.c.external_id.in_(bindparam(f"ids_{number}", expanding=True))
        for number in range(companies)
    )
    return _ROWS.where(or_(*pairs)).order_by(WRITES.c.company, WRITES.c.external_id).with_for_update()


def _numbered(by_company: Mapping[str, set[str]]) -> dict[str, Any]:
    return {
        name: value
        for number, (company, ids) in enumerate(by_company.items())
        for name, value in ((f"company_{number}", company), (f"ids_{number}", sorted(ids)))
    }


async def save(connection: AsyncConnection, before: Mapping[Key, WriteRow], after: Mapping[Key, WriteRow]) -> None:
    """Store the rows of `after` that are new or differ from `before`, in as few statements as possible.

    Where another event has taken a row over, the earlier one is kept in `write_events`.
    """
    new: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    rewritten: list[dict[str, Any]] = []
    displaced: list[dict[str, Any]] = []
    for key, row in sorted(after.items(), key=lambda item: item[0]):
        old = before.get(key)
        if old is None:
            new.append(_values(row, _COLUMNS))
        elif old is not row:
            same_content = all(getattr(old, name) == getattr(row, name) for name in _CONTENT)
            changed = _values(row, _PROGRESS if same_content else (*_PROGRESS, *_CONTENT))
            changed |= {"key_company": row.company, "key_external_id": row.external_id}
            (moved if same_content else rewritten).append(changed)
            if (old.event_source, old.event_id) != (row.event_source, row.event_id):
                displaced.append(_values(old, _EVENT) | {"seen_at": old.updated_at})
    if new:
        await connection.execute(_INSERT, new)
    if moved:
        await connection.execute(_UPDATE_PROGRESS, moved)
    if rewritten:
        await connection.execute(_UPDATE_ALL, rewritten)
    if displaced:
        await connection.execute(_KEEP_EVENT, displaced)


async def states(connection: AsyncConnection, company: str, external_ids: Collection[str]) -> dict[str, str]:
    """external_id → state, for those that are known; "void" of what was undone before it was sent."""
    state = case((IS_VOID, "void"), else_=WRITES.c.state).label("state")
    wanted = select(WRITES.c.external_id, state).where(
        WRITES.c.company == company, WRITES.c.external_id.in_(sorted(set(external_ids)))
    )
    return {row.external_id: row.state for row in await connection.execute(wanted)}


async def group_amounts(connection: AsyncConnection, company: str, *, group_key: str, currency: str) -> list[Decimal]:
    """The amounts of one group in one currency: of what is applied, and of what is void, as it is accounted for."""
    wanted = select(WRITES.c.amount).where(
        WRITES.c.company == company,
        WRITES.c.group_key == group_key,
        WRITES.c.currency == currency,
        ACCOUNTED_FOR,
        WRITES.c.amount.is_not(None),
    )
    return list((await connection.scalars(wanted)).all())


async def matching(connection: AsyncConnection, text: str) -> list[WriteRow]:
    """Rows of any company that have exactly `text` as one of their ids, or had it by an earlier event; oldest first."""
    ids = (WRITES.c.external_id, WRITES.c.event_id, WRITES.c.subject, WRITES.c.solid_id, WRITES.c.group_key)
    same_write = (WRITE_EVENTS.c.company == WRITES.c.company) & (WRITE_EVENTS.c.external_id == WRITES.c.external_id)
    earlier = or_(WRITE_EVENTS.c.event_id == text, WRITE_EVENTS.c.subject == text)
    rows = await _all(connection, _ROWS.where(or_(*(column == text for column in ids))))
    rows += await _all(connection, _ROWS.join(WRITE_EVENTS, same_write).where(earlier))
    unique = {(row.company, row.external_id): row for row in rows}
    return sorted(unique.values(), key=lambda row: (row.created_at, row.company, row.external_id))


async def unswept(
    connection: AsyncConnection, company: str, *, before: datetime, limit: int, past: Position | None = None
) -> list[WriteRow]:
    """Applied rows that were once in doubt, were not looked up again yet, and rest since `before`; oldest first."""
    wanted = _ROWS.where(WRITES.c.company == company, UNSWEPT, WRITES.c.updated_at < before)
    if past is not None:
        since, external_id = past
        same = and_(WRITES.c.updated_at == since, WRITES.c.external_id > external_id)
        wanted = wanted.where(WRITES.c.updated_at >= since, or_(WRITES.c.updated_at > since, same))
    return await _all(connection, wanted.order_by(WRITES.c.updated_at, WRITES.c.external_id).limit(limit))


async def unread(
    connection: AsyncConnection, company: str, *, before: datetime, limit: int, without: Collection[str] = ()
) -> list[WriteRow]:
    """Applied rows that were never in doubt and not looked up yet, of the oldest one's kind; as `unswept`."""
    due = and_(WRITES.c.company == company, UNREAD, WRITES.c.updated_at < before, WRITES.c.kind.not_in(without))
    oldest = select(WRITES.c.kind).where(due).order_by(WRITES.c.updated_at, WRITES.c.external_id).limit(1)
    wanted = _ROWS.where(due, WRITES.c.kind == oldest.scalar_subquery())
    return await _all(connection, wanted.order_by(WRITES.c.updated_at, WRITES.c.external_id).limit(limit))


async def in_doubt(connection: AsyncConnection, company: str, *, now: datetime) -> list[WriteRow]:
    """Rows that may have been sent and have no answer: unknown, or intended under a lease that ran out."""
    wanted = _ROWS.where(WRITES.c.company == company, _doubtful(now))
    return await _all(connection, wanted.order_by(WRITES.c.updated_at, WRITES.c.external_id))


async def doubt_counts(connection: AsyncConnection, companies: Collection[str], *, now: datetime) -> dict[str, int]:
    """Count what `in_doubt` gives: company → number, where there are any."""
    some = WRITES.c.company.in_(companies)
    wanted = select(WRITES.c.company, func.count()).where(some, _doubtful(now)).group_by(WRITES.c.company)
    return dict((await connection.execute(wanted)).all())


def _doubtful(now: datetime) -> ColumnElement[bool]:
    return (WRITES.c.state == "unknown") | ((WRITES.c.state == "intended") & (WRITES.c.lease_until <= now))


async def mark_swept(connection: AsyncConnection, company: str, external_ids: Sequence[str], at: datetime) -> None:
    """Note that applied rows were looked up again; a row that is not to be swept stays as it is."""
    for start in range(0, len(external_ids), KEYS_AT_A_TIME):
        some = WRITES.c.external_id.in_(external_ids[start : start + KEYS_AT_A_TIME])
        due = (WRITES.c.state == "applied") & WRITES.c.swept_at.is_(None)
        await connection.execute(update(WRITES).where(WRITES.c.company == company, some, due).values(swept_at=at))


async def state_counts(connection: AsyncConnection, company: str) -> dict[str, int]:
    """Count rows: state → number, for the states that occur."""
    wanted = select(WRITES.c.state, func.count()).where(WRITES.c.company == company).group_by(WRITES.c.state)
    return dict((await connection.execute(wanted)).all())


async def _all(connection: AsyncConnection, wanted: Select[Any]) -> list[WriteRow]:
    return [WriteRow(*row) for row in await connection.execute(wanted)]


def _values(row: WriteRow, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
