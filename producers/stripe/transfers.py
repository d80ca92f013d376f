"""Transfers as they were before 2017: a payout to the bank was one, and its events were `transfer.paid` and so on.

What went to another account of Stripe's is told by `transfer.created`, and posts nothing here.
"""

from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe.event import Content, StripeEvent
from producers.stripe.payments import payout_failed, payout_paid

_ACCOUNT: Final = "acct_"


def paid(event: StripeEvent) -> Content:
    """Read a transfer that has arrived: a payout where it went to the bank. Raises Rejected."""
    return _elsewhere(event.object) or payout_paid(event)


def failed(event: StripeEvent) -> Content:
    """Read a transfer that came back, or was canceled. Raises Rejected."""
    return _elsewhere(event.object) or payout_failed(event)


def _elsewhere(transfer: Fields) -> str | None:
    """Why it is no payout of ours; None where it is one."""
    to_account = (transfer.identifier_or_none("destination") or "").startswith(_ACCOUNT)
    if to_account or transfer.token_or_none("type") == "stripe_account":
        return "transfer_to_account"
    if transfer.get("recipient") is not None:
        message = "it paid somebody else's bank account: book it by hand"
        raise Rejected("unmapped:stripe_type:transfer", message, field=transfer.at("recipient"))
    return None
