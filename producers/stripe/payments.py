"""Stripe charges as payments, and payouts of our balance to the bank (from it where the amount is negative).

A charge is booked once it is captured: `charge.succeeded` with `captured`, or `charge.captured`; both are
one fact. Old API versions leave out `amount_captured`, `captured` and `status`, or send `amount_captured`
0: none is required. `payout.created` already says `paid` in old versions; only `payout.paid` and `payout.failed` count.
"""

from collections.abc import Callable
from typing import Final

from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.connect import sold_for
from producers.stripe.event import Content, StripeEvent
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import Capture, Customer, PaymentFailed, PaymentSucceeded, PayoutFailed, PayoutPaid, Settlement

_NO_MONEY_YET: Final = frozenset({"pending", "failed"})
_NOT_PAID_YET: Final = frozenset({"pending", "in_transit"})


def payment(event: StripeEvent) -> Content:
    """Read a charge. Raises Rejected."""
    charge = event.object
    if (why := no_money_yet(charge)) is not None:
        return why
    amount = captured_amount(charge)
    return (sale(charge, amount=amount),) if amount else "amount_zero"


def failed(event: StripeEvent) -> Content:
    """Read a charge that failed: only what had reached the balance has a transaction that took it back.

    Raises Rejected.
    """
    charge = event.object
    if charge.get("failure_balance_transaction") is None:
        return "charge_not_succeeded"
    if event.previous is not None and event.previous.token_or_none("status") == "pending":
        return "charge_never_succeeded"
    amount = stripe_amounts.not_negative(charge, "amount")
    if not amount:
        return "amount_zero"
    charge_id = charge.identifier("id")
    fact = f"stripe:charge:{charge_id}"
    taken_back = stripe_amounts.settlement(charge, "failure_balance_transaction", moved=-amount)
    return (PaymentFailed(fact=f"{fact}:failed", of=fact, charge=charge_id, amount=amount, settlement=taken_back),)


def no_money_yet(charge: Fields) -> str | None:
    """Why nothing was taken by this charge; None where something was. Raises Rejected."""
    if charge.flag_or_none("captured") is False:
        return "charge_not_captured"
    return "charge_not_succeeded" if charge.token_or_none("status") in _NO_MONEY_YET else None


def sale(charge: Fields, *, amount: Money, capture: Capture | None = None) -> PaymentSucceeded:
    """What was taken by a charge, or by one capture of it. Raises Rejected."""
    charge_id = charge.identifier("id")
    fact = f"stripe:charge:{charge_id}"
    return PaymentSucceeded(
        fact=capture.fact(fact) if capture else fact,
        charge=charge_id,
        payment_intent=charge.identifier_or_none("payment_intent"),
        invoice=charge.identifier_or_none("invoice"),
        customer=_customer(charge),
        amount=amount,
        settlement=_settlement(charge, amount),
        capture=capture,
        **sold_for(charge),
    )


def _settlement(charge: Fields, amount: Money) -> Settlement | None:
    """As the balance transaction tells it; a charge of 2012 has none, and its fee stands on itself."""
    if "balance_transaction" not in charge.values and charge.get("fee") is not None:
        return stripe_amounts.own_settlement(charge, moved=amount)
    return stripe_amounts.settlement(charge, "balance_transaction", moved=amount)


def captured_amount(charge: Fields) -> Money:
    """Give what was taken: `amount_captured` where it is more than zero, else `amount`. Raises Rejected."""
    whole = stripe_amounts.not_negative(charge, "amount")
    if charge.get("amount_captured") is None:
        return whole
    return stripe_amounts.not_negative(charge, "amount_captured") or whole


def payout_paid(event: StripeEvent) -> Content:
    """Read a payout that reached the bank. Raises Rejected."""
    return _payout(event.object, PayoutPaid)


def payout_failed(event: StripeEvent) -> Content:
    """Read a payout that came back, or was canceled; nothing when it was never paid. Raises Rejected."""
    if event.previous is not None and event.previous.token_or_none("status") in _NOT_PAID_YET:
        return "payout_never_paid"
    return _payout(event.object, PayoutFailed, came_back=True)


def _payout(payout: Fields, model: Callable[..., EventData], *, came_back: bool = False) -> Content:
    amount = stripe_amounts.money(payout, "amount")
    if not amount:
        return "amount_zero"
    payout_id = payout.identifier("id")
    fact, arrival = f"stripe:payout:{payout_id}", payout.time(_arrival(payout)).date()
    if came_back:
        settlement = stripe_amounts.settlement(payout, "failure_balance_transaction", moved=amount)
    else:
        settlement = stripe_amounts.settlement(payout, "balance_transaction", moved=-amount)
    values = {"payout": payout_id, "amount": amount, "arrival_date": arrival, "settlement": settlement}
    return (model(fact=f"{fact}:failed" if came_back else fact, of=fact, **values),)


def _arrival(payout: Fields) -> str:
    """The field of the day: before 2017 a payout was a transfer, and had a `date`."""
    return "date" if payout.get("arrival_date") is None and payout.get("date") is not None else "arrival_date"


def _customer(charge: Fields) -> Customer | None:
    """Who paid: a customer Stripe knows, named as the customer or as on the bill. A guest has no customer."""
    customer_id = charge.identifier_or_none("customer")
    if customer_id is None:
        return None
    values = (charge.get("customer"), charge.get("billing_details"))
    places = [Fields(value) for value in values if isinstance(value, dict)]
    names = (place.text_or_none("name") for place in places)
    emails = (place.text_or_none("email") for place in places)
    return Customer(
        id=customer_id,
        name=next(filter(None, names), None),
        email=next(filter(None, emails), None) or charge.text_or_none("receipt_email"),
    )
