"""Made-up Stripe events, for what the public files do not show, and the real files."""

import json
from pathlib import Path
from typing import Any

from producers.normalising import NormaliseContext, Normalised
from producers.stripe.stripe import normalise
from schemas.envelope import Event

DATA = Path(__file__).parents[2] / "data"
RUBY_MOCK = DATA / "stripe-ruby-mock"
CREATED = 1_768_478_400
"""2026-01-15 12:00 UTC."""

Json = dict[str, Any]


def stripe_event(kind: str, obj: Json, previous: Json | None = None, **envelope: object) -> bytes:
    data: Json = {"object": obj} if previous is None else {"object": obj, "previous_attributes": previous}
    document = {"id": "evt_1", "object": "event", "type": kind, "created": CREATED, "livemode": True, "data": data}
    return json.dumps(document | envelope).encode()


def charge(**fields: object) -> Json:
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 2000,
        "amount_captured": 2000,
        "amount_refunded": 0,
        "captured": True,
        "currency": "usd",
        "status": "succeeded",
        "balance_transaction": "txn_1",
    } | fields


def refund(number: int = 1, **fields: object) -> Json:
    return {
        "id": f"re_{number}",
        "object": "refund",
        "amount": 500,
        "charge": "ch_1",
        "currency": "usd",
        "status": "succeeded",
        "balance_transaction": f"txn_re_{number}",
    } | fields


def refund_list(*refunds: Json) -> Json:
    return {"object": "list", "data": list(refunds), "has_more": False}


def payout(**fields: object) -> Json:
    return {
        "id": "po_1",
        "object": "payout",
        "amount": 1100,
        "currency": "usd",
        "arrival_date": CREATED,
        "status": "paid",
    } | fields


def dispute(*transactions: Json, **fields: object) -> Json:
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 25000,
        "charge": "ch_1",
        "currency": "usd",
        "status": "needs_response",
        "balance_transactions": list(transactions),
    } | fields


def transaction(amount: int, fee: int = 0, *, tax: int = 0, **fields: object) -> Json:
    details = [{"amount": fee - tax, "currency": "usd", "type": "stripe_fee"}]
    if tax:
        details.append({"amount": tax, "currency": "usd", "type": "tax"})
    return {
        "id": "txn_1",
        "object": "balance_transaction",
        "amount": amount,
        "currency": "usd",
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
    } | fields


def normalised(payload: bytes) -> Normalised:
    return normalise(payload, NormaliseContext(accounts={"acct_1": "second"}))


def only_event(payload: bytes) -> Event:
    (event,) = normalised(payload).events
    return event


def ignored(payload: bytes) -> str:
    found = normalised(payload)
    assert found.events == ()
    assert found.ignored is not None
    return found.ignored
