"""Stripe disputes: money withdrawn, money given back, and the loss.

The amounts are those of the dispute's balance transactions, in the currency of our balance; where a dispute
lists none, the dispute's own amount counts and there is no fee. A dispute that was opened moves no money by
itself.
"""

from collections.abc import Callable, Sequence
from functools import reduce

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe.amounts import Movement, movement, not_negative, one_currency
from producers.stripe.event import Content, StripeEvent
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import DisputeLost, DisputeOpened, DisputeWon


def funds_withdrawn(event: StripeEvent) -> Content:
    """Read what a dispute took. Raises Rejected."""
    dispute = event.object
    total = _total([move for move in _movements(dispute) if move.gross.amount < 0]) or _whole(dispute)
    _refuse_negative(total.fee, total.tax, of=dispute)
    return _found(DisputeOpened, dispute, "withdrawn", amount=abs(total.gross), fee=total.fee, fee_tax=total.tax)


def funds_reinstated(event: StripeEvent) -> Content:
    """Read what a dispute gave back; a fee only where a balance transaction says so. Raises Rejected."""
    dispute = event.object
    total = _total([move for move in _movements(dispute) if move.gross.amount > 0]) or _whole(dispute)
    _refuse_negative(-total.fee, -total.tax, of=dispute)
    return _found(DisputeWon, dispute, "reinstated", amount=total.gross, fee=-total.fee, fee_tax=-total.tax)


def closed(event: StripeEvent) -> Content:
    """Read a dispute that is over: when lost, what is still withdrawn is the loss. Raises Rejected."""
    dispute = event.object
    if dispute.token_or_none("status") != "lost":
        return "dispute_not_lost"
    total = _total(_movements(dispute))
    lost = -total.gross if total else _whole(dispute).gross
    if not lost:
        return "nothing_withdrawn"
    _refuse_negative(lost, of=dispute)
    return _found(DisputeLost, dispute, "lost", amount=lost)


def _movements(dispute: Fields) -> list[Movement]:
    return [movement(transaction) for transaction in dispute.sections("balance_transactions") or ()]


def _total(moves: Sequence[Movement]) -> Movement | None:
    """Add movements up; None when there are none."""
    return reduce(_add, moves) if moves else None


def _add(total: Movement, move: Movement) -> Movement:
    one_currency((total.gross, move.gross), field="data.object.balance_transactions")
    return Movement(total.gross + move.gross, fee=total.fee + move.fee, tax=total.tax + move.tax)


def _whole(dispute: Fields) -> Movement:
    amount = not_negative(dispute, "amount")
    none = Money.zero(amount.currency)
    return Movement(amount, fee=none, tax=none)


def _refuse_negative(*amounts: Money, of: Fields) -> None:
    for amount in amounts:
        if amount.amount < 0:
            message = f"{amount} has the wrong sign for this kind of event"
            raise Rejected("does_not_add_up", message, field=of.at("balance_transactions"))


def _found(model: Callable[..., EventData], dispute: Fields, end: str, **amounts: Money) -> Content:
    dispute_id, charge = dispute.identifier("id"), dispute.identifier_or_none("charge")
    fact = f"stripe:dispute:{dispute_id}"
    return (model(fact=f"{fact}:{end}", of=f"{fact}:withdrawn", dispute=dispute_id, charge=charge, **amounts),)
