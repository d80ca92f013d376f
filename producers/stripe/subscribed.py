"""Which of Stripe's events an endpoint has to be sent, and what is missing in the books without each.

The one table of it: `docs/stripe-events.md` says the same, and so does `relay check`.
"""

from collections.abc import Mapping
from typing import Final

NEEDED: Final[Mapping[str, str]] = {
    "charge.succeeded": "sales",
    "charge.captured": "sales that are captured later",
    "charge.refunded": "sums refunded, against which refunds are checked",
    "refund.created": "refunds",
    "refund.updated": "refunds that succeed, fail or are canceled later",
    "refund.failed": "refunds that come back",
    "charge.dispute.funds_withdrawn": "what disputes take",
    "charge.dispute.funds_reinstated": "what disputes give back",
    "charge.dispute.closed": "disputes that are lost",
    "payout.paid": "payouts",
    "payout.failed": "payouts that come back",
}
"""Every account needs these."""

TAX: Final[Mapping[str, str]] = {
    "invoice.paid": "the tax and lines of invoices, and those paid outside of Stripe or from credit",
    "invoice_payment.paid": "which payment is of which invoice, since 2025: without it no refund takes tax back",
    "checkout.session.completed": "the tax of Checkout",
    "checkout.session.async_payment_succeeded": "the tax of Checkout where money comes later",
    "credit_note.created": "what credit notes take back, and how much of it is tax",
    "credit_note.voided": "credit notes that are taken back",
}
"""Who sells with tax, or with Stripe's invoices, needs these as well."""


def missing_of(subscribed: frozenset[str], *, taxed: bool) -> dict[str, str]:
    """Give the events that are needed and not sent, each with what is missing without it; `*` is all events."""
    needed = {**NEEDED, **TAX} if taxed else dict(NEEDED)
    return {} if "*" in subscribed else {name: why for name, why in needed.items() if name not in subscribed}
