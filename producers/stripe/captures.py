"""Captures of an authorised charge: the first, later ones, and what `charge.updated` tells of them afterwards.

Stripe counts them up: `amount_captured` is the sum so far. Where the event says what it was before, or its balance
transaction what it moved, the increase is exact; else it is told as a sum from nothing, and what of it is told already
is found out by whoever keeps that (`workers.sales.captures`).
"""

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.payments import no_money_yet, sale
from schemas.money import Money
from schemas.sales import Capture


def captured(event: StripeEvent) -> Content:
    """Read a capture, whatever was captured before it. Raises Rejected."""
    charge = event.object
    if (why := no_money_yet(charge)) is not None:
        return why
    in_all = _in_all(charge)
    return _captured(event, in_all, _before(event, in_all))


def updated(event: StripeEvent) -> Content:
    """Read a later capture, or a balance transaction that is told late; any other change posts nothing.

    Raises Rejected.
    """
    charge, previous = event.object, event.previous
    if (why := no_money_yet(charge)) is not None:
        return why
    if previous is not None and "amount_captured" in previous.values:
        return _captured(event, stripe_amounts.not_negative(charge, "amount_captured"), _said_before(event))
    if not isinstance(charge.get("balance_transaction"), dict) or not event.changed("balance_transaction"):
        return "nothing_captured"
    in_all = _in_all(charge)
    before = _before(event, in_all)
    if in_all and not before and in_all == stripe_amounts.not_negative(charge, "amount"):
        return (sale(charge, amount=in_all),)
    return _captured(event, in_all, before)


def _captured(event: StripeEvent, in_all: Money, before: Money) -> Content:
    if in_all < before:
        message = f"what is captured went from {before} to {in_all}: somebody took it back"
        raise Rejected("capture_taken_back", message, field=event.object.at("amount_captured"))
    if in_all == before:
        return "nothing_captured"
    capture = Capture(before=before, in_all=in_all, released=_released(event, in_all, before))
    return (sale(event.object, amount=in_all - before, capture=capture),)


def _in_all(charge: Fields) -> Money:
    """What is captured so far. Where old versions do not say it: all but what was given back at the capture."""
    if charge.get("amount_captured"):
        return stripe_amounts.not_negative(charge, "amount_captured")
    whole = stripe_amounts.not_negative(charge, "amount")
    return whole - _refunded(charge) if charge.get("amount_refunded") else whole


def _before(event: StripeEvent, in_all: Money) -> Money:
    """What was captured before: as the event says, or as its balance transaction shows; nothing that is known else."""
    charge = event.object
    if event.previous is not None and event.previous.get("amount_captured") is not None:
        return _said_before(event)
    nothing = Money.zero(in_all.currency)
    if not isinstance(charge.get("balance_transaction"), dict):
        return nothing
    transaction = charge.section("balance_transaction")
    moved = nothing if transaction is None else stripe_amounts.money(transaction, "amount")
    is_part = moved.currency == in_all.currency and nothing < moved < in_all
    return in_all - moved if is_part else nothing


def _said_before(event: StripeEvent) -> Money:
    previous = event.previous
    said = 0 if previous is None else previous.get("amount_captured") or 0
    return stripe_amounts.minor(said, event.object, "amount_captured")


def _released(event: StripeEvent, in_all: Money, before: Money) -> Money | None:
    """What was never captured, where Stripe counts it as refunded: at a capture nothing else can have been."""
    charge = event.object
    rest = stripe_amounts.not_negative(charge, "amount") - in_all
    if not rest or charge.get("amount_refunded") is None:
        return None
    earlier = Money.zero(rest.currency)
    if event.previous is not None and event.previous.get("amount_refunded") is not None:
        earlier = stripe_amounts.minor(event.previous.get("amount_refunded"), charge, "amount_refunded")
    elif before:
        return None
    return rest if _refunded(charge) - earlier == rest else None


def _refunded(charge: Fields) -> Money:
    return stripe_amounts.not_negative(charge, "amount_refunded")
