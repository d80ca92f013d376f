"""Finding: what of a write is in Solid already, before it is sent, whoever sent it. It asks, and writes nothing.

By external id or name in Solid, in the list of what an earlier inbox posted, and never by guessing: what a look-up
cannot tell is an exception that `workers.classify` knows.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

import structlog

from runtime.clock import Clock
from solid.client import Absent, Days, Inconclusive, Lookup, Present
from solid.lookups import moves
from solid.models import Contact, NewContact, NewEntry, NewRecord
from store.inbox import Doubt, Fresh, Inbox
from workers.earlier import KnowsEarlier, NotRead
from workers.errors import Conflicting, HeldForPerson, Undecided
from workers.external_ids import external_id_of
from workers.occasion import Occasion
from workers.patience import when_open
from workers.plans.writes import AnyWrite, EntryWrite, Parked

log = structlog.get_logger()

A_YEAR = timedelta(days=366)


class SearchesSolid(Protocol):
    """What finding needs of Solid's client."""

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """See `SolidClient.find`."""
        ...

    async def contacts_named(self, display_name: str) -> list[Contact]:
        """See `SolidClient.contacts_named`."""
        ...


class Finder:
    """Finds the writes of one company in its Solid. It keeps nothing; safe to call for many writes at the same time."""

    def __init__(self, *, solid: SearchesSolid, inbox: Inbox, earlier: KnowsEarlier, clock: Clock) -> None:
        self._solid = solid
        self._inbox = inbox
        self._earlier = earlier
        self._clock = clock

    async def find_before(
        self, write: AnyWrite, record: NewRecord, claim: Fresh | Doubt, *, occasion: Occasion, about: Mapping[str, str]
    ) -> str | None:
        """What is in Solid before the write is sent, whoever sent it: the id, or None when it certainly is not there.

        A write in doubt this inbox may have sent; one of an old fact an earlier inbox, and that is asked of a doubt as
        well: its holder may have died before it had asked. A contact may have been made at any time, by hand as well.
        """
        days, in_doubt = _days(about), isinstance(claim, Doubt)
        if isinstance(record, NewContact):
            return await self._contact_before(write, record, days=days, in_doubt=in_doubt)
        wide, day = days, min(write.date, *days) if days else write.date
        if not await self._earlier.concerns(occasion.stream, occasion.happened, day):
            return await self._find(write, record, days=days) if in_doubt else None
        try:
            known = await when_open(lambda: self._earlier.find(record.kind, record.external_id, day=day))
        except NotRead as unread:
            known, in_doubt = None, unread.restored or not (isinstance(claim, Fresh) and claim.refused_before)
            wide = self._until_any_day(days)
        if known is not None:
            log.info("write.adopted", external_id=write.external_id, solid_id=known)
        elif in_doubt:
            known = await self._find(write, record, days=wide)
        if known is not None:
            await self._must_say_the_same(write, record, days=days, day=day)
        return known

    async def _contact_before(self, write: AnyWrite, record: NewContact, *, days: Days, in_doubt: bool) -> str | None:
        with contextlib.suppress(NotRead):
            known = await when_open(lambda: self._earlier.find("contact", record.external_id, day=write.date))
            if known is not None:
                return known
        return await (self._find(write, record, days=days) if in_doubt else self._matching_contact(record))

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
            case Present(ids=(solid_id, *_), amounts=(moved, *_)) if moved not in {None, moves(record)}:
                there = f"as {solid_id} with {_shown(moved or ())} {write.currency}"
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
            case Present(ids=solid_ids):
                if len(solid_ids) > 1:
                    log.error("write.found_twice", external_id=write.external_id, solid_ids=solid_ids)
                log.info("write.adopted", external_id=write.external_id, solid_id=solid_ids[0])
                return solid_ids[0]
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


def _in_doubt(write: AnyWrite, unclear: Inconclusive) -> Undecided | HeldForPerson:
    msg = f"{write.external_id} may be in Solid already, and a look-up cannot tell: {unclear.why}"
    return Undecided(msg) if unclear.moved else HeldForPerson(msg)


def _shown(moved: Sequence[Decimal]) -> str:
    return ", ".join(f"{amount:f}" for amount in reversed(moved))


def _days(about: Mapping[str, str]) -> Days:
    """Between which days a look-up must search: the first and the last that the write was ever dated."""
    if "date" not in about:
        return None
    return date.fromisoformat(about["date"]), date.fromisoformat(about.get("until", about["date"]))
