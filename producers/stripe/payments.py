"""Stripe charges as payments.

A charge is booked once it is captured: `charge.succeeded` with `captured`, or `charge.captured`; both are
one fact. Old API versions leave out `amount_captured`, `captured` and `status`, or send `amount_captured`
0: none is required.
"""

from typing import Final

from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Draft, Found, Ignored, StripeEvent
from schemas.money import Money
from schemas.sales import Customer, PaymentSucceeded

_NO_MONEY_YET: Final = frozenset({"pending", "failed"})


def payment(event: StripeEvent) -> Found:
    """Read a charge. Raises Rejected."""
    charge = event.object
    if charge.flag_or_none("captured") is False:
        return Ignored("charge_not_captured")
    if charge.token_or_none("status") in _NO_MONEY_YET:
        return Ignored("charge_not_succeeded")
    amount = captured_amount(charge)
    if not amount:
        return Ignored("amount_zero")
    charge_id = charge.identifier("id")
    data = PaymentSucceeded(
        fact=f"stripe:charge:{charge_id}",
        charge=charge_id,
        payment_intent=charge.identifier_or_none("payment_intent"),
        invoice=charge.identifier_or_none("invoice"),
        customer=_customer(charge),
        amount=amount,
        settlement=stripe_amounts.settlement(charge, "balance_transaction", moved=amount),
    )
    return (Draft(data, subject=charge_id, partitionkey=charge_id),)


def captured_amount(charge: Fields) -> Money:
    """Give what was taken: `amount_captured` where it is more than zero, else `amount`. Raises Rejected."""
    whole = stripe_amounts.not_negative(charge, "amount")
    if charge.get("amount_captured") is None:
        return whole
    return stripe_amounts.not_negative(charge, "amount_captured") or whole


def _customer(charge: Fields) -> Customer | None:
    """Who paid: a customer Stripe knows, named as the customer or as on the bill. A guest has no customer."""
    customer_id = charge.identifier_or_none("customer")
    if customer_id is None:
        return None
    places = [_section(charge, "customer"), _section(charge, "billing_details")]
    names = (place.text_or_none("name") for place in places)
    emails = (place.text_or_none("email") for place in places)
    return Customer(
        id=customer_id,
        name=next(filter(None, names), None),
        email=next(filter(None, emails), None) or charge.text_or_none("receipt_email"),
    )


def _section(fields: Fields, name: str) -> Fields:
    value = fields.get(name)
    return Fields(value if isinstance(value, dict) else {}, fields.at(name))
