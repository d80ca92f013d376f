"""Facts older than the inbox: an earlier inbox may have posted them, so Solid is asked before they are sent.

One reading of a list answers for all of them: what was posted since the inbox began, it knows itself. Where the list
cannot be read to its end, each write is looked up on its own. See `docs/decisions/0015-facts-older-than-the-inbox.md`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol

import structlog

from runtime.clock import Clock
from solid.client import Everything, Inconclusive
from solid.errors import OutcomeUnknown, RefusedInDoubt, Unavailable
from solid.lookups import shifted
from solid.models import RecordKind
from store.cases import Cases
from store.earlier import EarlierRecords, KnownRecords
from store.inbox import Inbox
from workers.errors import NotYet
from workers.failing import Failures

log = structlog.get_logger()

CLOCKS_MAY_DIFFER: Final = timedelta(hours=1)
"""The source's clock and ours: a fact is called older a little too soon rather than too late."""

A_DAY_AHEAD: Final = timedelta(hours=25)
"""Adjustments of stock may bear a day for a time: they may be told before its noon, or its end."""

DATED_AHEAD: Final = timedelta(days=92)
"""Pay runs and documents of stock bear a day for a time, and may be told long before it."""

DATED: Final = frozenset({"inventory", "payroll"})
"""Streams of such facts. All others bear the moment at which they happened."""

FURTHER_BACK: Final = timedelta(days=90)
"""A list is read from so long before the fact that needs it: the next older one then needs no reading."""

LONG_AGO: Final = date(2000, 1, 1)
"""The day of contacts, which have none."""

KEYS_AT_A_TIME: Final = 500

MERGED: Final = "stock:merged:"
"""How the external ids of merged adjustments begin."""

SUMMARY: Final = ":summary:"
"""What stands in the external ids of summaries, behind the processor."""


class ReadsEverything(Protocol):
    """What is needed of Solid's client."""

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        """See `SolidClient.everything`."""
        ...


class KnowsEarlier(Protocol):
    """What others need of `Earlier`."""

    async def concerns(self, stream: str, happened: datetime, day: date) -> bool:
        """See `Earlier.concerns`."""
        ...

    async def find(self, kind: RecordKind, external_id: str, *, day: date) -> str | None:
        """See `Earlier.find`."""
        ...

    async def merged_stock(self, happened: datetime, day: date) -> bool:
        """See `Earlier.merged_stock`."""
        ...

    async def summarised(self, happened: datetime, day: date) -> bool:
        """See `Earlier.summarised`."""
        ...


class NotRead(Exception):
    """The list cannot be read to its end: look each write up on its own.

    `restored`: what the inbox says of old writes may be of before the backup, also that they were refused.
    """

    def __init__(self, *, restored: bool) -> None:
        super().__init__("the list cannot be read to its end")
        self.restored = restored


class Earlier:
    """What Solid had of one company before its inbox began. Use one a process; safe for many tasks."""

    def __init__(  # noqa: PLR0913 - one keyword a part that was made before
        self,
        *,
        solid: ReadsEverything,
        records: EarlierRecords,
        inbox: Inbox,
        cases: Cases,
        company: str,
        settle: timedelta,
        clock: Clock,
    ) -> None:
        self._solid = solid
        self._records = records
        self._inbox = inbox
        self._cases = cases
        self._company = company
        self._settle = settle
        self._failures = Failures(inbox, company, clock)
        self._began: datetime | None = None
        self._known: dict[RecordKind, KnownRecords] = {}
        self._unreadable: set[RecordKind] = set()
        self._waiting: set[RecordKind] = set()
        self._reading: defaultdict[RecordKind, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def renew(self) -> None:
        """Forget what is remembered where the inbox has begun anew: a person has said so (`relay restored`)."""
        began = await self._records.began(self._company)
        if began != self._began:
            self._began = began
            for memory in (self._known, self._unreadable, self._waiting):
                memory.clear()
            self._failures.clear()

    async def concerns(self, stream: str, happened: datetime, day: date) -> bool:
        """Whether a fact that happened then, booked on that day, may have been posted by an earlier inbox."""
        return await self._older(happened, day, by=DATED_AHEAD if stream in DATED else CLOCKS_MAY_DIFFER)

    async def _older(self, happened: datetime, day: date, *, by: timedelta) -> bool:
        return min(happened, datetime.combine(day, time.max, UTC)) < await self._beginning() + by

    async def find(self, kind: RecordKind, external_id: str, *, day: date) -> str | None:
        """Solid's id of the record, None when no earlier inbox has posted it. Calls Solid once a kind, as a rule.

        The day of a contact does not matter: its list is read as a whole.

        Raises:
            NotRead: the list may lack some records.
            NotYet: an earlier inbox was at work, or that cannot be told, and its last call may still land. Or Solid
                has just failed the list, which hides whether it has the record.
            StoreUnavailable, Unavailable, OutcomeUnknown: see there.
        """
        return (await self._known_of(kind, day)).get(external_id)

    async def merged_stock(self, happened: datetime, day: date) -> bool:
        """Whether an earlier store made adjustments of that time part of entries that this one knows nothing of.

        Which facts are in such an entry went with that store. Also True where that cannot be found out.

        Raises:
            NotYet, StoreUnavailable, Unavailable, OutcomeUnknown: as for `find`.
        """
        if not await self._older(happened, day, by=A_DAY_AHEAD):
            return False
        return await self._made_of_others(MERGED, day)

    async def summarised(self, happened: datetime, day: date) -> bool:
        """The same of sales: whether an earlier store made those of that time part of summaries. Raises as that."""
        if not await self._older(happened, day, by=CLOCKS_MAY_DIFFER):
            return False
        return await self._made_of_others(SUMMARY, day)

    async def _made_of_others(self, word: str, day: date) -> bool:
        """Whether Solid has entries with this word in their names that this inbox has not applied."""
        try:
            records = await self._known_of("entry", day)
        except NotRead:
            return True
        return await self._not_all_ours({name for name in records if word in name})

    async def _known_of(self, kind: RecordKind, day: date) -> Mapping[str, str]:
        day = LONG_AGO if kind == "contact" else day
        async with self._reading[kind]:
            known = self._known.get(kind) or await self._records.known(self._company, kind)
            if known is None or known.since > day:
                known = await self._read(kind, day)
            self._failures.over(kind)
            self._known[kind] = known
        return known.records

    async def _read(self, kind: RecordKind, day: date) -> KnownRecords:
        if kind in self._unreadable:
            raise NotRead(restored=await self._records.was_restored(self._company))
        rest = await self._unsettled_seconds()
        if kind in self._waiting and rest > 0:
            raise NotYet("settling", rest)
        since = shifted(day, -FURTHER_BACK)
        reading = await self._everything(kind, since)
        if rest > 0 and (isinstance(reading, Inconclusive) or await self._may_not_be_all(reading.ids)):
            self._waiting.add(kind)
            raise NotYet("settling", rest)
        if isinstance(reading, Inconclusive):
            if not reading.moved:
                self._unreadable.add(kind)
            log.info("earlier.not_read", kind=kind, why=reading.why)
            raise NotRead(restored=await self._records.was_restored(self._company))
        known = KnownRecords(since, {key: ids[0] for key, ids in reading.ids.items()})
        await self._records.keep(self._company, kind, known)
        log.info("earlier.read", kind=kind, since=since.isoformat(), records=len(reading.ids))
        return known

    async def _everything(self, kind: RecordKind, since: date) -> Everything | Inconclusive:
        """The reading. One that failed is left alone for a while, for all who need it: each would pull the brake."""
        ago, pause = self._failures.seconds_ago(kind), self._settle.total_seconds()
        if ago is not None and ago < pause:
            raise NotYet("list_failed", pause - ago)
        try:
            return await self._solid.everything(kind, since=since)
        except (OutcomeUnknown, RefusedInDoubt, Unavailable) as error:
            if isinstance(error, Unavailable) and not error.sent:
                raise
            log.info("earlier.reading_failed", kind=kind, error=type(error).__name__)
            if await self._failures.failed(kind):
                await self._cases.open(self._company, "unverified_record", f"every {kind}", {"why": str(error)})
            if isinstance(error, RefusedInDoubt):
                raise OutcomeUnknown("answer", str(error)) from error
            raise

    async def _beginning(self) -> datetime:
        if self._began is None:
            self._began = await self._records.began(self._company)
        return self._began

    async def _unsettled_seconds(self) -> float:
        """How long the last call of an earlier inbox may still land, as far as this process can tell.

        It has seen the beginning itself: no wall clock, which may be set, says how long ago that was.
        """
        beginning = ("inbox", self._company, await self._beginning())
        self._inbox.watch.saw(beginning)
        return self._settle.total_seconds() - (self._inbox.watch.seconds(beginning) or 0.0)

    async def _may_not_be_all(self, ids: Iterable[str]) -> bool:
        """Whether there was an earlier inbox, whose last call may still land."""
        return await self._records.was_restored(self._company) or await self._not_all_ours(ids)

    async def _not_all_ours(self, ids: Iterable[str]) -> bool:
        """Whether there are records that this inbox has not applied: they tell of an earlier one.

        A write that it intends is no proof: its event may have come again because an earlier inbox was lost with it.
        """
        keys = list(ids)
        for start in range(0, len(keys), KEYS_AT_A_TIME):
            some = keys[start : start + KEYS_AT_A_TIME]
            states = await self._inbox.state_of(self._company, some)
            if any(states.get(key) != "applied" for key in some):
                return True
        return False
