"""Square's payments, refunds and disputes, on the examples that Square publishes and on what they become."""

import json
from pathlib import Path
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.square.square import normalise
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import (
    BalanceMoved,
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    PaymentRefunded,
    PaymentSucceeded,
    RefundFailed,
)
from schemas.told import SaleTold, TaxPart
from tests.unit.producers.made import DATA

PAGES = DATA / "square-api"
PAYMENT = "bP9mAsEMYPUGjjGNaNO5ZDVyLhSZY"


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAGES / f"{name}.json").read_text())
    return found


def of(body: dict[str, Any] | Path, **context: Any) -> Normalised:  # noqa: ANN401 - of any kind
    raw = body.read_bytes() if isinstance(body, Path) else json.dumps(body).encode()
    return normalise(raw, NormaliseContext(**context))


def data_of(body: dict[str, Any] | Path, **context: Any) -> list[EventData]:  # noqa: ANN401 - of any kind
    return [event.data for event in of(body, **context).events]


def payment(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - of any kind
    return {"payment": {**document("get-payment")["payment"], **changed}}


def refund(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - of any kind
    return {"refund": {**document("get-payment-refund")["refund"], **changed}}


def fee(amount: int, kind: str = "INITIAL") -> dict[str, Any]:
    return {"type": kind, "effective_at": "2021-10-13T21:34:35Z", "amount_money": {"amount": amount, "currency": "USD"}}


def test_a_completed_payment_is_one_fact_with_its_fee() -> None:
    (data,) = data_of(PAGES / "get-payment.json")
    assert isinstance(data, PaymentSucceeded)
    assert (data.fact, data.charge) == (f"square:charge:{PAYMENT}", PAYMENT)
    assert data.amount == usd("5.55")
    assert data.settlement is not None
    assert (data.settlement.gross, data.settlement.fee, data.settlement.net) == (usd("5.55"), usd("0.34"), usd("5.21"))


def test_a_webhook_before_the_fee_is_known_tells_the_same_fact_without_it() -> None:
    (told,) = data_of(PAGES / "payment.updated.json")
    assert isinstance(told, PaymentSucceeded)
    assert (told.fact, told.settlement) == ("square:charge:hYy9pRFVxpDsO1FB05SunFWUe9JZY", None)


@pytest.mark.parametrize("status", ["APPROVED", "PENDING", "CANCELED", "FAILED"])
def test_a_payment_that_is_not_completed_posts_nothing(status: str) -> None:
    assert of(payment(status=status)).ignored == "payment_not_completed"


def test_a_tip_is_taken_too() -> None:
    tip = {"amount": 100, "currency": "USD"}
    (data,) = data_of(payment(tip_money=tip, total_money={"amount": 655, "currency": "USD"}))
    assert isinstance(data, PaymentSucceeded)
    assert data.amount == usd("6.55")


def test_an_adjusted_fee_leaves_the_first_as_it_is_and_moves_the_balance_by_itself() -> None:
    first, later = data_of(payment(processing_fee=[fee(34), fee(-4, "ADJUSTMENT"), fee(-4, "ADJUSTMENT")]))[:2]
    again = data_of(payment(processing_fee=[fee(34), fee(-4, "ADJUSTMENT"), fee(-4, "ADJUSTMENT")]))[2]
    assert isinstance(first, PaymentSucceeded)
    assert first.settlement is not None
    assert first.settlement.fee == usd("0.34")
    assert isinstance(later, BalanceMoved)
    assert (later.category, later.settlement.gross) == ("fee", usd("0.04"))
    assert [later.fact, again.fact] == [f"square:fee:{PAYMENT}:-0.04", f"square:fee:{PAYMENT}:-0.04:2"]


def test_what_an_app_takes_of_a_payment_leaves_the_balance() -> None:
    _, app = data_of(payment(app_fee_money={"amount": 10, "currency": "USD"}))
    assert isinstance(app, BalanceMoved)
    assert (app.fact, app.settlement.gross) == (f"square:app_fee:{PAYMENT}", usd("-0.10"))


@pytest.mark.parametrize("source", ["CASH", "EXTERNAL", "SQUARE_ACCOUNT"])
def test_what_is_not_in_squares_balance_is_for_a_person_or_ignored_by_setting(source: str) -> None:
    with pytest.raises(Rejected) as refused:
        of(payment(source_type=source))
    assert refused.value.reason == f"unmapped:square_type:{source}"
    ignored = of(payment(source_type=source), outside="ignore")
    assert (ignored.events, ignored.ignored) == ((), f"unmapped:square_type:{source}")


def test_a_gift_card_was_paid_when_it_was_sold() -> None:
    with pytest.raises(Rejected) as refused:
        of(payment(card_details={"card": {"card_brand": "SQUARE_GIFT_CARD"}}))
    assert refused.value.reason == "unmapped:square_type:SQUARE_GIFT_CARD"


def test_yen_have_no_decimals() -> None:
    yen = {"amount": 500, "currency": "JPY"}
    (data,) = data_of(payment(amount_money=yen, total_money=yen, processing_fee=None))
    assert isinstance(data, PaymentSucceeded)
    assert data.amount == Money.of(500, "JPY")


def test_a_fee_in_another_currency_is_refused() -> None:
    euros = {"type": "INITIAL", "amount_money": {"amount": 34, "currency": "EUR"}}
    with pytest.raises(Rejected) as refused:
        of(payment(processing_fee=[euros]))
    assert refused.value.reason == "mixed_currencies"


def test_a_refund_gives_the_money_and_the_fee_back() -> None:
    (data,) = data_of(PAGES / "get-payment-refund.json")
    assert isinstance(data, PaymentRefunded)
    assert (data.of, data.charge, data.amount) == (f"square:charge:{PAYMENT}", PAYMENT, usd("5.55"))
    assert data.settlement is not None
    assert (data.settlement.gross, data.settlement.fee, data.settlement.net) == (
        *(usd("-5.55"), usd("-0.34")),
        usd("-5.21"),
    )


def test_a_refund_waits_until_it_is_completed_and_one_that_failed_takes_it_back() -> None:
    assert of(PAGES / "refund.created.json").ignored == "refund_waiting"
    (data,) = data_of(refund(status="FAILED"))
    assert isinstance(data, RefundFailed)
    assert data.of == data_of(refund())[0].fact


def test_a_refund_in_cash_is_not_squares() -> None:
    with pytest.raises(Rejected) as refused:
        of(refund(destination_type="CASH"))
    assert refused.value.reason == "unmapped:square_type:CASH"


def test_a_dispute_holds_the_money_until_it_is_won_or_lost() -> None:
    body = document("dispute.created")
    (opened,) = data_of(body)
    assert isinstance(opened, DisputeOpened)
    assert opened.amount == usd("88.01")
    for state, model in (("WON", DisputeWon), ("LOST", DisputeLost), ("ACCEPTED", DisputeLost)):
        body["data"]["object"]["dispute"]["state"] = state
        (ended,) = data_of(body)
        assert isinstance(ended, model)
        assert ended.of == opened.fact


def test_an_inquiry_moves_no_money() -> None:
    body = document("dispute.created")
    body["data"]["object"]["dispute"]["state"] = "INQUIRY_PROCESSING"
    assert of(body).ignored == "dispute_is_inquiry"


def test_an_order_tells_its_tax_by_rate_and_whose_payments_it_is() -> None:
    body = document("pay-order")
    tax = {
        "uid": "1",
        "catalog_object_id": "TAX1",
        "type": "ADDITIVE",
        "applied_money": {"amount": 148, "currency": "USD"},
    }
    body["order"] |= {"taxes": [tax], "total_tax_money": {"amount": 148, "currency": "USD"}}
    body["order"]["total_money"] = {"amount": 2000, "currency": "USD"}
    (data,) = data_of(body)
    assert isinstance(data, SaleTold)
    assert (data.total, data.taxes) == (usd("20.00"), (TaxPart(code="TAX1", amount=usd("1.48")),))
    assert data.payment_intent == body["order"]["id"]


def test_an_order_whose_taxes_are_not_their_sum_is_refused_with_both() -> None:
    body = document("pay-order")
    tax = {"uid": "1", "applied_money": {"amount": 148, "currency": "USD"}}
    body["order"] |= {"taxes": [tax], "total_tax_money": {"amount": 150, "currency": "USD"}}
    with pytest.raises(Rejected, match=r"the taxes make 1\.48 USD, their total is 1\.50 USD"):
        of(body)
