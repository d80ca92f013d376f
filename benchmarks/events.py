"""The events that the benchmarks play: payouts of one record each, and sales of two. They differ in their ids only."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import PaymentSucceeded, PayoutPaid

AT: Final = datetime.now(UTC) + timedelta(days=1)
"""News: of a fact older than the inbox, Solid is asked first."""

TWENTY: Final = Money.of("20.00", "USD")


def payouts(company: str, name: str, count: int) -> Iterator[Event]:
    """Events that become one journal entry each: one call to Solid."""
    for number in range(count):
        thing = f"po_{name}_{number}"
        data = PayoutPaid(fact=f"stripe:payout:{thing}", payout=thing, amount=TWENTY, arrival_date=AT.date())
        yield _event(company, data, thing)


def sales(company: str, name: str, count: int) -> Iterator[Event]:
    """Events that become an invoice and its payment each: two calls to Solid."""
    for number in range(count):
        thing = f"ch_{name}_{number}"
        data = PaymentSucceeded(fact=f"stripe:charge:{thing}", charge=thing, amount=TWENTY)
        yield _event(company, data, thing)


def _event(company: str, data: EventData, thing: str) -> Event:
    return Event.of(
        data,
        id=f"evt_{thing}",
        source="/webhooks/stripe",
        time=AT,
        subject=thing,
        partitionkey=thing,
        company=company,
    )
