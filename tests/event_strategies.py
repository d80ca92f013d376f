"""Hypothesis strategies for money and whole events, for every test that needs any event at all."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args

from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import EXPONENTS, Money
from schemas.sales import (
    BalanceMoved,
    Customer,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    MoveCategory,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    RefundFailed,
    Settlement,
    SubscriptionUpdated,
)
from schemas.told import CreditVoided, PaymentExpected, SaleCredited, SaleLine, SaleLinked, SaleTold, TaxPart
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


positive = money(smallest=1)
customers = st.builds(Customer, id=ids, name=st.none() | texts, email=st.none() | texts)
maybe_id = st.none() | ids
maybe_settlement = st.none() | settlements()


@st.composite
def _dispute(draw: st.DrawFn, model: type[DisputeOpened | DisputeWon]) -> EventData:
    code = draw(currencies)
    given_back = st.none() | money(currency=code, smallest=1)
    refers: dict[str, Any] = {"of": draw(ids), "taken": draw(given_back)} if model is DisputeWon else {}
    return model(
        **refers,
        fact=draw(ids),
        dispute=draw(ids),
        charge=draw(maybe_id),
        amount=draw(money(currency=code, smallest=1)),
        fee=draw(money(currency=code, smallest=0)),
        fee_tax=draw(money(currency=code, smallest=0)),
    )


@st.composite
def _sales_told(draw: st.DrawFn) -> EventData:
    code = draw(currencies)
    some, none = money(currency=code, smallest=0), Money.zero(code)
    paid, credited, outside = draw(some), draw(st.none() | some), draw(st.none() | some)
    used = draw(st.none() | money(currency=code))
    taxes = st.builds(TaxPart, code=maybe_id, amount=money(currency=code), inclusive=st.booleans())
    quantity = st.none() | st.integers(0, 1000)
    lines = st.builds(SaleLine, item=maybe_id, product=maybe_id, quantity=quantity, amount=money(currency=code))
    return SaleTold(
        fact=draw(ids),
        invoice=draw(maybe_id),
        session=draw(maybe_id),
        payment_intent=draw(maybe_id),
        charge=draw(maybe_id),
        customer=draw(maybe_id),
        total=paid + (used or none) + (credited or none) + (outside or none),
        paid=paid,
        from_balance=used,
        credited=credited,
        paid_outside=outside,
        taxes=draw(st.lists(taxes, max_size=3).map(tuple)),
        lines=draw(st.lists(lines, max_size=3).map(tuple)),
    )


@st.composite
def _sales_credited(draw: st.DrawFn) -> EventData:
    code = draw(currencies)
    parts = [draw(money(currency=code, smallest=0)) for _ in range(4)]
    one = Money.of(Decimal(1), code)
    parts[0] += one
    return SaleCredited(
        fact=draw(ids),
        credit_note=draw(ids),
        invoice=draw(ids),
        amount=sum(parts[1:], parts[0]),
        tax=draw(money(currency=code, smallest=0)),
        refunds=tuple(draw(st.lists(ids, max_size=3))),
        refunded=parts[0],
        to_balance=parts[1],
        outside=parts[2],
        before_payment=parts[3],
    )


event_data: st.SearchStrategy[EventData] = st.one_of(
    st.builds(
        PaymentSucceeded,
        fact=ids,
        charge=ids,
        payment_intent=maybe_id,
        invoice=maybe_id,
        customer=st.none() | customers,
        amount=positive,
        settlement=maybe_settlement,
        destination=maybe_id,
    ),
    st.builds(
        PaymentRefunded,
        fact=ids,
        of=maybe_id,
        charge=maybe_id,
        refund=maybe_id,
        amount=positive,
        settlement=maybe_settlement,
        refunded_total=st.none() | positive,
    ),
    st.builds(
        RefundFailed, fact=ids, of=ids, charge=maybe_id, refund=ids, amount=positive, settlement=maybe_settlement
    ),
    _dispute(DisputeOpened),
    _dispute(DisputeWon),
    st.builds(DisputeLost, fact=ids, of=ids, dispute=ids, charge=maybe_id, amount=positive, taken=st.none() | positive),
    st.builds(PayoutPaid, fact=ids, payout=ids, amount=money(), arrival_date=days, settlement=maybe_settlement),
    st.builds(
        PayoutFailed, fact=ids, of=ids, payout=ids, amount=money(), arrival_date=days, settlement=maybe_settlement
    ),
    st.builds(
        BalanceMoved,
        fact=ids,
        transaction=maybe_id,
        kind=ids,
        category=st.sampled_from(get_args(MoveCategory)),
        of=maybe_id,
        settlement=settlements(),
    ),
    st.builds(SubscriptionUpdated, fact=ids, subscription=ids, customer=maybe_id, status=maybe_id),
    _sales_told(),
    _sales_credited(),
    st.builds(CreditVoided, fact=ids, of=ids, credit_note=ids, invoice=ids),
    st.builds(
        SaleLinked,
        fact=ids,
        invoice=ids,
        payment_intent=maybe_id,
        charge=maybe_id,
        amount=positive,
        outside=st.booleans(),
    ),
    st.builds(PaymentExpected, fact=ids, payment_intent=maybe_id, charge=maybe_id, amount=positive),
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
