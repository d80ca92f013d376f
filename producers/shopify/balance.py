"""Transactions of Shopify's balance: what each payment, refund, dispute and payout did to it, with its fee.

A payment or a refund is the same fact as its order's transaction, and tells its fee too. What has no event of ours is
`sales.balance.moved.v1` under Shopify's own word.
"""

from collections.abc import Mapping
from typing import Final

from producers.normalising import NormaliseContext
from producers.reading.fields import Fields
from producers.shopify import amounts
from producers.shopify.content import Content, Told, of_test, when
from producers.shopify.disputes import fact_of as fact_of_dispute
from producers.shopify.disputes import opened, won
from producers.shopify.transactions import fact_of
from schemas.money import Money
from schemas.sales import (
    BalanceMoved,
    MoveCategory,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutPaid,
    Settlement,
)

_CATEGORIES: Final[Mapping[str, MoveCategory]] = {"reserve": "reserve", "reserved_funds": "reserve"}
_CAME_BACK: Final = frozenset({"payout_failure", "payout_cancellation"})


def balance_transaction(found: Fields, context: NormaliseContext) -> Content:
    """Read one transaction of the balance. Raises Rejected: `does_not_add_up`."""
    if other_mode := of_test(found, context, is_test=found.flag_or_none("test") is True):
        return other_mode
    told = amounts.settlement(found)
    if not told.gross and not told.fee:
        return "amount_zero"
    kind, source = found.token_or_none("type") or "unknown", found.identifier_or_none("source_id")
    money_of = found.identifier_or_none("source_order_transaction_id")
    if kind == "payout" or kind in _CAME_BACK:
        return _payout(found, kind, source or found.identifier("id"), told)
    if kind == "charge" and money_of and told.gross.amount > 0:
        data = PaymentSucceeded(
            fact=fact_of(money_of), charge=money_of, payment_intent=_order(found), amount=told.gross, settlement=told
        )
        return (Told(data, when(found)),)
    if kind == "refund" and money_of and told.gross.amount < 0:
        refunded = PaymentRefunded(
            fact=f"shopify:refund:{money_of}",
            payment_intent=_order(found),
            refund=money_of,
            amount=-told.gross,
            settlement=told,
        )
        return (Told(refunded, when(found)),)
    if kind == "dispute" and source and told.gross:
        return _dispute(found, source, told)
    return (Told(_moved(f"shopify:balance:{told.balance_transaction}", kind, told), when(found)),)


def _payout(found: Fields, kind: str, number: str, told: Settlement) -> Content:
    """A payout that arrived, or came back; the payout itself tells the same, with the day on which it arrives."""
    fact, at = f"shopify:payout:{number}", when(found)
    if kind in _CAME_BACK:
        values = {"payout": number, "amount": told.gross, "arrival_date": at.date()}
        return (Told(PayoutFailed(fact=f"{fact}:failed", of=fact, **values), at),)
    if found.token_or_none("payout_status") != "paid":
        return "payout_not_paid"
    return (Told(PayoutPaid(fact=fact, payout=number, amount=-told.gross, arrival_date=at.date()), at),)


def _dispute(found: Fields, number: str, told: Settlement) -> Content:
    """What a dispute took or gave back, and its fee beside it, which a webhook does not tell."""
    at, taken = when(found), told.gross.amount < 0
    parts = [Told(opened(number, -told.gross) if taken else won(number, told.gross), at)]
    if told.fee:
        none = Money.zero(told.fee.currency)
        name = f"{fact_of_dispute(number)}:{'withdrawn' if taken else 'reinstated'}:fee"
        fee = told.model_copy(update={"gross": -told.fee, "fee": none, "net": -told.fee})
        parts.append(Told(_moved(name, "dispute_fee", fee), at))
    return parts


def _moved(fact: str, kind: str, told: Settlement) -> BalanceMoved:
    category = "fee" if kind == "dispute_fee" else _CATEGORIES.get(kind, "adjustment")
    return BalanceMoved(fact=fact, transaction=told.balance_transaction, kind=kind, category=category, settlement=told)


def _order(found: Fields) -> str | None:
    return found.identifier_or_none("source_order_id")
