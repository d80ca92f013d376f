"""Sales in any order: a generated set of events is delivered shuffled and repeated, and the books are compared.

Plans, prerequisites, `Applier` and the inbox's own decisions are the real ones. Two things are models, both in memory:
where the inbox keeps its rows, and Solid. Nothing here waits, so no event loop is needed and a permutation takes
milliseconds. `python -m tests.unit.workers.model.order 100000` plays that many.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from rich.progress import track

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.sales import DisputeLost, DisputeWon, PaymentRefunded, PayoutFailed, RefundFailed
from solid.client import Absent, Days, Lookup
from solid.models import Account, Contact, NewContact, NewEntry, NewInvoice, NewPayment, NewRecord, RecordKind
from store import transitions
from store.claims import Change, Claim, EventRef, Intent, WriteRow
from store.inbox import Inbox
from tests.fakes import FakeClock
from tests.unit.workers.model.model_relay import NothingReleased
from tests.unit.workers.model.stories import Story, tell
from workers import prerequisites
from workers.applying import Applier, Timing
from workers.books.books import Books, sample_books
from workers.chart import Chart
from workers.errors import NotYet
from workers.occasion import Occasion
from workers.plans import plan
from workers.plans.writes import Parked, Plan
from workers.prerequisites import PrerequisiteMissing

COMPANY: Final = "main"
TIMING: Final = Timing(settle=60, lease=90, call=30)
USD_BOOKS: Final = sample_books().model_copy(update={"base_currency": "USD"})
CHART: Final = Chart([Account(id=name, name=name) for name in sorted(set(USD_BOOKS.accounts.values()))])
OF_ONE_STORY: Final = 50
HOW_OFTEN: Final = (1, 1, 1, 2, 3)

Value = TypeVar("Value")


def now(work: Coroutine[Any, Any, Value]) -> Value:
    """Run a coroutine that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration as done:
        value: Value = done.value
        return value
    work.close()
    raise AssertionError


class RowsInMemory(Inbox):
    """The inbox with its rows in a dictionary. What follows from what is decided by the real transitions."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], WriteRow] = {}
        self._lease, self._clock = timedelta(seconds=TIMING.lease), FakeClock()

    async def claim(self, company: str, event: EventRef, intents: Sequence[Intent]) -> list[Claim]:
        """See `Inbox.claim`."""
        return [self._claim_row(company, event, intent) for intent in intents]

    def _claim_row(self, company: str, event: EventRef, intent: Intent) -> Claim:
        row = self.rows.get((company, intent.external_id))
        answer, mine = transitions.claim(
            row,
            company=company,
            event=event,
            intent=intent,
            owner="a",
            lease=self._lease,
            held=row is not None and row.lease_until is not None,
            now=self._clock.now(),
        )
        if mine is not None:
            self.rows[company, intent.external_id] = mine
        return answer

    async def _settle(self, company: str, external_id: str, epoch: int, change: Change) -> None:
        row = self.rows[company, external_id]
        assert row.epoch == epoch
        self.rows[company, external_id] = transitions.settle(row, change, lease=self._lease, now=self._clock.now())

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """See `Inbox.state_of`."""
        keys = ((company, external_id) for external_id in external_ids)
        return {key[1]: self.rows[key].state for key in keys if key in self.rows}

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`; by external id only."""
        return [row for row in self.rows.values() if row.external_id == text]

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `Inbox.group_total`."""
        wanted = (company, group_key, currency, "applied")
        rows = (row for row in self.rows.values() if (row.company, row.group_key, row.currency, row.state) == wanted)
        return sum((row.amount or Decimal(0) for row in rows), Decimal(0))


@dataclass(slots=True)
class SolidInMemory:
    """Records in the order they came, duplicates too."""

    records: list[NewRecord] = field(default_factory=list)

    async def create(self, record: NewRecord, *, before_send: Callable[[], Awaitable[None]] | None = None) -> str:
        """Put it into the books; what it refers to must be there."""
        if before_send is not None:
            await before_send()
        known = {str(number) for number in range(len(self.records))}
        if isinstance(record, NewInvoice | NewPayment):
            assert record.customer_id in known
        if isinstance(record, NewPayment):
            assert {part.invoice_id for part in record.applications} <= known
        self.records.append(record)
        return str(len(self.records) - 1)

    async def find(self, record: NewRecord, *, days: Days = None) -> Lookup:
        """Nothing is ever in doubt here."""
        del record, days
        return Absent()

    async def contacts_named(self, display_name: str) -> list[Contact]:
        """Find contacts by their exact name."""
        return [
            Contact(id=str(number), display_name=display_name, email=None, external_id=record.external_id)
            for number, record in enumerate(self.records)
            if isinstance(record, NewContact) and record.display_name == display_name
        ]

    def balances(self) -> dict[str, Decimal]:
        """Debits less credits by account."""
        totals: Counter[str] = Counter()
        for record in self.records:
            for account, amount in _postings(record):
                totals[account] += amount  # type: ignore[assignment]  # entries have figures on every line
        return {account: Decimal(total) for account, total in totals.items() if total}


def _postings(record: NewRecord) -> list[tuple[str, Decimal]]:
    receivable = USD_BOOKS.accounts["receivable"]
    match record:
        case NewInvoice(lines=sold):
            return [(receivable, record.total), *((line.account_id, -line.amount) for line in sold)]
        case NewPayment(deposit_account_id=deposit, amount=amount):
            return [(deposit, amount), (receivable, -amount)]
        case NewEntry(lines=lines):
            return [(line.account_id, (line.debit or Decimal(0)) - (line.credit or Decimal(0))) for line in lines]
        case _:
            return []


@dataclass(frozen=True, slots=True)
class Ending:
    """What there is in the end: records by external id, balances by account, and events that wait or are parked."""

    records: Counter[str]
    balances: dict[str, Decimal]
    waiting: frozenset[str]
    parked: dict[str, str]


class NothingEarlier:
    """No fact is older than this inbox: what was sent, it knows."""

    async def concerns(self, stream: str, happened: datetime, day: date) -> bool:
        """Say no."""
        del stream, happened, day
        return False

    async def find(self, kind: RecordKind, external_id: str, *, day: date) -> str | None:
        """Find nothing."""
        del kind, external_id, day
        return None

    async def merged_stock(self, happened: datetime, day: date) -> bool:
        """Say no."""
        del happened, day
        return False

    async def summarised(self, happened: datetime, day: date) -> bool:
        """Say no."""
        del happened, day
        return False


class Relay:
    """Plans, prerequisites, appliers and the inbox, between a story and its books. Two processes share the work."""

    def __init__(self, books: Books) -> None:
        self.solid, self.inbox = SolidInMemory(), RowsInMemory()
        self._books = books
        self._plans: dict[str, Plan | Parked] = {}

    def play(self, deliveries: Sequence[Event]) -> Ending:
        """Deliver in this order; what must wait comes again until nothing changes."""
        self.solid.records.clear()
        self.inbox = RowsInMemory()
        clock = FakeClock()
        appliers = [
            Applier(
                solid=self.solid,
                inbox=self.inbox,
                earlier=NothingEarlier(),
                company=COMPANY,
                timing=TIMING,
                clock=clock,
            )
            for _ in range(2)
        ]
        parked: dict[str, str] = {}
        left: list[Event] = list(deliveries)
        before = -1
        while len(left) != before:
            before = len(left)
            left = [
                event
                for number, event in enumerate(left)
                if not self._settled(event, appliers[number % len(appliers)], parked)
            ]
        records = Counter(str(record.external_id) for record in self.solid.records)
        return Ending(records, self.solid.balances(), frozenset(event.id for event in left), parked)

    def _settled(self, event: Event, applier: Applier, parked: dict[str, str]) -> bool:
        """Whether the delivery is done with. What it raises but Parked and having to wait is a failure."""
        planned = self._planned(event)
        try:
            if isinstance(planned, Parked):
                raise planned
            day, captures = event.time.date(), NothingReleased()
            now(prerequisites.check(self.inbox, COMPANY, planned.requires, captures=captures, earlier=None, day=day))
            ref = EventRef.of(event)
            now(applier.apply(Occasion(ref, event.time, CHART), planned))
        except Parked as error:
            parked[event.id] = error.reason
        except (PrerequisiteMissing, NotYet):
            return False
        return True

    def _planned(self, event: Event) -> Plan | Parked:
        """Plan once: a plan is pure."""
        if event.id not in self._plans:
            try:
                self._plans[event.id] = plan(event, self._books)
            except Parked as error:
                self._plans[event.id] = error
        return self._plans[event.id]


def _must_follow(data: EventData) -> str | None:
    """Give the record after which the fact's own may come, by what the fact means and not by its plan."""
    match data:
        case PaymentRefunded(refund=str(), charge=str(charge)):
            return f"stripe:charge:{charge}:invoice"
        case RefundFailed(refund=refund):
            return f"stripe:refund:{refund}"
        case DisputeWon(dispute=dispute) | DisputeLost(dispute=dispute):
            return f"stripe:dispute:{dispute}:withdrawn"
        case PayoutFailed(payout=payout):
            return f"stripe:payout:{payout}"
        case _:
            return None


def too_early(story: Story, records: Sequence[NewRecord]) -> list[str]:
    """Name the facts that came into the books before the one that they follow."""
    places = {record.external_id: place for place, record in enumerate(records)}
    follow = {event.data.fact: before for event in story.events if (before := _must_follow(event.data))}
    return [
        fact for fact, before in follow.items() if fact in places and places[fact] < places.get(before, len(records))
    ]


def strange(story: Story, records: Iterable[NewRecord]) -> set[str]:
    """Name the records that are of no fact of the story and of no customer: of a delivery, perhaps."""
    facts = {event.data.fact for event in story.events}
    named = {f"{fact}{part}" for fact in facts for part in ("", ":invoice", ":payment", ":fee")}
    ids = {str(record.external_id) for record in records if not isinstance(record, NewContact)}
    return ids - named


def books_of(story: Story) -> Books:
    """The story's books: open from a day on or for ever, late facts held or moved."""
    late = {"sales": story.late} if story.late else {}
    return USD_BOOKS.model_copy(update={"open_from": story.open_from, "late": late})


def shuffled(story: Story, chance: random.Random) -> list[Event]:
    """Give every event at least once, some of them several times, in any order."""
    deliveries = [event for event in story.events for _ in range(chance.choice(HOW_OFTEN))]
    chance.shuffle(deliveries)
    return deliveries


def check(story: Story, chance: random.Random, permutations: int) -> None:
    """Play a story in its own order, then in others: it must end in the same books."""
    relay = Relay(books_of(story))
    expected = relay.play(story.events)
    assert set(expected.records.values()) <= {1}
    assert sum(expected.balances.values()) == 0
    assert strange(story, relay.solid.records) == set()
    assert too_early(story, relay.solid.records) == []
    for _ in range(permutations):
        ending = relay.play(shuffled(story, chance))
        assert ending == expected
        assert too_early(story, relay.solid.records) == []


def check_one(seed: int, number: int, permutations: int) -> None:
    """Check one story of a seed; a failure names both, so that it can be had again."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - to be had again
    try:
        check(tell(chance), chance, permutations)
    except BaseException as error:
        error.add_note(f"check_one(seed={seed}, number={number}, permutations={permutations})")
        raise


def main() -> None:
    """Play as many permutations as the command line says, on all processors: `order COUNT [SEED]`."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("permutations", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    stories = -(-asked.permutations // OF_ONE_STORY)
    started = time.monotonic()
    with ProcessPoolExecutor() as processes:
        checks = [processes.submit(check_one, asked.seed, number, OF_ONE_STORY) for number in range(stories)]
        for done in track(as_completed(checks), total=stories, description=f"{stories * OF_ONE_STORY} orders"):
            done.result()
    took = time.monotonic() - started
    print(f"{stories * OF_ONE_STORY} orders of {stories} stories end the same; seed {asked.seed}, {took:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main()
