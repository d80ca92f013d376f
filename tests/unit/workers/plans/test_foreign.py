"""Sales in a currency that the books are not kept in: told with their settlement they post, else they wait."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import (
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutPaid,
    RefundFailed,
    Settlement,
)
from workers.books.books import sample_books
from workers.plans import plan
from workers.plans.foreign import Booked, at_the_rate_of_the_sale
from workers.plans.writes import EntryWrite, Line, Parked, PaymentWrite, Plan

BOOKS = sample_books().model_copy(update={"base_currency": "GBP"})
PAID = Money.of("50.00", "USD")


def settled(gross: str, fee: str = "0", currency: str = "GBP") -> Settlement:
    money = {name: Money.of(value, currency) for name, value in (("gross", gross), ("fee", fee), ("fee_tax", "0"))}
    return Settlement(balance_transaction="txn_1", net=money["gross"] - money["fee"], **money)


def planned(data: EventData, books: object = BOOKS) -> Plan:
    event = Event.of(
        data,
        id="evt_1",
        source="/webhooks/stripe",
        time=datetime(2026, 1, 15, 12, tzinfo=UTC),
        subject="ch_1",
        partitionkey="ch_1",
    )
    return plan(event, BOOKS if books is BOOKS else sample_books())


SALE = PaymentSucceeded(fact="stripe:charge:ch_1", charge="ch_1", amount=PAID)
REFUND = PaymentRefunded(fact="stripe:refund:re_1", charge="ch_1", refund="re_1", amount=PAID)
FAILED = RefundFailed(
    fact="stripe:refund:re_1:failed", of="stripe:refund:re_1", charge="ch_1", refund="re_1", amount=PAID
)
NOTHING = Money.of("0", "USD")
TAKEN = DisputeOpened(fact="stripe:dispute:dp_1:withdrawn", dispute="dp_1", amount=PAID, fee=NOTHING, fee_tax=NOTHING)
GIVEN = DisputeWon(
    fact="stripe:dispute:dp_1:reinstated", of=TAKEN.fact, dispute="dp_1", amount=PAID, fee=NOTHING, fee_tax=NOTHING
)


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (SALE, "stripe:charge:ch_1:payment"),
        (REFUND, "stripe:refund:re_1"),
        (FAILED, "stripe:refund:re_1:failed"),
        (TAKEN, "stripe:dispute:dp_1:withdrawn"),
        (GIVEN, "stripe:dispute:dp_1:reinstated"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_told_without_its_settlement_posts_nothing_and_waits_for_the_same_fact(
    data: EventData, first: str
) -> None:
    found = planned(data)
    assert found.writes == ()
    [need] = found.requires
    assert need.key == "unmapped:currency:USD"
    assert (getattr(need, "external_id", None), getattr(need, "message", None)) == (
        first,
        "50.00 USD cannot be posted before what moved the balance is told in GBP",
    )


def test_a_sale_posts_what_reached_the_balance_and_its_fee() -> None:
    writes = planned(SALE.model_copy(update={"settlement": settled("31.72", "1.12")})).writes
    assert [write.amount for write in writes if write.kind in {"invoice", "payment"}] == [Decimal("31.72")] * 2
    assert {write.currency for write in writes} == {"GBP"}
    assert writes[-1].amount == Decimal("1.12")
    [payment] = [write for write in writes if isinstance(write, PaymentWrite)]
    assert payment.paid == PAID


def test_books_that_take_every_currency_wait_for_nothing() -> None:
    assert planned(SALE, None).writes


def test_a_sum_of_refunds_waits_for_those_that_are_named_in_any_currency() -> None:
    summed = REFUND.model_copy(update={"refund": None, "refunded_total": PAID})
    assert [need.key for need in planned(summed).requires] == ["prerequisite:stripe:refunds:ch_1"]


@pytest.mark.parametrize(
    "data",
    [
        SALE.model_copy(update={"amount": Money.of("50", "GBP"), "settlement": settled("63.10", currency="USD")}),
        SALE.model_copy(update={"settlement": settled("50.00", currency="USD")}),
        PayoutPaid(fact="stripe:payout:po_1", payout="po_1", amount=PAID, arrival_date=date(2026, 1, 15)),
    ],
)
def test_what_moved_a_balance_that_the_books_cannot_hold_is_parked_with_its_figures(data: EventData) -> None:
    with pytest.raises(Parked, match=r"\d+\.\d\d USD cannot be posted: the books are kept in GBP") as parked:
        planned(data)
    assert parked.value.reason == "unmapped:currency:USD"


def entry(returned: str, *, failed: bool = False) -> EntryWrite:
    size = Decimal(returned)
    sides = [("sales_returns", not failed), ("stripe_clearing", failed)]
    lines = tuple(
        Line(role=role, account=role, **{"debit" if is_debit else "credit": size})
        for role, is_debit in sorted(sides, key=lambda each: not each[1])
    )
    return EntryWrite(
        external_id="stripe:refund:re_1",
        date=date(2026, 1, 15),
        currency="GBP",
        memo="x",
        lines=lines,
    )


def by_role(write: EntryWrite) -> dict[str, Decimal]:
    return {line.role: (line.debit or Decimal(0)) - (line.credit or Decimal(0)) for line in write.lines}


SOLD = Booked(paid=PAID, amount=Money.of("31.72", "GBP"))


@pytest.mark.parametrize(
    ("moved", "back", "share", "exchange"),
    [
        ("32.10", "50.00", "31.72", "0.38"),
        ("31.00", "50.00", "31.72", "-0.72"),
        ("16.00", "25.00", "15.86", "0.14"),
        ("10.60", "16.67", "10.58", "0.02"),
    ],
)
def test_a_refund_at_another_rate_takes_back_its_share_of_the_sale(
    moved: str, back: str, share: str, exchange: str
) -> None:
    got = Money.of(back, "USD")
    found = by_role(at_the_rate_of_the_sale(entry(moved), SOLD, back=got, books=BOOKS))
    assert found == {
        "sales_returns": Decimal(share),
        "exchange_gain_loss": Decimal(exchange),
        "stripe_clearing": -Decimal(moved),
    }
    undone = by_role(at_the_rate_of_the_sale(entry(moved, failed=True), SOLD, back=got, books=BOOKS))
    assert undone == {role: -amount for role, amount in found.items()}


def test_a_refund_at_the_same_rate_has_no_exchange_difference() -> None:
    assert at_the_rate_of_the_sale(entry("31.72"), SOLD, back=PAID, books=BOOKS) == entry("31.72")


def test_an_exchange_difference_without_an_account_is_for_a_person() -> None:
    books = BOOKS.model_copy(update={"accounts": {"sales_returns": "Sales Returns"}})
    with pytest.raises(Parked) as parked:
        at_the_rate_of_the_sale(entry("32.10"), SOLD, back=PAID, books=books)
    assert parked.value.reason == "unmapped:account:exchange_gain_loss"


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**9))
def test_an_entry_at_the_rate_of_its_sale_balances_and_moves_clearing_by_what_left_it(
    moved: int, back: int, booked: int
) -> None:
    paid = Money.of(Decimal(max(back, 100)).scaleb(-2), "USD")
    sale = Booked(paid=paid, amount=Money.of(Decimal(booked).scaleb(-2), "GBP"))
    size = Decimal(moved).scaleb(-2)
    got = Money.of(Decimal(back).scaleb(-2), "USD")
    found = by_role(at_the_rate_of_the_sale(entry(f"{size:f}"), sale, back=got, books=BOOKS))
    assert found["stripe_clearing"] == -size
    assert sum(found.values()) == 0
