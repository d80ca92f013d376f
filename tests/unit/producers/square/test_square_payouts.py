"""Square's payouts and their entries, and whose webhook it is: on the examples that Square publishes."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from pydantic import SecretStr

from producers.normalising import NormaliseContext, Rejected
from producers.reading.documents import split_documents
from producers.source import Arrived
from producers.square.square import SQUARE, Environment
from producers.webhooks.signatures import BadSignature, verify
from schemas.money import Money
from schemas.sales import BalanceMoved, PaymentRefunded, PaymentSucceeded, PayoutFailed, PayoutPaid
from tests.fakes import NOON
from tests.unit.producers.square.test_square_payments import PAGES, data_of, document, of, usd

URL = "https://relay.example/webhooks/square"


def entry(kind: str, gross: int, fee: int = 0, **details: str) -> dict[str, Any]:
    amounts = {"gross_amount_money": gross, "fee_amount_money": fee, "net_amount_money": gross - fee}
    return {
        "id": f"poe_{kind}",
        "payout_id": "po_1",
        "effective_at": "2026-10-14T23:31:49Z",
        "type": kind,
        **{name: {"amount": amount, "currency_code": "USD"} for name, amount in amounts.items()},
        f"type_{kind.lower()}_details": details,
    }


def moved(kind: str, gross: int, **details: str) -> BalanceMoved:
    (data,) = data_of({"payout_entries": [entry(kind, gross, 0, **details)]})
    assert isinstance(data, BalanceMoved)
    return data


def test_a_payout_is_booked_once_it_is_paid_and_dated_by_its_arrival() -> None:
    assert of(PAGES / "payout.sent.json").ignored == "payout_not_paid"
    (data,) = data_of(PAGES / "payout.paid.json")
    assert isinstance(data, PayoutPaid)
    assert (data.amount, str(data.arrival_date)) == (Money.of("4.57", "EUR"), "2021-07-13")


def test_a_failed_payout_takes_it_back() -> None:
    (paid,), (failed,) = data_of(PAGES / "payout.paid.json"), data_of(PAGES / "payout.failed.json")
    assert isinstance(failed, PayoutFailed)
    assert failed.of == paid.fact


def test_an_instant_payout_has_a_fee_beside_its_amount_and_a_negative_one_is_a_debit() -> None:
    instant, debit = data_of(PAGES / "list-payouts.json")
    assert isinstance(instant, PayoutPaid)
    assert instant.settlement is not None
    assert (instant.settlement.gross, instant.settlement.fee, instant.settlement.net) == (
        *(usd("-62.59"), usd("0.95")),
        usd("-63.54"),
    )
    assert isinstance(debit, PayoutPaid)
    assert (debit.amount, debit.settlement) == (usd("-1.03"), None)


def test_entries_of_payments_and_refunds_are_the_facts_of_their_webhooks() -> None:
    refunded, paid = data_of(PAGES / "list-payout-entries.json")
    assert isinstance(refunded, PaymentRefunded)
    assert isinstance(paid, PaymentSucceeded)
    assert refunded.settlement is not None
    assert paid.settlement is not None
    assert (refunded.settlement.net, paid.settlement.net) == (usd("-0.48"), usd("0.81"))
    assert paid.fact == "square:charge:HVdG62H5K3291d0SGJS6IWd4cSi8YY"


def test_the_fee_of_an_instant_payout_is_one_fact_whoever_tells_it() -> None:
    told = moved("DEPOSIT_FEE", -95, payout_id="po_1")
    assert told.fact == "square:payout:po_1"
    assert (told.settlement.gross, told.settlement.fee) == (usd("0.00"), usd("0.95"))


def test_an_adjusted_fee_is_one_fact_whoever_tells_it() -> None:
    assert moved("FEE", 4, payment_id="P1").fact == "square:fee:P1:-0.04"
    assert moved("THIRD_PARTY_FEE", -10, payment_id="P1").fact == "square:app_fee:P1"


def test_tax_on_a_fee_does_not_vanish_into_fees() -> None:
    told = moved("TAX_ON_FEE", -7)
    assert (told.settlement.fee, told.settlement.fee_tax) == (usd("0.00"), usd("0.07"))


@pytest.mark.parametrize(
    ("kind", "category"),
    [("RESERVE_HOLD", "reserve"), ("SUBSCRIPTION_FEE", "fee"), ("OPEN_DISPUTE", "adjustment"), ("NEW", "adjustment")],
)
def test_whatever_else_moves_the_balance_is_told_under_squares_own_word(kind: str, category: str) -> None:
    told = moved(kind, -500)
    assert (told.kind, told.category, told.settlement.gross) == (kind.lower(), category, usd("-5.00"))


def test_an_entry_that_does_not_add_up_is_refused_with_its_figures() -> None:
    wrong = entry("CHARGE", 100, 19, payment_id="P1")
    wrong["net_amount_money"]["amount"] = 82
    with pytest.raises(Rejected, match=r"gross 1\.00 USD - fee 0\.19 USD = 0\.81 USD, but net is 0\.82 USD"):
        of({"payout_entries": [wrong]})


def test_a_payout_is_the_sum_of_its_entries_or_refused_with_both() -> None:
    payout = {**document("get-payout")["payout"], "amount_money": {"amount": 34, "currency": "USD"}}
    entries = document("list-payout-entries")["payout_entries"]
    with pytest.raises(Rejected) as refused:
        of({"payout": payout, "payout_entries": entries})
    assert refused.value.reason == "payout_does_not_add_up"
    assert "its entries make 0.33 USD, the payout is 0.34 USD" in str(refused.value)
    payout["amount_money"]["amount"] = 33
    assert len(of({"payout": payout, "payout_entries": entries}).events) == 3


def test_a_list_is_taken_object_by_object() -> None:
    raw = (PAGES / "list-payouts.json").read_bytes()
    assert len(list(split_documents(raw, lists=SQUARE.lists))) == 2
    both = json.dumps({"payout": {}, "payout_entries": []}).encode()
    assert list(split_documents(both, lists=SQUARE.lists)) == [both]


def test_a_merchant_is_somebodys_or_kept() -> None:
    body = document("payout.paid")
    assert of(body, accounts={"MLEWJTMNJN37Z": "north"}).events[0].company == "north"
    with pytest.raises(Rejected) as refused:
        of(body, accounts={"ANOTHER": "north"})
    assert refused.value.reason == "unmapped:square_account:MLEWJTMNJN37Z"


def test_another_type_is_ignored_and_a_document_of_nobody_refused() -> None:
    assert of(PAGES / "order.updated.json").ignored == "type_not_used:order.updated"
    with pytest.raises(Rejected) as refused:
        of({"hello": 1})
    assert refused.value.reason == "unknown_document"


def test_the_address_is_signed_too() -> None:
    body, key = b'{"merchant_id":"1"}', "0123456789abcdef0123456789abcdef"
    webhook = SQUARE.webhook
    assert webhook is not None
    assert webhook.signature is not None
    signed = base64.b64encode(hmac.new(key.encode(), URL.encode() + body, hashlib.sha256).digest()).decode()
    common: Any = {"headers": {"x-square-hmacsha256-signature": signed}, "body": body, "now": NOON}
    assert verify(webhook.signature, url=URL, secrets=[SecretStr(key)], **common) == 0
    with pytest.raises(BadSignature, match="mismatch"):
        verify(webhook.signature, url="https://other.example/", secrets=[SecretStr(key)], **common)


def arrived(environment: str) -> Arrived:
    return Arrived(b"{}", {"square-environment": environment}, NOON)


def test_the_sandbox_posts_nothing_in_books_of_real_money_and_real_money_nothing_in_trial_books() -> None:
    live, test = NormaliseContext(mode="live"), NormaliseContext(mode="test")
    assert Environment().arrived(arrived("Sandbox"), live) == "test_mode"
    assert Environment().arrived(arrived("Sandbox"), test) is test
    assert Environment().arrived(arrived("Production"), live) is live
    with pytest.raises(Rejected) as refused:
        Environment().arrived(arrived("Production"), test)
    assert refused.value.reason == "live_mode"
