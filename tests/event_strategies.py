"""Hypothesis strategies for money and whole events, for every test that needs any event at all."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import EXPONENTS, Money
from schemas.sales import (
    Capture,
    Customer,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    PaymentFailed,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    RefundFailed,
    RefundPending,
    Settlement,
    SubscriptionUpdated,
)
from tests.payroll_strategies import runs_paid, runs_reversed

currencies = st.sampled_from(sorted(EXPONENTS))
ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=30)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (it adds UTC)
days = st.dates(date(2000, 1, 1), date(2099, 1, 1))


@st.composite
def money(draw: st.DrawFn, *, currency: str | None = None, smallest: int = -(10**14)) -> Money:
    code = currency or draw(currencies)
    minor = draw(st.integers(smallest, 10**14))
    return Money.of(Decimal(minor).scaleb(-EXPONENTS[code]), code)


@st.composite
def settlements(draw: st.DrawFn) -> Settlement:
    code = draw(currencies)
    gross, fee, tax = (draw(money(currency=code)) for _ in range(3))
    return Settlement(balance_transaction=draw(ids), gross=gross, fee=fee, fee_tax=tax, net=gross - fee - tax)


@st.composite
def captured_parts(draw: st.DrawFn) -> PaymentSucceeded:
    code = draw(currencies)
    before, amount = draw(money(currency=code, smallest=0)), draw(money(currency=code, smallest=1))
    released = draw(st.none() | money(currency=code, smallest=1))
    capture = Capture(before=before, in_all=before + amount, released=released)
    fact = capture.fact(f"stripe:charge:{draw(ids)}")
    return PaymentSucceeded(fact=fact, charge=draw(ids), amount=amount, capture=capture)


positive = money(smallest=1)
customers = st.builds(Customer, id=ids, name=st.none() | texts, email=st.none() | texts)
maybe_id = st.none() | ids
maybe_settlement = st.none() | settlements()


@st.composite
def _dispute(draw: st.DrawFn, model: type[DisputeOpened | DisputeWon]) -> EventData:
    code, refers = draw(currencies), {"of": draw(ids)} if model is DisputeWon else {}
    return model(
        **refers,
        fact=draw(ids),
        dispute=draw(ids),
        charge=draw(maybe_id),
        amount=draw(money(currency=code, smallest=1)),
        fee=draw(money(currency=code, smallest=0)),
        fee_tax=draw(money(currency=code, smallest=0)),
    )


event_data: st.SearchStrategy[EventData] = st.one_of(
    captured_parts(),
    st.builds(
        PaymentSucceeded,
        fact=ids,
        charge=ids,
        payment_intent=maybe_id,
        invoice=maybe_id,
        customer=st.none() | customers,
        amount=positive,
        settlement=maybe_settlement,
    ),
    st.builds(RefundPending, fact=ids, of=ids, becomes=ids, charge=ids, refund=ids, amount=positive),
    st.builds(PaymentFailed, fact=ids, of=ids, charge=ids, amount=positive, settlement=maybe_settlement),
    st.builds(
        PaymentRefunded,
        fact=ids,
        of=maybe_id,
        charge=maybe_id,
        refund=maybe_id,
        amount=positive,
        settlement=maybe_settlement,
        refunded_total=st.none() | positive,
        released=st.none() | positive,
    ),
    st.builds(
        RefundFailed, fact=ids, of=ids, charge=maybe_id, refund=ids, amount=positive, settlement=maybe_settlement
    ),
    _dispute(DisputeOpened),
    _dispute(DisputeWon),
    st.builds(DisputeLost, fact=ids, of=ids, dispute=ids, charge=maybe_id, amount=positive),
    st.builds(PayoutPaid, fact=ids, payout=ids, amount=money(), arrival_date=days, settlement=maybe_settlement),
    st.builds(
        PayoutFailed, fact=ids, of=ids, payout=ids, amount=money(), arrival_date=days, settlement=maybe_settlement
    ),
    st.builds(SubscriptionUpdated, fact=ids, subscription=ids, customer=maybe_id, status=maybe_id),
    runs_paid(),
    runs_reversed(),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    return Event.of(
        draw(event_data),
        id=draw(ids),
        source=f"/webhooks/{draw(ids)}",
        time=draw(times),
        subject=draw(ids),
        partitionkey=draw(ids),
        company=draw(ids),
        traceparent=draw(maybe_id),
    )
