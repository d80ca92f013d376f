"""Stripe invoices that were paid, as what they tell of a sale; and which payment belongs to which invoice.

The money of an invoice is its charge, which is told by an event of its own. `invoice.paid` and
`invoice.payment_succeeded` say the same of one invoice. Old API versions name the charge and the payment intent; those
since 2025 do not: there `invoice_payment.paid` links them.
"""

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Content, StripeEvent
from producers.stripe.taxes import lines_of, taxes_of, taxes_of_line
from schemas.money import Money
from schemas.told import SaleLine, SaleLinked, SaleTold, TaxPart


def invoice_paid(event: StripeEvent) -> Content:
    """Read an invoice that is paid. Raises Rejected: `does_not_add_up`, and as amounts are."""
    invoice = event.object
    if invoice.token_or_none("status") not in {None, "paid"}:
        return "invoice_not_paid"
    total = stripe_amounts.money(invoice, "total")
    from_balance = _from_balance(invoice)
    if not total and not from_balance:
        return "amount_zero"
    credited = _or_zero(invoice, "pre_payment_credit_notes_amount")
    due = total - from_balance - credited
    _same_due(invoice, due, credited)
    outside = _outside(invoice, due)
    paid = _paid(invoice, due=due, outside=outside)
    taxes, invoice_id = taxes_of(invoice, total=total), invoice.identifier("id")
    data = SaleTold(
        fact=f"stripe:invoice:{invoice_id}",
        invoice=invoice_id,
        payment_intent=invoice.identifier_or_none("payment_intent"),
        charge=invoice.identifier_or_none("charge"),
        customer=invoice.identifier_or_none("customer"),
        total=total,
        paid=paid,
        from_balance=from_balance,
        credited=credited,
        paid_outside=outside,
        taxes=taxes,
        lines=_lines(invoice, total=total, taxes=taxes),
    )
    return (data,)


def invoice_payment_paid(event: StripeEvent) -> Content:
    """Read which payment intent or charge paid an invoice; a payment record was paid outside. Raises Rejected."""
    link = event.object
    amount = stripe_amounts.not_negative(link, "amount_paid")
    if not amount:
        return "amount_zero"
    payment = link.section("payment") or Fields({}, link.at("payment"))
    data = SaleLinked(
        fact=f"stripe:invoice_payment:{link.identifier('id')}",
        invoice=link.identifier("invoice"),
        payment_intent=payment.identifier_or_none("payment_intent"),
        charge=payment.identifier_or_none("charge"),
        amount=amount,
        outside=payment.get("payment_record") is not None or payment.token_or_none("type") == "payment_record",
    )
    return (data,)


def _or_zero(fields: Fields, name: str) -> Money:
    value = fields.get(name)
    return stripe_amounts.minor(0 if value is None else value, fields, name)


def _from_balance(invoice: Fields) -> Money:
    """What came from the customer's credit, less what was paid too much and becomes credit.

    Balances are negative where the customer has credit.
    """
    overpaid = _or_zero(invoice, "amount_overpaid")
    if invoice.get("ending_balance") is None:
        return -overpaid
    return stripe_amounts.money(invoice, "ending_balance") - _or_zero(invoice, "starting_balance") - overpaid


def _same_due(invoice: Fields, due: Money, credited: Money) -> None:
    """Refuse an invoice whose amount due is not what is left of its total (before or after credit notes)."""
    if invoice.get("amount_due") is None:
        return
    said = stripe_amounts.money(invoice, "amount_due") + _or_zero(invoice, "amount_overpaid")
    if said not in {due, due + credited}:
        figures = f"{due} is left of the total, and {said} is due"
        raise Rejected("does_not_add_up", figures, field=invoice.at("amount_due"))


def _outside(invoice: Fields, due: Money) -> Money:
    if invoice.flag_or_none("paid_out_of_band"):
        return due
    return _or_zero(invoice, "amount_paid_off_stripe")


def _paid(invoice: Fields, *, due: Money, outside: Money) -> Money:
    """What the processor took: what is due, less what was paid elsewhere; the invoice must say the same."""
    paid = due - outside
    if invoice.get("amount_paid") is not None:
        said = stripe_amounts.money(invoice, "amount_paid")
        overpaid = _or_zero(invoice, "amount_overpaid")
        if said not in {paid, due, paid - overpaid}:
            figures = f"{due} was to be paid, and {said} was"
            raise Rejected("does_not_add_up", figures, field=invoice.at("amount_paid"))
    if paid.amount < 0:
        raise Rejected("does_not_add_up", f"{paid} was paid", field=invoice.at("amount_paid"))
    return paid


def _lines(invoice: Fields, *, total: Money, taxes: tuple[TaxPart, ...]) -> tuple[SaleLine, ...]:
    """The lines net of tax and discount; none where they do not make the whole (shipping, rounding, a second page)."""
    lines = tuple(_line(line, invoice) for line in lines_of(invoice) or ())
    net = sum((line.amount for line in lines), Money.zero(total.currency))
    tax = sum((part.amount for part in taxes), Money.zero(total.currency))
    return lines if net + tax == total else ()


def _line(line: Fields, invoice: Fields) -> SaleLine:
    amount = stripe_amounts.minor(line.get("amount"), invoice, "amount")
    for discount in line.sections("discount_amounts") or ():
        amount -= stripe_amounts.minor(discount.get("amount"), invoice, "amount")
    for part in taxes_of_line(line, invoice):
        if part.inclusive:
            amount -= part.amount
    item, product = _sold(line)
    quantity = line.get("quantity")
    whole = quantity if isinstance(quantity, int) and not isinstance(quantity, bool) else None
    return SaleLine(item=item, product=product, quantity=whole, amount=amount)


def _sold(line: Fields) -> tuple[str | None, str | None]:
    """Price and product: `price` in old versions, `pricing.price_details` since 2025."""
    pricing = line.section("pricing")
    details = pricing.section("price_details") if pricing else None
    if details is not None:
        return details.identifier_or_none("price"), details.identifier_or_none("product")
    price = next((line.section(name) for name in ("price", "plan") if isinstance(line.get(name), dict)), None)
    if price is None:
        return None, None
    return price.identifier_or_none("id"), price.identifier_or_none("product")
