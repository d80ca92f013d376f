"""The identity of each company's inbox and a counter that only rises: a store that was swapped or went back is noticed.

Each batch of claims raises the counter in its own transaction, under a word of this raise alone, and that is kept: so
"does the store hold this mark?" is answered by one row. What the broker keeps of it is the affair of `messaging`.
"""

import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.marks import Mark
from store.engine import reading, transact
from store.errors import WrongStore
from store.schema import MARKS, MARKS_KEPT

KEPT: Final = 20_000
"""So many marks of a company are kept: far more than any broker's copy can be behind."""

CLEARED_EVERY: Final = 1_000

REMEMBERED: Final = 64
"""So many marks a process remembers of a company: a token says one that was the newest a moment ago."""


class Marks:
    """What one process has seen of the inboxes, all companies'. Use one a process, in one event loop.

    Every method that asks the database raises `StoreUnavailable`, and `WrongStore` where that is said.
    """

    def __init__(self, engine: AsyncEngine, *, owner: str) -> None:
        self._engine = engine
        self._owner = owner
        self._seen: dict[str, Mark] = {}
        self._held: dict[str, deque[Mark]] = {}  # the last that were seen; what holds the newest holds them all
        self._astray: set[str] = set()
        self._verified: dict[str, Mark] = {}

    def seen(self, company: str) -> Mark | None:
        """The newest mark that this process has seen in the store."""
        return self._seen.get(company)

    def verified(self, company: str) -> Mark | None:
        """The newest mark of the broker that this process has found in the store."""
        return self._verified.get(company)

    def astray(self, company: str) -> bool:
        """Whether the store, when last looked at, did not hold what this process had seen before."""
        return company in self._astray

    async def look(self, company: str) -> None:
        """See where the inbox stands, at the beginning of a session; a new inbox gets its identity."""

        async def work(connection: AsyncConnection) -> tuple[Mark, bool]:
            last = await _last(connection, company) or await _begin(connection, company, 0, by=self._owner)
            seen = self._seen.get(company)
            return last, seen is None or await _holds(connection, company, seen, last=last)

        last, held = await transact(self._engine, work)
        if held:
            self._see(company, last)
            self._astray.discard(company)
        else:
            self._astray.add(company)

    async def admit(self, company: str, mark: Mark) -> None:
        """The broker knows `mark`: the store must hold it, and what this process has seen. Raises WrongStore.

        Where a person has said that the store is right as it is, that once too: claims made before are void.
        """
        seen = self._seen.get(company)
        if company not in self._astray and (mark == self._verified.get(company) or mark in self._held.get(company, ())):
            self._verified[company] = mark
            return
        async with reading(self._engine) as connection:
            last = await _last(connection, company)
            if last is None or not await _holds(connection, company, mark, last=last):
                raise _wrong(company, last, mark)
            held = seen is None or await _holds(connection, company, seen, last=last)
        if seen is not None and not held and mark.inbox == seen.inbox:
            raise _wrong(company, last, seen)
        aware = company in self._astray
        self._verified[company] = mark
        self._astray.discard(company)
        if held:
            self.committed({company: last})
        else:  # a person has said that the store is right: what was claimed in the other is void
            self._held.pop(company, None)
            self._see(company, last)
            if not aware:
                raise _wrong(company, last, mark)

    async def raise_all(self, connection: AsyncConnection, companies: set[str]) -> Mapping[str, Mark]:
        """Raise the counters of these companies within a transaction; tell `committed` once it is. Raises WrongStore.

        Last in the transaction: on PostgreSQL the inbox stays locked until its end.
        """
        return {company: await self._raise(connection, company) for company in sorted(companies)}

    async def compare_all(self, connection: AsyncConnection, companies: set[str]) -> None:
        """See that the store holds what this process has seen of these companies. Raises WrongStore."""
        for company in sorted(companies):
            await self._compared(connection, company, lock=False)

    def committed(self, marks: Mapping[str, Mark]) -> None:
        """What `raise_all` gave is durable."""
        for company, mark in marks.items():
            seen = self._seen.get(company)
            if seen is None or seen.count < mark.count:
                self._see(company, mark)

    def _see(self, company: str, mark: Mark) -> None:
        """It is the newest of the inbox; each claim makes sure that the store still holds it, and so those before."""
        self._seen[company] = mark
        self._held.setdefault(company, deque(maxlen=REMEMBERED)).append(mark)

    async def _raise(self, connection: AsyncConnection, company: str) -> Mark:
        last = await self._compared(connection, company, lock=True)
        if last is None:
            last = await _begin(connection, company, 0, by=self._owner)
        mark = Mark(last.inbox, last.count + 1, f"{self._owner} {_word()}")
        await connection.execute(update(MARKS).where(MARKS.c.company == company).values(asdict(mark)))
        await _keep(connection, company, mark)
        return mark

    async def _compared(self, connection: AsyncConnection, company: str, *, lock: bool) -> Mark | None:
        last, seen = await _last(connection, company, lock=lock), self._seen.get(company)
        if seen is not None and (last is None or not await _holds(connection, company, seen, last=last)):
            raise _wrong(company, last, seen)
        return last


async def begin_anew(connection: AsyncConnection, company: str, *, by: str) -> Mark:
    """A person says that the store is right as it is: its inbox is another one from now on."""
    last = await _last(connection, company, lock=True)
    return await _begin(connection, company, 0 if last is None else last.count + 1, by=by)


async def _begin(connection: AsyncConnection, company: str, count: int, *, by: str) -> Mark:
    mark = Mark(secrets.token_hex(8), count, by)
    await connection.execute(delete(MARKS).where(MARKS.c.company == company))
    await connection.execute(insert(MARKS), {"company": company, **asdict(mark)})
    await _keep(connection, company, mark)
    return mark


async def _keep(connection: AsyncConnection, company: str, mark: Mark) -> None:
    await connection.execute(insert(MARKS_KEPT), {"company": company, **asdict(mark)})
    if mark.count % CLEARED_EVERY == 0:
        old = (MARKS_KEPT.c.company == company) & (MARKS_KEPT.c.count < mark.count - KEPT)
        await connection.execute(delete(MARKS_KEPT).where(old))


async def _last(connection: AsyncConnection, company: str, *, lock: bool = False) -> Mark | None:
    wanted = select(MARKS.c.inbox, MARKS.c.count, MARKS.c.by).where(MARKS.c.company == company)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
    return None if row is None else Mark(*row)


async def _holds(connection: AsyncConnection, company: str, mark: Mark, *, last: Mark) -> bool:
    """Whether the store, whose newest mark is `last`, has been where `mark` was made."""
    if mark == last:
        return True
    kept = select(MARKS_KEPT.c.inbox, MARKS_KEPT.c.by).where(MARKS_KEPT.c.company == company)
    row = (await connection.execute(kept.where(MARKS_KEPT.c.count == mark.count))).one_or_none()
    if row is None:  # forgotten by now, or never reached
        return mark.inbox == last.inbox and mark.count < last.count - KEPT
    return (row.inbox, row.by) == (mark.inbox, mark.by)


def _word() -> str:
    """Another one each time, also on a machine that was put back, whose kernel may draw the same numbers again."""
    return f"{secrets.token_hex(4)}{time.monotonic_ns():x}"


def _wrong(company: str, last: Mark | None, mark: Mark) -> WrongStore:
    behind = last is not None and last.inbox == mark.inbox
    return WrongStore(company, "store_went_back" if behind else "another_store")
