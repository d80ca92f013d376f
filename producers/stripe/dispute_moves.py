"""The balance transactions of a dispute, and how much of what was taken is given back with each return."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from producers.reading.fields import Fields
from producers.reading.numbers import number_of
from producers.stripe.amounts import Movement, movement, one_currency
from schemas.money import Money, iso_exponent

_WHOLE_WITHIN: Final = Decimal("0.001")
"""A rate has a few digits only: what differs by less, counted in the customer's currency, is the same."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One balance transaction: `rate` is by what the dispute's currency became the balance's, where it did."""

    id: str
    movement: Movement
    rate: Decimal | None = None

    @classmethod
    def whole(cls, movement: Movement, *, taken: bool) -> "Moved":
        """What a dispute moved that lists no transactions."""
        return cls("", Movement(-movement.gross, movement.fee, movement.tax) if taken else movement)

    @property
    def is_listed(self) -> bool:
        """Whether a transaction told it."""
        return bool(self.id)

    @property
    def is_return(self) -> bool:
        """Whether it came into the balance."""
        return self.movement.gross.amount > 0

    @property
    def in_dispute(self) -> Decimal:
        """What it is in the currency of the dispute, without a sign."""
        amount = self.movement.gross.amount.copy_abs()
        return amount / self.rate if self.rate else amount


def moves_of(dispute: Fields) -> tuple[Moved, ...]:
    """Read the transactions that a dispute lists, the oldest first. Raises Rejected."""
    listed = dispute.sections("balance_transactions") or ()
    found = [(_created(each), _moved(each)) for each in listed]
    one_currency((moved.movement.gross for _, moved in found), field=dispute.at("balance_transactions"))
    return tuple(moved for _, moved in sorted(found, key=lambda each: (each[0], each[1].is_return, each[1].id)))


def given_back(moves: Sequence[Moved]) -> tuple[Money, ...]:
    """Of what was taken, how much is given back with each of the returns; in the balance's currency.

    All that is still away, where the dispute's own currency says so, whatever the rate has become; else the return's
    share of it. `moves` are in the order in which they happened, and what comes later changes nothing of what was.
    """
    found: list[Money] = []
    left, left_in_dispute = None, Decimal(0)
    for moved in moves:
        gross = moved.movement.gross
        left = Money.zero(gross.currency) if left is None else left
        if gross.amount < 0:
            left, left_in_dispute = left - gross, left_in_dispute + moved.in_dispute
        elif gross:
            taken = _share(moved, left, left_in_dispute)
            found.append(taken)
            left = left - taken if taken < left else Money.zero(gross.currency)
            left_in_dispute = max(left_in_dispute - moved.in_dispute, Decimal(0))
    return tuple(found)


def _share(back: Moved, left: Money, left_in_dispute: Decimal) -> Money:
    if not left or not left_in_dispute:
        return back.movement.gross
    if abs(left_in_dispute - back.in_dispute) <= left_in_dispute * _WHOLE_WITHIN:
        return left
    step = Decimal(1).scaleb(-iso_exponent(left.currency))
    share = (left.amount * back.in_dispute / left_in_dispute).quantize(step, rounding=ROUND_HALF_UP)
    return min(Money.of(share, left.currency), left)


def _moved(transaction: Fields) -> Moved:
    rate = number_of(transaction.get("exchange_rate"))
    return Moved(transaction.identifier("id"), movement(transaction), rate if rate and rate > 0 else None)


def _created(transaction: Fields) -> int:
    created = transaction.get("created")
    return created if isinstance(created, int) and not isinstance(created, bool) else 0
