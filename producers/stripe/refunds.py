"""Stripe refunds, one event a refund, by whichever of Stripe's events they arrive.

`charge.refunded` is cumulative: it holds the charge with all its refunds so far (old API versions) or only
the sum so far (newer ones). `refund.created`, `refund.updated`, `charge.refund.updated` and `refund.failed`
hold one refund. The same refund has the same fact by each of these ways, except where only the sum is
known.
"""

from collections.abc import Mapping
from typing import Final, Literal

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.payments import captured_amount
from schemas.money import Money
from schemas.sales import PaymentRefunded, RefundFailed, RefundPending, Settlement

_Stage = Literal["waiting", "moved", "undone"]

_STAGES: Final[Mapping[object, _Stage]] = {
    None: "moved",
    "succeeded": "moved",
    "pending": "waiting",
    "requires_action": "waiting",
    "failed": "undone",
    "canceled": "undone",
}


def refund_created(event: StripeEvent) -> Content:
    """Read a refund that is new: one under way counts as refunded already, one that starts as failed never moved.

    Raises Rejected.
    """
    stage = _stage(event.object)
    if stage == "moved":
        return _refunded(event.object)
    return _pending(event.object) if stage == "waiting" else f"refund_{stage}"


def refund_changed(event: StripeEvent) -> Content:
    """Read a refund that changed: its status, or that its balance transaction is told now. Raises Rejected."""
    stage = _stage(event.object)
    if stage == "waiting":
        return "refund_waiting"
    if not event.changed("status") and not _is_settled(event.object, stage):
        return "refund_status_unchanged"
    return _refunded(event.object) if stage == "moved" else refund_failed(event)


def refund_failed(event: StripeEvent) -> Content:
    """Read a refund that came back; nothing when it had never moved. Raises Rejected."""
    refund = event.object
    if event.previous and event.changed("status") and _stage(event.previous) == "waiting":
        return "refund_never_moved"
    amount = stripe_amounts.not_negative(refund, "amount")
    if not amount:
        return "amount_zero"
    refund_id = refund.identifier("id")
    data = RefundFailed(
        fact=f"stripe:refund:{refund_id}:failed",
        of=f"stripe:refund:{refund_id}",
        charge=refund.identifier_or_none("charge"),
        refund=refund_id,
        amount=amount,
        settlement=stripe_amounts.settlement(refund, "failure_balance_transaction", moved=amount),
    )
    return (data,)


def charge_refunded(event: StripeEvent) -> Content:
    """Read the refunds that a `charge.refunded` adds. Raises Rejected: also `does_not_add_up`."""
    charge = event.object
    if charge.flag_or_none("captured") is False:
        return "authorisation_released"
    refunds = _refunds_of(charge)
    return _by_refund(event, refunds) if refunds else _by_sum(event)


def _by_refund(event: StripeEvent, refunds: tuple[Fields, ...]) -> Content:
    known = _refunds_of(event.previous) if event.previous else None
    known_ids = {_id_of(refund) for refund in known or ()}
    new = [refund for refund in refunds if _id_of(refund) not in known_ids]
    counted = [refund for refund in new if _stage(refund) != "undone"]
    if known is not None:
        _check_increase(event, counted)
    moved = [refund for refund in counted if _stage(refund) == "moved"]
    booked = [refund for refund in moved if not _is_release(event.object, refund)]
    if not booked:
        return "no_new_refund"
    charge_id = event.object.identifier("id")
    return [_refund(refund, charge_id, of=event.object) for refund in booked]


def _by_sum(event: StripeEvent) -> Content:
    charge = event.object
    charge_id = charge.identifier("id")
    total, increase = _increase(event)
    if not increase:
        return "no_new_refund"
    if event.previous and not event.previous.values.keys().isdisjoint({"captured", "amount_captured"}):
        return "authorisation_released"
    if "balance_transaction" not in charge.values and charge.get("fee") is not None:
        return (_of_2012(event, increase),)
    released = _surely_released(charge, total)
    if released == total:
        return "authorisation_released"
    data = PaymentRefunded(
        fact=f"stripe:refunded:{charge_id}:{charge.get('amount_refunded')}",
        of=f"stripe:charge:{charge_id}",
        charge=charge_id,
        amount=increase,
        refunded_total=total,
        released=released,
    )
    return (data,)


def _of_2012(event: StripeEvent, increase: Money) -> PaymentRefunded:
    """A refund as versions of 2012 tell it: by the sum alone, no other event names it. A fee may have come back."""
    charge = event.object
    charge_id, before = charge.identifier("id"), event.previous.get("fee") if event.previous else None
    now = stripe_amounts.minor(charge.get("fee"), charge, "fee")
    back = Money.zero(now.currency) if before is None else stripe_amounts.minor(before, charge, "fee") - now
    number = f"{charge_id}:{charge.get('amount_refunded')}"
    settlement = Settlement(
        balance_transaction=charge_id,
        gross=-increase,
        fee=-back,
        fee_tax=Money.zero(now.currency),
        net=back - increase,
    )
    return PaymentRefunded(
        fact=f"stripe:refund:{number}",
        of=f"stripe:charge:{charge_id}",
        charge=charge_id,
        refund=number,
        amount=increase,
        settlement=settlement,
    )


def _surely_released(charge: Fields, total: Money) -> Money | None:
    """What was never captured, where the sum refunded must count it: it is more than was ever captured.

    Where it is not, it may count it, or be refunds alone: at its capture the charge has told which.
    """
    rest = _uncaptured(charge)
    if not rest or total <= captured_amount(charge):
        return None
    if total < rest:
        message = f"{total} is more than was captured, and less than the {rest} that was not"
        raise Rejected("refund_or_release", message, field=charge.at("amount_refunded"))
    return rest


def _increase(event: StripeEvent) -> tuple[Money, Money]:
    """Give the sum refunded so far, and by how much this event raised it."""
    charge = event.object
    total = stripe_amounts.not_negative(charge, "amount_refunded")
    at = "data.previous_attributes.amount_refunded"
    if event.previous is None or event.previous.get("amount_refunded") is None:
        raise Rejected("missing_field", "needed where a charge lists no refunds, and missing", field=at)
    before = stripe_amounts.minor(event.previous.get("amount_refunded"), charge, "amount_refunded")
    if before.amount < 0 or total < before:
        raise Rejected("does_not_add_up", f"the sum refunded went from {before} to {total}", field=at)
    return total, total - before


def _check_increase(event: StripeEvent, counted: list[Fields]) -> None:
    """Refuse a list of refunds that is not the increase of the sum, such as one cut off by paging."""
    before = event.previous.get("amount_refunded") if event.previous else None
    if before is None or event.object.get("amount_refunded") is None:
        return
    _, increase = _increase(event)
    amounts = [stripe_amounts.not_negative(refund, "amount") for refund in counted]
    stripe_amounts.one_currency((increase, *amounts), field=event.object.at("refunds"))
    listed = sum(amounts, Money.zero(increase.currency))
    if listed != increase:
        message = f"the new refunds listed are {listed}, the sum refunded rose by {increase}"
        raise Rejected("does_not_add_up", message, field=event.object.at("refunds"))


def _refunds_of(charge: Fields) -> tuple[Fields, ...] | None:
    """The refunds a charge lists: in a list object, or in a plain list (very old). None when it has none."""
    if isinstance(charge.get("refunds"), list):
        return charge.sections("refunds")
    listed = charge.section("refunds")
    return listed.sections("data") if listed else None


def _uncaptured(charge: Fields) -> Money:
    """What was authorised and never captured; Stripe gives it back without moving money."""
    return stripe_amounts.not_negative(charge, "amount") - captured_amount(charge)


def _is_release(charge: Fields, refund: Fields) -> bool:
    """Whether the refund only releases the part never captured: no balance transaction stands behind it.

    Old versions do not say how much was captured; in them every refund has its transaction at once.
    """
    no_transaction = "balance_transaction" in refund.values and refund.get("balance_transaction") is None
    if not charge.get("amount_captured"):
        return no_transaction and "balance_transaction" in charge.values
    return no_transaction and stripe_amounts.money(refund, "amount") == _uncaptured(charge)


def _refunded(refund: Fields) -> Content:
    if not stripe_amounts.not_negative(refund, "amount"):
        return "amount_zero"
    return (_refund(refund, refund.identifier_or_none("charge")),)


def _pending(refund: Fields) -> Content:
    charge_id, amount = refund.identifier_or_none("charge"), stripe_amounts.not_negative(refund, "amount")
    if charge_id is None or not amount:
        return "refund_waiting"
    refund_id = refund.identifier("id")
    fact = f"stripe:refund:{refund_id}"
    of = f"stripe:charge:{charge_id}"
    pending = RefundPending(
        fact=f"{fact}:pending", of=of, becomes=fact, charge=charge_id, refund=refund_id, amount=amount
    )
    return (pending,)


def _refund(refund: Fields, charge_id: str | None, *, of: Fields | None = None) -> PaymentRefunded:
    refund_id = _id_of(refund)
    intent = refund.identifier_or_none("payment_intent")
    amount = stripe_amounts.not_negative(refund, "amount")
    return PaymentRefunded(
        fact=f"stripe:refund:{refund_id}" if refund.get("id") is not None else f"stripe:balance:{refund_id}",
        of=f"stripe:charge:{charge_id}" if charge_id else None,
        charge=charge_id,
        payment_intent=of.identifier_or_none("payment_intent") if of and intent is None else intent,
        invoice=of.identifier_or_none("invoice") if of else None,
        refund=refund_id,
        amount=amount,
        settlement=stripe_amounts.settlement(refund, "balance_transaction", moved=-amount),
        unmoved=True if "balance_transaction" in refund.values and refund.get("balance_transaction") is None else None,
    )


def _id_of(refund: Fields) -> str:
    """Its id; until 2014 it had none, and is known by its balance transaction. Raises Rejected."""
    return (
        refund.identifier_or_none("id") or refund.identifier_or_none("balance_transaction") or refund.identifier("id")
    )


def _is_settled(refund: Fields, stage: _Stage) -> bool:
    """Whether it carries the transaction that moved the balance last, and not only its id."""
    name = "balance_transaction" if stage == "moved" else "failure_balance_transaction"
    return isinstance(refund.get(name), dict)


def _stage(fields: Fields) -> _Stage:
    status = fields.get("status")
    stage = _STAGES.get(status) if status is None or isinstance(status, str) else None
    if stage is None:
        raise Rejected("unknown_status", "not a status of a refund that we know", field=fields.at("status"))
    return stage
