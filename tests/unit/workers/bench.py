"""Puts appliers together for tests, each as if in a process of its own."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncEngine

from solid.models import Account
from store.cases import Cases
from store.claims import Refusal, WriteRow
from store.earlier import EarlierRecords
from store.errors import StoreUnavailable
from store.inbox import EventRef, Inbox
from store.sales.captures import Captures
from store.watch import Watch
from tests.fakes import NOON, FakeClock
from tests.unit.workers.solid import Crash, FakeSolid
from workers.applying import Applier, Timing
from workers.chart import Chart
from workers.earlier import Earlier
from workers.occasion import Occasion
from workers.plans.writes import ContactWrite, EntryWrite, InvoiceWrite, Line, PaymentWrite, Plan

COMPANY = "main"
TIMING = Timing(settle=60, lease=90, call=30)
DAY = date(2026, 1, 15)
NEWS = NOON + timedelta(days=1)
CHART = Chart(
    [
        Account(id="a-income", name="Sales"),
        Account(id="a-clearing", name="Clearing"),
        Account(id="a-fees", name="Fees"),
    ]
)


class BreakableInbox(Inbox):
    """The real inbox, but when an answer is to be stored, the next of `breaks` happens instead, unless it is None."""

    breaks: list[BaseException | None]

    async def applied(
        self, company: str, external_id: str, epoch: int, *, solid_id: str, adopted: bool = False
    ) -> None:
        """See `Inbox.applied`."""
        self._break()
        await super().applied(company, external_id, epoch, solid_id=solid_id, adopted=adopted)

    async def unknown(self, company: str, external_id: str, epoch: int, *, no: Refusal | None = None) -> None:
        """See `Inbox.unknown`."""
        self._break()
        await super().unknown(company, external_id, epoch, no=no)

    def _break(self) -> None:
        error = self.breaks.pop(0) if self.breaks else None
        if error is not None:
            raise error


@dataclass(slots=True)
class Bench:
    """One company's Solid, inbox and clock."""

    engine: AsyncEngine
    clock: FakeClock
    solid: FakeSolid = field(default_factory=FakeSolid)
    breaks: list[BaseException | None] = field(default_factory=list)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        """All processes have been there all the time, so that each knows how long a doubt is there."""
        self.watch = Watch(self.clock)

    def inbox(self, owner: str = "a") -> Inbox:
        """Open the inbox as one process does."""
        lease = timedelta(seconds=TIMING.lease)
        inbox = BreakableInbox(self.engine, owner=owner, lease=lease, clock=self.clock, watch=self.watch)
        inbox.breaks = self.breaks
        return inbox

    def applier(self, owner: str = "a") -> Applier:
        """Start a process: what an earlier one remembered is gone, what the inbox says stays."""
        inbox, earlier = self.inbox(owner), self.earlier(owner)
        return Applier(solid=self.solid, inbox=inbox, earlier=earlier, company=COMPANY, timing=TIMING, clock=self.clock)

    def earlier(self, owner: str = "a") -> Earlier:
        """What a process knows of the time before the inbox."""
        return Earlier(
            solid=self.solid,
            records=EarlierRecords(self.engine, self.clock),
            inbox=self.inbox(owner),
            cases=Cases(self.engine, self.clock),
            company=COMPANY,
            settle=timedelta(seconds=TIMING.settle),
            clock=self.clock,
        )

    def captures(self) -> Captures:
        """The table of captures."""
        return Captures(self.engine, self.clock)

    async def row(self, external_id: str) -> WriteRow:
        """What the inbox holds."""
        [row] = await self.inbox("reader").trace(external_id)
        return row

    async def state(self, external_id: str) -> str | None:
        """Give the state of a write, None when it is not known."""
        return (await self.inbox("reader").state_of(COMPANY, [external_id])).get(external_id)

    def break_store(self) -> None:
        """Let the store be out of reach the next time that an answer is to be stored."""
        self.breaks.append(StoreUnavailable("database is locked"))

    def crash_at_commit(self) -> None:
        """Let the process die the next time that an answer is to be stored."""
        self.breaks.append(Crash())


def event(number: int = 1) -> EventRef:
    return EventRef(source="/webhooks/stripe", id=f"evt_{number}", type="sales.payment.succeeded.v1", subject="ch_1")


def fact(number: int = 1, *, happened: datetime = NEWS) -> Occasion:
    """A fact of that event; by default it happened after the inbox began."""
    return Occasion(event(number), happened, CHART)


def entry(name: str = "fact:fee", amount: str = "1.50") -> EntryWrite:
    lines = (
        Line(role="processing_fees", account="Fees", debit=Decimal(amount)),
        Line(role="stripe_clearing", account="Clearing", credit=Decimal(amount)),
    )
    return EntryWrite(external_id=name, date=DAY, currency="USD", memo="Fee", lines=lines)


def one(name: str = "fact:fee", amount: str = "1.50") -> Plan:
    """Plan a single entry."""
    return Plan(writes=(entry(name, amount),))


def contact(name: str = "stripe:customer:cus_1", display_name: str = "Ada") -> ContactWrite:
    return ContactWrite(
        external_id=name, date=DAY, currency="USD", memo="Customer", display_name=display_name, email=None
    )


def sale(total: str = "20.00", *, invoice_account: str = "Sales", payment_account: str = "Clearing") -> Plan:
    """Plan a contact, an invoice and its payment."""
    customer = contact()
    invoice = InvoiceWrite(
        external_id="fact:invoice",
        date=DAY,
        currency="USD",
        memo="Charge",
        total=Decimal(total),
        contact=customer.external_id,
        role="income",
        account=invoice_account,
    )
    payment = PaymentWrite(
        external_id="fact:payment",
        date=DAY,
        currency="USD",
        memo="Charge",
        total=Decimal(total),
        contact=customer.external_id,
        invoice=invoice.external_id,
        role="stripe_clearing",
        account=payment_account,
    )
    return Plan(writes=(customer, invoice, payment))
