"""Payment intents that succeeded: the charge where it is inside, else the word that a charge is to be expected."""

from dataclasses import replace

from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.payments import payment
from schemas.event_data import EventData
from schemas.told import PaymentExpected


def intent_succeeded(event: StripeEvent) -> Content:
    """Read the charges of a payment intent; one that is only named is waited for. Raises Rejected."""
    intent = event.object
    received = "amount_received" if intent.get("amount_received") is not None else "amount"
    amount = stripe_amounts.not_negative(intent, received)
    if not amount:
        return "amount_zero"
    found = [data for charge in _inside(intent) for data in _payments(event, charge)]
    if found:
        return tuple(found)
    intent_id = intent.identifier("id")
    data = PaymentExpected(
        fact=f"stripe:payment_intent:{intent_id}",
        payment_intent=intent_id,
        charge=intent.identifier_or_none("latest_charge"),
        amount=amount,
    )
    return (data,)


def _inside(intent: Fields) -> tuple[Fields, ...]:
    """The charges as objects: `latest_charge` expanded, or the list of old API versions."""
    latest = intent.section("latest_charge") if isinstance(intent.get("latest_charge"), dict) else None
    if latest is not None:
        return (latest,)
    listed = intent.section("charges") if isinstance(intent.get("charges"), dict) else None
    return (listed.sections("data") if listed else None) or ()


def _payments(event: StripeEvent, charge: Fields) -> tuple[EventData, ...]:
    found = payment(replace(event, object=charge, previous=None))
    return () if isinstance(found, str) else tuple(found)
