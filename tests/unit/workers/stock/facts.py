"""Facts about stock, to be told in any order, and the books that come of them: a strategy, and a way to tell them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.inventory import (
    BillLine,
    BillReceived,
    OrderLine,
    OrderPlaced,
    ReceiptLine,
    ReceiptPosted,
    StockAdjusted,
    StockCounted,
)
from schemas.money import Money
from workers.books.books import Books, sample_books
from workers.plans import plan
from workers.plans.writes import BillWrite, EntryWrite, Parked, Plan
from workers.prerequisites import PrerequisiteMissing
from workers.stock.book import StockBook
from workers.stock.card import Card
from workers.stock.memory import MemoryRecords

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)
BOOKS = sample_books().model_copy(
    update={"inventory": sample_books().inventory.model_copy(update={"zero_value": "skip"})}
)
"""Nothing is parked but what lacks a cost, so that what is in the books depends on what is told alone."""

Balances = dict[str, Decimal]


def usd(amount: str | Decimal) -> Money:
    return Money.of(amount, "USD")


def told(data: EventData, *, hour: int = 0) -> Event:
    """The event of a fact, so many hours after the beginning."""
    return Event.of(
        data, id=data.fact, source="/warehouse/test", time=BEGAN + timedelta(hours=hour), subject="s", partitionkey="p"
    )


def adjusted(name: str, delta: str, *, hour: int = 0, cost: str | None = None, reason: str = "damage") -> Event:
    unit_cost = None if cost is None else usd(cost)
    return told(
        StockAdjusted(fact=name, item="MUG", delta=Decimal(delta), reason=reason, unit_cost=unit_cost), hour=hour
    )


def counted(name: str, level: str, *, hour: int = 0, place: str | None = None, reason: str = "cycle_count") -> Event:
    return told(StockCounted(fact=name, item="MUG", counted=Decimal(level), place=place, reason=reason), hour=hour)


def received(  # noqa: PLR0913 - what a receipt may say
    name: str,
    quantity: str,
    *,
    hour: int = 0,
    cost: str | None = None,
    order: str = "PO-1",
    rejected: str | None = None,
) -> Event:
    line = ReceiptLine(
        item="MUG",
        quantity=Decimal(quantity),
        unit_cost=None if cost is None else usd(cost),
        rejected=None if rejected is None else Decimal(rejected),
    )
    return told(ReceiptPosted(fact=name, order=order, receipt=name, lines=(line,)), hour=hour)


def ordered(name: str, cost: str, *, hour: int = 0, order: str = "PO-1") -> Event:
    return told(OrderPlaced(fact=name, order=order, lines=(OrderLine(item="MUG", unit_cost=usd(cost)),)), hour=hour)


def billed(  # noqa: PLR0913 - what a bill says
    name: str, quantity: str, amount: str, *, hour: int = 0, order: str = "PO-1", tax: str = "0"
) -> Event:
    line = BillLine(item="MUG", quantity=Decimal(quantity), amount=usd(amount))
    total = usd(Decimal(amount) + Decimal(tax))
    bill = BillReceived(
        fact=name,
        order=order,
        bill=name,
        supplier="Potters",
        lines=(line,),
        tax=usd(tax),
        total=total,
        day=date(2026, 3, 9),
    )
    return told(bill, hour=hour)


class Telling:
    """Tells a stock book of one company events, and adds up what it posts."""

    def __init__(self, books: Books = BOOKS) -> None:
        self.books = books
        self.records = MemoryRecords()
        self.book = StockBook(records=self.records, books=books, company="main")
        self.balances: Balances = defaultdict(Decimal)
        self.done: dict[str, Plan] = {}

    async def tell(self, event: Event) -> Plan:
        """What the event posts; the second time the same, which Solid gets once only. Raises Parked and others."""
        planned = await self.book.complete(plan(event, self.books), event)
        if event.data.fact in self.done:
            assert planned == self.done[event.data.fact]
            return planned
        self.done[event.data.fact] = planned
        for write in planned.writes:
            if isinstance(write, EntryWrite):
                for line in write.lines:
                    self.balances[line.role] += (line.debit or Decimal(0)) - (line.credit or Decimal(0))
            elif isinstance(write, BillWrite):
                self.balances["payable"] -= write.total
                for bill_line in write.lines:
                    self.balances[bill_line.role] += bill_line.amount
        return planned

    async def tell_all(self, events: Sequence[Event]) -> Balances:
        """Tell all; what is parked is told again after the others, until no more can be booked, as a person would."""
        waiting = list(events)
        while waiting:
            parked = []
            for event in waiting:
                try:
                    await self.tell(event)
                except (Parked, PrerequisiteMissing):
                    parked.append(event)
            if len(parked) == len(waiting):
                break
            waiting = parked
        return self.shown()

    def card(self, item: str) -> Card:
        """What is known of the item."""
        body = self.records.cards.get(item)
        return Card.from_json(body) if body else Card()

    def shown(self) -> Balances:
        """The balances that are not zero."""
        return {role: amount for role, amount in self.balances.items() if amount}


hours = st.integers(0, 8)
cents = st.integers(1, 999).map(lambda number: str(Decimal(number).scaleb(-2)))
some = st.integers(1, 20).map(str)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Facts about one item: each its own, at times that may well be the same; at most one bill, and a credit note.

    Of two bills for the same goods one comes before a person, and which one is a matter of order.
    """
    kinds = draw(st.lists(st.sampled_from("rrraaco"), min_size=1, max_size=9)) + draw(
        st.sampled_from([[], ["b"], ["b", "k"]])
    )
    return [_fact(draw, kind, f"fact-{number}") for number, kind in enumerate(kinds)]


def _fact(draw: st.DrawFn, kind: str, name: str) -> Event:
    hour = draw(hours)
    cost = draw(st.none() | cents)
    order = draw(st.sampled_from(["PO-1", "PO-2"]))
    match kind:
        case "r":
            return received(name, draw(some), hour=hour, cost=cost, order=order, rejected=draw(st.none() | some))
        case "a":
            delta = draw(st.integers(-15, 15).filter(bool).map(str))
            return adjusted(
                name, delta, hour=hour, cost=cost, reason=draw(st.sampled_from(["damage", "lost", "shipment"]))
            )
        case "c":
            return counted(name, draw(some), hour=hour)
        case "o":
            return ordered(name, draw(cents), hour=hour, order=order)
        case "k":
            return billed(name, draw(st.integers(-3, -1).map(str)), f"-{draw(cents)}", hour=hour, order=order)
        case _:
            return billed(name, draw(st.integers(1, 3).map(str)), draw(cents), hour=hour, order=order)
