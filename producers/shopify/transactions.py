"""Transactions of orders, and refunds, which hold some: a sale or capture that succeeded is money, and so is a refund.

Money follows transactions, never lines. Only what Shopify Payments took is in Shopify's balance.
"""

from collections.abc import Sequence

from producers.normalising import NormaliseContext
from producers.reading.fields import Fields
from producers.shopify import amounts
from producers.shopify.content import BOGUS, PAYMENTS, Content, Told, of_test, outside, when
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import PaymentRefunded, PaymentSucceeded
from schemas.told import SaleCredited


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
    data = _money(found, kind)
    return (Told(data, when(found)),) if data is not None else "amount_zero"


def _money(found: Fields, kind: str) -> EventData | None:
    amount = amounts.not_negative(found, "amount")
    if not amount:
        return None
    number, order = found.identifier("id"), found.identifier_or_none("order_id")
    if kind != "refund":
        return PaymentSucceeded(fact=fact_of(number), charge=number, payment_intent=order, amount=amount)
    parent = found.identifier_or_none("parent_id")
    return PaymentRefunded(
        fact=f"shopify:refund:{number}",
        of=fact_of(parent) if parent else None,
        charge=parent,
        payment_intent=order,
        refund=number,
        amount=amount,
    )


def refund(found: Fields, context: NormaliseContext) -> Content:
    """Read a refund by its transactions, and the tax that it tells; without money it posts nothing. Raises Rejected."""
    told: list[Told] = []
    ignored = "no_money_refunded"
    for part in found.sections("transactions") or ():
        content = transaction(part, context)
        if isinstance(content, str):
            ignored = content
        else:
            told += content
    return [*told, *_credited(found, [one.data for one in told])] if told else ignored


def _credited(found: Fields, refunds: Sequence[EventData]) -> Sequence[Told]:
    """How much of the money was tax, where the lines say it in the currency of the money.

    An adjustment is negative where it gives something back beside the lines, such as shipping.
    """
    parts = [one for one in refunds if isinstance(one, PaymentRefunded)]
    rows = [(row, "total_tax") for row in found.sections("refund_line_items") or ()]
    rows += [(row, "tax_amount") for row in found.sections("order_adjustments") or ()]
    order, code = found.identifier_or_none("order_id"), parts[0].amount.currency if parts else ""
    if order is None or not rows or len({one.amount.currency for one in parts}) != 1:
        return ()
    none = Money.zero(code)
    told = [amounts.paid_in(row, name, code, own=None) for row, name in rows]
    taxes = [
        -tax if name == "tax_amount" else tax for tax, (_, name) in zip(told, rows, strict=True) if tax is not None
    ]
    amount, tax = sum((one.amount for one in parts), none), sum(taxes, none)
    if not none <= tax <= amount or len(taxes) != len(rows):
        return ()
    number = found.identifier("id")
    data = SaleCredited(
        fact=f"shopify:credit:{number}",
        credit_note=number,
        invoice=order,
        amount=amount,
        tax=tax,
        refunds=tuple(one.fact for one in parts),
        refunded=amount,
        to_balance=none,
        outside=none,
        before_payment=none,
    )
    return (Told(data, when(found)),)


def fact_of(number: str) -> str:
    """How the fact of a payment is named, by the transaction that took the money."""
    return f"shopify:charge:{number}"
