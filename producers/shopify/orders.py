"""Orders as what they tell of a sale: its total and its tax, in the currency in which was paid.

The money is told by the order's transactions. What is no tax, shipping and tips too, is income.
"""

from typing import Final

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from producers.shopify import amounts
from producers.shopify.content import BOGUS, PAYMENTS, Content, Told, of_test, outside, when
from schemas.money import Money
from schemas.told import SaleTold, TaxPart

_PAID: Final = frozenset({"paid", "partially_refunded", "refunded"})


def order(found: Fields, context: NormaliseContext) -> Content:
    """Read an order that is paid. Raises Rejected: `does_not_add_up`."""
    gateways = _gateways(found)
    if other_mode := of_test(found, context, is_test=found.flag_or_none("test") is True or BOGUS in gateways):
        return other_mode
    if found.token_or_none("financial_status") not in _PAID:
        return "order_not_paid"
    total = _paid(found, found, "total_price")
    if not total:
        return "amount_zero"
    for gateway in gateways:
        if gateway not in {PAYMENTS, BOGUS}:
            return outside(gateway, found.at("payment_gateway_names"), context)
    if not gateways:
        raise found.missing("payment_gateway_names")
    order_id = found.identifier("id")
    data = SaleTold(
        fact=f"shopify:order:{order_id}",
        invoice=order_id,
        payment_intent=order_id,
        total=total,
        paid=total,
        taxes=_taxes(found, total),
    )
    return (Told(data, when(found)),)


def _gateways(found: Fields) -> tuple[str, ...]:
    """Who took the money; old versions of the API name one."""
    names = found.get("payment_gateway_names")
    listed = names if isinstance(names, list) else [found.get("gateway")]
    return tuple(Fields({"name": name}).token_or_none("name") or "unknown" for name in listed if name)


def _taxes(found: Fields, total: Money) -> tuple[TaxPart, ...]:
    """By tax line where there are any, else whole; both must say the same."""
    inclusive = found.flag_or_none("taxes_included") is True
    rows = found.sections("tax_lines") or ()
    parts = [(row.text_or_none("title"), _paid(found, row, "price")) for row in rows]
    listed = sum((amount for _, amount in parts), Money.zero(total.currency))
    told = _paid(found, found, "total_tax") if found.get("total_tax") is not None else listed
    if (parts and listed != told) or told > total:
        figures = f"the tax lines make {listed}, the tax is {told}, and the total with it {total}"
        raise Rejected("does_not_add_up", figures, field=found.at("total_tax"))
    every = parts or [(None, told)]
    return tuple(TaxPart(code=code, amount=amount, inclusive=inclusive) for code, amount in every if amount)


def _paid(order: Fields, fields: Fields, name: str) -> Money:
    """An amount of an order in the currency in which the customer paid, as its transactions have it."""
    own = amounts.currency_of(order)
    code = order.token_or_none("presentment_currency") or own
    found = amounts.paid_in(fields, name, code, own=own)
    if found is None:
        raise fields.missing(name if code == own else f"{name}_set")
    if found.amount < 0:
        raise Rejected("amount_negative", f"{found} is negative", field=fields.at(name))
    return found
