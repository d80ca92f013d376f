"""Sales that are booked in one entry with others: recorded instead of sent, once, whatever mode holds when.

Asked of whatever is about to be sent, so that no other part must know of summaries.
What was sent by itself stays so, and what is recorded stays recorded: so the mode may change at any moment. The entries
are made by `workers.sales.closing`. Nothing is sent to Solid here.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from runtime.clock import Clock
from schemas.envelope import Event
from solid.models import RecordKind
from store.claims import EventRef
from store.sales.lines import NewLine, OtherEconomics, Recording, SummaryLine
from workers.books.books import Books
from workers.earlier import KnowsEarlier, NotRead
from workers.errors import Conflicting
from workers.patience import when_open
from workers.plans.writes import Parked, Plan
from workers.sales.units import BY_THEMSELVES, Unit, units_of, without

STREAM: Final = "sales"
GOOD_FOR_SECONDS: Final = 30.0
KINDS: Final[Mapping[str, RecordKind]] = {"invoice": "invoice", "payment": "payment", "entry": "entry"}


class Records(Protocol):
    """What this needs of `store.sales.summaries`."""

    async def record(self, recording: Recording) -> Mapping[str, SummaryLine]:
        """See `SummaryStore.record`."""
        ...

    async def recorded(self, company: str, external_ids: Collection[str]) -> dict[str, SummaryLine]:
        """See `SummaryStore.recorded`."""
        ...

    async def knows_any(self, company: str) -> bool:
        """See `SummaryStore.knows_any`."""
        ...

    async def tell_again(self, company: str, summary: str) -> int:
        """See `SummaryStore.tell_again`."""
        ...


class Summaries:
    """One company's, for one session of a worker."""

    def __init__(
        self, *, records: Records, books: Books, company: str, clock: Clock, earlier: KnowsEarlier | None = None
    ) -> None:
        self._records = records
        self._books = books
        self._company = company
        self._earlier = earlier
        self._clock = clock
        self._told_again: set[str] = set()
        self._ever_recorded = False
        self._asked_at: float | None = None

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """The plan without what is, or is now, a line of a summary. Idempotent; safe to cancel.

        Raises:
            Conflicting: a line is recorded already, and says something else now.
            Parked: an earlier store has made summaries, and whether this is in one of them is not known.
            NotYet, StoreUnavailable, Unavailable, OutcomeUnknown: as for `Earlier.find`.
        """
        if event.type in BY_THEMSELVES or not await self._summarises():
            return plan
        units = units_of(plan, self._books)
        if not units:
            return plan
        known = await self._known(units)
        if self._earlier is not None and any(line.external_id not in known for unit in units for line in unit):
            units = await self._not_of_an_earlier(units, event, insists=plan.insists)
        if self._books.sales.entries != "each" and units:
            known |= await self._record(units, event)
        for summary in {line.summary for line in known.values() if line.summary}:
            await self._tell_again(summary)
        return without(plan, frozenset(known))

    async def _summarises(self) -> bool:
        """Whether there is anything to do: most companies never have summaries, and are asked once a while.

        What another worker records meanwhile is not sent either: the inbox gives no claim of it.
        """
        now = self._clock.monotonic()
        asked = self._asked_at is not None and now - self._asked_at < GOOD_FOR_SECONDS
        if self._books.sales.entries == "each" and not self._ever_recorded and not asked:
            self._ever_recorded, self._asked_at = await self._records.knows_any(self._company), now
        return self._books.sales.entries != "each" or self._ever_recorded

    async def _known(self, units: Sequence[Unit]) -> dict[str, SummaryLine]:
        lines = {line.external_id: line for unit in units for line in unit}
        known = await self._records.recorded(self._company, lines.keys())
        for name, before in known.items():
            if before.payload_hash != lines[name].payload_hash:
                raise _conflict(lines[name], before)
        return known

    async def _record(self, units: Sequence[Unit], event: Event) -> Mapping[str, SummaryLine]:
        fact: str = event.data.fact
        processor = self._books.processor_of(fact).key
        recording = Recording(self._company, fact, processor, EventRef.of(event), units)
        try:
            return await self._records.record(recording)
        except OtherEconomics as other:
            now = next(line for unit in units for line in unit if line.external_id == other.known.external_id)
            raise _conflict(now, other.known) from other

    async def _not_of_an_earlier(self, units: Sequence[Unit], event: Event, *, insists: bool) -> list[Unit]:
        """Without the units that an earlier inbox has sent by itself: the applier adopts them."""
        earlier, day = self._earlier, min(line.day for unit in units for line in unit)
        if earlier is None or not await earlier.concerns(STREAM, event.time, day):
            return list(units)
        if not insists and await earlier.summarised(event.time, day):
            msg = (
                f"{event.data.fact} is older than this store, and Solid has summaries of an earlier one: whether it is "
                "in one of them is not known. Compare: if it is not, replay it with --waive; if it is, leave it."
            )
            raise Parked("held:summarised_before", msg)
        return [unit for unit in units if not await self._sent_earlier(earlier, unit)]

    async def _sent_earlier(self, earlier: KnowsEarlier, unit: Unit) -> bool:
        """Whether any of it may be in Solid by itself: the applier looks up what cannot be told."""
        try:
            for line in unit:
                if await self._found_earlier(earlier, line):
                    return True
        except NotRead:
            return True
        return False

    async def _found_earlier(self, earlier: KnowsEarlier, line: NewLine) -> bool:
        kind = KINDS[line.kind]
        return await when_open(lambda: earlier.find(kind, line.external_id, day=line.day)) is not None

    async def _tell_again(self, summary: str) -> None:
        """A line that is told again: if its entry never came, the broker has lost it. Once a session."""
        if summary not in self._told_again:
            await self._records.tell_again(self._company, summary)
            self._told_again.add(summary)


def _conflict(now: NewLine, before: SummaryLine) -> Conflicting:
    return Conflicting(
        f"{now.external_id} is recorded as {before.kind} of {before.amount:f} {before.currency} in "
        f"{before.summary or 'a summary that is still open'} for event {before.event_id}; now asked for: "
        f"{now.kind} of {now.amount:f} {now.currency}"
    )
