"""Stripe's credit notes: which part of a sale is taken back, and how much of it is tax."""

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.taxes import taxes_of
from schemas.money import Money
from schemas.told import CreditVoided, SaleCredited


def credit_note_created(event: StripeEvent) -> Content:
    """Read a credit note. Raises Rejected: `does_not_add_up`, and as amounts are."""
    note = event.object
    if note.token_or_none("status") == "void":
        return "credit_note_void"
    total = stripe_amounts.not_negative(note, "total" if note.get("total") is not None else "amount")
    if not total:
        return "amount_zero"
    none, note_id = Money.zero(total.currency), note.identifier("id")
    refunds, refunded = _refunds(note, none)
    before, outside = _before_payment(note, total), _or_none(note, "out_of_band_amount", none)
    rest = total - before - outside
    if refunds and refunded is None:
        refunded = rest
    to_balance = rest - (refunded or none)
    if to_balance.amount < 0:
        figures = f"{refunded} was refunded, {outside} outside and {before} before payment, of {total}"
        raise Rejected("does_not_add_up", figures, field=note.at("amount"))
    data = SaleCredited(
        fact=f"stripe:credit_note:{note_id}",
        credit_note=note_id,
        invoice=note.identifier("invoice"),
        amount=total,
        tax=sum((part.amount for part in taxes_of(note, total=total)), none),
        refunds=refunds,
        refunded=refunded or none,
        to_balance=to_balance,
        outside=outside,
        before_payment=before,
    )
    return (data,)


def credit_note_voided(event: StripeEvent) -> Content:
    """Read a credit note that was taken back. Raises Rejected."""
    note_id = event.object.identifier("id")
    fact = f"stripe:credit_note:{note_id}"
    invoice = event.object.identifier("invoice")
    return (CreditVoided(fact=f"{fact}:voided", of=fact, credit_note=note_id, invoice=invoice),)


def _refunds(note: Fields, none: Money) -> tuple[tuple[str, ...], Money | None]:
    """The refunds that a credit note made, and their sum where it is told: one in old API versions, a list in new."""
    listed = note.sections("refunds") or ()
    ids = tuple(_fact(row.identifier("refund")) for row in listed if row.get("refund") is not None)
    if ids:
        amounts = [stripe_amounts.minor(row.get("amount_refunded"), note, "amount") for row in listed]
        return ids, sum(amounts, none)
    single = note.identifier_or_none("refund")
    return ((_fact(single),), None) if single else ((), None)


def _fact(refund: str) -> str:
    return f"stripe:refund:{refund}"


def _before_payment(note: Fields, total: Money) -> Money:
    """What was credited before the invoice was paid: all of it, a part that is told, or nothing."""
    if note.get("pre_payment_amount") is not None:
        return stripe_amounts.not_negative(note, "pre_payment_amount")
    return total if note.token_or_none("type") == "pre_payment" else Money.zero(total.currency)


def _or_none(note: Fields, name: str, none: Money) -> Money:
    return none if note.get(name) is None else stripe_amounts.not_negative(note, name)
