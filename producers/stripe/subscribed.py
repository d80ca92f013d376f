"""Which of Stripe's events an endpoint has to be sent, and what is missing in the books without each.

The one table of it: `docs/stripe-events.md` says the same, and so does `relay check`.
"""

from collections.abc import Mapping
from typing import Final

NEEDED: Final[Mapping[str, str]] = {
    "charge.succeeded": "sales",
    "charge.captured": "sales that are captured later",
    "charge.updated": "fees, and amounts of foreign sales, that are known only later; further captures",
    "charge.failed": "payments that fail after they have reached the balance",
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

MOVES: Final[Mapping[str, str]] = {
    "topup.succeeded": "top-ups",
    "topup.reversed": "top-ups that are taken back",
    "application_fee.created": "the fees that a platform earns",
    "application_fee.refunded": "the fees that a platform gives back",
    "transfer.created": "what a platform hands on to those it sells for",
    "transfer.reversed": "what a platform takes back of that",
}
"""Platforms (Connect), and who tops up, need these as well."""

ALL: Final[Mapping[str, str]] = {**NEEDED, **TAX, **MOVES}
"""All that is needed by anybody: nothing that an account has none of is ever sent to it."""

_AS_WELL: Final[Mapping[str, str]] = {
    "invoice.paid": "invoice.payment_succeeded",
    "refund.updated": "charge.refund.updated",
}
"""Either will do."""


def missing_of(subscribed: frozenset[str]) -> dict[str, str]:
    """Give the events that are needed and not sent, each with what is missing without it; `*` is all events."""
    if "*" in subscribed:
        return {}
    return {name: why for name, why in ALL.items() if not {name, _AS_WELL.get(name, name)} & subscribed}
