"""Workers that share a model of the store, a model of Solid and a clock, and the events that they are given.

Appliers, prerequisites, what is known of earlier inboxes, the sweep and the inbox's decisions are the real ones.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import TYPE_CHECKING, Final, cast

from messaging.bucket import NoToken
from schemas.money import Money
from solid.errors import OutcomeUnknown, Refused, Unavailable
from solid.models import NewContact, NewEntry, NewInvoice, NewPayment, NewRecord
from store.claims import WriteRow
from store.doubts import Doubts
from store.errors import LeaseLost, NotInDoubt, StoreUnavailable
from store.inbox import EventRef
from store.writes import Key
from tests.fakes import NOON, FakeClock
from tests.unit.workers.bench import CHART, COMPANY, DAY, contact, entry, sale
from tests.unit.workers.model.model_solid import Line, Luck, ModelSolid
from tests.unit.workers.model.model_store import NO_ENGINE, ModelEarlierRecords, ModelInbox, Tables, decide
from tests.unit.workers.model.stepping import Process, Task
from workers import prerequisites
from workers.applying import Applier, Timing
from workers.earlier import Earlier
from workers.errors import Conflicting, HeldForPerson, NotYet, Undecided
from workers.occasion import Occasion
from workers.payroll.mirroring import LINES
from workers.plans.writes import AnyWrite, ContactWrite, Group, Parked, PaymentWrite, Plan, Prerequisite
from workers.prerequisites import PrerequisiteMissing
from workers.records import record_of
from workers.sweeping import Sweeper

if TYPE_CHECKING:
    from store.cases import Cases

TIMING: Final = Timing(settle=60, lease=60, call=30)
SWEPT_AFTER: Final = timedelta(hours=1)
MOST_WRONG: Final = 1_200.0
BEGAN: Final = NOON - timedelta(hours=2)
LATE: Final = NOON - timedelta(days=3)

MAY_HAPPEN: Final = (
    NotYet,
    Conflicting,
    Undecided,
    HeldForPerson,
    Parked,
    PrerequisiteMissing,
    OutcomeUnknown,
    Unavailable,
    Refused,
    NoToken,
    StoreUnavailable,
    LeaseLost,
)


def _second_sale() -> Plan:
    """A sale to the same customer, who has another name by now."""
    customer, invoice, payment = sale("7.00").writes
    invoice = invoice.model_copy(update={"external_id": "second:invoice"})
    payment = payment.model_copy(update={"external_id": "second:payment", "invoice": "second:invoice"})
    return Plan(writes=(contact(customer.external_id, "Ada Lovelace"), invoice, payment))


def _refund(number: int, amount: str) -> Plan:
    return Plan(
        writes=(entry(f"refund:{number}", amount), entry(f"refund:{number}:fee", "0.30")),
        requires=(Prerequisite(external_id="fact:payment", kind="payment"),),
        group=Group(key="refunds:ch_1", amount=Money.of(Decimal(amount), "USD")),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the workers are given it."""

    name: str
    plan: Plan
    happened: datetime = NOON
    type: str = "sales.payment.succeeded.v1"

    @property
    def fact(self) -> Occasion:
        """What is applied."""
        return Occasion(EventRef("/webhooks/stripe", self.name, self.type, None), self.happened, CHART)


def _run(amount: str, *, days: int = 0) -> Plan:
    """A version of a pay run: all of them have one name. It is paid so many days after they are told."""
    update = {"totals": {"wages": Decimal(amount)}, "date": DAY + timedelta(days=days)}
    return Plan(writes=(entry("fact:run", amount).model_copy(update=update),))


def _told_ahead(name: str, amount: str) -> Told:
    """Told before its pay date, which is all that it says of a time."""
    return Told(name, _run(amount, days=5), NOON + timedelta(days=5), "payroll.run.paid.v1")


def _dated_anew(plan: Plan, days: int) -> Plan:
    """The same fact, booked on a later day."""
    update = {"date": DAY + timedelta(days=days), "true_date": DAY}
    return plan.model_copy(update={"writes": tuple(write.model_copy(update=update) for write in plan.writes)})


FEE: Final = Plan(writes=(entry("fact:fee"),))
SALE: Final = Told("sale", sale())
BOOKED: Final = Told("fee", FEE)
LATE_FACT: Final = Told("late fact", Plan(writes=(entry("late:one", "11.00"), entry("late:two", "12.00"))), LATE)
EDITED: Final = (BOOKED, Told("fee edited", Plan(writes=(entry("fact:fee", "2.50"),))))
RERUN: Final = (Told("run", _run("31.00"), LATE), Told("run again", _run("32.00"), LATE))
AHEAD: Final = (_told_ahead("run ahead", "31.00"), _told_ahead("run ahead again", "32.00"))
IN_CONFLICT: Final = (EDITED, RERUN, AHEAD)
"""Of these two one is in conflict with the other in the end."""

DATED_ANEW: Final = (BOOKED, Told("fee dated anew", _dated_anew(FEE, 20)))

RENAMED: Final = (SALE, Told("second sale", _second_sale()))
"""The customer has another name in the second one: an inbox begun in between does not find the contact by it."""

STORIES: Final = (
    (BOOKED,),
    (SALE,),
    (LATE_FACT,),
    *IN_CONFLICT,
    DATED_ANEW,
    RENAMED,
    (SALE, Told("refund", _refund(1, "3.00")), Told("second refund", _refund(2, "4.00"))),
    (BOOKED, LATE_FACT),
)

CHAPTERS: Final = 4


def chapters_of(story: Sequence[Told]) -> list[list[Told]]:
    """The same again and again about other facts, of the same customer."""
    return [[_numbered(told, number) for told in story] for number in range(CHAPTERS)]


def _numbered(told: Told, number: int) -> Told:
    writes = tuple(_renamed(write, number) for write in told.plan.writes)
    requires = tuple(
        Prerequisite(external_id=f"{each.external_id}:{number}", kind=each.kind)
        for each in told.plan.requires
        if isinstance(each, Prerequisite)
    )
    return replace(
        told, name=f"{told.name} {number}", plan=told.plan.model_copy(update={"writes": writes, "requires": requires})
    )


def _renamed(write: AnyWrite, number: int) -> AnyWrite:
    if isinstance(write, ContactWrite):
        return write
    update = {"external_id": f"{write.external_id}:{number}"}
    if isinstance(write, PaymentWrite):
        update["invoice"] = f"{write.invoice}:{number}"
    return write.model_copy(update=update)


def names_of(story: Sequence[Told]) -> set[str]:
    """The external ids of all its writes."""
    return {write.external_id for told in story for write in told.plan.writes}


@dataclass(slots=True)
class Worker:
    """A process and its doors."""

    process: Process
    inbox: ModelInbox
    applier: Applier
    earlier: Earlier
    line: Line

    async def handle(self, told: Told) -> None:
        """As `workers.pipeline` does."""
        day = told.happened.date()
        requires = told.plan.requires
        await prerequisites.check(
            self.inbox, COMPANY, requires, captures=NothingReleased(), earlier=self.earlier, day=day
        )
        await self.applier.apply(told.fact, told.plan)


class NothingReleased:
    """Every payment was captured as a whole."""

    async def released(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.released`."""
        del company, payment, currency
        return Decimal(0)

    async def under_way(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.under_way`."""
        del company, payment, currency
        return Decimal(0)


@dataclass(slots=True)
class CasesInMemory:
    """What a person would be asked."""

    found: list[tuple[str, str]] = field(default_factory=list)

    async def open(self, company: str, kind: str, subject: str, detail: Mapping[str, object]) -> bool:
        """See `Cases.open`."""
        del company, detail
        self.found.append((kind, subject))
        return True

    async def was_closed(self, *_: object) -> bool:
        """See `Cases.was_closed`."""
        return False


class HostClock(FakeClock):
    """A host's: its wall clock may be wrong, and time passes for all hosts alike."""

    def __init__(self, true: FakeClock) -> None:
        super().__init__()
        self._true, self.wrong = true, timedelta()

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._true.now() + self.wrong

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._true.monotonic()


class Relay:
    """All workers, what they share, and the rules that must hold at every moment."""

    def __init__(self) -> None:
        self.clock, self.luck = FakeClock(), Luck()
        self.hosts = (HostClock(self.clock), HostClock(self.clock))
        self.tables = Tables(began=BEGAN)
        self.solid = ModelSolid(self.clock, TIMING)
        self.store_was_lost = False
        self.clock_was_set = False

    def begin(self, owner: str, host: int = 0) -> Worker:
        """Start a process on one of two hosts."""
        process, clock = Process(owner), self.hosts[host]
        inbox = ModelInbox(self.tables, process, self.luck, lease=timedelta(seconds=TIMING.lease), clock=clock)
        line = Line(self.solid, process, self.luck)
        earlier = Earlier(
            solid=line,
            records=ModelEarlierRecords(self.tables, process, clock),
            inbox=inbox,
            cases=cast("Cases", CasesInMemory()),
            company=COMPANY,
            settle=timedelta(seconds=TIMING.settle),
            clock=clock,
        )
        applier = Applier(solid=line, inbox=inbox, earlier=earlier, company=COMPANY, timing=TIMING, clock=clock)
        return Worker(process, inbox, applier, earlier, line)

    def step(self, worker: Worker, task: Task, bad: str = "") -> None:
        """Step one task, and see that all is well."""
        before, self.luck.bad = self.tables.rows, bad
        worker.process.step(task)
        self.luck.bad = ""
        self._check_holders(before, worker.process.owner)
        if task.error is not None and not isinstance(task.error, MAY_HAPPEN):
            raise task.error
        self.check()

    def pass_time(self, seconds: float, lands: Sequence[bool]) -> None:
        """Let time go by; `lands`: which of the calls whose time is over by then were done, for ever in turn."""
        self.solid.settle_until(self.clock.monotonic() + seconds, _in_turn(lands))
        self.check()
        self.clock.advance(seconds)

    def set_clock(self, host: int, seconds: float) -> None:
        """Set a host's wall clock forward or back, by less than what facts may seem older than they are."""
        self.hosts[host].wrong = timedelta(seconds=seconds)
        self.clock_was_set = True

    def restart_solid(self, lands: Sequence[bool]) -> None:
        """Of the calls under way those are done that `lands` says."""
        self.solid.restart(_in_turn(lands))
        self.check()

    def in_doubt(self) -> list[str]:
        """The external ids that a person is asked about."""
        return [row.external_id for row in self.tables.in_doubt(self.clock.now())]

    def lose_store(self) -> None:
        """An empty store, begun anew when it is first asked; every process must have died before.

        One thing an empty store cannot know, and the model leaves it out: that a call is in flight where Solid shows
        nothing else of its kind that an inbox has sent.
        """
        kinds = {record.kind for record in self.solid.records.values()}
        for call in [call for call in self.solid.in_flight if call.record.kind not in kinds]:
            self.solid.land(call)
        self.tables = Tables()
        self.store_was_lost = True

    def restore_store(self, backup: Tables) -> None:
        """The store as it was once, and `relay restored`; every process must have died before.

        Where clocks are wrong it cannot know that it was restored.
        """
        for call in self.solid.in_flight.copy() if self.clock_was_set else ():
            self.solid.land(call)
        self.tables = Tables(began=self.clock.now(), rows=backup.rows)
        self.store_was_lost = True

    def say(self, external_id: str) -> None:
        """A person looks in Solid, and says what is there; of a record with other amounts, nothing."""
        there = {key: record for key, record in self.solid.records.items() if record.external_id == external_id}
        [amount] = {row.amount for row in self.tables.rows.values() if row.external_id == external_id}
        ids = [key for key, record in there.items() if amount in {None, amount_of(record)}]
        if there and not ids:
            return
        settle = timedelta(seconds=TIMING.settle)
        doubts = Doubts(NO_ENGINE, company=COMPANY, settle=settle, clock=self.clock)
        with suppress(NotInDoubt, StopIteration):
            decide(doubts, self.tables, external_id, ids[0] if ids else None).send(None)
        self.check()

    def check(self) -> None:
        """One record a write, at every moment; and what is called applied is in Solid under its external id."""
        twice = {name: count for name, count in self.solid.counts.items() if count > 1}
        assert not twice, f"twice in Solid: {twice}"
        for row in self.tables.rows.values():
            if row.state == "applied":
                record = self.solid.records[row.solid_id or ""]
                assert record.external_id == row.external_id
                if LINES in row.about:
                    assert row.amount == amount_of(record), "another version of a pay run was taken for this one"

    def _check_holders(self, before: Mapping[Key, WriteRow], owner: str) -> None:
        """Whoever holds a claim is the only one who changes its row, until the lease ends and another claims it."""
        for key, old in before.items():
            new = self.tables.rows[key]
            if new is not old and old.owner is not None and old.lease_until is not None and owner != old.owner:
                assert new.epoch > old.epoch, f"{owner} has settled what {old.owner} holds: {old}"
                held = old.lease_until > self.clock.now() and not self.clock_was_set
                assert not held, f"{owner} has taken what {old.owner} still holds: {old}"

    def deliver_all(self, worker: Worker, story: Sequence[Told]) -> Iterator[tuple[Told, BaseException | None]]:
        """Give every event to a process, one after another, when everything has settled."""
        self.clock.advance(TIMING.lease + TIMING.settle + 1)
        for told in story:
            task = worker.process.start(worker.handle(told))
            worker.process.run(lambda task: self.step(worker, task))
            assert task.over
            yield told, task.error

    def sweep(self) -> list[tuple[str, str]]:
        """What the sweep would ask a person."""
        self.clock.advance(SWEPT_AFTER.total_seconds() + MOST_WRONG + 1)
        worker, cases = self.begin("sweeper"), CasesInMemory()
        sweeper = Sweeper(worker.line, worker.inbox, cast("Cases", cases), COMPANY, SWEPT_AFTER, self.clock)
        worker.process.start(sweeper.sweep_once())
        worker.process.run(lambda task: self.step(worker, task))
        for _ in {record.kind for record in self.solid.records.values()}:
            worker.process.start(sweeper.read_once())
            worker.process.run(lambda task: self.step(worker, task))
        return cases.found

    def expected(self, story: Sequence[Told]) -> list[NewRecord]:
        """One record for every write, as its plan says; of an edited one as it was first sent."""
        ids = {record.external_id: solid_id for solid_id, record in self.solid.records.items()}
        return [record_of(self._as_sent(story, name), ids, CHART) for name in sorted(names_of(story))]

    def _as_sent(self, story: Sequence[Told], name: str) -> AnyWrite:
        """The write that the inbox knows; after a loss of the store, the one that Solid has."""
        writes = [write for told in story for write in told.plan.writes if write.external_id == name]
        [record] = [record for record in self.solid.records.values() if record.external_id == name]
        same = [write for write in writes if isinstance(write, ContactWrite) or write.amount == amount_of(record)]
        if not self.store_was_lost:
            assert same[0].payload_hash == self.tables.rows[COMPANY, name].payload_hash
        return same[0]


def _in_turn(answers: Sequence[bool]) -> Callable[[], bool]:
    turns = cycle(answers or [True])
    return lambda: next(turns)


def amount_of(record: NewRecord) -> Decimal:
    """What a record is worth."""
    match record:
        case NewContact():
            return Decimal(0)
        case NewInvoice():
            return record.total
        case NewPayment():
            return record.amount
        case NewEntry():
            return sum((line.debit or Decimal(0) for line in record.lines), Decimal(0))
    msg = f"no story writes a {record.kind}"
    raise NotImplementedError(msg)
