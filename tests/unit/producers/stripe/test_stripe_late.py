"""Balance transactions that Stripe tells late: the same facts, with what they cost."""

from datetime import date

import pytest

from schemas.money import Money
from schemas.sales import PayoutFailed, PayoutPaid
from tests.unit.producers.made import ignored, only_event, payout, refund, stripe_event, transaction

CHANGED = ["payout.updated", "payout.reconciliation_completed"]
RECONCILED = {"reconciliation_status": "in_progress"}


@pytest.mark.parametrize("kind", ["refund.updated", "charge.refund.updated"])
def test_a_refund_whose_transaction_is_told_late_is_the_same_fact_with_its_settlement(kind: str) -> None:
    settled = refund(balance_transaction=transaction(-500, 10))
    late = only_event(stripe_event(kind, settled, {"balance_transaction": "txn_1"})).data
    assert late == only_event(stripe_event("refund.created", settled)).data


def test_a_failed_refund_whose_transaction_is_told_late_is_the_same_fact() -> None:
    failed = refund(status="failed", failure_balance_transaction=transaction(500))
    late = only_event(stripe_event("refund.updated", failed, {"failure_balance_transaction": None})).data
    assert late == only_event(stripe_event("refund.failed", failed)).data


@pytest.mark.parametrize("kind", CHANGED)
def test_an_instant_payout_whose_transaction_is_told_late_is_the_same_fact_with_its_fee(kind: str) -> None:
    instant = payout(amount=9900, method="instant", balance_transaction=transaction(-9900, 100))
    data = only_event(stripe_event(kind, instant, RECONCILED)).data
    assert isinstance(data, PayoutPaid)
    assert (data.fact, data.amount) == ("stripe:payout:po_1", Money.of("99", "USD"))
    assert data.settlement is not None
    assert (data.settlement.fee, data.settlement.net) == (Money.of("1", "USD"), Money.of("-100", "USD"))


@pytest.mark.parametrize(
    ("kind", "fields", "previous"),
    [
        ("payout.reconciliation_completed", {"reconciliation_status": "completed"}, RECONCILED),
        ("payout.updated", {}, {"status": "in_transit"}),
    ],
)
def test_a_payout_that_has_arrived_is_told_once_by_whichever_event(
    kind: str, fields: dict[str, object], previous: dict[str, object]
) -> None:
    late = only_event(stripe_event(kind, payout(**fields), previous)).data
    assert late == only_event(stripe_event("payout.paid", payout())).data


@pytest.mark.parametrize(
    ("status", "previous", "why"),
    [
        ("paid", {"metadata": {}}, "payout_status_unchanged"),
        ("failed", {"metadata": {}}, "payout_status_unchanged"),
        ("pending", {"arrival_date": 1}, "payout_on_its_way"),
        ("in_transit", {"status": "pending"}, "payout_on_its_way"),
    ],
)
def test_any_other_change_of_a_payout_posts_nothing(status: str, previous: dict[str, object], why: str) -> None:
    assert ignored(stripe_event("payout.updated", payout(status=status), previous)) == why


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_payout_that_was_undone_takes_back_what_it_posted(status: str) -> None:
    undone = payout(status=status, failure_balance_transaction=transaction(1100))
    for previous in ({"status": "paid"}, {"failure_balance_transaction": None}):
        data = only_event(stripe_event("payout.updated", undone, previous)).data
        assert isinstance(data, PayoutFailed)
        assert (data.fact, data.of) == ("stripe:payout:po_1:failed", "stripe:payout:po_1")


def test_a_payout_that_takes_another_one_back_is_a_payout_of_its_own() -> None:
    repaid = payout(id="po_2", amount=-1100, original_payout="po_1", balance_transaction=transaction(1100))
    data = only_event(stripe_event("payout.paid", repaid)).data
    assert isinstance(data, PayoutPaid)
    assert (data.fact, data.amount) == ("stripe:payout:po_2", Money.of("-11", "USD"))
    again = only_event(stripe_event("payout.updated", payout(reversed_by="po_2"), {"status": "in_transit"})).data
    assert isinstance(again, PayoutPaid)
    assert again.arrival_date == date(2026, 1, 15)
