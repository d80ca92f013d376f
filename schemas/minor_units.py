"""Minor units by provider: what a provider's whole number means in money.

ISO 4217 and Stripe disagree on several currencies (Stripe sends ISK times 100, MGA as whole units), so the
table is the provider's. It must not guess: a currency on which the two disagree without a documented rule
is refused.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, Literal

from schemas.errors import AmountRefused, UnknownCurrency
from schemas.money import Money, iso_exponent

MinorUnitRule = Literal["stripe", "iso"]

MAX_MINOR: Final = 10**15
"""No amount is larger than this in minor units; a larger one is a mistake of the sender."""

_STRIPE_WHOLE: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_STRIPE_TIMES_100_OF_WHOLE: Final = frozenset({"ISK", "UGX"})
_STRIPE_THOUSANDTHS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
_TWO: Final = 2
_THREE: Final = 3


def minor_units(provider: MinorUnitRule, currency: str) -> int:
    """How many decimals the provider's whole numbers carry in this upper-case currency.

    Raises UnknownCurrency, also for a currency that the provider does not document and ISO does not write
    in hundredths. Source: Stripe's page on currencies; ISK, UGX: `from_minor` says which amounts are
    possible.
    """
    return _DECIMALS[provider](currency)


def from_minor(provider: MinorUnitRule, amount: object, currency: str) -> Money:
    """Turn the provider's whole number into Money; the code may be in lower case, as Stripe sends it.

    Raises UnknownCurrency, or AmountRefused with `reason` `amount_not_integer` (a bool, float, Decimal or
    text), `amount_too_large` (past MAX_MINOR either way), or `amount_not_possible` (ISK and UGX at Stripe
    come in steps of 100, three-decimal currencies in steps of 10).
    """
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise AmountRefused(
            reason="amount_not_integer",
            message=f"a {provider} amount is a whole number of minor units, not {type(amount).__name__}",
        )
    code = currency.upper()
    decimals = minor_units(provider, code)
    if abs(amount) > MAX_MINOR:
        raise AmountRefused(
            reason="amount_too_large", message=f"an amount is at most {MAX_MINOR} minor units either way"
        )
    step = _step(provider, code)
    if amount % step:
        raise AmountRefused(
            reason="amount_not_possible",
            message=f"{provider} sends {code} in steps of {step}, so {amount} is not possible",
        )
    return Money.of(Decimal(amount).scaleb(-decimals), code)


def _stripe(currency: str) -> int:
    exponent = iso_exponent(currency)
    if currency in _STRIPE_WHOLE:
        return 0
    if currency in _STRIPE_THOUSANDTHS:
        return _THREE
    if currency in _STRIPE_TIMES_100_OF_WHOLE or exponent == _TWO:
        return _TWO
    msg = f"how Stripe counts {currency} is not documented"
    raise UnknownCurrency(msg)


def _step(provider: MinorUnitRule, currency: str) -> int:
    if provider == "stripe" and currency in _STRIPE_TIMES_100_OF_WHOLE:
        return 100
    if provider == "stripe" and currency in _STRIPE_THOUSANDTHS:
        return 10
    return 1


_DECIMALS: Final[Mapping[MinorUnitRule, Callable[[str], int]]] = {"stripe": _stripe, "iso": iso_exponent}
