"""Shopify's amounts as Money: decimal texts beside a currency. It must not round, or plug a gap."""

from decimal import Decimal

from producers.normalising import Rejected
from producers.reading.fields import Fields
from schemas.errors import AmountRefused, UnknownCurrency
from schemas.money import Money, iso_exponent
from schemas.sales import Settlement


def money(fields: Fields, name: str, *, currency: str | None = None) -> Money:
    """Read a signed amount in this currency, else in that of its `currency`.

    Raises Rejected: `missing_field`, `bad_number`, `unknown_currency`, `amount_not_possible`.
    """
    code = currency or currency_of(fields)
    number = fields.number(name)
    try:
        if number != number.quantize(Decimal(1).scaleb(-iso_exponent(code))):
            message = f"{code} has {iso_exponent(code)} decimals, and this amount has more"
            raise Rejected("amount_not_possible", message, field=fields.at(name))
        return Money.of(number, code)
    except UnknownCurrency as error:
        raise Rejected("unknown_currency", str(error), field=fields.at("currency")) from None
    except AmountRefused as error:
        raise Rejected(error.reason, str(error), field=fields.at(name)) from None
    except ArithmeticError:
        raise Rejected("amount_too_large", "no amount is as large as this", field=fields.at(name)) from None


def not_negative(fields: Fields, name: str, *, currency: str | None = None) -> Money:
    """Read an amount that cannot be negative. Raises Rejected as `money` does, and `amount_negative`."""
    found = money(fields, name, currency=currency)
    if found.amount < 0:
        raise Rejected("amount_negative", f"{found} is negative", field=fields.at(name))
    return found


def paid_in(fields: Fields, name: str, code: str, *, own: str | None) -> Money | None:
    """Read an amount in the currency in which was paid: of `<name>_set` the money that is in it, else `name` itself.

    `own` is the currency of `name`, None where it is not said. None where there is no amount in this currency. Raises
    Rejected as `money` does.
    """
    both = fields.section(f"{name}_set")
    sides = [both.section(side) for side in ("presentment_money", "shop_money")] if both else []
    for side in sides:
        if side is not None and side.get("currency_code") == code:
            return money(side, "amount", currency=code)
    if any(sides) or own not in {None, code} or fields.get(name) is None:
        return None
    return money(fields, name, currency=code)


def currency_of(fields: Fields) -> str:
    """Give the currency's code. Raises Rejected `missing_field`."""
    code = fields.get("currency")
    if code is None:
        raise fields.missing("currency")
    return code if isinstance(code, str) else ""


def settlement(fields: Fields) -> Settlement:
    """Read what reached, or left, the balance: `amount` - `fee` = `net`. Raises Rejected `does_not_add_up`."""
    gross, fee, net = (money(fields, name) for name in ("amount", "fee", "net"))
    if gross - fee != net:
        figures = f"amount {gross} - fee {fee} = {gross - fee}, but net is {net}"
        raise Rejected("does_not_add_up", figures, field=fields.at("net"))
    number = fields.identifier("id")
    return Settlement(balance_transaction=number, gross=gross, fee=fee, fee_tax=Money.zero(gross.currency), net=net)
