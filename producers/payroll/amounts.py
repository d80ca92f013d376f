"""Amounts of payroll documents of any provider: read exactly or refused, never shown where they may be a person's."""

from decimal import Decimal
from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.reading.numbers import number_of
from schemas.money import EXPONENTS, MAX_AMOUNT

ZERO: Final = Decimal(0)


def amount_or_none(fields: Fields, name: str, *, currency: str) -> Decimal | None:
    """Give a decimal text or a JSON number, in whole units; None when absent. Raises Rejected `bad_amount`."""
    value = fields.get(name)
    if value is None:
        return None
    found = _decimal(value)
    if found is None or not is_fine(found, currency):
        message = f"an amount is a decimal number with at most {EXPONENTS[currency]} decimals of {currency}"
        raise Rejected("bad_amount", message, field=fields.at(name))
    return found


def number(fields: Fields, name: str) -> Decimal:
    """Give what is no amount, such as hours: of any decimals, zero when absent. Raises Rejected `bad_amount`."""
    value = fields.get(name)
    found = ZERO if value is None else _decimal(value)
    if found is None:
        raise Rejected("bad_amount", "a decimal number is needed here", field=fields.at(name))
    return found


def _decimal(value: object) -> Decimal | None:
    """The number of a decimal text or a JSON number; None for anything else, and for more than any amount can be."""
    found = number_of(value)
    return found if found is not None and found.copy_abs() <= MAX_AMOUNT else None


def is_fine(amount: Decimal, currency: str) -> bool:
    """Whether the currency can hold the amount to its last decimal."""
    return amount.is_finite() and amount == round(amount, EXPONENTS[currency])


def amount(fields: Fields, name: str, *, currency: str) -> Decimal:
    """Give an amount that counts as zero when absent. Raises Rejected `bad_amount`."""
    return amount_or_none(fields, name, currency=currency) or ZERO


def needed_amount(fields: Fields, name: str, *, currency: str) -> Decimal:
    """Give an amount that must be there. Raises Rejected `missing_field`, `bad_amount`."""
    found = amount_or_none(fields, name, currency=currency)
    if found is None:
        raise fields.missing(name)
    return found


def with_reimbursed(net_pay: Decimal, reimbursed: Decimal, *, gap: Decimal, limit: Decimal) -> Decimal | None:
    """Give net pay with what was reimbursed, which it may hold already; None where the totals add up with neither.

    `gap` is what they lack where net pay does not hold it.
    """
    if abs(gap) <= limit:
        return net_pay + reimbursed
    return net_pay if abs(gap + reimbursed) <= limit else None
