"""What the store forgets: contents of settled dead letters after a time, and what it holds of one person when asked.

Ids, states and reasons stay for ever, or something would be posted twice. What is not settled stays whole: without it
a fact could not be booked any more.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from unicodedata import normalize

from sqlalchemy import ColumnElement, Row, Table, and_, func, not_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.engine import reading, transact
from store.lost import replayed_in_vain
from store.schema import AUDIT, CASES, DEAD_LETTERS, WRITES
from store.sealing import Sealing

SHORTEST_NAME: Final = 3
_PAGE: Final = 50
"""Rows, bodies among them, that are in memory at a time."""
_SETTLED: Final = DEAD_LETTERS.c.state != "waiting"
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_EMPTY: Final[Mapping[str, Any]] = {"body": b"", "body_key": None, "digest": None, "headers": {}, "error": ""}


@dataclass(frozen=True, slots=True)
class Held:
    """Of how many rows of one kind something is known, and what becomes of it."""

    what: str
    count: int
    becomes: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows of a table that may name somebody, and what is left of those that may be erased; None: they stay."""

    what: str
    table: Table
    where: ColumnElement[bool]
    texts: Callable[[Row[Any]], Iterator[str]]
    becomes: str
    left: Callable[[Row[Any]], Mapping[str, Any]] | None = None


class Erasing:
    """Every method raises `StoreUnavailable` when the database cannot be used; what it changed is durable on return."""

    def __init__(self, engine: AsyncEngine, clock: Clock, sealing: Sealing) -> None:
        self._engine = engine
        self._clock = clock
        self._sealing = sealing

    async def settled_before(self, moment: datetime, *, dry: bool = False) -> int:
        """Remove bodies, headers and errors of letters that were settled before; returns of how many."""
        settled = func.coalesce(DEAD_LETTERS.c.settled_at, DEAD_LETTERS.c.stored_at)
        due = and_(_SETTLED, DEAD_LETTERS.c.erased_at.is_(None), settled < moment)
        if dry:
            async with reading(self._engine) as connection:
                return int(await connection.scalar(select(func.count()).where(due)) or 0)
        change = update(DEAD_LETTERS).where(due).values(**_EMPTY, erased_at=self._clock.now())

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(change)).rowcount

        return await transact(self._engine, work)

    async def of_person(self, name: str, *, dry: bool) -> list[Held]:
        """What is held under a name, an e-mail address or an id of a customer, and erase what may be; `dry`: only say.

        The name counts where it stands as a whole, in any capitals. Safe to repeat: the rest is found again.

        Raises:
            BodySealed: the key of a body is missing, so that nobody knows whom it names.
            ValueError: the name is so short that it would be found everywhere.
        """
        if len(name.strip()) < SHORTEST_NAME:
            msg = f"{name!r} is too short: it would be found everywhere"
            raise ValueError(msg)
        literal = re.escape(normalize("NFC", name.strip()))
        names = re.compile(rf"(?<!\w){literal}(?!\w)", re.IGNORECASE)
        held = [await self._kind(kind, names, dry=dry) for kind in self._kinds(names)]
        return [of_kind for of_kind in held if of_kind.count]

    async def _kind(self, kind: _Kind, names: "re.Pattern[str]", *, dry: bool) -> Held:
        key = list(kind.table.primary_key.columns)
        erasable: list[tuple[Sequence[Any], Mapping[str, Any]]] = []
        wanted = select(kind.table).where(kind.where).order_by(*key).limit(_PAGE)
        async with reading(self._engine) as connection:
            page = (await connection.execute(wanted)).all()
            while page:
                for row in page:
                    if any(names.search(normalize("NFC", text)) for text in kind.texts(row)):
                        left = kind.left(row) if kind.left else {}
                        erasable.append(([getattr(row, column.name) for column in key], left))
                after = tuple_(*key) > tuple_(*(getattr(page[-1], column.name) for column in key))
                page = (await connection.execute(wanted.where(after))).all()
        if kind.left is not None and not dry:

            async def work(connection: AsyncConnection) -> None:
                for named, left in erasable:
                    same = and_(*(column == value for column, value in zip(key, named, strict=True)))
                    await connection.execute(update(kind.table).where(same, kind.where).values(**left))

            await transact(self._engine, work)
        return Held(kind.what, len(erasable), kind.becomes)

    def _kinds(self, names: "re.Pattern[str]") -> Sequence[_Kind]:
        now = self._clock.now()
        done = and_(WRITES.c.state == "applied", or_(WRITES.c.was_unknown.is_(False), WRITES.c.swept_at.is_not(None)))

        def letter_texts(row: Row[Any]) -> Iterator[str]:
            yield from (row.subject or "", row.error, *texts_in(row.headers))
            yield from texts_of(self._sealing.open(row.body, row.body_key))

        def write_texts(row: Row[Any]) -> Iterator[str]:
            yield from (row.external_id, row.subject or "", row.error_message or "", *row.about.values())

        def named_by_write(row: Row[Any]) -> Mapping[str, Any]:
            whole = row.kind == "contact"
            about = {key: text for key, text in row.about.items() if not (whole or names.search(text))}
            return {"about": about, "error_message": None}

        def held_in(*columns: str) -> Callable[[Row[Any]], Iterator[str]]:
            return lambda row: (text for name in columns for text in texts_in(getattr(row, name)))

        erased = {**_EMPTY, "erased_at": now}
        unerased = DEAD_LETTERS.c.erased_at.is_(None)
        return (
            _Kind(
                "settled dead letters",
                DEAD_LETTERS,
                and_(_SETTLED, unerased, not_(replayed_in_vain())),
                letter_texts,
                "body, headers and error are removed",
                lambda _: erased,
            ),
            _Kind(
                "dead letters that wait",
                DEAD_LETTERS,
                DEAD_LETTERS.c.state == "waiting",
                letter_texts,
                "stay: replay them first, their facts are not in the books",
            ),
            _Kind(
                "dead letters whose replay is not in the books",
                DEAD_LETTERS,
                replayed_in_vain(),
                letter_texts,
                "stay: the broker may lose the replay, and nobody else has the fact; try again once it is booked "
                "(at the latest they go after store.settled_days)",
            ),
            _Kind("writes in the books", WRITES, done, write_texts, "names are removed, ids stay", named_by_write),
            _Kind(
                "writes not settled yet",
                WRITES,
                ~done,
                write_texts,
                "stay: a look-up still needs the name; try again later",
            ),
            _Kind(
                "closed cases",
                CASES,
                CASES.c.closed_at.is_not(None),
                held_in("detail", "note"),
                "detail and note are removed",
                lambda _: {"detail": {}, "note": None},
            ),
            _Kind("open cases", CASES, CASES.c.closed_at.is_(None), held_in("detail"), "stay: close them first"),
            _Kind("lines of the audit trail", AUDIT, AUDIT.c.id > 0, held_in("detail"), "stay: it cannot be changed"),
        )


def texts_of(body: bytes) -> Iterator[str]:
    """Every text of a body: of JSON what it says, and all of it as it is, with JSON's escapes read where it is none."""
    text = body.decode(errors="replace")
    yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    try:
        yield from texts_in(json.loads(text))
    except (ValueError, RecursionError):
        return


def texts_in(value: object) -> Iterator[str]:
    """Every text in a document."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case Mapping() as table:
                waiting += [*table.keys(), *table.values()]
            case list() | tuple() as items:
                waiting += items
