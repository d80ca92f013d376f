"""Every event type there is, in one visible table. To add an event, write its model and add its line here."""

from collections.abc import Mapping
from typing import Final

from schemas import sales
from schemas.event_data import EventData

EVENT_TYPES: Final[Mapping[str, type[EventData]]] = {
    "sales.payment.succeeded.v1": sales.PaymentSucceeded,
    "sales.payment.refunded.v1": sales.PaymentRefunded,
    "sales.payment.refund_failed.v1": sales.RefundFailed,
    "sales.dispute.opened.v1": sales.DisputeOpened,
    "sales.dispute.won.v1": sales.DisputeWon,
    "sales.dispute.lost.v1": sales.DisputeLost,
    "sales.payout.paid.v1": sales.PayoutPaid,
    "sales.payout.failed.v1": sales.PayoutFailed,
    "sales.subscription.updated.v1": sales.SubscriptionUpdated,
}

TYPE_OF: Final[Mapping[type[EventData], str]] = {model: name for name, model in EVENT_TYPES.items()}


def data_schema_uri(event_type: str) -> str:
    """Name the schema of a type, for the attribute `dataschema`."""
    return f"urn:solid-relay:schema:{event_type}"
