"""The inbox: which writes are intended, in doubt, applied or refused, and who may send them.

An intent is committed before the call it announces. The inbox never talks to Solid and never decides what to
do about a doubt; it only makes sure that one holder at a time may act, and that a late one cannot settle.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from runtime.marks import Mark
from store import transitions, writes
from store.claims import (
    Accepted,
    Busy,
    Change,
    Claim,
    Conflict,
    Done,
    Doubt,
    EventRef,
    Fresh,
    Intent,
    Refusal,
    Release,
    Renew,
    State,
    Unknown,
    Voided,
    WriteRow,
)
from store.databases.storable import storable
from store.engine import reading, transact
from store.errors import LeaseLost, Summarised, WrongStore
from store.group_commit import GroupCommit
from store.marks import Marks
from store.sales.guard import Guard
from store.schema import WORKERS, WRITES
from store.watch import Watch
from store.writes import Key, Position

__all__ = [
    "Busy",
    "Claim",
    "Conflict",
    "Done",
    "Doubt",
    "EventRef",
    "Fresh",
    "Inbox",
    "Intent",
    "State",
    "Voided",
    "WriteRow",
]

FORGOTTEN_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Claiming:
    company: str
    event: EventRef
    intents: tuple[Intent, ...]
    voids: bool = False

    def touched(self) -> list[Key]:
        return [(self.company, intent.external_id) for intent in self.intents]


@dataclass(frozen=True, slots=True)
class _Settling:
    company: str
    external_id: str
    epoch: int
    change: Change

    def touched(self) -> list[Key]:
        return [(self.company, self.external_id)]


class _Recorded(Exception):
    """Some of what was claimed is a line of a summary: the batch is decided again without it."""

    def __init__(self, keys: set[Key]) -> None:
        super().__init__(keys)
        self.keys = keys


WriteRows = dict[Key, WriteRow]


def _doubt(key: Key, row: WriteRow) -> tuple[object, ...]:
    """The name of a doubt: another one where the write was sent again since."""
    return ("doubt", key, row.doubt_since)


def _lease(key: Key, row: WriteRow) -> tuple[object, ...]:
    return ("lease", key, row.epoch, row.lease_until)


class Inbox:
    """One worker's door to the table `writes`. Use one Inbox a process and owner, in one event loop.

    `owner` names the process; `lease` must be longer than the time from the last `renew` before a call to the
    end of that call. Every method raises `StoreUnavailable` when the database cannot be used. What returned
    is durable.
    """

    def __init__(
        self, engine: AsyncEngine, *, owner: str, lease: timedelta, clock: Clock, watch: Watch | None = None
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._lease = lease
        self._clock = clock
        self.marks = Marks(engine, owner=owner)
        self._guard = Guard()
        self._held: dict[Key, int] = {}  # epochs of the claims we made and have not settled
        self.watch = watch or Watch(clock)
        self._commits: GroupCommit[_Claiming | _Settling, list[Claim]] = GroupCommit(self._commit)

    async def claim(self, company: str, event: EventRef, intents: Sequence[Intent]) -> list[Claim]:
        """Ask for the right to send `intents`: one answer each, in order, all committed in one transaction.

        `Fresh` and `Doubt` are ours to settle under their epoch; the others changed nothing. A live lease,
        another owner's or one of this very Inbox, is `Busy`; one left by an earlier process of the same owner
        is `Doubt`. Cancelled while waiting: the claim may hold, as after a crash. Raises ValueError for an
        external_id that occurs twice, and WrongStore where the store is not what this process has seen of it.
        """
        if len({intent.external_id for intent in intents}) < len(intents):
            message = f"event {event.id}: one external_id occurs twice in one claim"
            raise ValueError(message)
        return await self._commits.submit(_Claiming(company, event, tuple(intents))) if intents else []

    async def void(self, company: str, event: EventRef, intent: Intent) -> Claim:
        """Let a write that was never claimed stay unsent for ever, as what undoes it has come, and its event has not.

        Voided, also when repeated: a later claim with the same payload is Voided, one with another is Conflict. Done or
        Busy where its event has come: nothing changed. Durable on return. Raises WrongStore.
        """
        [answer] = await self._commits.submit(_Claiming(company, event, (intent,), voids=True))
        return answer

    async def renew(self, company: str, external_id: str, epoch: int) -> None:
        """Start the lease again from now; do it right before each call. Raises LeaseLost."""
        await self._settle(company, external_id, epoch, Renew())

    async def applied(
        self, company: str, external_id: str, epoch: int, *, solid_id: str, adopted: bool = False
    ) -> None:
        """Solid has the record (`adopted`: a look-up found it). May be repeated. Raises LeaseLost."""
        if not solid_id:
            message = f"{external_id}: applied without Solid's id"
            raise ValueError(message)
        await self._settle(company, external_id, epoch, Accepted(solid_id, adopted))

    async def refused(self, company: str, external_id: str, epoch: int, *, code: str, message: str) -> None:
        """Solid refused it for good: the next claim is Fresh, with any payload. Raises LeaseLost."""
        await self._settle(company, external_id, epoch, Refusal(code, message))

    async def unknown(self, company: str, external_id: str, epoch: int, *, no: Refusal | None = None) -> None:
        """Sent, and no answer to trust came: the claim is given up, the next is Doubt since now. Raises LeaseLost.

        `no`: the answer was a no, which holds if the record is not there.
        """
        await self._settle(company, external_id, epoch, Unknown(no))

    async def release(self, company: str, external_id: str, epoch: int) -> None:
        """Nothing was sent under this claim; give it up. Raises LeaseLost.

        The next claim is what this one was: Fresh (any payload), or Doubt with the same `since`.
        """
        await self._settle(company, external_id, epoch, Release())

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """external_id → state, for those the inbox knows; "void" of what was undone before it was sent."""
        async with reading(self._engine) as connection:
            return await writes.states(connection, company, external_ids)

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """The sum of the amounts applied, or void, in one group and currency; Decimal 0 when there are none."""
        async with reading(self._engine) as connection:
            amounts = await writes.group_amounts(connection, company, group_key=group_key, currency=currency)
        return sum(amounts, Decimal(0))

    async def knows_any(self, company: str, beginning: str) -> bool:
        """Whether a write whose external id begins so was applied."""
        ours = (WRITES.c.company == company) & (WRITES.c.state == "applied")
        wanted = select(WRITES.c.external_id).where(ours, WRITES.c.external_id.startswith(beginning, autoescape=True))
        async with reading(self._engine) as connection:
            return await connection.scalar(wanted.limit(1)) is not None

    async def trace(self, text: str) -> list[WriteRow]:
        """Rows with exactly `text` as external_id, event_id, subject, solid_id or group_key, oldest first.

        An event is found if it ever got a Fresh or a Doubt, also when another event's claim came after it. One
        that only met a finished write (Done) is not: such a claim writes nothing.
        """
        async with reading(self._engine) as connection:
            return await writes.matching(connection, storable(text))

    async def to_sweep(
        self, company: str, *, before: datetime, limit: int, past: Position | None = None
    ) -> list[WriteRow]:
        """Applied writes that were once in doubt and are to be looked up again, oldest first, at most `limit`.

        Only those unchanged since `before`: a call that landed late must have had its time. `past` is when the last
        one was changed that is left out, and its external id.
        """
        async with reading(self._engine) as connection:
            return await writes.unswept(connection, company, before=before, limit=limit, past=past)

    async def to_read(
        self, company: str, *, before: datetime, limit: int, without: Collection[str] = ()
    ) -> list[WriteRow]:
        """Applied writes of one kind that were never in doubt, and that nobody has looked for in Solid since.

        Of the kind of the oldest one, the oldest first, at most `limit`; only those unchanged since `before`, and none
        of the kinds `without`.
        """
        async with reading(self._engine) as connection:
            return await writes.unread(connection, company, before=before, limit=limit, without=without)

    async def applied_since(self, company: str, moment: datetime) -> bool:
        """Whether a write was applied after that: Solid was at work."""
        theirs = (WRITES.c.company == company, WRITES.c.state == "applied")
        async with reading(self._engine) as connection:
            some = select(WRITES.c.external_id).where(*theirs, WRITES.c.updated_at > moment).limit(1)
            return await connection.scalar(some) is not None

    async def swept(self, company: str, external_ids: Sequence[str]) -> None:
        """They were looked up again and need not be once more. Idempotent; those that are not applied stay so."""

        async def work(connection: AsyncConnection) -> None:
            await writes.mark_swept(connection, company, external_ids, self._clock.now())

        await transact(self._engine, work)

    async def check_in(self, company: str) -> None:
        """Write down that this worker is here, and see where the inbox stands. The database takes writes, then.

        Reading would not show a full disk or a lock. Workers not seen for a day are forgotten.
        """
        await self.marks.look(company)
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            gone = or_(WORKERS.c.owner == self._owner, WORKERS.c.seen_at < now - FORGOTTEN_AFTER)
            await connection.execute(delete(WORKERS).where(gone))
            await connection.execute(insert(WORKERS), {"owner": self._owner, "company": company, "seen_at": now})

        await transact(self._engine, work)

    async def counts(self, company: str) -> dict[str, int]:
        """Count writes: state → number, for the states that occur."""
        async with reading(self._engine) as connection:
            return await writes.state_counts(connection, company)

    async def _settle(self, company: str, external_id: str, epoch: int, change: Change) -> None:
        try:
            await self._commits.submit(_Settling(company, external_id, epoch, change))
        except BaseException:  # fenced, failed or cancelled: whoever held the claim is done with it
            self._let_go((company, external_id), epoch)
            raise

    async def _commit(self, batch: Sequence[_Claiming | _Settling]) -> list[list[Claim] | Exception]:
        """Decide and store a batch; a company whose store is the wrong one gets no claims, and holds up no other.

        Nor does what somebody has recorded as a line of a summary: it gets no claim.
        """
        refused: dict[str, WrongStore] = {}
        summarised: set[Key] = set()
        while True:
            try:
                return await self._commit_once(batch, refused, summarised)
            except WrongStore as error:
                if error.company in refused:
                    raise
                refused[error.company] = error
            except _Recorded as error:
                summarised |= error.keys

    async def _commit_once(
        self, batch: Sequence[_Claiming | _Settling], refused: Mapping[str, WrongStore], summarised: Collection[Key]
    ) -> list[list[Claim] | Exception]:
        """Decide and store a batch of requests in one transaction.

        Only what is known to be committed counts as held: where the answer to a commit is lost, nobody acts on
        the claims in it, and the next one finds them in doubt at once.
        """
        claiming = {request.company for request in batch if isinstance(request, _Claiming)} - refused.keys()

        async def work(
            connection: AsyncConnection,
        ) -> tuple[list[list[Claim] | Exception], WriteRows, WriteRows, dict[Key, int], Mapping[str, Mark]]:
            before = await writes.load(connection, [key for request in batch for key in request.touched()])
            after, taken = dict(before), dict[Key, int]()
            answers = [
                refused[request.company]
                if isinstance(request, _Claiming) and request.company in refused
                else self._decide(request, after, taken, summarised)
                for request in batch
            ]
            await writes.save(connection, before, after)
            raised = {company for company, _ in taken}
            await self.marks.compare_all(connection, claiming - raised)
            marks = await self.marks.raise_all(connection, raised)
            if recorded := await self._guard.recorded_among(connection, taken, marks):
                raise _Recorded(recorded)
            return answers, before, after, taken, marks

        answers, before, after, taken, marks = await transact(self._engine, work)
        self.marks.committed(marks)
        self._guard.committed(marks)
        self._forget(before, after)
        self._committed(batch, after, taken)
        return answers

    def _forget(self, before: WriteRows, after: WriteRows) -> None:
        """Watch no longer what is settled: however many doubts there are, there is room for others then."""
        for key, row in before.items():
            if row.doubt_since is not None and after[key].doubt_since != row.doubt_since:
                self.watch.forget(_doubt(key, row))
                self.watch.forget(("ours", *_doubt(key, row)))
            if row.lease_until is not None and _lease(key, after[key]) != _lease(key, row):
                self.watch.forget(_lease(key, row))

    def _committed(self, batch: Sequence[_Claiming | _Settling], after: WriteRows, taken: Mapping[Key, int]) -> None:
        """Hold what was taken, and watch the doubts and the leases of others from now on."""
        self._held.update({key: epoch for key, epoch in taken.items() if after[key].lease_until is not None})
        for key, row in after.items():
            if row.doubt_since is not None:
                self.watch.saw(_doubt(key, row))
            if row.lease_until is not None and self._held.get(key) != row.epoch:
                self.watch.saw(_lease(key, row))
        for request in batch:
            if isinstance(request, _Settling) and isinstance(request.change, Unknown):
                [key] = request.touched()
                given_up = after.get(key)
                if given_up and given_up.epoch == request.epoch and given_up.state == "unknown":
                    self.watch.saw(("ours", *_doubt(key, given_up)))

    def _decide(
        self,
        request: _Claiming | _Settling,
        rows: dict[Key, WriteRow],
        taken: dict[Key, int],
        summarised: Collection[Key] = frozenset(),
    ) -> list[Claim] | Exception:
        """Answer one request on the rows as earlier requests of the batch left them."""
        if isinstance(request, _Claiming):
            if recorded := next((key for key in request.touched() if key in summarised), None):
                return Summarised(*recorded)
            return [self._claim_one(request, intent, rows, taken) for intent in request.intents]
        try:
            self._settle_one(request, rows)
        except LeaseLost as exc:
            return exc
        return []

    def _claim_one(self, request: _Claiming, intent: Intent, rows: dict[Key, WriteRow], taken: dict[Key, int]) -> Claim:
        if request.voids:
            return self._void_one(request, intent, rows, taken)
        key = (request.company, intent.external_id)
        row, now = rows.get(key), self._clock.now()
        if row is not None and row.lease_until is not None and self._is_over(key, row):
            now = max(now, row.lease_until)
        answer, mine = transitions.claim(
            row,
            company=request.company,
            event=request.event,
            intent=intent,
            owner=self._owner,
            lease=self._lease,
            held=row is not None and row.epoch in (self._held.get(key), taken.get(key)),
            now=now,
        )
        if mine is not None:
            rows[key] = mine
            taken[key] = mine.epoch
        if isinstance(answer, Doubt) and mine is not None:
            watched, ours = self.watch.seconds(_doubt(key, mine)), self.watch.seconds(("ours", *_doubt(key, mine)))
            return replace(answer, watched=watched or 0.0, ours=ours is not None)
        return answer

    def _void_one(self, request: _Claiming, intent: Intent, rows: dict[Key, WriteRow], taken: dict[Key, int]) -> Claim:
        key, now = (request.company, intent.external_id), self._clock.now()
        answer, mine = transitions.void(
            rows.get(key), company=request.company, event=request.event, intent=intent, now=now
        )
        if mine is not None:
            rows[key], taken[key] = mine, mine.epoch
        return answer

    def _is_over(self, key: Key, row: WriteRow) -> bool:
        """Whether a lease was seen for as long as it holds, wherever the wall clock was set to meanwhile."""
        seen = self.watch.seconds(_lease(key, row))
        return seen is not None and seen >= self._lease.total_seconds()

    def _settle_one(self, request: _Settling, rows: dict[Key, WriteRow]) -> None:
        key = (request.company, request.external_id)
        row = rows.get(key)
        if row is None or row.epoch != request.epoch:
            raise LeaseLost(*key, request.epoch)
        rows[key] = transitions.settle(row, request.change, lease=self._lease, now=self._clock.now())
        if rows[key].lease_until is None:
            self._let_go(key, request.epoch)

    def _let_go(self, key: Key, epoch: int) -> None:
        if self._held.get(key) == epoch:
            del self._held[key]
