"""Payouts of Shopify Payments, which must be the sum that their summary makes.

Of the summary `*_gross_amount` are signed as they moved the balance, and `*_fee_amount` as what was kept: a fee given
back is negative.
"""

from producers.drafts import at_noon
from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from producers.shopify import amounts
from producers.shopify.content import Content, Told
from schemas.money import Money
from schemas.sales import PayoutFailed, PayoutPaid


def payout(found: Fields, _: NormaliseContext) -> Content:
    """Read a payout that was paid, or failed. Raises Rejected: `payout_does_not_add_up`, with both figures."""
    status = found.token_or_none("status") or "unknown"
    if status not in {"paid", "failed"}:
        return f"payout_{status}"
    amount, number, day = amounts.money(found, "amount"), found.identifier("id"), found.day("date")
    if not amount:
        return "amount_zero"
    _check_summary(found, amount)
    fact, at = f"shopify:payout:{number}", at_noon(day)
    if status == "failed":
        failed = PayoutFailed(fact=f"{fact}:failed", of=fact, payout=number, amount=amount, arrival_date=day)
        return (Told(failed, at),)
    return (Told(PayoutPaid(fact=fact, payout=number, amount=amount, arrival_date=day), at),)


def _check_summary(found: Fields, amount: Money) -> None:
    summary = found.section("summary")
    if summary is None:
        return
    made = Money.zero(amount.currency)
    for name in summary.values:
        if name.endswith("_gross_amount"):
            made += amounts.money(summary, name, currency=amount.currency)
        elif name.endswith("_fee_amount"):
            made -= amounts.money(summary, name, currency=amount.currency)
    if made != amount:
        message = f"its summary makes {made}, the payout is {amount}"
        raise Rejected("payout_does_not_add_up", message, field=found.at("amount"))
