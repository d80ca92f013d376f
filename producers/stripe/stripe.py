"""Stripe events into our events: which kinds count, and how an event is opened.

Pure. Signatures are checked elsewhere, on the raw body. What each kind posts is decided in `workers.plans`.
Source: the shapes were read off the real files in tests/data, which span the API versions of ten years.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from producers.drafts import rejecting
from producers.normalising import Mode, NormaliseContext, Normalised, Rejected
from producers.reading.fields import Fields, open_object
from producers.source import NoOptions, Signature, Source, Webhook
from producers.stripe import (
    captures,
    credit_notes,
    disputes,
    intents,
    invoices,
    moves,
    payments,
    payouts,
    refunds,
    sessions,
    transfers,
)
from producers.stripe.balance import transaction
from producers.stripe.event import Content, StripeEvent
from producers.stripe.outside import outside
from producers.stripe.thin import thin, thin_type
from producers.stripe.whose import company_of
from runtime.secret_files import Shape
from schemas.envelope import Event
from schemas.event_data import EventData
from schemas.json_text import write_json
from schemas.sales import SubscriptionUpdated

_ZEROS: Final = re.compile(r"[a-z]{1,20}_(?:test_)?0{8,}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an event of one type holds, and who reads it; `formerly`: as old versions call what it holds."""

    holds: str
    read: Callable[[StripeEvent], Content]
    formerly: str | None = None
    moves_money: bool = True


def _subscription_updated(event: StripeEvent) -> Content:
    subscription = event.object
    subscription_id = subscription.identifier("id")
    data = SubscriptionUpdated(
        fact=f"stripe:subscription:{subscription_id}:{event.id}",
        subscription=subscription_id,
        customer=subscription.identifier_or_none("customer"),
        status=subscription.token_or_none("status"),
    )
    return (data,)


KINDS: Final[Mapping[str, _Kind]] = {
    "charge.succeeded": _Kind("charge", payments.payment),
    "charge.captured": _Kind("charge", captures.captured),
    "charge.updated": _Kind("charge", captures.updated),
    "charge.failed": _Kind("charge", payments.failed),
    "charge.refunded": _Kind("charge", refunds.charge_refunded),
    "refund.created": _Kind("refund", refunds.refund_created),
    "refund.updated": _Kind("refund", refunds.refund_changed),
    "charge.refund.updated": _Kind("refund", refunds.refund_changed),
    "refund.failed": _Kind("refund", refunds.refund_failed),
    "charge.dispute.created": _Kind("dispute", disputes.changed),
    "charge.dispute.updated": _Kind("dispute", disputes.changed),
    "charge.dispute.funds_withdrawn": _Kind("dispute", disputes.funds_withdrawn),
    "charge.dispute.funds_reinstated": _Kind("dispute", disputes.funds_reinstated),
    "charge.dispute.closed": _Kind("dispute", disputes.closed),
    "payout.updated": _Kind("payout", payouts.payout_changed),
    "payout.reconciliation_completed": _Kind("payout", payouts.payout_changed),
    "topup.succeeded": _Kind("topup", moves.topup),
    "topup.reversed": _Kind("topup", moves.topup_reversed),
    "application_fee.created": _Kind("application_fee", moves.application_fee),
    "application_fee.refunded": _Kind("application_fee", moves.application_fee_refunded),
    "application_fee.refund.updated": _Kind("fee_refund", moves.application_fee_refund_updated),
    "transfer.created": _Kind("transfer", moves.transfer),
    "transfer.updated": _Kind("transfer", moves.transfer_reversed),
    "transfer.reversed": _Kind("transfer", moves.transfer_reversed),
    "payment_intent.succeeded": _Kind("payment_intent", intents.intent_succeeded),
    "invoice.paid": _Kind("invoice", invoices.invoice_paid),
    "invoice.payment_succeeded": _Kind("invoice", invoices.invoice_paid),
    "invoice_payment.paid": _Kind("invoice_payment", invoices.invoice_payment_paid),
    "checkout.session.completed": _Kind("checkout.session", sessions.session_paid),
    "checkout.session.async_payment_succeeded": _Kind("checkout.session", sessions.session_paid),
    "credit_note.created": _Kind("credit_note", credit_notes.credit_note_created),
    "credit_note.voided": _Kind("credit_note", credit_notes.credit_note_voided),
    "payout.paid": _Kind("payout", payments.payout_paid, formerly="transfer"),
    "payout.failed": _Kind("payout", payments.payout_failed, formerly="transfer"),
    "payout.canceled": _Kind("payout", payments.payout_failed, formerly="transfer"),
    "transfer.paid": _Kind("transfer", transfers.paid),
    "transfer.failed": _Kind("transfer", transfers.failed),
    "transfer.canceled": _Kind("transfer", transfers.failed),
    "customer.subscription.updated": _Kind("subscription", _subscription_updated, moves_money=False),
}
"""The Stripe event types that count; every other type is acknowledged and ignored."""


def normalise(payload: bytes, context: NormaliseContext) -> Normalised:
    """Turn one Stripe event, or one balance transaction, into our events.

    An event of a Connect account that is not in `accounts` of the context is refused, an event without an account is
    the company's own. A test posts nothing where the mode is live, and real money is refused where it is test. Raises
    Rejected; the same payload always gives the same result.
    """
    document, mode = _open(payload), context.mode
    if document.get("object") == "balance_transaction":  # read with a key, and sent again by a person
        return transaction(document, context)
    stripe_type = _type_of(document)
    if _is_left_out(document, mode):
        return Normalised((), ignored="test_mode")
    kind = KINDS.get(stripe_type)
    if thin_type(document) is not None:
        return thin(stripe_type, context, is_read=kind is not None and kind.moves_money)
    if kind is None:
        return outside(stripe_type, context)
    if mode is not None:
        _refuse_other_mode(document, mode)
    event = _event(document, stripe_type, kind)
    company = company_of(document, context)
    with rejecting():
        found = kind.read(event)
        if isinstance(found, str):
            return Normalised((), ignored=found)
        return Normalised(tuple(_wrap(event, data, company, several=len(found) > 1) for data in found))


def _is_left_out(document: Fields, mode: Mode | None) -> bool:
    """A test posts nothing in the books of real money, nor offline; there an example of nobody's account is shown."""
    if mode == "test" or document.get("livemode") is not False:
        return False
    return mode == "live" or not _is_example(document)


def _is_example(document: Fields) -> bool:
    """Whether its object has an id of zeros, as in sample events: those of no account."""
    inner = document.get("data")
    held = inner.get("object") if isinstance(inner, dict) else None
    named = held.get("id") if isinstance(held, dict) else None
    return isinstance(named, str) and _ZEROS.fullmatch(named) is not None


def _refuse_other_mode(document: Fields, mode: Mode) -> None:
    """An event that does not say which it is, and real money for trial books, are for a person."""
    is_live = document.get("livemode")
    if not isinstance(is_live, bool):
        raise Rejected("unknown_mode", "it does not say whether it is real money", field="livemode")
    if is_live and mode == "test":
        message = "it is real money, and these are trial books: see stripe.test_mode"
        raise Rejected("live_mode", message, field="livemode")


def identify(payload: bytes) -> tuple[str | None, str | None]:
    """Give the Stripe event's id and type for logs, as far as they can be read. Never raises."""
    try:
        document = _open(payload)
        return document.identifier_or_none("id"), document.token_or_none("type")
    except Rejected:
        return None, None


def told(payload: bytes) -> bytes:
    """Give the event without how many endpoints it still goes to, which changes between deliveries. Never raises."""
    try:
        values = _open(payload).values
        return write_json({name: value for name, value in values.items() if name != "pending_webhooks"}).encode()
    except (Rejected, RecursionError):
        return payload


def _open(payload: bytes) -> Fields:
    return open_object(payload, reason="not_an_event", message="a Stripe event is a JSON object")


def _type_of(document: Fields) -> str:
    kind = document.token_or_none("object")
    stripe_type = thin_type(document) or document.token_or_none("type")
    if kind not in (None, "event", "v2.core.event") or stripe_type is None:
        raise Rejected("not_an_event", 'not a Stripe event: it needs "object": "event", a type, and data.object')
    return stripe_type


def _event(document: Fields, stripe_type: str, kind: _Kind) -> StripeEvent:
    data = document.section("data")
    inner = data.section("object") if data else None
    if data is None or inner is None:
        raise Rejected("not_an_event", "a Stripe event holds its object here", field="data.object")
    if inner.get("object") not in (None, kind.holds, kind.formerly):
        raise Rejected("wrong_object", f"a {stripe_type} holds a {kind.holds}", field=inner.at("object"))
    return StripeEvent(
        id=document.identifier("id"),
        created=document.time("created"),
        object=inner,
        previous=data.section("previous_attributes"),
    )


def _wrap(event: StripeEvent, data: EventData, company: str, *, several: bool) -> Event:
    """Its subject is the object's id, and its key that of the entity whose order matters."""
    subject = _first(data, *_SUBJECTS) or data.fact.split(":")[2]
    return Event.of(
        data,
        id=f"{event.id}:{_first(data, 'refund') or data.fact}" if several else event.id,
        source="/webhooks/stripe",
        time=event.created,
        subject=subject,
        partitionkey=_first(data, "charge", "customer") or subject,
        company=company,
    )


_SUBJECTS: Final = (
    *("refund", "dispute", "payout", "subscription", "credit_note", "session", "charge", "invoice", "payment_intent"),
)
"""By which of its names an event is known, the first that it has."""


def _first(data: EventData, *names: str) -> str:
    return next((value for name in names if (value := getattr(data, name, None))), "")


STRIPE: Final = Source(
    name="stripe",
    document=normalise,
    options=NoOptions,
    people=False,
    webhook=Webhook(
        signature=Signature(
            header="Stripe-Signature", field="v1", timestamp="t", signs="{timestamp}.{body}", exact=True
        ),
        secret=Shape(re.compile(r"whsec_[A-Za-z0-9+/=]{16,250}"), "whsec_ and at least 16 letters or digits"),
        identify=lambda body, _: identify(body),
        told=told,
        takes=frozenset(
            {
                *("accounts", "outside", "test_mode"),
                *("api_key_file", "api_base_url", "api_calls_per_minute", "read_every_minutes"),
            }
        ),
    ),
)
