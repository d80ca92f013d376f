from datetime import date

import pytest

from producers.normalising import Rejected
from schemas.money import Money
from schemas.sales import PayoutFailed, PayoutPaid, SubscriptionUpdated
from tests.unit.producers.made import CREATED, Json, ignored, normalised, only_event, payout, stripe_event, transaction


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


def _transfer(**fields: object) -> Json:
    old = payout(object="transfer", date=CREATED, type="bank_account", destination="ba_1", recipient=None)
    del old["arrival_date"]
    return old | fields


@pytest.mark.parametrize("kind", ["payout.paid", "transfer.paid"])
def test_before_2017_a_payout_is_a_transfer_with_a_date(kind: str) -> None:
    data = only_event(stripe_event(kind, _transfer())).data
    assert isinstance(data, PayoutPaid)
    assert (data.fact, data.amount) == ("stripe:payout:po_1", Money.of("11", "USD"))
    assert data.arrival_date.isoformat() == "2026-01-15"


@pytest.mark.parametrize("kind", ["payout.failed", "payout.canceled", "transfer.failed", "transfer.canceled"])
def test_before_2017_a_payout_comes_back_as_a_transfer(kind: str) -> None:
    assert only_event(stripe_event(kind, _transfer(status="failed"))).data.fact == "stripe:payout:po_1:failed"


@pytest.mark.parametrize("fields", [{"destination": "acct_2"}, {"type": "stripe_account"}])
def test_a_transfer_to_an_account_is_no_payout(fields: dict[str, object]) -> None:
    assert ignored(stripe_event("transfer.paid", _transfer(**fields))) == "transfer_to_account"


def test_a_transfer_to_somebody_elses_bank_is_for_a_person() -> None:
    with pytest.raises(Rejected, match="somebody else") as caught:
        normalised(stripe_event("transfer.paid", _transfer(recipient="rp_1")))
    assert caught.value.reason == "unmapped:stripe_type:transfer"


@pytest.mark.parametrize("status", ["pending", "in_transit"])
def test_a_payout_that_fails_before_it_was_paid_posts_nothing(status: str) -> None:
    payload = stripe_event("payout.failed", payout(status="failed"), {"status": status})
    assert ignored(payload) == "payout_never_paid"


def test_a_payout_that_was_paid_and_fails_is_taken_back() -> None:
    failed = stripe_event("payout.failed", payout(status="failed"), {"status": "paid"})
    assert only_event(failed).data.fact == "stripe:payout:po_1:failed"
