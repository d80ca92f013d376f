"""Stripe events into our events: which kinds count, and how an event is opened.

Pure. Signatures are checked elsewhere, on the raw body. What each kind posts is decided in `workers.plans`.
Source: the shapes were read off the real files in tests/data, which span the API versions of ten years.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from producers.drafts import rejecting
from producers.normalising import Mode, Normalised, Rejected
from producers.reading.fields import Fields, open_object
from producers.stripe import disputes as stripe_disputes
from producers.stripe import payments as stripe_payments
from producers.stripe import payouts as stripe_payouts
from producers.stripe import refunds as stripe_refunds
from producers.stripe.event import Draft, Found, Ignored, Reader, StripeEvent
from schemas.envelope import DEFAULT_COMPANY, Event
from schemas.sales import SubscriptionUpdated

SOURCE: Final = "/webhooks/stripe"


@dataclass(frozen=True, slots=True)
class _Kind:
    holds: str
    read: Reader


def _subscription_updated(event: StripeEvent) -> Found:
    subscription = event.object
    subscription_id = subscription.identifier("id")
    customer = subscription.identifier_or_none("customer")
    data = SubscriptionUpdated(
        fact=f"stripe:subscription:{subscription_id}:{event.id}",
        subscription=subscription_id,
        customer=customer,
        status=subscription.token_or_none("status"),
    )
    return (Draft(data, subject=subscription_id, partitionkey=customer or subscription_id),)


KINDS: Final[Mapping[str, _Kind]] = {
    "charge.succeeded": _Kind("charge", stripe_payments.payment),
    "charge.captured": _Kind("charge", stripe_payments.payment),
    "charge.refunded": _Kind("charge", stripe_refunds.charge_refunded),
    "refund.created": _Kind("refund", stripe_refunds.refund_created),
    "refund.updated": _Kind("refund", stripe_refunds.refund_changed),
    "charge.refund.updated": _Kind("refund", stripe_refunds.refund_changed),
    "refund.failed": _Kind("refund", stripe_refunds.refund_failed),
    "charge.dispute.funds_withdrawn": _Kind("dispute", stripe_disputes.funds_withdrawn),
    "charge.dispute.funds_reinstated": _Kind("dispute", stripe_disputes.funds_reinstated),
    "charge.dispute.closed": _Kind("dispute", stripe_disputes.closed),
    "payout.paid": _Kind("payout", stripe_payouts.paid),
    "payout.failed": _Kind("payout", stripe_payouts.failed),
    "customer.subscription.updated": _Kind("subscription", _subscription_updated),
}
"""The Stripe event types that count; every other type is acknowledged and ignored."""


def normalise(
    payload: bytes, *, accounts: Mapping[str, str], company: str = DEFAULT_COMPANY, mode: Mode | None = None
) -> Normalised:
    """Turn one Stripe event into our events.

    `accounts` maps Connect account ids to companies: an event of an account that is not in it is refused,
    an event without an account is the company's own. A test posts nothing where `mode` is live, and real money is
    refused where it is test. Raises Rejected; the same payload always gives the same result.
    """
    document = _open(payload)
    stripe_type = _type_of(document)
    if mode == "live" and document.get("livemode") is False:
        return Normalised((), ignored="test_mode")
    kind = KINDS.get(stripe_type)
    if kind is None:
        return Normalised((), ignored=f"type_not_used:{stripe_type}")
    if mode is not None:
        _refuse_other_mode(document, mode)
    event = _event(document, stripe_type, kind)
    books = _company(document, accounts, company)
    with rejecting():
        drafts = kind.read(event)
        if isinstance(drafts, Ignored):
            return Normalised((), ignored=drafts.reason)
        return Normalised(tuple(_wrap(event, draft, books) for draft in drafts))


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


def _open(payload: bytes) -> Fields:
    return open_object(payload, reason="not_an_event", message="a Stripe event is a JSON object")


def _type_of(document: Fields) -> str:
    kind = document.token_or_none("object")
    stripe_type = document.token_or_none("type")
    if kind not in (None, "event", "v2.core.event") or stripe_type is None:
        raise Rejected("not_an_event", 'not a Stripe event: it needs "object": "event", a type, and data.object')
    return stripe_type


def _event(document: Fields, stripe_type: str, kind: _Kind) -> StripeEvent:
    data = document.section("data")
    inner = data.section("object") if data else None
    if data is None or inner is None:
        raise Rejected("not_an_event", "a Stripe event holds its object here", field="data.object")
    if inner.get("object") not in (None, kind.holds):
        raise Rejected("wrong_object", f"a {stripe_type} holds a {kind.holds}", field=inner.at("object"))
    return StripeEvent(
        id=document.identifier("id"),
        type=stripe_type,
        created=document.time("created"),
        object=inner,
        previous=data.section("previous_attributes"),
    )


def _company(document: Fields, accounts: Mapping[str, str], company: str) -> str:
    account = document.identifier_or_none("account")
    if account is None:
        return company
    if account not in accounts:
        message = f"no company is set for the Stripe account {account}: add it to the Stripe accounts"
        raise Rejected(f"unmapped:stripe_account:{account}", message, field="account")
    return accounts[account]


def _wrap(event: StripeEvent, draft: Draft, company: str) -> Event:
    return Event.of(
        draft.data,
        id=event.id if draft.part is None else f"{event.id}:{draft.part}",
        source=SOURCE,
        time=event.created,
        subject=draft.subject,
        partitionkey=draft.partitionkey,
        company=company,
    )
