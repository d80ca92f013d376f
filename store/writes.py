"""The SQL on the table `writes`: load rows to change them, save what changed, answer questions.

It must not decide anything: that is `store.transitions`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.claims import WriteRow
from store.schema import WRITES

Key = tuple[str, str]  # company, external_id

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
_CONTENT: Final = tuple(
    name for name in _COLUMNS if name not in (*_PROGRESS, "company", "external_id", "created_at")
)

_ROWS: Final = select(*(WRITES.c[name] for name in _COLUMNS))
_ONE: Final = (WRITES.c.company == bindparam("key_company")) & (
    WRITES.c.external_id == bindparam("key_external_id")
)
_SOME: Final = (
    _ROWS.where(
        WRITES.c.company == bindparam("company"), WRITES.c.external_id.in_(bindparam("ids", expanding=True))
    )
    .order_by(WRITES.c.external_id)
    .with_for_update()
)
_INSERT: Final = insert(WRITES)
_UPDATE_PROGRESS: Final = update(WRITES).where(_ONE).values({name: bindparam(name) for name in _PROGRESS})
_UPDATE_ALL: Final = (
    update(WRITES).where(_ONE).values({name: bindparam(name) for name in (*_PROGRESS, *_CONTENT)})
)


async def load(connection: AsyncConnection, keys: Iterable[Key]) -> dict[Key, WriteRow]:
    """The rows under `keys` that exist, locked until the transaction ends, always in one order."""
    by_company: dict[str, set[str]] = {}
    for company, external_id in keys:
        by_company.setdefault(company, set()).add(external_id)
    rows: dict[Key, WriteRow] = {}
    for company in sorted(by_company):
        found = await connection.execute(_SOME, {"company": company, "ids": sorted(by_company[company])})
        rows.update(((row.company, row.external_id), WriteRow(*row)) for row in found)
    return rows


async def save(
    connection: AsyncConnection, before: Mapping[Key, WriteRow], after: Mapping[Key, WriteRow]
) -> None:
    """Store the rows of `after` that are new or differ from `before`, in as few statements as possible."""
    new: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    rewritten: list[dict[str, Any]] = []
    for key, row in sorted(after.items(), key=lambda item: item[0]):
        old = before.get(key)
        if old is None:
            new.append(_values(row, _COLUMNS))
        elif old is not row:
            same_content = all(getattr(old, name) == getattr(row, name) for name in _CONTENT)
            changed = _values(row, _PROGRESS if same_content else (*_PROGRESS, *_CONTENT))
            changed |= {"key_company": row.company, "key_external_id": row.external_id}
            (moved if same_content else rewritten).append(changed)
    if new:
        await connection.execute(_INSERT, new)
    if moved:
        await connection.execute(_UPDATE_PROGRESS, moved)
    if rewritten:
        await connection.execute(_UPDATE_ALL, rewritten)


async def states(connection: AsyncConnection, company: str, external_ids: Collection[str]) -> dict[str, str]:
    """external_id → state, for those that are known."""
    wanted = select(WRITES.c.external_id, WRITES.c.state).where(
        WRITES.c.company == company, WRITES.c.external_id.in_(sorted(set(external_ids)))
    )
    return {row.external_id: row.state for row in await connection.execute(wanted)}


async def applied_amounts(
    connection: AsyncConnection, company: str, *, group_key: str, currency: str
) -> list[Decimal]:
    """The amounts of the applied writes of one group in one currency."""
    wanted = select(WRITES.c.amount).where(
        WRITES.c.company == company,
        WRITES.c.group_key == group_key,
        WRITES.c.currency == currency,
        WRITES.c.state == "applied",
        WRITES.c.amount.is_not(None),
    )
    return list((await connection.scalars(wanted)).all())


async def matching(connection: AsyncConnection, text: str) -> list[WriteRow]:
    """Rows of any company that carry exactly `text` as one of their ids, oldest first."""
    ids = (WRITES.c.external_id, WRITES.c.event_id, WRITES.c.subject, WRITES.c.solid_id, WRITES.c.group_key)
    wanted = _ROWS.where(or_(*(column == text for column in ids)))
    found = await connection.execute(
        wanted.order_by(WRITES.c.created_at, WRITES.c.company, WRITES.c.external_id)
    )
    return [WriteRow(*row) for row in found]


async def state_counts(connection: AsyncConnection, company: str) -> dict[str, int]:
    """Count rows: state → number, for the states that occur."""
    wanted = select(WRITES.c.state, func.count()).where(WRITES.c.company == company).group_by(WRITES.c.state)
    return dict((await connection.execute(wanted)).all())


def _values(row: WriteRow, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
