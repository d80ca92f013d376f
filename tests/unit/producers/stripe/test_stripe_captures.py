"""Captures in parts, and balance transactions that `charge.updated` brings late."""

import pytest

from producers.normalising import Rejected
from schemas.money import Money
from schemas.sales import Capture, PaymentSucceeded
from tests.unit.producers.made import charge, ignored, normalised, only_event, stripe_event, transaction


def _usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def _told(payload: bytes) -> PaymentSucceeded:
    data = only_event(payload).data
    assert isinstance(data, PaymentSucceeded)
    return data


def test_the_first_capture_bears_the_name_of_the_charge() -> None:
    data = _told(stripe_event("charge.captured", charge(amount=9000, amount_captured=2500)))
    assert (data.fact, data.amount) == ("stripe:charge:ch_1", _usd("25"))
    assert data.capture == Capture(before=_usd("0"), in_all=_usd("25"))


@pytest.mark.parametrize("kind", ["charge.updated", "charge.captured"])
def test_a_later_capture_is_its_increase_under_a_name_of_its_own(kind: str) -> None:
    later = charge(amount=9000, amount_captured=9000, balance_transaction="txn_2")
    data = _told(stripe_event(kind, later, {"amount_captured": 2500, "balance_transaction": "txn_1"}))
    assert (data.fact, data.amount) == ("stripe:charge:ch_1:captured:9000", _usd("65"))
    assert data.capture == Capture(before=_usd("25"), in_all=_usd("90"))


def test_a_capture_is_as_much_as_its_balance_transaction_moved() -> None:
    later = charge(amount=9000, amount_captured=9000, balance_transaction=transaction(6500, 200))
    data = _told(stripe_event("charge.captured", later))
    assert (data.fact, data.amount) == ("stripe:charge:ch_1:captured:9000", _usd("65"))
    assert data.settlement is not None
    assert data.settlement.fee == _usd("2")


def test_what_the_capture_leaves_is_released_where_stripe_counts_it() -> None:
    counted = _told(stripe_event("charge.captured", charge(amount_captured=1500, amount_refunded=500)))
    assert counted.capture is not None
    assert counted.capture.released == _usd("5")
    kept = _told(stripe_event("charge.captured", charge(amount_captured=1500)))
    assert kept.capture is not None
    assert kept.capture.released is None


def test_the_last_of_several_captures_releases_by_how_much_the_sum_rises() -> None:
    last = charge(amount=9000, amount_captured=5000, amount_refunded=4300)
    data = _told(stripe_event("charge.updated", last, {"amount_captured": 2500, "amount_refunded": 300}))
    assert data.capture == Capture(before=_usd("25"), in_all=_usd("50"), released=_usd("40"))
    unclear = _told(stripe_event("charge.updated", last, {"amount_captured": 2500}))
    assert unclear.capture is not None
    assert unclear.capture.released is None


def test_old_versions_say_what_was_captured_by_what_was_given_back() -> None:
    old = charge(amount_refunded=500)
    del old["amount_captured"]
    data = _told(stripe_event("charge.captured", old))
    assert data.amount == _usd("15")
    assert data.capture == Capture(before=_usd("0"), in_all=_usd("15"), released=_usd("5"))


def test_a_capture_that_is_taken_back_is_for_a_person() -> None:
    payload = stripe_event("charge.updated", charge(amount_captured=1000), {"amount_captured": 1500})
    with pytest.raises(Rejected, match=r"from 15\.00 USD to 10\.00 USD") as caught:
        normalised(payload)
    assert caught.value.reason == "capture_taken_back"


def test_a_balance_transaction_that_comes_late_tells_the_fee_of_the_same_fact() -> None:
    late = charge(balance_transaction=transaction(2000, 88))
    data = _told(stripe_event("charge.updated", late, {"balance_transaction": None}))
    assert (data.fact, data.amount, data.capture) == ("stripe:charge:ch_1", _usd("20"), None)
    assert data.settlement is not None
    assert data.settlement.fee == _usd("0.88")


@pytest.mark.parametrize(
    ("fields", "previous"),
    [
        ({}, {"description": None}),
        ({}, {"balance_transaction": None}),
        ({"balance_transaction": transaction(2000, 88)}, {"metadata": {}}),
        ({}, None),
        ({}, {"amount_captured": 2000}),
    ],
)
def test_any_other_change_of_a_charge_posts_nothing(fields: dict[str, object], previous: dict[str, object]) -> None:
    assert ignored(stripe_event("charge.updated", charge(**fields), previous)) == "nothing_captured"


def test_a_charge_that_is_not_captured_or_failed_posts_nothing_by_a_change() -> None:
    assert ignored(stripe_event("charge.updated", charge(captured=False), {"amount_captured": 0})) == (
        "charge_not_captured"
    )
    assert ignored(stripe_event("charge.updated", charge(status="failed"), {"status": "pending"})) == (
        "charge_not_succeeded"
    )


def test_a_charge_of_2012_tells_its_fee_itself() -> None:
    details = [{"amount": 50, "currency": "usd", "type": "stripe_fee"}, {"amount": 9, "currency": "usd", "type": "tax"}]
    old = {"id": "ch_1", "object": "charge", "amount": 1500, "currency": "usd", "paid": True, "fee": 59}
    data = _told(stripe_event("charge.succeeded", old | {"fee_details": details}))
    assert data.settlement is not None
    assert data.settlement.balance_transaction == "ch_1"
    assert (data.settlement.fee, data.settlement.fee_tax) == (_usd("0.50"), _usd("0.09"))
    assert data.settlement.net == _usd("14.41")


def test_a_fee_beside_the_id_of_a_balance_transaction_is_not_taken() -> None:
    assert _told(stripe_event("charge.succeeded", charge(fee=59))).settlement is None
