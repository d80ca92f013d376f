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
from schemas.sales import Customer, PaymentSucceeded, PayoutFailed, PayoutPaid

_NO_MONEY_YET: Final = frozenset({"pending", "failed"})


def payment(event: StripeEvent) -> Content:
    """Read a charge. Raises Rejected."""
    charge = event.object
    if charge.flag_or_none("captured") is False:
        return "charge_not_captured"
    if charge.token_or_none("status") in _NO_MONEY_YET:
        return "charge_not_succeeded"
    amount = captured_amount(charge)
    if not amount:
        return "amount_zero"
    charge_id = charge.identifier("id")
    data = PaymentSucceeded(
        fact=f"stripe:charge:{charge_id}",
        charge=charge_id,
        payment_intent=charge.identifier_or_none("payment_intent"),
        invoice=charge.identifier_or_none("invoice"),
        customer=_customer(charge),
        amount=amount,
        settlement=stripe_amounts.settlement(charge, "balance_transaction", moved=amount),
        **sold_for(charge),
    )
    return (data,)


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
    """Read a payout that came back. Raises Rejected."""
    return _payout(event.object, PayoutFailed, came_back=True)


def _payout(payout: Fields, model: Callable[..., EventData], *, came_back: bool = False) -> Content:
    amount = stripe_amounts.money(payout, "amount")
    if not amount:
        return "amount_zero"
    payout_id = payout.identifier("id")
    fact, arrival = f"stripe:payout:{payout_id}", payout.time("arrival_date").date()
    if came_back:
        settlement = stripe_amounts.settlement(payout, "failure_balance_transaction", moved=amount)
    else:
        settlement = stripe_amounts.settlement(payout, "balance_transaction", moved=-amount)
    values = {"payout": payout_id, "amount": amount, "arrival_date": arrival, "settlement": settlement}
    return (model(fact=f"{fact}:failed" if came_back else fact, of=fact, **values),)


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
