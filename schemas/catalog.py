"""Every event type there is, in one visible table. To add an event, write its model and add its line here."""

from collections.abc import Mapping
from typing import Final

from schemas import inventory, payroll, sales, told
from schemas.event_data import EventData

EVENT_TYPES: Final[Mapping[str, type[EventData]]] = {
    "sales.payment.succeeded.v1": sales.PaymentSucceeded,
    "sales.payment.failed.v1": sales.PaymentFailed,
    "sales.payment.refunded.v1": sales.PaymentRefunded,
    "sales.payment.refund_pending.v1": sales.RefundPending,
    "sales.payment.refund_failed.v1": sales.RefundFailed,
    "sales.dispute.opened.v1": sales.DisputeOpened,
    "sales.dispute.won.v1": sales.DisputeWon,
    "sales.dispute.lost.v1": sales.DisputeLost,
    "sales.payout.paid.v1": sales.PayoutPaid,
    "sales.payout.failed.v1": sales.PayoutFailed,
    "sales.balance.moved.v1": sales.BalanceMoved,
    "sales.subscription.updated.v1": sales.SubscriptionUpdated,
    "sales.summary.closed.v1": sales.SummaryClosed,
    "sales.sale.told.v1": told.SaleTold,
    "sales.sale.linked.v1": told.SaleLinked,
    "sales.sale.credited.v1": told.SaleCredited,
    "sales.sale.credit_voided.v1": told.CreditVoided,
    "sales.payment.expected.v1": told.PaymentExpected,
    "inventory.stock.adjusted.v1": inventory.StockAdjusted,
    "inventory.stock.counted.v1": inventory.StockCounted,
    "inventory.stock.merged.v1": inventory.StockMerged,
    "inventory.receipt.posted.v1": inventory.ReceiptPosted,
    "inventory.order.placed.v1": inventory.OrderPlaced,
    "inventory.bill.received.v1": inventory.BillReceived,
    "payroll.run.paid.v1": payroll.RunPaid,
    "payroll.run.reversed.v1": payroll.RunReversed,
}

TYPE_OF: Final[Mapping[type[EventData], str]] = {model: name for name, model in EVENT_TYPES.items()}

STREAMS: Final = tuple(dict.fromkeys(("sales", "contacts", *(name.partition(".")[0] for name in EVENT_TYPES))))
"""The domains: each has its queue, and the books say what becomes of its late facts."""


def data_schema_uri(event_type: str) -> str:
    """Name the schema of a type, for the attribute `dataschema`."""
    return f"urn:solid-relay:schema:{event_type}"
