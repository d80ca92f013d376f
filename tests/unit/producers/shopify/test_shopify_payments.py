"""Shopify Payments: payouts, the transactions of its balance, and disputes."""

from typing import Any

import pytest

from producers.feeds.reading import read_document
from producers.normalising import NormaliseContext
from schemas.money import Money
from schemas.sales import (
    BalanceMoved,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
)
from tests.unit.producers.shopify.test_shopify_sales import FIXTURES, SALE, data_of, document, of, refusal, usd


def row(kind: str, amount: str, fee: str = "0.00", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of any kind
    net = f"{Money.of(amount, 'USD').amount - Money.of(fee, 'USD').amount:f}"
    common = {"id": 1, "type": kind, "test": False, "payout_id": 9, "payout_status": "paid", "currency": "USD"}
    return {**common, "amount": amount, "fee": fee, "net": net, "processed_at": "2026-10-05T09:00:00-04:00", **fields}


def test_a_payout_that_is_the_sum_of_its_summary_is_booked() -> None:
    (data,) = data_of(FIXTURES / "payout.json")
    assert isinstance(data, PayoutPaid)
    assert (data.fact, data.amount, str(data.arrival_date)) == ("shopify:payout:623721858", usd("41.90"), "2019-11-12")


def test_a_payout_that_is_not_is_refused_with_both_figures_and_those_beside_it_are_taken() -> None:
    found, rejected = read_document("shopify", (FIXTURES / "payouts.json").read_bytes(), NormaliseContext())
    assert [event.subject for event in found.events] == ["710174591", "623721858"]
    assert rejected is not None
    assert rejected.reason == "payout_does_not_add_up"
    assert "its summary makes 42.90 USD, the payout is 43.12 USD" in str(rejected)


@pytest.mark.parametrize("status", ["scheduled", "in_transit", "canceled"])
def test_a_payout_that_did_not_arrive_posts_nothing(status: str) -> None:
    body = document("payout")
    body["payout"]["status"] = status
    assert of(body).ignored == f"payout_{status}"


def test_a_failed_payout_has_the_same_figures_and_takes_the_paid_one_back() -> None:
    body = document("payout")
    (paid,) = data_of(body)
    body["payout"]["status"] = "failed"
    (failed,) = data_of(body)
    assert isinstance(paid, PayoutPaid)
    assert isinstance(failed, PayoutFailed)
    assert (failed.of, failed.amount) == (paid.fact, paid.amount)


def test_the_balance_tells_the_fee_of_what_webhooks_told() -> None:
    (told,) = data_of(document("transaction.sale"))
    charged, refunded, *_ = data_of(document("balance-transactions"))
    assert isinstance(charged, PaymentSucceeded)
    assert charged.fact == told.fact == f"shopify:charge:{SALE}"
    assert charged.settlement is not None
    assert (charged.settlement.fee, charged.settlement.net) == (usd("3.42"), usd("104.23"))
    assert isinstance(refunded, PaymentRefunded)
    assert refunded.fact == data_of(document("refund"))[0].fact


def test_a_dispute_is_one_fact_whoever_tells_it_and_its_fee_another() -> None:
    (webhook,) = data_of(document("dispute"))
    opened, fee = data_of(document("balance-transactions"))[2:4]
    assert isinstance(webhook, DisputeOpened)
    assert webhook == opened
    assert isinstance(fee, BalanceMoved)
    assert (fee.kind, fee.settlement.gross, fee.settlement.net) == ("dispute_fee", usd("-15.00"), usd("-15.00"))


def test_a_dispute_ends_won_or_lost_and_an_inquiry_moves_nothing() -> None:
    body = document("dispute")
    for status, model in (("won", DisputeWon), ("lost", DisputeLost), ("accepted", DisputeLost)):
        (ended,) = data_of({**body, "status": status, "finalized_on": "2026-11-01T00:00:00-04:00"})
        assert isinstance(ended, model)
        assert ended.of == "shopify:dispute:1052608616:withdrawn"
    assert of({**body, "type": "inquiry"}).ignored == "dispute_is_inquiry"
    assert refusal({**body, "status": "charge_refunded"}).reason == "unmapped:shopify_type:dispute_charge_refunded"


@pytest.mark.parametrize("kind", ["adjustment", "credit", "debit", "charge", "new_kind"])
def test_whatever_else_moves_the_balance_is_told_under_shopifys_own_word(kind: str) -> None:
    (data,) = data_of(row(kind, "-7.00"))
    assert isinstance(data, BalanceMoved)
    assert (data.fact, data.kind, data.category) == ("shopify:balance:1", kind, "adjustment")


def test_a_payout_in_the_balance_counts_once_it_is_paid_and_comes_back_when_it_failed() -> None:
    (paid,) = data_of(row("payout", "-5.40", source_id=90001))
    assert paid.fact == data_of(document("payout"))[0].fact
    assert of(row("payout", "-5.40", source_id=90001, payout_status="in_transit")).ignored == "payout_not_paid"
    (failed,) = data_of(row("payout_failure", "5.40", source_id=90001))
    assert isinstance(failed, PayoutFailed)
    assert (failed.of, failed.amount) == (paid.fact, usd("5.40"))


def test_a_transaction_that_does_not_add_up_is_refused_with_its_figures() -> None:
    refused = refusal({**row("charge", "10.00", "1.00"), "net": "9.01"})
    assert refused.reason == "does_not_add_up"
    assert "amount 10.00 USD - fee 1.00 USD = 9.00 USD, but net is 9.01 USD" in str(refused)


def test_a_test_in_the_balance_posts_nothing() -> None:
    assert of(row("charge", "10.00", "1.00", test=True)).ignored == "test_mode"
