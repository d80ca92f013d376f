"""The table of dead letters: messages that ended in a dead-letter queue, and what became of them.

It must not touch the broker; whoever moves a message here acks it after `add` has returned.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store.databases.storable import storable
from store.engine import reading, transact
from store.errors import AmbiguousId, LetterNotFound
from store.lost import raw_replayed_in_vain, replayed_in_vain
from store.schema import AUDIT, DEAD_LETTERS
from store.sealing import Sealing

LetterState = Literal["waiting", "replayed", "discarded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it lay in the dead-letter queue. `id` is the same however often the message is moved here.

    `headers` must be JSON as it is: text keys, no bytes, dates or Decimals. `body` is kept byte for byte.
    """

    id: str
    queue: str
    reason: str
    error: str
    attempts: int
    headers: Mapping[str, Any]
    body: bytes
    company: str | None = None
    event_id: str | None = None
    event_source: str | None = None
    event_type: str | None = None
    subject: str | None = None
    content_type: str | None = None
    routing_key: str | None = None
    died_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter(Letter):
    """A dead letter with what has become of it. `version` counts its changes, from 1.

    `body` is as it is kept: sealed where `body_key` says under which key (`DeadLetters.opened`), and empty, like
    headers and error, once it was erased.
    """

    stored_at: datetime
    state: LetterState
    version: int
    settled_at: datetime | None = None
    erased_at: datetime | None = None
    body_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLetter:
    """What a list shows of a letter: all but body and headers, of which thousands would fill the memory."""

    id: str
    queue: str
    reason: str
    error: str
    attempts: int
    company: str | None
    event_id: str | None
    event_source: str | None
    event_type: str | None
    subject: str | None
    content_type: str | None
    routing_key: str | None
    died_at: datetime | None
    stored_at: datetime
    state: LetterState
    version: int
    settled_at: datetime | None
    erased_at: datetime | None
    body_key: str | None


@dataclass(frozen=True, slots=True)
class LetterGroup:
    """Waiting letters of one queue that died of the same reason."""

    queue: str
    reason: str
    count: int
    oldest: datetime


_LETTER: Final = tuple(field.name for field in fields(Letter))
_STORED: Final = tuple(field.name for field in fields(StoredLetter))
_ROWS: Final = select(*(DEAD_LETTERS.c[name] for name in _STORED))
_LISTED: Final = tuple(field.name for field in fields(ListedLetter))
_LIST: Final = select(*(DEAD_LETTERS.c[name] for name in _LISTED))
_SHOWN_CANDIDATES: Final = 5


class DeadLetters:
    """The desk's table. Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine, clock: Clock, sealing: Sealing | None = None) -> None:
        """Without `sealing` nothing is sealed, and no sealed body can be opened."""
        self._engine = engine
        self._clock = clock
        self._sealing = sealing or Sealing()

    async def add(self, letter: Letter) -> bool:
        """Store it, waiting. False: a letter with this id is there already, in any state; nothing changed.

        Durable on return. Text that no database keeps (NUL) is stored with U+FFFD in its place.
        """
        values = self._row(letter)
        return await transact(self._engine, lambda connection: _add(connection, values))

    async def keep(self, letter: Letter, *, told: bytes | None = None) -> bool:
        """As `add`, but a copy of one that waits is dropped, and the audit trail says so: False.

        A copy has the same bytes and died of the same, from the same source: an event that was delivered twice. `told`
        is the body without what says how it was delivered, where that is known: then it is this that is compared.
        """
        values = self._row(letter) | {"digest": _digest(letter, told)}
        copied = select(DEAD_LETTERS.c.id).where(
            DEAD_LETTERS.c.digest == values["digest"], DEAD_LETTERS.c.state == "waiting"
        )

        async def work(connection: AsyncConnection) -> bool:
            first = (await connection.scalars(copied.limit(1))).first()
            if first is None or first == storable(letter.id):
                return await _add(connection, values)
            line = {"at": values["stored_at"], "actor": "relay", "act": "dead_letter.copy_dropped", "subject": first}
            detail = {"reason": letter.reason, "event": letter.event_id, "copy": letter.id}
            await connection.execute(insert(AUDIT), {**line, "detail": detail})
            return False

        return await transact(self._engine, work)

    def _row(self, letter: Letter) -> dict[str, Any]:
        body, key = self._sealing.seal(letter.body)
        return {name: getattr(letter, name) for name in _LETTER} | {
            "body": body,
            "body_key": key,
            "digest": _digest(letter, None),
            "headers": dict(letter.headers),
            "stored_at": self._clock.now(),
            "state": "waiting",
            "version": 1,
        }

    async def get(self, wanted: str) -> StoredLetter:
        """The letter with this id, or the only one whose id starts so. Raises LetterNotFound, AmbiguousId."""
        text = storable(wanted)
        starts_so = func.substr(DEAD_LETTERS.c.id, 1, len(text)) == text
        async with reading(self._engine) as connection:
            whole = (await connection.execute(_ROWS.where(DEAD_LETTERS.c.id == text))).one_or_none()
            if whole is not None:
                return _stored(whole)
            rows = await connection.execute(_ROWS.where(starts_so).order_by(DEAD_LETTERS.c.id).limit(_SHOWN_CANDIDATES))
            letters = [_stored(row) for row in rows]
        if not letters or not text:
            raise LetterNotFound(wanted)
        if len(letters) > 1:
            raise AmbiguousId(wanted, [letter.id for letter in letters])
        return letters[0]

    def opened(self, letter: StoredLetter) -> StoredLetter:
        """The letter with its body as it came. Raises BodySealed: its key is missing, or the row was changed."""
        return replace(letter, body=self._sealing.open(letter.body, letter.body_key), body_key=None)

    async def keys_in_use(self) -> dict[str | None, int]:
        """Count bodies by the key that they lie under; None: they lie open. Erased ones do not count."""
        count = select(DEAD_LETTERS.c.body_key, func.count()).where(DEAD_LETTERS.c.erased_at.is_(None))
        async with reading(self._engine) as connection:
            return dict((await connection.execute(count.group_by(DEAD_LETTERS.c.body_key))).all())

    async def list(
        self,
        state: LetterState = "waiting",
        *,
        reason: str | None = None,
        queue: str | None = None,
        limit: int | None = None,
    ) -> Sequence[ListedLetter]:
        """Letters in one state, oldest first, of one reason and queue if given; `get` has the body of each."""
        wanted = _LIST.where(DEAD_LETTERS.c.state == state)
        if reason is not None:
            wanted = wanted.where(DEAD_LETTERS.c.reason == reason)
        if queue is not None:
            wanted = wanted.where(DEAD_LETTERS.c.queue == queue)
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted.order_by(DEAD_LETTERS.c.stored_at, DEAD_LETTERS.c.id).limit(limit))
            return [_listed(row) for row in rows]

    async def about(self, text: str) -> Sequence[ListedLetter]:
        """Letters of any state whose id, event_id or subject is exactly `text`, oldest first."""
        key = storable(text)
        matches = or_(*(DEAD_LETTERS.c[name] == key for name in ("id", "event_id", "subject")))
        async with reading(self._engine) as connection:
            rows = await connection.execute(_LIST.where(matches).order_by(DEAD_LETTERS.c.stored_at, DEAD_LETTERS.c.id))
            return [_listed(row) for row in rows]

    async def groups(self) -> Sequence[LetterGroup]:
        """The waiting letters by queue and reason, the largest group first; `oldest`: first stored."""
        key = (DEAD_LETTERS.c.queue, DEAD_LETTERS.c.reason)
        number = func.count()
        wanted = select(*key, number, func.min(DEAD_LETTERS.c.stored_at)).where(DEAD_LETTERS.c.state == "waiting")
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted.group_by(*key).order_by(number.desc(), *key))
            return [LetterGroup(*row) for row in rows]

    async def set_state(
        self,
        letter_id: str,
        from_state: LetterState,
        to_state: LetterState,
        *,
        headers: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move it on, with other headers if given. False: it is not in `from_state` (somebody was first), or gone."""
        change = (
            update(DEAD_LETTERS)
            .where(DEAD_LETTERS.c.id == letter_id, DEAD_LETTERS.c.state == from_state)
            .values(
                state=to_state,
                version=DEAD_LETTERS.c.version + 1,
                settled_at=None if to_state == "waiting" else self._clock.now(),
                **({} if headers is None else {"headers": dict(headers)}),
            )
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(change)).rowcount == 1

        return await transact(self._engine, work)

    async def wait_again(self, company: str) -> int:
        """Let letters wait again that were replayed, and of whose event nothing is known: the broker may have lost it.

        How many it was. A replay that is still under way, or posts nothing, may be among them: another one is harmless.
        """
        values = {"state": "waiting", "version": DEAD_LETTERS.c.version + 1, "settled_at": None}
        change = update(DEAD_LETTERS).values(values)

        async def work(connection: AsyncConnection) -> int:
            count = int((await connection.execute(change.where(replayed_in_vain(company)))).rowcount)
            for letter_id in await raw_replayed_in_vain(connection, company):
                raw = (DEAD_LETTERS.c.id == letter_id) & (DEAD_LETTERS.c.state == "replayed")
                count += int((await connection.execute(change.where(raw))).rowcount)
            return count

        return await transact(self._engine, work)

    async def counts(self) -> dict[str, int]:
        """Count letters: state → number, for the states that occur."""
        wanted = select(DEAD_LETTERS.c.state, func.count()).group_by(DEAD_LETTERS.c.state)
        async with reading(self._engine) as connection:
            return dict((await connection.execute(wanted)).all())


async def _add(connection: AsyncConnection, values: Mapping[str, Any]) -> bool:
    same = select(DEAD_LETTERS.c.id).where(DEAD_LETTERS.c.id == values["id"])
    if await connection.scalar(same) is not None:
        return False
    await connection.execute(insert(DEAD_LETTERS), dict(values))
    return True


def _digest(letter: Letter, body: bytes | None) -> str:
    """A SHA-256 of what it is and what it died of; erased with the body."""
    told = (letter.queue, letter.reason, letter.company or "", letter.event_source or "")
    of = "\0".join(told).encode("utf-8", "replace")
    return hashlib.sha256(of + b"\0" + (letter.body if body is None else body)).hexdigest()


def _stored(row: Row[Any]) -> StoredLetter:
    return StoredLetter(**dict(zip(_STORED, row, strict=True)))


def _listed(row: Row[Any]) -> ListedLetter:
    return ListedLetter(**{name: getattr(row, name) for name in _LISTED})
