"""The balance transactions of a dispute, and how much of what was taken is given back with each return."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from producers.reading.fields import Fields
from producers.reading.numbers import number_of
from producers.stripe.amounts import Movement, money, movement, one_currency
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

    def as_fee(self) -> "Moved":
        """The same where all of it is a fee."""
        gross, none = self.movement.gross, Money.zero(self.movement.gross.currency)
        return replace(self, movement=Movement(none, self.movement.fee - gross, self.movement.tax))

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
    lists = "balance_transactions" in dispute.values
    listed = (dispute.sections("balance_transactions") or ()) if lists else _single(dispute)
    found = [(_created(each), _moved(each)) for each in listed]
    one_currency((moved.movement.gross for _, moved in found), field=dispute.at("balance_transactions"))
    moves = [moved for _, moved in sorted(found, key=lambda each: (each[0], each[1].is_return, each[1].id))]
    return tuple(_fees_apart(moves, dispute))


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


def _fees_apart(moves: Sequence[Moved], dispute: Fields) -> Iterator[Moved]:
    """What is taken besides all that is in dispute, or comes back besides all that was taken, is a fee.

    Only where it can be told: in the currency of the dispute.
    """
    whole = money(dispute, "amount") if dispute.get("amount") is not None else None
    away, some_taken = Decimal(0), False
    for moved in moves:
        gross = moved.movement.gross
        known = whole is not None and gross.currency == whole.currency
        too_much_back = known and gross.amount > 0 and some_taken and not away
        too_much_taken = known and whole is not None and gross.amount < 0 < whole.amount <= away
        if too_much_back or too_much_taken:
            yield moved.as_fee()
            continue
        some_taken = some_taken or gross.amount < 0
        away = max(away - gross.amount, Decimal(0))
        yield moved


def _single(dispute: Fields) -> tuple[Fields, ...]:
    """Until 2014 a dispute had one transaction, where it is expanded."""
    single = dispute.section("balance_transaction") if isinstance(dispute.get("balance_transaction"), dict) else None
    return () if single is None else (single,)


def _moved(transaction: Fields) -> Moved:
    rate = number_of(transaction.get("exchange_rate"))
    return Moved(transaction.identifier("id"), movement(transaction), rate if rate and rate > 0 else None)


def _created(transaction: Fields) -> int:
    created = transaction.get("created")
    return created if isinstance(created, int) and not isinstance(created, bool) else 0
