"""Stripe payouts: our balance paid out to the bank, or taken from it when the amount is negative.

`payout.created` already says `paid` in old versions; only `payout.paid` and `payout.failed` count.
"""

from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Draft, Found, Ignored, StripeEvent
from schemas.sales import PayoutFailed, PayoutPaid


def paid(event: StripeEvent) -> Found:
    """Read a payout that reached the bank. Raises Rejected."""
    payout = event.object
    amount = stripe_amounts.money(payout, "amount")
    if not amount:
        return Ignored("amount_zero")
    payout_id = payout.identifier("id")
    data = PayoutPaid(
        fact=f"stripe:payout:{payout_id}",
        payout=payout_id,
        amount=amount,
        arrival_date=payout.time("arrival_date").date(),
        settlement=stripe_amounts.settlement(payout, "balance_transaction", moved=-amount),
    )
    return (Draft(data, subject=payout_id, partitionkey=payout_id),)


def failed(event: StripeEvent) -> Found:
    """Read a payout that came back. Raises Rejected."""
    payout = event.object
    amount = stripe_amounts.money(payout, "amount")
    if not amount:
        return Ignored("amount_zero")
    payout_id = payout.identifier("id")
    data = PayoutFailed(
        fact=f"stripe:payout:{payout_id}:failed",
        of=f"stripe:payout:{payout_id}",
        payout=payout_id,
        amount=amount,
        arrival_date=payout.time("arrival_date").date(),
        settlement=stripe_amounts.settlement(payout, "failure_balance_transaction", moved=amount),
    )
    return (Draft(data, subject=payout_id, partitionkey=payout_id),)
