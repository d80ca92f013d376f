"""Exact arithmetic on amounts: whole minor units or an error, nothing is ever rounded."""

from decimal import Decimal

from schemas.money import MAX_AMOUNT, iso_exponent

_FINEST = -20


def in_minor_units(amount: Decimal, currency: str) -> int:
    """Give an amount in whole units as a whole number of ISO minor units (20.00 USD is 2000, 20 JPY is 20).

    Raises ValueError for a fraction below the minor unit, NaN, infinity, more than MAX_AMOUNT either way, or
    more than 20 decimals (a sign of a computation gone wrong).
    """
    exponent = iso_exponent(currency)
    if not amount.is_finite() or amount.copy_abs() > MAX_AMOUNT:
        msg = f"an amount is finite and at most {MAX_AMOUNT} either way"
        raise ValueError(msg)
    if int(amount.as_tuple().exponent) < _FINEST:
        msg = f"an amount is written with at most {-_FINEST} decimals"
        raise ValueError(msg)
    numerator, denominator = amount.as_integer_ratio()
    minor_unit: int = 10**exponent
    minor, rest = divmod(numerator * minor_unit, denominator)
    if rest:
        msg = f"an amount in {currency} has a fraction below its minor unit; Solid's books cannot hold it"
        raise ValueError(msg)
    return minor


def from_minor_units(minor: int, currency: str) -> Decimal:
    """Turn `in_minor_units` round; the result always has the currency's ISO number of decimals."""
    exponent = iso_exponent(currency)
    return Decimal((int(minor < 0), Decimal(abs(minor)).as_tuple().digits, -exponent))
