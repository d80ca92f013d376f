"""A model of Solid that does what a server and a network may do: lose answers, land late, refuse, restart, close.

A call that has left is in flight until it lands (a record) or is lost, at the latest the settle time after it left;
what its caller hears is another matter. A repeated call makes a second record. Nothing here is by chance: the luck of
each call is given by whoever steps it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from messaging.bucket import NoToken
from solid.client import Absent, Everything, Inconclusive, Lookup, Present, Sought
from solid.errors import OutcomeUnknown, PeriodClosed, Refused, RefusedInDoubt, Unavailable
from solid.lookups import MARGIN, Days, moves
from solid.models import Contact, NewContact, NewEntry, NewRecord, RecordKind
from tests.fakes import FakeClock
from tests.unit.workers.model.stepping import Process
from workers.applying import Timing


@dataclass(eq=False, slots=True)
class Call:
    """A call that has left. `solid_id` where it has landed; `cut` where its connection is gone."""

    record: NewRecord
    sent_at: float
    solid_id: str | None = None
    cut: bool = False


@dataclass(slots=True)
class Luck:
    """What goes wrong at the next step, where something can."""

    bad: str = ""

    def take(self) -> str:
        """Tell, once."""
        bad, self.bad = self.bad, ""
        return bad


_ANSWERS: Final[Mapping[str, Callable[[], Exception]]] = {
    "never arrived": lambda: OutcomeUnknown("waiting"),
    "answer lost": lambda: OutcomeUnknown("waiting"),
    "lands late": lambda: OutcomeUnknown("waiting"),
    "refused": lambda: Refused("VALIDATION", "no", status=422),
    "period closed": lambda: PeriodClosed("PERIOD_CLOSED", "no", status=422),
    "no in doubt": lambda: RefusedInDoubt("http_404", "no", status=404),
    "no, but done": lambda: RefusedInDoubt("http_404", "no", status=404),
    "429": lambda: Unavailable("rate_limited", sent=True),
    "429 done": lambda: Unavailable("rate_limited", sent=True),
    "503": lambda: Unavailable("unavailable", sent=True),
    "503 done": lambda: Unavailable("unavailable", sent=True),
    "503 lands late": lambda: Unavailable("unavailable", sent=True),
}
_NOT_DONE: Final = ("never arrived", "refused", "period closed", "no in doubt", "429", "503")
_LATER: Final = ("lands late", "503 lands late")

_NO_CALL: Final[Mapping[str, Callable[[], Exception]]] = {
    "closed": lambda: Unavailable("closed"),
    "no token": NoToken,
    "503": lambda: Unavailable("unavailable", sent=True),
    "answer lost": lambda: OutcomeUnknown("waiting"),
}
_UNCLEAR: Final = {
    "moved": Inconclusive("the list changed while it was read", moved=True),
    "inconclusive": Inconclusive("a page looks full"),
}

CREATE_TROUBLE: Final = tuple(("create", bad) for bad in _ANSWERS)
SOLID_TROUBLE: Final = (
    *(("token", bad) for bad in ("closed", "no token")),
    *CREATE_TROUBLE,
    *(("look up", bad) for bad in ("closed", "503", "answer lost", *_UNCLEAR)),
    *(("contacts", bad) for bad in ("closed", "503", "answer lost")),
    *(("everything", bad) for bad in ("closed", "503", "answer lost", *_UNCLEAR)),
)
"""Where something can go wrong between a worker and Solid, and what."""


@dataclass(slots=True)
class ModelSolid:
    """The books, and the calls under way to them."""

    clock: FakeClock
    timing: Timing
    records: dict[str, NewRecord] = field(default_factory=dict)
    in_flight: list[Call] = field(default_factory=list)

    def send(self, record: NewRecord) -> Call:
        """Let a call leave."""
        call = Call(record, self.clock.monotonic())
        self.in_flight.append(call)
        return call

    def land(self, call: Call) -> None:
        """Do what the call says."""
        self.in_flight.remove(call)
        call.solid_id = f"solid-{len(self.records) + 1}"
        self.records[call.solid_id] = call.record

    def end(self, call: Call, *, lands: bool) -> None:
        """It lands now, or never."""
        if lands:
            self.land(call)
        else:
            self.in_flight.remove(call)

    def restart(self, lands: Callable[[], bool]) -> None:
        """Stop and start: of the calls under way some are done and some are not, and none is answered."""
        for call in list(self.in_flight):
            self.end(call, lands=lands())
            call.cut = True

    def settle_until(self, then: float, lands: Callable[[], bool]) -> None:
        """Let time go by: what left longer ago than the settle time has landed by then, or never will."""
        for call in list(self.in_flight):
            if call.sent_at + self.timing.settle <= then:
                self.end(call, lands=lands())

    def answer(self, call: Call, bad: str) -> Exception | None:
        """What becomes of a call and what its caller hears: None is success. No call is waited for too long."""
        if call.cut or self.clock.monotonic() >= call.sent_at + self.timing.call:
            return OutcomeUnknown("waiting")
        if call.solid_id is not None and bad in _NOT_DONE:
            bad = "answer lost"
        if call in self.in_flight and bad not in _LATER:
            self.end(call, lands=bad not in _NOT_DONE)
        return _ANSWERS[bad]() if bad else None

    def look_up(self, sought: Sought) -> Lookup:
        """Look through what a query would give: a name's contacts, or the records of some days."""
        found = {
            solid_id: record
            for solid_id, record in self.records.items()
            if record.kind == sought.kind and record.external_id == sought.external_id and _is_asked_for(record, sought)
        }
        amounts = (moves(record) if isinstance(record, NewEntry) else None for record in found.values())
        return Present(tuple(found), tuple(amounts)) if found else Absent()

    def everything(self, kind: RecordKind, since: date, until: date | None) -> Everything:
        """All records of a kind; contacts of all days."""
        rows = [(solid_id, record) for solid_id, record in self.records.items() if record.kind == kind]
        ids: dict[str, tuple[str, ...]] = {}
        for solid_id, record in rows:
            if isinstance(record, NewContact) or since <= record.date <= (until or record.date):
                ids[record.external_id] = (*ids.get(record.external_id, ()), solid_id)
        return Everything(ids, whole=kind == "contact")

    def named(self, display_name: str) -> list[Contact]:
        """All contacts of a name."""
        return [
            Contact(id=solid_id, display_name=display_name, email=record.email, external_id=record.external_id)
            for solid_id, record in self.records.items()
            if isinstance(record, NewContact) and record.display_name == display_name
        ]

    @property
    def counts(self) -> Counter[str]:
        """How many records each external id has."""
        return Counter(record.external_id for record in self.records.values())


def _is_asked_for(record: NewRecord, sought: Sought) -> bool:
    if isinstance(record, NewContact):
        return record.display_name == sought.display_name
    since, until = sought.since or record.date, sought.until or sought.since or record.date
    return since - MARGIN <= record.date <= until + MARGIN


@dataclass(frozen=True, slots=True)
class Line:
    """One process's way to Solid: an await before each effect, and one before its answer is heard."""

    solid: ModelSolid
    process: Process
    luck: Luck

    async def create(self, record: NewRecord, *, before_send: Callable[[], Awaitable[None]] | None = None) -> str:
        """See `SolidClient.create`."""
        await self._stand("token")
        if before_send is not None:
            await before_send()
        call = self.solid.send(record)
        await self.process.stand("create")
        error = self.solid.answer(call, self.luck.take())
        await self.process.stand("create heard")
        if error is not None:
            raise error
        assert call.solid_id is not None
        return call.solid_id

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """See `SolidClient.find`."""
        return await self.look_up(Sought.of(record, days=days))

    async def look_up(self, sought: Sought) -> Lookup:
        """See `SolidClient.look_up`."""
        unclear = await self._stand("look up")
        found = unclear or self.solid.look_up(sought)
        await self.process.stand("look up heard")
        return found

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        """See `SolidClient.everything`."""
        unclear = await self._stand("everything")
        found = unclear or self.solid.everything(kind, since, until)
        await self.process.stand("everything heard")
        return found

    async def contacts_named(self, display_name: str) -> list[Contact]:
        """See `SolidClient.contacts_named`."""
        await self._stand("contacts")
        found = self.solid.named(display_name)
        await self.process.stand("contacts heard")
        return found

    async def _stand(self, point: str) -> Inconclusive | None:
        """Wait for a token; raises what keeps the call from being made or answered."""
        await self.process.stand(point)
        bad = self.luck.take()
        if bad in _NO_CALL:
            error = _NO_CALL[bad]()
            raise error
        return _UNCLEAR.get(bad)
