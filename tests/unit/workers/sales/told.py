"""Sales as events, made up: charges with and without fees, what is taken back of them, payouts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import (
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutPaid,
    RefundFailed,
    Settlement,
)

DAY = date(2026, 1, 15)


def at(day: int = 0, hour: int = 18) -> datetime:
    """A moment, so many days from the first."""
    return datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(days=day, hours=hour)


def usd(amount: str | Decimal) -> Money:
    return Money.of(amount, "USD")


def told(data: EventData, *, day: int = 0, id_: str | None = None) -> Event:
    return Event.of(
        data,
        id=id_ or f"evt of {data.fact}",
        source="/webhooks/stripe",
        time=at(day),
        subject=data.fact.split(":")[2],
        partitionkey=data.fact,
        company="main",
    )


def charge(number: int, *, amount: str = "20.00", fee: str | None = "0.88", day: int = 0) -> Event:
    settlement = None if fee is None else settled(f"txn_{number}", amount, fee)
    data = PaymentSucceeded(
        fact=f"stripe:charge:ch_{number}", charge=f"ch_{number}", amount=usd(amount), settlement=settlement
    )
    return told(data, day=day)


def foreign_charge(number: int, *, day: int = 0) -> Event:
    """25.00 EUR, which reached the balance as 27.50 USD."""
    settlement = settled(f"txn_{number}", "27.50", "1.10")
    data = PaymentSucceeded(
        fact=f"stripe:charge:ch_{number}",
        charge=f"ch_{number}",
        amount=Money.of("25.00", "EUR"),
        settlement=settlement,
    )
    return told(data, day=day)


def foreign_refund(number: int, *, of: int, day: int = 0) -> Event:
    """10.00 EUR of it, when that was 11.20 USD; the sale was booked at 11.00 for that share."""
    data = PaymentRefunded(
        fact=f"stripe:refund:re_{number}",
        of=f"stripe:charge:ch_{of}",
        charge=f"ch_{of}",
        refund=f"re_{number}",
        amount=Money.of("10.00", "EUR"),
        settlement=settled(f"txn_re_{number}", "-11.20", "0"),
    )
    return told(data, day=day)


def refund(number: int, *, of: int, amount: str = "5.00", day: int = 0) -> Event:
    data = PaymentRefunded(
        fact=f"stripe:refund:re_{number}", charge=f"ch_{of}", refund=f"re_{number}", amount=usd(amount)
    )
    return told(data, day=day)


def refunds_reach(of: int, *, total: str, day: int = 0) -> Event:
    data = PaymentRefunded(
        fact=f"stripe:refunded:ch_{of}:{total}", charge=f"ch_{of}", amount=usd(total), refunded_total=usd(total)
    )
    return told(data, day=day)


def refund_failed(number: int, *, of: int, amount: str = "5.00", day: int = 0) -> Event:
    name = f"stripe:refund:re_{number}"
    data = RefundFailed(fact=f"{name}:failed", of=name, charge=f"ch_{of}", refund=f"re_{number}", amount=usd(amount))
    return told(data, day=day)


def disputed(number: int, *, amount: str = "20.00", day: int = 0) -> Event:
    data = DisputeOpened(
        fact=f"stripe:dispute:dp_{number}:withdrawn",
        dispute=f"dp_{number}",
        amount=usd(amount),
        fee=usd("15.00"),
        fee_tax=usd("0"),
    )
    return told(data, day=day)


def lost(number: int, *, amount: str = "20.00", day: int = 0) -> Event:
    name = f"stripe:dispute:dp_{number}"
    data = DisputeLost(
        fact=f"{name}:lost", of=f"{name}:withdrawn", dispute=f"dp_{number}", amount=usd(amount), taken=usd(amount)
    )
    return told(data, day=day)


def won(number: int, *, amount: str = "20.00", day: int = 0) -> Event:
    name = f"stripe:dispute:dp_{number}"
    data = DisputeWon(
        fact=f"{name}:reinstated",
        of=f"{name}:withdrawn",
        dispute=f"dp_{number}",
        amount=usd(amount),
        fee=usd("0"),
        fee_tax=usd("0"),
    )
    return told(data, day=day)


def payout(number: int, *, amount: str, day: int = 0) -> Event:
    data = PayoutPaid(
        fact=f"stripe:payout:po_{number}",
        payout=f"po_{number}",
        amount=usd(amount),
        arrival_date=DAY + timedelta(days=day),
    )
    return told(data, day=day)


def settled(transaction: str, gross: str, fee: str) -> Settlement:
    net = Decimal(gross) - Decimal(fee)
    return Settlement(balance_transaction=transaction, gross=usd(gross), fee=usd(fee), fee_tax=usd("0"), net=usd(net))
