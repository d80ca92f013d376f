"""Applying: the one hard step. Each write becomes one record in Solid, or a person hears of it.

The intent is committed before the call and the answer after it. A write in doubt (it may have been sent before) is
looked up first (`workers.finding`) and adopted when found. Nothing here knows RabbitMQ or plans; failures are
exceptions that `workers.classify` turns into outcomes. The states are drawn in `docs/lifecycle.md`.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, assert_never
from weakref import WeakValueDictionary

import structlog

from messaging.bucket import NoToken
from runtime.clock import Clock
from solid.errors import OutcomeUnknown, PeriodClosed, Refused, RefusedInDoubt, Unavailable
from solid.models import NewRecord
from store.claims import Refusal
from store.errors import LeaseLost
from store.inbox import Busy, Claim, Conflict, Done, Doubt, Fresh, Inbox, Intent
from workers.earlier import KnowsEarlier
from workers.errors import Conflicting, NotYet
from workers.fence import Fence
from workers.finding import Finder, SearchesSolid
from workers.occasion import Occasion
from workers.patience import when_open
from workers.payroll.mirroring import as_remembered, remembered_of
from workers.plans.periods import period_key
from workers.plans.writes import AnyWrite, ContactWrite, EntryWrite, Group, Parked, PaymentWrite, Plan
from workers.records import record_of
from workers.sales.exchange import PAID

log = structlog.get_logger()

REMEMBERED_CONTACTS = 10_000
_EXPONENT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?E\+[0-9]{1,2}", re.ASCII)


class Solid(SearchesSolid, Protocol):
    """What applying needs of Solid's client."""

    async def create(self, record: NewRecord, *, before_send: Callable[[], Awaitable[None]] | None = None) -> str:
        """See `SolidClient.create`."""
        ...


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
        self._finder = Finder(solid=solid, inbox=inbox, earlier=earlier, clock=clock)
        self._contacts: OrderedDict[str, str] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def longest_call(self) -> float:
        """Seconds after which every call under way has ended."""
        return self._timing.call + 5

    async def apply(self, occasion: Occasion, plan: Plan) -> int:
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
            ids[write.external_id] = await self._contact(occasion, write)
        await self._apply_claimed(occasion, others, ids, group=plan.group)
        return len(plan.writes)

    async def _contact(self, occasion: Occasion, write: ContactWrite) -> str:
        """The contact's id in Solid: remembered, matched or created. One at a time for each contact."""
        lock = self._locks.setdefault(write.external_id, asyncio.Lock())  # lives as long as somebody waits for it
        async with lock:
            if write.external_id not in self._contacts:
                ids: dict[str, str] = {}
                await self._apply_claimed(occasion, [write], ids, group=None)
                self._contacts[write.external_id] = ids[write.external_id]
                if len(self._contacts) > REMEMBERED_CONTACTS:
                    self._contacts.popitem(last=False)
            return self._contacts[write.external_id]

    async def _apply_claimed(
        self, occasion: Occasion, writes: Sequence[AnyWrite], ids: dict[str, str], *, group: Group | None
    ) -> None:
        """Claim all writes in one commit, then apply one after another; `ids` collects Solid's ids."""
        intents = [_intent(write, group if index == 0 else None) for index, write in enumerate(writes)]
        fences = [self._fence(write) for write in writes]  # before the claim: its answer may come late
        held = await self._inbox.claim(self._company, occasion.event, intents)
        for fence, claim in zip(fences, held, strict=True):
            fence.epoch = claim.epoch if isinstance(claim, Fresh | Doubt) else 0
        for index, (write, claim, fence) in enumerate(zip(writes, held, fences, strict=True)):
            try:
                ids[write.external_id] = await self._settle_claim(write, claim, ids, occasion=occasion, fence=fence)
            except Exception:
                await self._give_up(zip(writes[index:], fences[index:], strict=True))
                raise

    async def _settle_claim(
        self, write: AnyWrite, claim: Claim, ids: Mapping[str, str], *, occasion: Occasion, fence: Fence
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
        record = record_of(_as_first_sent(write, about), ids, occasion.chart)
        known = await self._finder.find_before(write, record, claim, occasion=occasion, about=about)
        if known is None and isinstance(claim, Doubt) and claim.no is not None:
            refusal = Refused(claim.no.code, f"{claim.no.message}; a look-up found nothing", status=0)
            await self._tell_no(write, fence, refusal)
            raise refusal
        solid_id = known or await self._send(write, record, fence=fence)
        await self._inbox.applied(self._company, write.external_id, epoch, solid_id=solid_id, adopted=known is not None)
        return solid_id

    async def _both_shown(self, write: AnyWrite) -> str:
        """What is known of the write already, and what is asked for now."""
        rows = [row for row in await self._inbox.trace(write.external_id) if row.external_id == write.external_id]
        known = "; ".join(
            f"{row.kind} of {_plain(row.amount)} {row.currency}, {row.state} (Solid id {row.solid_id}) "
            f"for event {row.event_id}"
            for row in rows
        )
        return f"{write.external_id} is known as {known}; now asked for: {_plain(write.economics())}"

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
            no = Refusal(error.code, error.message)
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


def _plain(value: object) -> object:
    """The same with numbers digit for digit: economics are hashed as they were, where a hundred is `1E+2`."""
    match value:
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case Decimal():
            return f"{value:f}"
        case str() if _EXPONENT.fullmatch(value):
            return f"{Decimal(value):f}"
    return value


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


def _about(write: AnyWrite) -> dict[str, str]:
    """What a later look-up needs besides the external id."""
    if isinstance(write, ContactWrite):
        return {"display_name": write.display_name}
    first, last = sorted((write.date, write.true_date or write.date))
    days = {"date": first.isoformat()} | ({} if first == last else {"until": last.isoformat()})
    paid = {PAID: str(write.paid)} if isinstance(write, PaymentWrite) and write.paid else {}
    return days | paid | remembered_of(write)


def _as_first_sent(write: AnyWrite, about: Mapping[str, str]) -> AnyWrite:
    """The write as it may be in Solid already: a contact may have been renamed since, an entry mapped otherwise."""
    if isinstance(write, ContactWrite) and "display_name" in about:
        return write.model_copy(update={"display_name": about["display_name"]})
    return as_remembered(write, about) if isinstance(write, EntryWrite) else write
