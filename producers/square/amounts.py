"""Square's amounts as Money, and what it keeps of a payment or a refund as Settlement.

Amounts are whole numbers of the currency's smallest unit, as ISO 4217 has it; payouts have been seen with
`currency_code` in place of `currency`. What does not add up is refused with its figures.
"""

from collections.abc import Sequence

from producers.normalising import Rejected
from producers.reading.fields import Fields
from schemas.errors import AmountRefused, UnknownCurrency
from schemas.minor_units import from_minor
from schemas.money import Money
from schemas.sales import Settlement


def money(fields: Fields, name: str) -> Money:
    """Read an amount that must be there. Raises Rejected: `missing_field`, and what an amount is refused for."""
    found = money_or_none(fields, name)
    if found is None:
        raise fields.missing(name)
    return found


def money_or_none(fields: Fields, name: str) -> Money | None:
    """Read a signed amount; None where there is none. Raises Rejected as `money` does."""
    section = fields.section(name)
    if section is None or section.get("amount") is None:
        return None
    currency = section.get("currency") or section.get("currency_code")
    if currency is None:
        raise section.missing("currency")
    try:
        return from_minor("iso", section.get("amount"), currency if isinstance(currency, str) else "")
    except UnknownCurrency as error:
        raise Rejected("unknown_currency", str(error), field=section.at("currency")) from None
    except AmountRefused as error:
        raise Rejected(error.reason, str(error), field=section.at("amount")) from None


def taken(fields: Fields) -> Money:
    """Read what was taken or given back: the total with the tip where it is told. Raises Rejected `amount_negative`."""
    name = "total_money" if fields.get("total_money") is not None else "amount_money"
    found = money(fields, name)
    if found.amount < 0:
        raise Rejected("amount_negative", f"{found} is negative", field=fields.at(name))
    return found


def fees_of(fields: Fields, *, like: Money) -> tuple[Money | None, tuple[Money, ...]]:
    """Give the first fee that Square assessed, and later adjustments of it; None while none is known.

    Raises Rejected: `mixed_currencies`, and as `money` does.
    """
    first: Money | None = None
    later: list[Money] = []
    for row in fields.sections("processing_fee") or ():
        fee = same_currency(money(row, "amount_money"), like, row.at("amount_money"))
        if row.token_or_none("type") == "ADJUSTMENT":
            later.append(fee)
        else:
            first = fee if first is None else first + fee
    return first, tuple(later)


def settled(source: str, gross: Money, fee: Money, *, tax: Money | None = None) -> Settlement:
    """What reached, or left, the balance, as Square signs it: a fee given back is negative."""
    none = Money.zero(gross.currency)
    kept = tax or none
    return Settlement(balance_transaction=source, gross=gross, fee=fee, fee_tax=kept, net=gross - fee - kept)


def same_currency(amount: Money, like: Money, field: str) -> Money:
    """Give the amount back. Raises Rejected `mixed_currencies`: the two cannot be one sum."""
    if amount.currency != like.currency:
        message = f"{amount.currency} and {like.currency} cannot be one sum"
        raise Rejected("mixed_currencies", message, field=field)
    return amount


def sum_of(amounts: Sequence[Money], *, like: Money) -> Money:
    """Add amounts of the same currency up."""
    return sum(amounts, Money.zero(like.currency))
