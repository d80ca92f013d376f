"""From exact values of an item to what the books hold, in whole minor units. Pure.

Each pair of accounts is rounded once, from its sum: the order in which things happened cannot matter.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from schemas.money import iso_exponent

Pair = tuple[str, str]
"""Two roles: a positive amount is a debit of the first and a credit of the second."""

RECEIVED: Final = ("inventory", "received_not_billed")


def rounded(exact: Mapping[Pair, Decimal], currency: str, *, goods: Decimal) -> dict[Pair, Decimal]:
    """To the minor unit, pair by pair; `goods` is how much there is of the item."""
    step = Decimal(1).scaleb(-iso_exponent(currency))
    amounts = {pair: amount.quantize(step, ROUND_HALF_UP) for pair, amount in exact.items() if amount}
    if not goods:
        _leave_no_cents(amounts, worth=_inventory(exact).quantize(step, ROUND_HALF_UP))
    return amounts


def _leave_no_cents(amounts: dict[Pair, Decimal], *, worth: Decimal) -> None:
    """Where no goods are left, what rounding each pair for itself left of their value goes out with most of them.

    Not with what came: that is what a bill clears.
    """
    left = _inventory(amounts) - worth
    out = [pair for pair in amounts if pair[0] == "inventory" and pair != RECEIVED]
    if left and out:
        amounts[max(out, key=lambda pair: (abs(amounts[pair]), pair))] -= left


def _inventory(amounts: Mapping[Pair, Decimal]) -> Decimal:
    return sum((amount for (debit, _), amount in amounts.items() if debit == "inventory"), Decimal(0))
