"""Square's orders as what they tell of a sale: its tax. The money is the payment's, and told by an event of its own."""

from collections.abc import Sequence

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from producers.square import amounts
from producers.square.content import Content, Told, outside, when
from producers.square.payments import IN_BALANCE
from schemas.money import Money
from schemas.told import SaleTold, TaxPart


def order(found: Fields, context: NormaliseContext) -> Content:
    """Read an order that is paid. Raises Rejected: `does_not_add_up`."""
    tenders = found.sections("tenders") or ()
    if found.token_or_none("state") == "CANCELED" or not tenders:
        return "order_not_paid"
    strange = [tender for tender in tenders if tender.token_or_none("type") not in IN_BALANCE]
    if strange:
        return outside(strange[0].token_or_none("type") or "unknown", strange[0].at("type"), context)
    total = amounts.taken(found)
    paid = amounts.sum_of([_paid(tender, total) for tender in tenders], like=total)
    if paid != total:
        if found.token_or_none("state") != "COMPLETED":
            return "order_not_paid"
        raise Rejected("does_not_add_up", f"the tenders make {paid}, the total is {total}", field=found.at("tenders"))
    if not total:
        return "amount_zero"
    order_id = found.identifier("id")
    payments = [name for tender in tenders if (name := tender.identifier_or_none("payment_id"))]
    data = SaleTold(
        fact=f"square:order:{order_id}",
        payment_intent=order_id,
        charge=payments[0] if len(tenders) == len(payments) == 1 else None,
        total=total,
        paid=total,
        taxes=_taxes(found, total),
    )
    return (Told(data, when(found, "closed_at", "updated_at", "created_at")),)


def _paid(tender: Fields, total: Money) -> Money:
    return amounts.same_currency(amounts.money(tender, "amount_money"), total, tender.at("amount_money"))


def _taxes(found: Fields, total: Money) -> Sequence[TaxPart]:
    """By tax where they are listed, else whole; both must say the same."""
    told = amounts.money_or_none(found, "total_tax_money")
    parts = tuple(_tax(row) for row in found.sections("taxes") or () if row.get("applied_money") is not None)
    listed = amounts.sum_of([part.amount for part in parts], like=total)
    if told is not None and parts and listed != told:
        message = f"the taxes make {listed}, their total is {told}"
        raise Rejected("does_not_add_up", message, field=found.at("total_tax_money"))
    if told is not None and abs(told) > total:
        message = f"the tax is {told}, and the total with it {total}"
        raise Rejected("does_not_add_up", message, field=found.at("total_tax_money"))
    whole = (TaxPart(amount=told),) if told else ()
    return tuple(part for part in parts or whole if part.amount)


def _tax(row: Fields) -> TaxPart:
    inclusive = row.token_or_none("type") == "INCLUSIVE"
    code = row.identifier_or_none("catalog_object_id")
    return TaxPart(code=code, amount=amounts.money(row, "applied_money"), inclusive=inclusive)
