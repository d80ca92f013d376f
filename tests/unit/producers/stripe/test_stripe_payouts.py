from datetime import date

import pytest

from producers.normalising import Rejected
from schemas.money import Money
from schemas.sales import PayoutFailed, PayoutPaid, SubscriptionUpdated
from tests.unit.producers.made import ignored, normalised, only_event, payout, stripe_event, transaction


def test_a_payout_is_dated_by_its_arrival_in_utc() -> None:
    event = only_event(stripe_event("payout.paid", payout(arrival_date=1_768_521_599)))
    assert event.data == PayoutPaid(
        fact="stripe:payout:po_1", payout="po_1", amount=Money.of("11", "USD"), arrival_date=date(2026, 1, 15)
    )
    assert (event.subject, event.partitionkey) == ("po_1", "po_1")


def test_a_negative_payout_keeps_its_sign() -> None:
    """Made up: Stripe debits the bank."""
    data = only_event(stripe_event("payout.paid", payout(amount=-1100, balance_transaction=transaction(1100)))).data
    assert isinstance(data, PayoutPaid)
    assert data.amount == Money.of("-11", "USD")
    assert data.settlement is not None
    assert data.settlement.gross == Money.of("11", "USD")


def test_an_instant_payouts_fee_is_told_by_its_transaction() -> None:
    data = only_event(stripe_event("payout.paid", payout(balance_transaction=transaction(-1100, 11)))).data
    assert isinstance(data, PayoutPaid)
    assert data.settlement is not None
    assert data.settlement.net == Money.of("-11.11", "USD")


def test_a_failed_payout_names_the_payout_it_takes_back() -> None:
    failed = payout(status="failed", failure_balance_transaction=transaction(1100))
    data = only_event(stripe_event("payout.failed", failed)).data
    assert isinstance(data, PayoutFailed)
    assert (data.fact, data.amount) == ("stripe:payout:po_1:failed", Money.of("11", "USD"))
    assert data.settlement is not None


def test_a_created_payout_posts_nothing_even_when_it_says_paid() -> None:
    assert ignored(stripe_event("payout.created", payout())) == "type_not_used:payout.created"


@pytest.mark.parametrize("kind", ["payout.paid", "payout.failed"])
def test_a_payout_of_nothing_posts_nothing(kind: str) -> None:
    assert ignored(stripe_event(kind, payout(amount=0))) == "amount_zero"


@pytest.mark.parametrize("arrival", [None, "2026-01-15", 1e9, -1, 1_768_478_400_000, True])
def test_a_payout_without_a_sound_arrival_is_refused(arrival: object) -> None:
    with pytest.raises(Rejected) as caught:
        normalised(stripe_event("payout.paid", payout(arrival_date=arrival)))
    assert caught.value.field == "data.object.arrival_date"


def test_a_payout_that_differs_from_its_transaction_is_refused() -> None:
    with pytest.raises(Rejected, match=r"-10\.00 USD") as caught:
        normalised(stripe_event("payout.paid", payout(balance_transaction=transaction(-1000))))
    assert caught.value.reason == "does_not_add_up"


def test_a_subscription_posts_nothing_but_is_told() -> None:
    subscription = {
        "id": "sub_1",
        "object": "subscription",
        "customer": {"id": "cus_1"},
        "status": "past_due",
    }
    event = only_event(stripe_event("customer.subscription.updated", subscription))
    assert event.data == SubscriptionUpdated(
        fact="stripe:subscription:sub_1:evt_1", subscription="sub_1", customer="cus_1", status="past_due"
    )
    assert event.partitionkey == "cus_1"
    alone = only_event(stripe_event("customer.subscription.updated", {"id": "sub_1"}))
    assert alone.partitionkey == "sub_1"
