"""Square's payments and refunds. A payment is booked once it is `COMPLETED`, whichever event tells it.

Its fee comes in a later `payment.updated`; adjustments of it later still, each a movement of its own. Cash, other
tenders and gift cards are not in Square's balance.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from producers.normalising import NormaliseContext
from producers.reading.fields import Fields
from producers.square import amounts
from producers.square.content import Content, Told, outside, when
from schemas.money import Money
from schemas.sales import BalanceMoved, Customer, PaymentRefunded, PaymentSucceeded, RefundFailed

IN_BALANCE: Final = frozenset({"CARD", "BANK_ACCOUNT", "WALLET", "BUY_NOW_PAY_LATER"})
GIFT_CARD: Final = "SQUARE_GIFT_CARD"
_REFUND_UNDONE: Final[Mapping[str | None, str]] = {"FAILED": "failed", "REJECTED": "rejected"}


def payment(found: Fields, context: NormaliseContext) -> Content:
    """Read a payment. Raises Rejected."""
    if found.token_or_none("status") != "COMPLETED":
        return "payment_not_completed"
    kind = _kind(found)
    if kind not in IN_BALANCE:
        return outside(kind, found.at("source_type"), context)
    payment_id, amount = found.identifier("id"), amounts.taken(found)
    if not amount:
        return "amount_zero"
    fee, later = amounts.fees_of(found, like=amount)
    customer = found.identifier_or_none("customer_id")
    data = PaymentSucceeded(
        fact=fact_of(payment_id),
        charge=payment_id,
        payment_intent=found.identifier_or_none("order_id"),
        customer=Customer(id=customer, email=found.text_or_none("buyer_email_address")) if customer else None,
        amount=amount,
        settlement=None if fee is None else amounts.settled(payment_id, amount, fee),
    )
    at = when(found, "updated_at", "created_at")
    return (Told(data, at), *_kept(found, payment_id, like=amount), *adjustments(payment_id, later, found))


def refund(found: Fields, context: NormaliseContext) -> Content:
    """Read a refund; one that failed takes back what it had moved. Raises Rejected."""
    status = found.token_or_none("status")
    if status not in {"COMPLETED", *_REFUND_UNDONE}:
        return "refund_waiting"
    destination = found.token_or_none("destination_type")
    if destination is not None and destination not in IN_BALANCE:
        return outside(destination, found.at("destination_type"), context)
    refund_id, amount = found.identifier("id"), amounts.taken(found)
    if not amount:
        return "amount_zero"
    fact, charge, at = f"square:refund:{refund_id}", _payment_of(found), when(found, "updated_at", "created_at")
    if status in _REFUND_UNDONE:
        undone = RefundFailed(fact=f"{fact}:failed", of=fact, charge=charge, refund=refund_id, amount=amount)
        return (Told(undone, at),)
    fee, later = amounts.fees_of(found, like=amount)
    data = PaymentRefunded(
        fact=fact,
        of=fact_of(charge) if charge else None,
        charge=charge,
        refund=refund_id,
        amount=amount,
        settlement=None if fee is None else amounts.settled(refund_id, -amount, fee),
    )
    return (Told(data, at), *_kept(found, refund_id, like=amount), *adjustments(refund_id, later, found))


def fact_of(payment_id: str) -> str:
    """How the fact of a payment is named."""
    return f"square:charge:{payment_id}"


def app_fee(source: str, gross: Money, found: Fields) -> Told:
    """What the developer of an app took of a payment, or gave back of a refund (`gross` is then positive)."""
    data = BalanceMoved(
        fact=f"square:app_fee:{source}",
        kind="app_fee",
        category="fee",
        settlement=amounts.settled(source, gross, Money.zero(gross.currency)),
    )
    return Told(data, when(found, "effective_at", "updated_at", "created_at"))


def adjustments(source: str, fees: Sequence[Money], found: Fields) -> tuple[Told, ...]:
    """Later changes of a fee, each named by its amount: whoever tells one, it is the same."""
    told: list[Told] = []
    for number, fee in enumerate(fees):
        again = fees[:number].count(fee)
        name = f"square:fee:{source}:{fee.amount:f}" + (f":{again + 1}" if again else "")
        settlement = amounts.settled(source, -fee, Money.zero(fee.currency))
        data = BalanceMoved(fact=name, kind="processing_fee_adjustment", category="fee", settlement=settlement)
        told.append(Told(data, when(found, "effective_at", "updated_at", "created_at")))
    return tuple(told)


def _kept(found: Fields, source: str, *, like: Money) -> tuple[Told, ...]:
    fee = amounts.money_or_none(found, "app_fee_money")
    if fee is None or not fee:
        return ()
    amounts.same_currency(fee, like, found.at("app_fee_money"))
    return (app_fee(source, fee if "payment_id" in found.values else -fee, found),)


def _kind(found: Fields) -> str:
    """By what it was paid: `CARD`, `CASH`; a gift card is a card to Square."""
    details = found.section("card_details")
    card = details.section("card") if details else None
    if card is not None and card.token_or_none("card_brand") == GIFT_CARD:
        return GIFT_CARD
    if found.get("source_type") is None:  # before 2020 a payment said it by its details alone
        details_of = {"cash_details": "CASH", "external_details": "EXTERNAL", "card_details": "CARD"}
        return next((kind for name, kind in details_of.items() if found.get(name) is not None), "unknown")
    return found.token_or_none("source_type") or "unknown"


def _payment_of(found: Fields) -> str | None:
    return None if found.flag_or_none("unlinked") else found.identifier_or_none("payment_id")
