"""Applying: the one hard step. Each write becomes one record in Solid, or a person hears of it.

The intent is committed before the call and the answer after it. A write in doubt (it may have been sent before) is
looked up first and adopted when found. Nothing here knows RabbitMQ or plans; failures are exceptions that
`workers.classify` turns into outcomes. The states are drawn in `docs/lifecycle.md`.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol, assert_never
from weakref import WeakValueDictionary

import structlog

from messaging.bucket import NoToken
from runtime.clock import Clock
from solid.client import Absent, Days, Inconclusive, Lookup, Present
from solid.errors import OutcomeUnknown, PeriodClosed, Refused, RefusedInDoubt, Unavailable
from solid.lookups import moves
from solid.models import Contact, NewContact, NewEntry, NewRecord
from store.claims import Refused as No
from store.errors import LeaseLost
from store.inbox import Busy, Claim, Conflict, Done, Doubt, EventRef, Fresh, Inbox, Intent
from workers.chart import Chart
from workers.earlier import KnowsEarlier, NotRead
from workers.errors import Conflicting, HeldForPerson, NotYet, Undecided
from workers.external_ids import external_id_of
from workers.fence import Fence
from workers.patience import when_open
from workers.payroll.mirroring import as_remembered, remembered_of
from workers.plans.periods import period_key
from workers.plans.writes import AnyWrite, ContactWrite, EntryWrite, Group, Parked, Plan
from workers.records import record_of

log = structlog.get_logger()

REMEMBERED_CONTACTS = 10_000
A_YEAR = timedelta(days=366)


class Solid(Protocol):
    """What applying needs of Solid's client."""

    async def create(self, record: NewRecord, *, before_send: Callable[[], Awaitable[None]] | None = None) -> str:
        """See `SolidClient.create`."""
        ...

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """See `SolidClient.find`."""
        ...

    async def contacts_named(self, display_name: str) -> list[Contact]:
        """See `SolidClient.contacts_named`."""
        ...


@dataclass(frozen=True, slots=True)
class Fact:
    """What is applied: the event, when it happened, and the chart of accounts that it is booked with.

    One that happened before the inbox began may have been posted by an earlier inbox.
    """

    event: EventRef
    happened: datetime
    chart: Chart

    @property
    def stream(self) -> str:
        """The first word of its type: `sales`, `inventory`, `payroll`."""
        return self.event.type.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a doubt settles, how long a claim holds, how long a call may take. In seconds."""

    settle: float
    lease: float
    call: float

    @property
    def unasked(self) -> float:
        """How old a claim may be for a call to leave under it without its being renewed."""
        return (self.lease - self.call) / 2


class Applier:
    """Applies the writes of one company's events, through one inbox. Safe to call for many events at the same time."""

    def __init__(  # noqa: PLR0913 - one keyword a part
        self, *, solid: Solid, inbox: Inbox, earlier: KnowsEarlier, company: str, timing: Timing, clock: Clock
    ) -> None:
        self._solid = solid
        self._inbox = inbox
        self._company = company
        self._timing = timing
        self._clock = clock
        self._earlier = earlier
        self._contacts: OrderedDict[str, str] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def longest_call(self) -> float:
        """Seconds after which every call under way has ended."""
        return self._timing.call + 5

    async def apply(self, fact: Fact, plan: Plan) -> int:
        """Apply all writes in order; returns how many records the event stands for. Idempotent.

        What is not sent when an exception leaves is given up, so that the next attempt starts clean.

        Raises:
            NotYet, Conflicting, Undecided, HeldForPerson: see there.
            Parked: an account or contact is missing or ambiguous in Solid.
            Refused, OutcomeUnknown, Unavailable: what Solid said, after the inbox has been told.
            NoToken, StoreUnavailable, LeaseLost: see there.
        """
        ids: dict[str, str] = {}
        contacts = [write for write in plan.writes if isinstance(write, ContactWrite)]
        others = [write for write in plan.writes if not isinstance(write, ContactWrite)]
        for write in contacts:
            ids[write.external_id] = await self._contact(fact, write)
        await self._apply_claimed(fact, others, ids, group=plan.group)
        return len(plan.writes)

    async def _contact(self, fact: Fact, write: ContactWrite) -> str:
        """The contact's id in Solid: remembered, matched or created. One at a time for each contact."""
        lock = self._locks.setdefault(write.external_id, asyncio.Lock())  # lives as long as somebody waits for it
        async with lock:
            if write.external_id not in self._contacts:
                ids: dict[str, str] = {}
                await self._apply_claimed(fact, [write], ids, group=None)
                self._contacts[write.external_id] = ids[write.external_id]
                if len(self._contacts) > REMEMBERED_CONTACTS:
                    self._contacts.popitem(last=False)
            return self._contacts[write.external_id]

    async def _apply_claimed(
        self, fact: Fact, writes: Sequence[AnyWrite], ids: dict[str, str], *, group: Group | None
    ) -> None:
        """Claim all writes in one commit, then apply one after another; `ids` collects Solid's ids."""
        intents = [_intent(write, group if index == 0 else None) for index, write in enumerate(writes)]
        fences = [self._fence(write) for write in writes]  # before the claim: its answer may come late
        held = await self._inbox.claim(self._company, fact.event, intents)
        for fence, claim in zip(fences, held, strict=True):
            fence.epoch = claim.epoch if isinstance(claim, Fresh | Doubt) else 0
        for index, (write, claim, fence) in enumerate(zip(writes, held, fences, strict=True)):
            try:
                ids[write.external_id] = await self._settle_claim(write, claim, ids, fact=fact, fence=fence)
            except Exception:
                await self._give_up(zip(writes[index:], fences[index:], strict=True))
                raise

    async def _settle_claim(
        self, write: AnyWrite, claim: Claim, ids: Mapping[str, str], *, fact: Fact, fence: Fence
    ) -> str:
        match claim:
            case Done(solid_id=solid_id):
                return solid_id
            case Busy(until=until):
                wait = (until - self._clock.now()).total_seconds()
                raise NotYet("busy", min(max(wait, 0), self._timing.lease))
            case Conflict():
                raise Conflicting(await self._both_shown(write))
            case Doubt(epoch=epoch, about=about):
                self._must_have_settled(claim)
            case Fresh(epoch=epoch):
                about = _about(write)
            case _:
                assert_never(claim)
        record = record_of(_as_first_sent(write, about), ids, fact.chart)
        found = await self._find_before(write, record, claim, fact=fact, about=about)
        if found is None and isinstance(claim, Doubt) and claim.no is not None:
            refusal = Refused(claim.no.code, f"{claim.no.message}; a look-up found nothing", status=0)
            await self._tell_no(write, fence, refusal)
            raise refusal
        solid_id = found or await self._send(write, record, fence=fence)
        await self._inbox.applied(self._company, write.external_id, epoch, solid_id=solid_id, adopted=found is not None)
        return solid_id

    async def _both_shown(self, write: AnyWrite) -> str:
        """What is known of the write already, and what is asked for now."""
        rows = [row for row in await self._inbox.trace(write.external_id) if row.external_id == write.external_id]
        known = "; ".join(
            f"{row.kind} of {row.amount} {row.currency}, {row.state} (Solid id {row.solid_id}) for event {row.event_id}"
            for row in rows
        )
        return f"{write.external_id} is known as {known}; now asked for: {write.economics()}"

    def _must_have_settled(self, claim: Doubt) -> None:
        """Solid may still be at it for a while after the call has left: before that, a look-up proves nothing.

        Another holder, whose lease seems over by a clock that may be wrong, sends until its fence asks.
        """
        last = 0.0 if claim.ours else self._timing.unasked
        rest = self._timing.settle + last - claim.watched
        if rest > 0:
            raise NotYet("settling", rest)

    async def _send(self, write: AnyWrite, record: NewRecord, *, fence: Fence) -> str:
        """Create the record; the inbox hears of every answer, and of its absence."""

        async def call() -> str:
            try:
                return await self._solid.create(record, before_send=fence)
            except Unavailable as error:
                fence.passed = error.sent
                raise
            except NoToken:  # the token came too late to be spent, and no other came: nothing left
                fence.passed = False
                raise

        try:
            return await when_open(call)
        except PeriodClosed as error:
            await self._tell_no(write, fence, error)
            raise Parked(period_key(write.date), str(error)) from error
        except RefusedInDoubt as error:
            no = No(error.code, error.message)
            await self._inbox.unknown(self._company, write.external_id, fence.epoch, no=no)
            raise
        except Refused as error:
            await self._tell_no(write, fence, error)
            raise
        except (OutcomeUnknown, Unavailable):
            await self._inbox.unknown(self._company, write.external_id, fence.epoch)
            raise

    async def _tell_no(self, write: AnyWrite, fence: Fence, no: Refused) -> None:
        """A no that is proven: the next claim sends it again, with any economics."""
        await self._inbox.refused(self._company, write.external_id, fence.epoch, code=no.code, message=no.message)

    async def _find_before(
        self, write: AnyWrite, record: NewRecord, claim: Fresh | Doubt, *, fact: Fact, about: Mapping[str, str]
    ) -> str | None:
        """What is in Solid before the write is sent, whoever sent it: the id, or None when it certainly is not there.

        A write in doubt this inbox may have sent; one of an old fact an earlier inbox, and that is asked of a doubt as
        well: its holder may have died before it had asked. A contact may have been made at any time, by hand as well.
        """
        days, in_doubt = _days(about), isinstance(claim, Doubt)
        if isinstance(record, NewContact):
            with contextlib.suppress(NotRead):
                known = await when_open(lambda: self._earlier.find("contact", record.external_id, day=write.date))
                if known is not None:
                    return known
            return await (self._find(write, record, days=days) if in_doubt else self._matching_contact(record))
        wide, day = days, min(write.date, *days) if days else write.date
        if not await self._earlier.concerns(fact.stream, fact.happened, day):
            return await self._find(write, record, days=days) if in_doubt else None
        try:
            found = await when_open(lambda: self._earlier.find(record.kind, record.external_id, day=day))
        except NotRead as unread:
            found, in_doubt = None, unread.restored or not (isinstance(claim, Fresh) and claim.refused_before)
            wide = self._until_any_day(days)
        if found is not None:
            log.info("write.adopted", external_id=write.external_id, solid_id=found)
        elif in_doubt:
            found = await self._find(write, record, days=wide)
        if found is not None:
            await self._must_say_the_same(write, record, days=days, day=day)
        return found

    def _until_any_day(self, days: Days) -> Days:
        """An earlier inbox may have dated a late fact anew, on whichever was the first open day then."""
        return days and (days[0], max(days[1], self._clock.now().date() + A_YEAR))

    async def _must_say_the_same(self, write: AnyWrite, record: NewRecord, *, days: Days, day: date) -> None:
        """A pay run of an earlier inbox may have been another version under the same name, or have been taken back.

        Raises:
            Conflicting: Solid shows other amounts, or it is not on that day, or its reversal is there as well.
            Undecided, HeldForPerson: a look-up cannot tell.
        """
        if not isinstance(write, EntryWrite) or not isinstance(record, NewEntry) or write.totals is None:
            return
        reversal = external_id_of(f"{write.external_id}:reversal")
        with contextlib.suppress(NotRead):
            if await when_open(lambda: self._earlier.find(record.kind, reversal, day=day)) is not None:
                msg = (
                    f"{write.external_id} is in Solid, and its reversal too: what stands of the run went with the store"
                )
                raise Conflicting(msg)
        match await when_open(lambda: self._solid.find(record, days=days)):
            case Present(ids=(found, *_), amounts=(moved, *_)) if moved not in {None, moves(record)}:
                there = f"as {found} with {_shown(moved or ())} {write.currency}"
            case Absent():
                there = "on another day"
            case Inconclusive() as unclear:
                raise _in_doubt(write, unclear)
            case _:
                return
        msg = f"{write.external_id} is in Solid {there}, and would now be {_shown(moves(record))} of {write.date}"
        raise Conflicting(f"{msg}: the run changed, and which version was told went with the store")

    async def _find(self, write: AnyWrite, record: NewRecord, *, days: Days) -> str | None:
        """Look a write in doubt up: the id of what is there, None when it certainly is not."""
        match await when_open(lambda: self._solid.find(record, days=days)):
            case Present(ids=found):
                if len(found) > 1:
                    log.error("write.found_twice", external_id=write.external_id, solid_ids=found)
                log.info("write.adopted", external_id=write.external_id, solid_id=found[0])
                return found[0]
            case Absent():
                return await self._matching_contact(record) if isinstance(record, NewContact) else None
            case Inconclusive() as unclear:
                raise _in_doubt(write, unclear)

    async def _matching_contact(self, record: NewContact) -> str | None:
        """A contact that Solid has already: ours by its external_id, or the only one of that name that is nobody's.

        Raises:
            Parked: several contacts have the name, and none is known to be ours.
        """
        rows = await when_open(lambda: self._solid.contacts_named(record.display_name))
        ours = [row for row in rows if row.external_id == record.external_id]
        unmarked = [row for row in rows if not row.external_id]
        free = [row for row in unmarked if not await self._is_anothers(row.id, record.external_id)]
        if ours or not free:
            return ours[0].id if ours else None
        if len(free) > 1:
            who = record.external_id
            msg = f"{len(free)} contacts in Solid have the name of {who}; set the external_id of the right one"
            raise Parked(f"ambiguous:contact:{who}", msg)
        return free[0].id

    async def _is_anothers(self, solid_id: str, external_id: str) -> bool:
        """Whether the contact was adopted for another customer of the same name: Solid does not show that."""
        rows = await self._inbox.trace(solid_id)
        return any(row.solid_id == solid_id and row.external_id != external_id for row in rows)

    async def _give_up(self, rest: "zip[tuple[AnyWrite, Fence]]") -> None:
        """Release what was claimed and certainly not sent, so that it is not in doubt next time."""
        for write, fence in rest:
            if fence.epoch and not fence.passed:
                try:
                    await self._inbox.release(self._company, write.external_id, fence.epoch)
                except LeaseLost:
                    log.info("claim.lost", external_id=write.external_id)

    def _fence(self, write: AnyWrite) -> Fence:
        async def renew() -> None:
            await self._inbox.renew(self._company, write.external_id, fence.epoch)

        fence = Fence(0, renew, good_for=2 * self._timing.unasked, clock=self._clock)
        return fence


def _intent(write: AnyWrite, group: Group | None) -> Intent:
    return Intent(
        external_id=write.external_id,
        kind=write.kind,
        payload_hash=write.payload_hash,
        group_key=group.key if group else None,
        amount=group.amount.amount if group else write.amount,
        currency=group.amount.currency if group else write.currency,
        about=_about(write),
    )


def _in_doubt(write: AnyWrite, unclear: Inconclusive) -> Undecided | HeldForPerson:
    msg = f"{write.external_id} may be in Solid already, and a look-up cannot tell: {unclear.why}"
    return Undecided(msg) if unclear.moved else HeldForPerson(msg)


def _shown(moved: Sequence[Decimal]) -> str:
    return ", ".join(f"{amount:f}" for amount in reversed(moved))


def _about(write: AnyWrite) -> dict[str, str]:
    """What a later look-up needs besides the external id."""
    if isinstance(write, ContactWrite):
        return {"display_name": write.display_name}
    first, last = sorted((write.date, write.true_date or write.date))
    days = {"date": first.isoformat()} | ({} if first == last else {"until": last.isoformat()})
    return days | remembered_of(write)


def _as_first_sent(write: AnyWrite, about: Mapping[str, str]) -> AnyWrite:
    """The write as it may be in Solid already: a contact may have been renamed since, an entry mapped otherwise."""
    if isinstance(write, ContactWrite) and "display_name" in about:
        return write.model_copy(update={"display_name": about["display_name"]})
    return as_remembered(write, about) if isinstance(write, EntryWrite) else write


def _days(about: Mapping[str, str]) -> Days:
    """Between which days a look-up must search: the first and the last that the write was ever dated."""
    if "date" not in about:
        return None
    return date.fromisoformat(about["date"]), date.fromisoformat(about.get("until", about["date"]))
