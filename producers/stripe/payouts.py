"""Payouts that are told of again: with the balance transaction that says what they cost, or with another status.

The fact is that of `payout.paid` and `payout.failed`, so only what was not known before is booked.
"""

from typing import Final

from producers.stripe.event import Content, StripeEvent
from producers.stripe.payments import payout_failed, payout_paid

_UNDONE: Final = frozenset({"failed", "canceled"})


def payout_changed(event: StripeEvent) -> Content:
    """Read `payout.updated` and `payout.reconciliation_completed`. Raises Rejected."""
    payout = event.object
    status = payout.token_or_none("status")
    if status in _UNDONE:
        settled = isinstance(payout.get("failure_balance_transaction"), dict)
        return payout_failed(event) if settled or event.changed("status") else "payout_status_unchanged"
    if status != "paid":
        return "payout_on_its_way"
    settled = isinstance(payout.get("balance_transaction"), dict)
    reconciled = payout.token_or_none("reconciliation_status") == "completed"
    return payout_paid(event) if settled or reconciled or event.changed("status") else "payout_status_unchanged"
