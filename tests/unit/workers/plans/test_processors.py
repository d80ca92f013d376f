"""Another payment processor: its own clearing account, its name in memos, and ids made of its own facts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest

from producers.normalising import NormaliseContext, Taken
from producers.sources import SOURCES
from runtime.settings import ConfigurationError
from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import (
    Customer,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    RefundFailed,
    Settlement,
)
from workers.books.books import Books, load_books, sample_books
from workers.plans import plan
from workers.plans.writes import EntryWrite, Parked, PaymentWrite, Plan, Prerequisite

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = date(2026, 1, 15)
TEN, ONE, NONE = (Money.of(amount, "USD") for amount in ("10.00", "1.00", "0.00"))
SETTLED = Settlement(balance_transaction="bt-1", gross=TEN, fee=ONE, fee_tax=NONE, net=TEN - ONE)
ACCOUNTS = {role: role for role in sample_books().accounts if not role.endswith("_clearing")}
OTHER = {"other_pay": {"clearing": "Other Clearing", "name": "Other Pay"}}

EVENTS: list[EventData] = [
    PaymentSucceeded(fact="other_pay:payment:1", charge="1", amount=TEN, settlement=SETTLED),
    PaymentSucceeded(fact="other_pay:payment:2", charge="2", amount=TEN, customer=Customer(id="c", name="Ada")),
    PaymentRefunded(fact="other_pay:refund:3", of="other_pay:payment:1", charge="1", refund="3", amount=ONE),
    PaymentRefunded(fact="other_pay:refunded:1:100", charge="1", amount=ONE, refunded_total=ONE),
    RefundFailed(fact="other_pay:refund:3:failed", of="other_pay:refund:3", refund="3", amount=ONE),
    DisputeOpened(fact="other_pay:dispute:4", dispute="4", amount=TEN, fee=ONE, fee_tax=NONE),
    DisputeWon(
        fact="other_pay:dispute:4:won", of="other_pay:dispute:4", dispute="4", amount=TEN, fee=NONE, fee_tax=NONE
    ),
    DisputeLost(fact="other_pay:dispute:4:lost", of="other_pay:dispute:4", dispute="4", amount=TEN),
    PayoutPaid(fact="other_pay:payout:5", payout="5", amount=TEN, arrival_date=DAY, settlement=SETTLED),
    PayoutFailed(fact="other_pay:payout:5:failed", of="other_pay:payout:5", payout="5", amount=TEN, arrival_date=DAY),
]


def books(**changes: object) -> Books:
    return Books.model_validate({"base_currency": "USD", "accounts": ACCOUNTS, "processors": OTHER, **changes})


def event_of(data: EventData) -> Event:
    return Event.of(data, id="1", source="/webhooks/other", time=NOON, subject="1", partitionkey="1", company="main")


def planned(data: EventData, by: Books) -> Plan:
    return plan(event_of(data), by)


@pytest.mark.parametrize("data", EVENTS, ids=lambda data: data.fact)
def test_nothing_of_another_processor_is_called_stripe(data: EventData) -> None:
    written = planned(data, books())
    assert "stripe" not in written.model_dump_json().lower()
    assert all(write.external_id.startswith("other_pay:") for write in written.writes)
    assert all(write.memo.startswith("Other Pay ") for write in written.writes)


@pytest.mark.parametrize("data", EVENTS, ids=lambda data: data.fact)
def test_what_it_waits_for_is_what_the_other_event_wrote(data: EventData) -> None:
    ids = {write.external_id for other in EVENTS for write in planned(other, books()).writes}
    needs = [need.external_id for need in planned(data, books()).requires if isinstance(need, Prerequisite)]
    assert set(needs) <= ids
    assert bool(needs) == (getattr(data, "of", None) is not None)


def test_a_processor_is_known_behind_the_name_of_its_feed() -> None:
    payment, refund = EVENTS[0], EVENTS[2]
    source = replace(
        SOURCES["warehouse-json"], read=lambda *_: iter([Taken("1", (event_of(payment), event_of(refund)))])
    )
    [taken] = source.pieces(BytesIO(), NormaliseContext(facts_of="till"))
    assert isinstance(taken, Taken)
    paid, back = (plan(event, books()) for event in taken.events)
    assert [need.external_id for need in back.requires if isinstance(need, Prerequisite)] == [
        write.external_id for write in paid.writes if write.external_id.endswith(":invoice")
    ]
    assert [write.account for write in paid.writes if isinstance(write, PaymentWrite)] == ["Other Clearing"]
    assert all(write.memo.startswith("Other Pay ") for write in (*paid.writes, *back.writes))


def cleared(by: Books) -> str:
    [payment] = [write for write in planned(EVENTS[0], by).writes if isinstance(write, PaymentWrite)]
    return payment.account


def test_its_money_goes_through_its_own_clearing_account_or_through_that_of_all_others() -> None:
    shared = {**ACCOUNTS, "processor_clearing": "Shared Clearing"}
    assert cleared(books()) == "Other Clearing"
    assert cleared(books(processors={}, accounts=shared)) == "Shared Clearing"
    with pytest.raises(Parked, match=r"\[processors\.other_pay\] clearing"):
        planned(EVENTS[0], books(processors={}))


def test_a_processor_that_is_given_its_own_account_later_has_the_same_economics() -> None:
    shared = {**ACCOUNTS, "processor_clearing": "Shared Clearing"}
    before, after = (planned(EVENTS[0], by) for by in (books(processors={}, accounts=shared), books()))
    assert [write.payload_hash for write in before.writes] == [write.payload_hash for write in after.writes]
    assert [write for write in before.writes if isinstance(write, EntryWrite)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[processors.stripe]\nclearing = "Another"', "keep one of them"),
        ('[processors.square]\nname = "Square"', "clearing"),
        ('[processors."Square Up"]\nclearing = "Square"', "processors"),
    ],
)
def test_a_table_of_a_processor_that_says_nothing_or_twice_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "books.toml"
    file.write_text(f'base_currency = "USD"\n[accounts]\nstripe_clearing = "Stripe"\n{text}\n')
    with pytest.raises(ConfigurationError, match=says):
        load_books(file)
