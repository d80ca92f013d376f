"""Transactions of orders, and refunds, which hold some: a sale or capture that succeeded is money, and so is a refund.

Money follows transactions, never lines. Only what Shopify Payments took is in Shopify's balance.
"""

from producers.normalising import NormaliseContext
from producers.reading.fields import Fields
from producers.shopify import amounts
from producers.shopify.content import BOGUS, PAYMENTS, Content, Told, of_test, outside, when
from schemas.sales import PaymentRefunded, PaymentSucceeded


def transaction(found: Fields, context: NormaliseContext) -> Content:
    """Read one transaction of an order. Raises Rejected."""
    kind, status = found.token_or_none("kind") or "unknown", found.token_or_none("status") or "unknown"
    if kind not in {"sale", "capture", "refund", "change"}:
        return f"transaction_{kind}"
    if status != "success":
        return f"transaction_{status}"
    gateway = found.token_or_none("gateway") or "unknown"
    is_test = found.flag_or_none("test") is True or gateway == BOGUS
    if other_mode := of_test(found, context, is_test=is_test):
        return other_mode
    if gateway not in {PAYMENTS, BOGUS} or kind == "change":
        return outside(gateway, found.at("gateway"), context)
    amount = amounts.not_negative(found, "amount")
    if not amount:
        return "amount_zero"
    number, order = found.identifier("id"), found.identifier_or_none("order_id")
    if kind == "refund":
        parent = found.identifier_or_none("parent_id")
        refunded = PaymentRefunded(
            fact=f"shopify:refund:{number}",
            of=fact_of(parent) if parent else None,
            charge=parent,
            payment_intent=order,
            refund=number,
            amount=amount,
        )
        return (Told(refunded, when(found)),)
    data = PaymentSucceeded(fact=fact_of(number), charge=number, payment_intent=order, amount=amount)
    return (Told(data, when(found)),)


def refund(found: Fields, context: NormaliseContext) -> Content:
    """Read a refund by its transactions; one that gave no money back posts nothing. Raises Rejected."""
    told: list[Told] = []
    ignored = "no_money_refunded"
    for part in found.sections("transactions") or ():
        content = transaction(part, context)
        if isinstance(content, str):
            ignored = content
        else:
            told += content
    return told or ignored


def fact_of(number: str) -> str:
    """How the fact of a payment is named, by the transaction that took the money."""
    return f"shopify:charge:{number}"
