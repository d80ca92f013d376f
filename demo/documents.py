"""Stripe events made from the real files in `demo/data`: ids, amounts and names are set, all else stays as it was.

Amounts are Stripe's: whole numbers of the currency's minor unit (one case, on purpose, is not). Nothing is written.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

Body = dict[str, Any]

_SIZE: Final = {"evt": 24, "ch": 24, "pi": 24, "re": 24, "po": 24, "in": 24, "txn": 24, "sub": 24, "cus": 14, "dp": 14}
_FEE_CHARGE: Final = "charge_ch_fakefakefakefakefake0001"
_FEE_TRANSACTION: Final = "balance_transaction_txn_fake_ch_fakefakefakefakefake0001"


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer Stripe knows by name."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Charge:
    """The figures of one charge. `amount` is a fraction only where it is to be refused."""

    id: str
    amount: int | float
    currency: str = "usd"
    buyer: Buyer | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of a charge."""

    id: str
    charge: Charge
    amount: int


def stripe_id(prefix: str, number: int) -> str:
    """Give an id of the shape that the files have, with a number instead of zeros."""
    return f"{prefix}_{number:0{_SIZE[prefix]}d}"


def charge_succeeded(event: str, charge: Charge) -> Body:
    """A card was charged."""
    body = _event("charge.succeeded", event)
    _set_charge(body["data"]["object"], charge)
    return body


def charge_in_yen(event: str, charge: Charge) -> Body:
    """A card was charged in yen, which stay yen in the balance: the books know at once that they cannot hold them."""
    body = charge_succeeded(event, charge)
    figures: Body = {
        "amount": charge.amount,
        "net": charge.amount,
        "fee": 0,
        "fee_details": [],
        "currency": charge.currency,
    }
    transaction = {**_read(_FEE_TRANSACTION), "id": f"txn_{charge.id}", "source": charge.id, **figures}
    body["data"]["object"] |= {"balance_transaction": transaction}
    return body


def charge_with_fee(event: str, charge: str, buyer: Buyer) -> Body:
    """A card was charged 20.00, of which Stripe kept 0.88: the balance transaction stands in the charge."""
    body = _event("charge.succeeded", event)
    inner, transaction = _read(_FEE_CHARGE), _read(_FEE_TRANSACTION)
    transaction |= {"id": f"txn_{charge}", "source": charge}
    _set_charge(inner, Charge(charge, inner["amount"], inner["currency"], buyer))
    inner |= {"amount_captured": 0, "balance_transaction": transaction}
    body["data"]["object"] = inner
    return body


def charge_refunded(event: str, refund: Refund, *, before: Sequence[Refund] = ()) -> Body:
    """A charge was refunded; the event lists the refunds `before` it too, as Stripe does."""
    body = _event("charge.refunded", event)
    inner = body["data"]["object"]
    _set_charge(inner, refund.charge)
    known = [_refund(earlier) for earlier in before]
    already = sum(earlier.amount for earlier in before)
    total = already + refund.amount
    inner |= {"amount_refunded": total, "refunded": total == refund.charge.amount}
    inner["refunds"] |= {"data": [_refund(refund), *known], "total_count": 1 + len(known)}
    previous = {"amount_refunded": already, "refunded": False, "refunds": {"data": known, "total_count": len(known)}}
    body["data"]["previous_attributes"] = previous
    return body


def refund_created(event: str, refund: Refund) -> Body:
    """The same as `charge_refunded`, as Stripe also tells it: the refund alone."""
    body = _event("charge.refunded", event)
    return body | {"type": "refund.created", "data": {"object": _refund(refund)}}


def funds_withdrawn(event: str, dispute: str, charge: str) -> Body:
    """A dispute took 250.00 and a fee of 15.00."""
    body = _event("charge.dispute.funds_withdrawn", event)
    inner = body["data"]["object"]
    inner |= {"id": dispute, "charge": charge}
    inner["balance_transactions"][0] |= {"id": f"txn_{dispute}", "source": dispute}
    return body


def funds_reinstated(event: str, dispute: str, charge: str) -> Body:
    """The dispute was won: its 250.00 came back, the fee did not."""
    body = funds_withdrawn(event, dispute, charge)
    inner = body["data"]["object"]
    taken = inner["balance_transactions"][0]
    given = {"id": f"txn_{dispute}_back", "amount": -taken["amount"], "fee": 0, "fee_details": []}
    inner["balance_transactions"].append(taken | given | {"net": -taken["amount"]})
    inner["status"] = "won"
    return body | {"type": "charge.dispute.funds_reinstated"}


def payout_paid(event: str, payout: str, amount: int) -> Body:
    """The balance went to the bank."""
    body = _event("payout.paid", event)
    body["data"]["object"] |= {"id": payout, "amount": amount, "balance_transaction": f"txn_{payout}"}
    return body


def subscription_updated(event: str, subscription: str, customer: str) -> Body:
    """A subscription changed: no money moves."""
    body = _event("customer.subscription.updated", event)
    body["data"]["object"] |= {"id": subscription, "customer": customer}
    return body


def customer_created(event: str, buyer: Buyer) -> Body:
    """A customer was added: not used by the relay."""
    body = _event("customer.created", event)
    body["data"]["object"] |= {"id": buyer.id, "name": buyer.name, "email": buyer.email}
    return body


def payment_intent_succeeded(event: str, charge: Charge) -> Body:
    """The sale of `charge_succeeded` once more, as its payment intent."""
    body = _event("payment_intent.succeeded", event)
    inner = body["data"]["object"]
    inner |= {"id": _sibling("pi", charge.id), "amount": charge.amount, "amount_received": charge.amount}
    _set_charge(inner["charges"]["data"][0], charge)
    return body


def invoice_paid(event: str, charge: Charge) -> Body:
    """The sale of `charge_succeeded` once more, as its invoice."""
    body = _event("invoice.paid", event)
    figures = {"amount_due": charge.amount, "amount_paid": charge.amount, "total": charge.amount}
    names = {"id": _sibling("in", charge.id), "charge": charge.id, "payment_intent": _sibling("pi", charge.id)}
    body["data"]["object"] |= {**names, **figures}
    return body


def _set_charge(inner: Body, charge: Charge) -> None:
    inner |= {
        "id": charge.id,
        "amount": charge.amount,
        "amount_captured": charge.amount,
        "currency": charge.currency,
        "balance_transaction": _sibling("txn", charge.id),
        "payment_intent": _sibling("pi", charge.id),
        "customer": charge.buyer.id if charge.buyer else None,
    }
    inner["refunds"]["url"] = f"/v1/charges/{charge.id}/refunds"
    inner["billing_details"] |= {"name": None, "email": None}
    if charge.buyer:
        inner["billing_details"] |= {"name": charge.buyer.name, "email": charge.buyer.email}


def _refund(refund: Refund) -> Body:
    inner: Body = _read("charge.refunded")["data"]["object"]["refunds"]["data"][0]
    own = {"id": refund.id, "amount": refund.amount, "charge": refund.charge.id}
    return inner | own | {"balance_transaction": _sibling("txn", refund.id)}


def _sibling(prefix: str, other: str) -> str:
    """An id for something that belongs to one other thing."""
    return f"{prefix}_{other}" if prefix == "txn" else stripe_id(prefix, int(other.rpartition("_")[2]))


def _event(name: str, event: str) -> Body:
    return _read(name) | {"id": event}


def _read(name: str) -> Body:
    return copy.deepcopy(_file(name))


@cache
def _file(name: str) -> Body:
    text = resources.files("demo").joinpath("data", f"{name}.json").read_bytes()
    body: Body = json.loads(text)
    return body
