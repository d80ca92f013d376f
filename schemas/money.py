"""Money: a Decimal and an ISO 4217 code, never a float.

Which codes exist, and how many decimals each has, comes from the iso4217 package, and for those that existed once from
`schemas.withdrawn`: whether one was current on some day is asked where the day is known. This module must not know any
provider's minor units: see `schemas.minor_units`.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, localcontext
from functools import total_ordering
from typing import Annotated, Final, Self

import iso4217
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from schemas.errors import AmountRefused, CurrencyMismatch, UnknownCurrency
from schemas.withdrawn import WITHDRAWN

MAX_AMOUNT: Final = Decimal(10**15)
"""No amount of money is larger than this, in whole units; a larger one is a mistake, not a sale."""

MAX_DECIMALS: Final = 12
"""More decimals than any currency or unit price needs."""

EXPONENTS: Final[Mapping[str, int]] = {
    **{code: withdrawn.decimals for code, withdrawn in WITHDRAWN.items()},
    **{currency.code: currency.exponent for currency in iso4217.Currency if currency.exponent is not None},
}
"""Decimals by code, of today's currencies and of withdrawn ones.

Funds, metals and test codes have none in ISO 4217 and are no currencies here.
"""

_AMOUNT_TEXT: Final = r"-?[0-9]{1,16}(\.[0-9]{1,12})?"
_DIGITS: Final = 40


def iso_exponent(currency: str) -> int:
    """How many decimals ISO 4217 gives the upper-case code. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        shown = currency if re.fullmatch(r"[A-Za-z]{3}", currency) else "(not a code)"
        msg = f"{shown} is not an upper-case ISO 4217 currency code"
        raise UnknownCurrency(msg) from None


def read_decimal(value: object) -> Decimal:
    """Take a Decimal, a whole number or a decimal text, never a float. Raises AmountRefused."""
    if isinstance(value, str) and re.fullmatch(_AMOUNT_TEXT, value, re.ASCII):
        return Decimal(value)
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return Decimal(value)
    raise AmountRefused(
        reason="amount_not_decimal", message='an amount is a Decimal or a decimal string such as "20.00"'
    )


def _check_currency(code: object) -> str:
    if not isinstance(code, str):
        msg = "a currency is a string of three capital letters"
        raise UnknownCurrency(msg)
    iso_exponent(code)
    return code


def _canonical(amount: Decimal, exponent: int) -> Decimal:
    """Write the amount with the currency's decimals, or with more when they are significant."""
    if not amount.is_finite() or amount.copy_abs() > MAX_AMOUNT:
        raise AmountRefused(
            reason="amount_too_large", message=f"an amount is finite and at most {MAX_AMOUNT} either way"
        )
    with localcontext(prec=_DIGITS):
        shortest = amount.normalize()
        places = -int(shortest.as_tuple().exponent)
        if places > MAX_DECIMALS or (amount and not shortest):
            raise AmountRefused(reason="amount_too_fine", message=f"an amount has at most {MAX_DECIMALS} decimals")
        return shortest.quantize(Decimal(1).scaleb(-max(places, exponent))) + 0


Amount = Annotated[
    Decimal,
    BeforeValidator(read_decimal),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT_TEXT}$", "examples": ["20.00"]}),
]
Currency = Annotated[
    str,
    BeforeValidator(_check_currency),
    Field(json_schema_extra={"pattern": "^[A-Z]{3}$", "examples": ["USD"]}),
]


@total_ordering
class Money(BaseModel):
    """An amount in one currency; as JSON `{"amount": "20.00", "currency": "USD"}`.

    The amount may be negative. It is written with the currency's ISO decimals, or with more when they are
    significant. Building one raises pydantic's ValidationError for an unknown currency, a float, NaN, or
    more than MAX_AMOUNT. Sums and comparisons raise CurrencyMismatch when the currencies differ (`==` is
    then False).
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    amount: Amount
    currency: Currency

    @model_validator(mode="after")
    def _write_canonically(self) -> Self:
        object.__setattr__(self, "amount", _canonical(self.amount, iso_exponent(self.currency)))
        return self

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> "Money":
        """Build from an amount in whole units, such as `Money.of("20.00", "USD")`."""
        return cls(amount=read_decimal(amount), currency=currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in this currency."""
        return cls.of(0, currency)

    def __add__(self, other: "Money") -> "Money":
        """Add. Raises CurrencyMismatch."""
        self._same_currency(other)
        with localcontext(prec=_DIGITS):
            return Money.of(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Subtract. Raises CurrencyMismatch."""
        return self + -other

    def __neg__(self) -> "Money":
        """Turn the sign."""
        return Money.of(self.amount.copy_negate(), self.currency)

    def __abs__(self) -> "Money":
        """Drop the sign."""
        return Money.of(self.amount.copy_abs(), self.currency)

    def __lt__(self, other: "Money") -> bool:
        """Compare. Raises CurrencyMismatch."""
        self._same_currency(other)
        return self.amount < other.amount

    def __bool__(self) -> bool:
        """Whether there is any money at all."""
        return bool(self.amount)

    def __str__(self) -> str:
        """For people: `20.00 USD`."""
        return f"{self.amount:f} {self.currency}"

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            msg = f"{self.currency} and {other.currency} cannot be added or compared"
            raise CurrencyMismatch(msg)
