"""Square's payouts, and the entries that make one: what moved the balance, with its fee.

An entry of a payment or a refund is the same fact as its webhook, and tells its fee too. What has no event of ours is
`sales.balance.moved.v1` under Square's own word, in lower case.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from producers.square import amounts
from producers.square.content import Content, Told, when
from producers.square.payments import adjustments, app_fee, fact_of
from schemas.money import Money
from schemas.sales import BalanceMoved, MoveCategory, PaymentRefunded, PaymentSucceeded, PayoutFailed, PayoutPaid

_FEES: Final = (
    *("FEE", "DEPOSIT_FEE", "DEPOSIT_FEE_REVERSED", "PAID_SERVICE_FEE", "PAID_SERVICE_FEE_REFUND", "SUBSCRIPTION_FEE"),
    *("SUBSCRIPTION_FEE_PAID_REFUND", "SUBSCRIPTION_FEE_REFUND", "PROCESSING_FEE", "PROCESSING_FEE_REFUND"),
    *("UNDO_PROCESSING_FEE_REFUND", "GIFT_CARD_LOAD_FEE", "GIFT_CARD_LOAD_FEE_REFUND", "FREE_PROCESSING"),
    *("UNDO_GIFT_CARD_LOAD_FEE_REFUND", "LOCAL_OFFERS_FEE", "THIRD_PARTY_FEE", "THIRD_PARTY_FEE_REFUND"),
)
_CATEGORIES: Final[Mapping[str, MoveCategory]] = {
    **dict.fromkeys(_FEES, "fee"),
    "APP_FEE_REVENUE": "application_fee",
    "APP_FEE_REFUND": "application_fee_refund",
    **dict.fromkeys(("RESERVE_HOLD", "RESERVE_RELEASE"), "reserve"),
}


def payout(found: Fields, _: NormaliseContext) -> Content:
    """Read a payout that reached the bank, or came back; one that is on its way posts nothing. Raises Rejected."""
    status = found.token_or_none("status")
    if status not in {"PAID", "FAILED"}:
        return "payout_not_paid"
    amount = amounts.money(found, "amount_money")
    if not amount:
        return "amount_zero"
    payout_id, arrival = found.identifier("id"), found.day("arrival_date")
    fact, at = f"square:payout:{payout_id}", when(found, "updated_at", "created_at")
    if status == "FAILED":
        failed = PayoutFailed(fact=f"{fact}:failed", of=fact, payout=payout_id, amount=amount, arrival_date=arrival)
        return (Told(failed, at),)
    fee, tax = _fee(found, amount)
    settlement = amounts.settled(payout_id, -amount, fee, tax=tax) if fee or tax else None
    paid = PayoutPaid(fact=fact, payout=payout_id, amount=amount, arrival_date=arrival, settlement=settlement)
    return (Told(paid, at),)


def entry(found: Fields, _: NormaliseContext) -> Content:
    """Read an entry of a payout: one movement of the balance. Raises Rejected: `does_not_add_up`."""
    gross, fee = amounts.money(found, "gross_amount_money"), _part(found, "fee_amount_money")
    net = amounts.money(found, "net_amount_money")
    amounts.same_currency(fee, gross, found.at("fee_amount_money"))
    amounts.same_currency(net, gross, found.at("net_amount_money"))
    if gross - fee != net:
        figures = f"gross {gross} - fee {fee} = {gross - fee}, but net is {net}"
        raise Rejected("does_not_add_up", figures, field=found.at("net_amount_money"))
    if not gross and not fee:
        return "amount_zero"
    kind = found.token_or_none("type") or "unknown"
    details = found.section(f"type_{kind.lower()}_details") or Fields({})
    at, payment = when(found, "effective_at"), details.identifier_or_none("payment_id")
    if kind == "CHARGE" and payment and gross.amount > 0:
        settlement = amounts.settled(payment, gross, fee)
        return (Told(PaymentSucceeded(fact=fact_of(payment), charge=payment, amount=gross, settlement=settlement), at),)
    refund = details.identifier_or_none("refund_id")
    if kind == "REFUND" and refund and gross.amount < 0:
        return (Told(_refund(refund, payment, gross, fee), at),)
    return _other(found, kind, details, gross=gross, fee=fee)


def _refund(refund: str, payment: str | None, gross: Money, fee: Money) -> PaymentRefunded:
    return PaymentRefunded(
        fact=f"square:refund:{refund}",
        of=fact_of(payment) if payment else None,
        charge=payment,
        refund=refund,
        amount=-gross,
        settlement=amounts.settled(refund, gross, fee),
    )


def _other(found: Fields, kind: str, details: Fields, *, gross: Money, fee: Money) -> Content:
    """What is no sale: a fee that a webhook may tell too has the same fact as there."""
    payment, payout_id = details.identifier_or_none("payment_id"), details.identifier_or_none("payout_id")
    number, none = found.identifier("id"), Money.zero(gross.currency)
    if kind == "FEE" and payment and not fee:
        return adjustments(payment, (-gross,), found)
    if kind == "THIRD_PARTY_FEE" and payment and not fee:
        return (app_fee(payment, gross, found),)
    if kind == "THIRD_PARTY_FEE_REFUND" and details.identifier_or_none("refund_id") and not fee:
        return (app_fee(details.identifier("refund_id"), gross, found),)
    fact, settlement = f"square:balance:{number}", amounts.settled(number, gross, fee)
    if kind == "DEPOSIT_FEE" and payout_id and not fee:
        fact, settlement = f"square:payout:{payout_id}", amounts.settled(payout_id, none, -gross)
    elif kind == "TAX_ON_FEE" and not fee:
        settlement = amounts.settled(number, none, none, tax=-gross)
    category = "fee" if kind == "TAX_ON_FEE" else _CATEGORIES.get(kind, "adjustment")
    moved = BalanceMoved(fact=fact, transaction=number, kind=kind.lower(), category=category, settlement=settlement)
    return (Told(moved, when(found, "effective_at")),)


def _fee(found: Fields, amount: Money) -> tuple[Money, Money]:
    fee = tax = Money.zero(amount.currency)
    for row in found.sections("payout_fee") or ():
        part = amounts.same_currency(amounts.money(row, "amount_money"), amount, row.at("amount_money"))
        if row.token_or_none("type") == "TAX_ON_TRANSFER_FEE":
            tax += part
        else:
            fee += part
    return fee, tax


def _part(found: Fields, name: str) -> Money:
    part = amounts.money_or_none(found, name)
    return Money.zero(amounts.money(found, "gross_amount_money").currency) if part is None else part


def amount_of(found: Fields) -> Money:
    """What a payout says it is. Raises Rejected."""
    return amounts.money(found, "amount_money")


def sum_of_entries(entries: Sequence[Fields], *, like: Money) -> Money:
    """What the entries of a payout make. Raises Rejected."""
    nets = [
        amounts.same_currency(amounts.money(found, "net_amount_money"), like, found.at("net_amount_money"))
        for found in entries
    ]
    return amounts.sum_of(nets, like=like)
