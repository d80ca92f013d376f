"""Amounts as whole cents of the base currency.

The only module that turns amounts into text or back; no floats.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeGuard

MoneyDialect = Literal["decimal_string", "decimal_number", "cents"]

LIMIT_CENTS = 10**17
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,2})?")
_HUNDRED = Decimal(100)


class Cents(int):
    """An amount in hundredths. A type of its own so that an answer can tell amounts from counts."""

    __slots__ = ()


ZERO = Cents(0)


def text(cents: int) -> str:
    """`10800` as `"108.00"`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def parse(value: object, dialect: MoneyDialect) -> Cents:
    """Read an amount as the dialect writes it; strict, so that a caller with another dialect is found out.

    Raises ValueError with a sentence for the caller: wrong JSON type, more than two decimals, too large.
    """
    cents = _READERS[dialect](value)
    if abs(cents) > LIMIT_CENTS:
        msg = "is too large"
        raise ValueError(msg)
    return Cents(cents)


def rounded(amount: Decimal) -> Cents:
    """The nearest cent, halves away from zero."""
    return Cents(int((amount * _HUNDRED).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def _from_string(value: object) -> int:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        msg = 'must be a decimal string with at most two decimals, such as "108.00"'
        raise ValueError(msg)
    return int(Decimal(value) * _HUNDRED)


def _from_number(value: object) -> int:
    number = Decimal(value) if _is_number(value) else None
    if number is None or abs(number) > LIMIT_CENTS or number * _HUNDRED % 1:
        msg = "must be a JSON number of a sensible size with at most two decimals, such as 108.00"
        raise ValueError(msg)
    return int(number * _HUNDRED)


def _from_cents(value: object) -> int:
    if not _is_number(value) or not isinstance(value, int):
        msg = "must be a whole number of cents, such as 10800"
        raise ValueError(msg)
    return value


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


_READERS: dict[MoneyDialect, Callable[[object], int]] = {
    "decimal_string": _from_string,
    "decimal_number": _from_number,
    "cents": _from_cents,
}
