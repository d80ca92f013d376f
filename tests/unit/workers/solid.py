"""A Solid in memory that fails as it is told, behind the port of `workers.applying`. It keeps duplicates."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from solid.client import Absent, Days, Everything, Inconclusive, Lookup, Present
from solid.errors import OutcomeUnknown, PeriodClosed, Refused, Unavailable
from solid.lookups import moves
from solid.models import Contact, NewContact, NewEntry, NewRecord, RecordKind

Fault = Literal[
    "closed",
    "answer_lost",
    "never_arrived",
    "lands_late",
    "refused",
    "period_closed",
    "503",
    "503_done",
    "crash_before",
    "crash_after",
]


class Crash(BaseException):
    """The process is gone: nothing that comes after this line runs. Not an Exception, so nothing handles it."""


_WITHOUT_A_RECORD: Mapping[Fault | None, Callable[[], BaseException]] = {
    "refused": lambda: Refused("VALIDATION", "no", status=422),
    "period_closed": lambda: PeriodClosed("PERIOD_CLOSED", "no", status=422),
    "503": lambda: Unavailable("unavailable", sent=True),
    "never_arrived": lambda: OutcomeUnknown("waiting"),
    "lands_late": lambda: OutcomeUnknown("waiting"),
}
_WITH_A_RECORD: Mapping[Fault | None, Callable[[], BaseException]] = {
    "answer_lost": lambda: OutcomeUnknown("waiting"),
    "503_done": lambda: Unavailable("unavailable", sent=True),
    "crash_after": Crash,
}


@dataclass(slots=True)
class FakeSolid:
    """`faults` happen to the calls of `create` in turn; `calls` shows every call that reached Solid.

    What is `hidden` stands in the list of everything and is not found on its day.
    """

    faults: deque[Fault | None] = field(default_factory=deque)
    records: list[tuple[str, NewRecord]] = field(default_factory=list)
    late: list[NewRecord] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    inconclusive: Inconclusive | None = None
    unreadable: Inconclusive | None = None
    hidden: bool = False
    before_token: Callable[[], Awaitable[None]] | None = None

    async def create(self, record: NewRecord, *, before_send: Callable[[], Awaitable[None]] | None = None) -> str:
        """Create, or fail as the next fault says."""
        if self.before_token is not None:
            await self.before_token()
        fault = self.faults.popleft() if self.faults else None
        if fault == "closed":
            raise Unavailable("closed")
        if before_send is not None:
            await before_send()
        await asyncio.sleep(0)
        if fault == "crash_before":
            raise Crash
        self.calls.append(f"create {record.external_id}")
        await asyncio.sleep(0)
        if fault in _WITHOUT_A_RECORD:
            self.late += [record] if fault == "lands_late" else []
            error = _WITHOUT_A_RECORD[fault]()
            raise error
        solid_id = self.add(record)
        if fault in _WITH_A_RECORD:
            error = _WITH_A_RECORD[fault]()
            raise error
        return solid_id

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """Look up by external id."""
        del days
        self.calls.append(f"find {record.external_id}")
        await asyncio.sleep(0)
        if self.inconclusive is not None:
            return self.inconclusive
        if isinstance(record, NewContact):
            ids = tuple(
                each.id
                for each in self.contacts
                if each.display_name == record.display_name and each.external_id == record.external_id
            )
            return Present(ids) if ids else Absent()
        return Absent() if self.hidden else self.lookup_of(record.external_id)

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        """Give all records of a kind by their external ids; `hidden` ones only where all days are asked for."""
        self.calls.append(f"everything {kind} since {since}")
        await asyncio.sleep(0)
        if self.inconclusive or self.unreadable:
            return self.inconclusive or self.unreadable or Inconclusive("")
        names = {record.external_id for _, record in self.records if record.kind == kind}
        return Everything({} if self.hidden and until else {name: self.ids_of(name) for name in names})

    def lookup_of(self, external_id: str) -> Lookup:
        """What a look-up finds by external id."""
        ids = self.ids_of(external_id)
        rows = dict(self.records)
        return Present(ids, tuple(_amounts(rows[each]) for each in ids)) if ids else Absent()

    async def contacts_named(self, display_name: str) -> list[Contact]:
        """Give the contacts of exactly this name."""
        self.calls.append(f"contacts {display_name}")
        await asyncio.sleep(0)
        return [contact for contact in self.contacts if contact.display_name == display_name]

    def add(self, record: NewRecord) -> str:
        """Put a record into the books."""
        solid_id = f"solid-{len(self.records) + 1}"
        self.records.append((solid_id, record))
        if isinstance(record, NewContact):
            name, email = record.display_name, record.email
            self.contacts.append(Contact(id=solid_id, display_name=name, email=email, external_id=record.external_id))
        return solid_id

    def land(self) -> None:
        """Commit what was under way."""
        while self.late:
            self.add(self.late.pop(0))

    def ids_of(self, external_id: str) -> tuple[str, ...]:
        """The ids of the records under an external id, oldest first."""
        return tuple(solid_id for solid_id, record in self.records if record.external_id == external_id)

    @property
    def counts(self) -> Counter[str]:
        """How many records each external id has."""
        return Counter(record.external_id for _, record in self.records)

    def sent(self) -> list[str]:
        """The calls so far, and forget them."""
        calls, self.calls = self.calls, []
        return calls


def _amounts(record: NewRecord) -> tuple[Decimal, ...] | None:
    return moves(record) if isinstance(record, NewEntry) else None
