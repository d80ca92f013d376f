"""Orders of Shopify, their transactions and refunds, and the mode and gateway of each."""

import json
from pathlib import Path
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.shopify.shopify import TOPICS, normalise
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import PaymentRefunded, PaymentSucceeded
from schemas.told import SaleCredited, SaleTold
from tests.unit.producers.made import DATA

MADE, FIXTURES = DATA / "shopify-made", DATA / "shopify-fixtures"
ORDER, SALE = "5600000000000000101", "6700000000000000201"


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MADE / f"{name}.json").read_text())
    return found


def of(body: dict[str, Any] | Path, **context: Any) -> Normalised:  # noqa: ANN401 - of any kind
    raw = body.read_bytes() if isinstance(body, Path) else json.dumps(body).encode()
    return normalise(raw, NormaliseContext(**context))


def data_of(body: dict[str, Any] | Path, **context: Any) -> list[EventData]:  # noqa: ANN401 - of any kind
    return [event.data for event in of(body, **context).events]


def refusal(body: dict[str, Any] | Path, **context: Any) -> Rejected:  # noqa: ANN401 - of any kind
    with pytest.raises(Rejected) as refused:
        of(body, **context)
    return refused.value


def test_a_sale_that_succeeded_is_a_payment_of_its_order() -> None:
    (data,) = data_of(document("transaction.sale"))
    assert data == PaymentSucceeded(
        fact=f"shopify:charge:{SALE}", charge=SALE, payment_intent=ORDER, amount=usd("107.65")
    )


@pytest.mark.parametrize("kind", ["authorization", "void"])
def test_what_takes_no_money_posts_nothing(kind: str) -> None:
    assert of({**document("transaction.sale"), "kind": kind}).ignored == f"transaction_{kind}"
    assert of({**document("transaction.sale"), "status": "pending"}).ignored == "transaction_pending"


@pytest.mark.parametrize("gateway", ["manual", "cash", "paypal", "gift_card"])
def test_money_that_another_gateway_took_is_for_a_person_or_ignored_by_setting(gateway: str) -> None:
    paid = {**document("transaction.sale"), "gateway": gateway}
    order = {**document("order.paid"), "payment_gateway_names": ["shopify_payments", gateway]}
    for body in (paid, order):
        assert refusal(body).reason == f"unmapped:shopify_gateway:{gateway}"
        assert of(body, outside="ignore").ignored == f"unmapped:shopify_gateway:{gateway}"


def test_a_test_posts_nothing_in_books_of_real_money_and_real_money_nothing_in_trial_books() -> None:
    sale, order = document("transaction.sale"), document("order.paid")
    for body in ({**sale, "test": True}, {**sale, "gateway": "bogus"}, {**order, "test": True}):
        assert of(body, mode="live").ignored == "test_mode"
        assert of(body).ignored == "test_mode"
        assert len(of(body, mode="test").events) == 1
    for body in (sale, order):
        assert refusal(body, mode="test").reason == "live_mode"


def test_an_order_tells_its_tax_by_line_and_shipping_is_no_tax() -> None:
    (data,) = data_of(document("order.paid"))
    assert isinstance(data, SaleTold)
    assert (data.total, data.paid, data.tax) == (usd("107.65"), usd("107.65"), usd("7.65"))
    assert [(part.code, part.inclusive) for part in data.taxes] == [
        ("New York State Tax", False),
        ("New York City Tax", False),
    ]
    (inclusive,) = data_of({**document("order.paid"), "taxes_included": True})
    assert isinstance(inclusive, SaleTold)
    assert all(part.inclusive for part in inclusive.taxes)


def test_an_order_that_is_only_authorised_or_costs_nothing_tells_nothing() -> None:
    assert of({**document("order.paid"), "financial_status": "authorized"}).ignored == "order_not_paid"
    assert of({**document("order.paid"), "total_price": "0.00"}).ignored == "amount_zero"
    assert of(FIXTURES / "order.json").ignored == "order_not_paid"


def test_tax_lines_that_are_not_the_tax_are_refused_with_both() -> None:
    refused = refusal({**document("order.paid"), "total_tax": "7.64"})
    assert refused.reason == "does_not_add_up"
    assert "the tax lines make 7.65 USD, the tax is 7.64 USD" in str(refused)


def test_a_refund_follows_its_transactions_and_tells_its_tax() -> None:
    refunded, credited = data_of(document("refund"))
    assert isinstance(refunded, PaymentRefunded)
    assert (refunded.of, refunded.amount) == (f"shopify:charge:{SALE}", usd("48.83"))
    assert isinstance(credited, SaleCredited)
    assert (credited.tax, credited.refunds, credited.invoice) == (usd("3.83"), (refunded.fact,), ORDER)


def test_shipping_that_is_given_back_gives_its_tax_back_too_and_a_discrepancy_keeps_some() -> None:
    for adjusted, tax in (("-0.80", "4.63"), ("0.83", "3.00")):
        body = document("refund")
        body["order_adjustments"] = [{"id": 1, "kind": "any", "amount": "-10.00", "tax_amount": adjusted}]
        _, credited = data_of(body)
        assert isinstance(credited, SaleCredited)
        assert credited.tax == usd(tax)


def test_the_tax_of_a_refund_in_another_currency_than_its_money_is_not_told() -> None:
    body = document("refund")
    body["refund_line_items"][0]["total_tax_set"] = {"shop_money": {"amount": "3.00", "currency_code": "EUR"}}
    (refunded,) = data_of(body)
    assert isinstance(refunded, PaymentRefunded)


def test_a_foreign_sale_tells_its_tax_in_the_currency_in_which_was_paid() -> None:
    def both(shop: str, paid: str) -> dict[str, Any]:
        shown = {"shop_money": (shop, "USD"), "presentment_money": (paid, "EUR")}
        return {side: {"amount": amount, "currency_code": code} for side, (amount, code) in shown.items()}

    body = {**document("order.paid"), "presentment_currency": "EUR", "total_price_set": both("107.65", "99.04")}
    body |= {"total_tax_set": both("7.65", "7.04")}
    body["tax_lines"] = [{"title": "VAT", "price": "7.65", "price_set": both("7.65", "7.04")}]
    (data,) = data_of(body)
    assert isinstance(data, SaleTold)
    assert (data.total, data.tax) == (Money.of("99.04", "EUR"), Money.of("7.04", "EUR"))
    assert refusal({**body, "total_price_set": None}).field == "total_price_set"


def test_a_refund_that_gave_no_money_back_posts_nothing() -> None:
    assert of({**document("refund"), "transactions": []}).ignored == "no_money_refunded"


def test_an_amount_of_more_decimals_than_its_currency_has_is_refused() -> None:
    assert refusal({**document("transaction.sale"), "amount": "1.005"}).reason == "amount_not_possible"
    assert refusal({**document("transaction.sale"), "currency": "JPY"}).reason == "amount_not_possible"
    assert refusal({**document("transaction.sale"), "currency": "XXX"}).reason == "unknown_currency"


def test_ids_above_2_to_the_53_keep_all_their_digits() -> None:
    (data,) = data_of({**document("transaction.sale"), "id": 9007199254740993})
    assert data.fact == "shopify:charge:9007199254740993"


def test_levels_of_stock_are_read_as_before_and_their_topic_is_taken() -> None:
    (event,) = of(FIXTURES / "inventory_level.json").events
    assert event.type == "inventory.stock.counted.v1"
    assert {"inventory_levels/update", "orders/paid", "order_transactions/create", "refunds/create"} <= TOPICS
