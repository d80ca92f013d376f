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
from schemas.event_data import EventData
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
    kind = found.token_or_none("type") or "unknown"
    if kind == "payout" or kind in _CAME_BACK:
        return _payout(found, kind, told)
    money = _money(found, kind, told)
    if money is not None:
        return (Told(money, when(found)),)
    source = found.identifier_or_none("source_id")
    if kind == "dispute" and source and told.gross:
        return _dispute(found, source, told)
    return (Told(_moved(f"shopify:balance:{told.balance_transaction}", kind, told), when(found)),)


def _money(found: Fields, kind: str, told: Settlement) -> EventData | None:
    """A payment or a refund, under the name of the order's transaction; None where it is none, or names none."""
    number, order = (found.identifier_or_none(f"source_order_{name}id") for name in ("transaction_", ""))
    if number is None:
        return None
    if kind == "charge" and told.gross.amount > 0:
        return PaymentSucceeded(
            fact=fact_of(number), charge=number, payment_intent=order, amount=told.gross, settlement=told
        )
    if kind == "refund" and told.gross.amount < 0:
        fact = f"shopify:refund:{number}"
        return PaymentRefunded(fact=fact, payment_intent=order, refund=number, amount=-told.gross, settlement=told)
    return None


def _payout(found: Fields, kind: str, told: Settlement) -> Content:
    """A payout that arrived, or came back; the payout itself tells the same, with the day on which it arrives."""
    number = found.identifier_or_none("source_id") or found.identifier("payout_id")
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
