"""A till: events of sales go in as a worker would handle them, and a trial balance comes out. Nothing is stored."""

from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from schemas.envelope import Event
from tests.unit.producers.made import normalised, stripe_event
from tests.unit.workers.model.model_relay import NothingReleased
from workers import prerequisites
from workers.books.books import Books, sample_books
from workers.books.sales import SalesPolicy
from workers.errors import Conflicting
from workers.plans import plan
from workers.plans.writes import AnyWrite, EntryWrite, InvoiceWrite, Parked, PaymentWrite
from workers.prerequisites import PrerequisiteMissing
from workers.sales.memory import MemoryInbox, MemorySales
from workers.sales.told import SalesBook

PLAIN = sample_books().model_copy(update={"base_currency": "USD"})
TAXED = PLAIN.model_copy(update={"sales": SalesPolicy(taxed=True)})

MOST_DEFERRALS = 5


def told(kind: str, obj: dict[str, Any]) -> list[Event]:
    """The events of one Stripe event, whose id is its own."""
    return list(normalised(stripe_event(kind, obj, id=f"evt_{kind}_{obj['id']}")).events)


@dataclass(slots=True)
class Till:
    """One company's sales; `letters` are what a person has to look at, by reason."""

    books: Books = PLAIN
    records: MemorySales = field(default_factory=MemorySales)
    inbox: MemoryInbox = field(default_factory=MemoryInbox)
    writes: dict[str, AnyWrite] = field(default_factory=dict)
    letters: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, *events: Event, waived: bool = False) -> None:
        """Handle events in turn; what waits comes again after all others, a few times."""
        waiting = deque((event, 0) for event in events)
        while waiting:
            event, deferred = waiting.popleft()
            try:
                await self._handle(event, waived=waived)
            except PrerequisiteMissing as error:
                if deferred < MOST_DEFERRALS:
                    waiting.append((event, deferred + 1))
                else:
                    self.letters.append((error.reason, str(error)))
            except (Parked, Conflicting) as error:
                self.letters.append((getattr(error, "reason", "conflict"), str(error)))

    async def _handle(self, event: Event, *, waived: bool) -> None:
        book = SalesBook(records=self.records, inbox=self.inbox, books=self.books, company="main")
        planned = plan(event, self.books)
        if waived:
            planned = planned.waived()
        day = self.books.day_of(event.time)
        released = NothingReleased()
        await prerequisites.check(self.inbox, "main", planned.requires, captures=released, earlier=None, day=day)
        completed = await book.complete(planned, event)
        for write in completed.writes:
            known = self.writes.setdefault(write.external_id, write)
            if known.payload_hash != write.payload_hash:
                raise Conflicting(f"{write.external_id}: {known.economics()} and {write.economics()}")
        self.inbox.keep(completed)

    @property
    def reasons(self) -> list[str]:
        """Why a person has to look."""
        return [reason for reason, _ in self.letters]

    @property
    def balance(self) -> dict[str, str]:
        """Debit less credit by account, without those that are even."""
        found: Counter[str] = Counter()
        for write in self.writes.values():
            for account, amount in legs_of(write):
                found[account] += amount  # type: ignore[assignment]
        return {account: f"{amount:f}" for account, amount in sorted(found.items()) if amount}


def legs_of(write: AnyWrite) -> list[tuple[str, Decimal]]:
    """What a write does to each account: debits above zero."""
    receivable = "Accounts Receivable"
    match write:
        case InvoiceWrite():
            lines = [(line.account, -line.amount) for line in write.lines] or [(write.account, -write.total)]
            return [(receivable, write.total), *lines]
        case PaymentWrite():
            return [(receivable, -write.total), (write.account, write.total)]
        case EntryWrite():
            return [
                (line.account, line.debit if line.debit is not None else -(line.credit or Decimal(0)))
                for line in write.lines
            ]
        case _:
            return []
