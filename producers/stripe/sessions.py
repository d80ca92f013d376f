"""Stripe Checkout sessions as what they tell of a sale. The money is the charge's, and told by an event of its own.

A session that made an invoice tells under the invoice's fact, so that both are one sale. One whose invoice is made
later tells no tax: the invoice does.
"""

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.taxes import must_be
from schemas.money import Money
from schemas.told import PaymentExpected, SaleTold, TaxPart


def session_paid(event: StripeEvent) -> Content:
    """Read a session that is paid; an unpaid one tells nothing. Raises Rejected: `does_not_add_up`, as amounts are."""
    session = event.object
    if session.token_or_none("payment_status") in {"unpaid", "no_payment_required"}:
        return "session_not_paid"
    if session.get("amount_total") is None:
        return "amount_zero"
    total = stripe_amounts.not_negative(session, "amount_total")
    if not total:
        return "amount_zero"
    session_id, invoice = session.identifier("id"), session.identifier_or_none("invoice")
    intent = session.identifier_or_none("payment_intent")
    if invoice is None and _invoice_follows(session):
        return (PaymentExpected(fact=f"stripe:session:{session_id}", payment_intent=intent, amount=total),)
    data = SaleTold(
        fact=f"stripe:invoice:{invoice}" if invoice else f"stripe:session:{session_id}",
        invoice=invoice,
        session=session_id,
        payment_intent=intent,
        customer=session.identifier_or_none("customer"),
        total=total,
        paid=total,
        taxes=_taxes(session, total),
    )
    return (data,)


def _invoice_follows(session: Fields) -> bool:
    creation = session.section("invoice_creation") if isinstance(session.get("invoice_creation"), dict) else None
    return session.token_or_none("mode") == "subscription" or bool(creation and creation.flag_or_none("enabled"))


def _taxes(session: Fields, total: Money) -> tuple[TaxPart, ...]:
    details = session.section("total_details")
    if details is None or details.get("amount_tax") is None:
        return ()
    tax = _part(session, details, "amount_tax")
    _adds_up(session, details, total=total, tax=tax)
    parts = _by_rate(session, details)
    if parts:
        listed = sum((part.amount for part in parts), Money.zero(total.currency))
        must_be(listed, tax, what="the tax", field=details.at("amount_tax"))
    return parts or ((TaxPart(amount=tax),) if tax else ())


def _adds_up(session: Fields, details: Fields, *, total: Money, tax: Money) -> None:
    """Refuse a total that is neither with nor without the tax the sum of its parts; inclusive tax is in them."""
    if session.get("amount_subtotal") is None:
        return
    parts = stripe_amounts.money(session, "amount_subtotal") - _part(session, details, "amount_discount")
    parts += _part(session, details, "amount_shipping")
    if not parts <= total <= parts + tax:
        figures = f"subtotal, discount and shipping make {parts}, the tax is {tax}, and the total {total}"
        raise Rejected("does_not_add_up", figures, field=session.at("amount_total"))


def _by_rate(session: Fields, details: Fields) -> tuple[TaxPart, ...]:
    breakdown = details.section("breakdown")
    found: list[TaxPart] = []
    for row in (breakdown.sections("taxes") if breakdown else None) or ():
        rate = row.section("rate") if isinstance(row.get("rate"), dict) else None
        amount = stripe_amounts.minor(row.get("amount"), session, "amount")
        inclusive = bool(rate and rate.flag_or_none("inclusive"))
        found.append(TaxPart(code=row.identifier_or_none("rate"), amount=amount, inclusive=inclusive))
    return tuple(part for part in found if part.amount)


def _part(session: Fields, details: Fields, name: str) -> Money:
    value = details.get(name)
    found = stripe_amounts.minor(0 if value is None else value, session, name)
    if found.amount < 0:
        raise Rejected("amount_negative", f"{found} is negative", field=details.at(name))
    return found
