"""Amounts of payroll documents: read exactly or refused, and never shown where they may be a person's.

It must not know any provider.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import combinations
from typing import Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.reading.numbers import number_of
from schemas.money import EXPONENTS, MAX_AMOUNT

ZERO: Final = Decimal(0)


def amount_or_none(fields: Fields, name: str, *, currency: str) -> Decimal | None:
    """Give a decimal text or a JSON number in whole units; None when absent.

    Raises Rejected `bad_amount`, without the amount, for anything else and for more decimals than the currency has.
    """
    value = fields.get(name)
    if value is None:
        return None
    found = _decimal(value)
    if found is None or not is_fine(found, currency):
        raise bad_amount(fields.at(name), currency)
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


def bad_amount(where: str, currency: str) -> Rejected:
    """Build the refusal for what is no amount."""
    message = f"an amount is a decimal number with at most {EXPONENTS[currency]} decimals of {currency}"
    return Rejected("bad_amount", message, field=where)


def reading(gap: Decimal, *, unclear: dict[str, Decimal], limit: Decimal = ZERO) -> frozenset[str] | None:
    """Say which of the amounts whose place is unclear make up the gap: the fewest that do; None when none do.

    Providers do not say whether net pay holds reimbursements, or deductions the other deductions; their own totals
    do, and nothing else is believed. Raises Rejected `totals_ambiguous` when two readings need equally many.
    """
    known = {name: value for name, value in unclear.items() if value}
    for size in range(len(known) + 1):
        fitting = [names for names in combinations(known, size) if abs(gap - _sum(known[n] for n in names)) <= limit]
        exact = [names for names in fitting if gap == _sum(known[n] for n in names)]
        found = exact or fitting
        if len(found) > 1:
            words = " or ".join(" and ".join(names) for names in found)
            message = f"the totals add up with {words}: which is meant is not said. Ask the provider."
            raise Rejected("totals_ambiguous", message)
        if found:
            return frozenset(found[0])
    return None


def nearest(gap: Decimal, *, unclear: dict[str, Decimal]) -> Decimal:
    """Give the part of the gap that the best reading makes up, to say by how much it is wrong."""
    known = [value for value in unclear.values() if value]
    sums = [_sum(chosen) for size in range(len(known) + 1) for chosen in combinations(known, size)]
    return min(sums, key=lambda made: abs(gap - made))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
