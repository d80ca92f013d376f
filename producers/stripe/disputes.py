"""Stripe disputes: money withdrawn, money given back, and the loss.

The amounts are those of the dispute's balance transactions, in the currency of our balance; where a dispute
lists none, the dispute's own amount counts and there is no fee. A dispute that was opened moves no money by
itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe import amounts as stripe_amounts
from producers.stripe.event import Draft, Found, Ignored, StripeEvent
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import DisputeLost, DisputeOpened, DisputeWon


@dataclass(frozen=True, slots=True)
class _Movement:
    amount: Money
    fee: Money
    tax: Money


def funds_withdrawn(event: StripeEvent) -> Found:
    """Read what a dispute took. Raises Rejected."""
    dispute = event.object
    taken = [move for move in _movements(dispute) if move.amount.amount < 0]
    total = _total(taken) or _whole(dispute)
    amount = abs(total.amount)
    _refuse_negative(total.fee, total.tax, at=dispute.at("balance_transactions"))
    data = DisputeOpened(
        fact=f"stripe:dispute:{dispute.identifier('id')}:withdrawn",
        dispute=dispute.identifier("id"),
        charge=dispute.identifier_or_none("charge"),
        amount=amount,
        fee=total.fee,
        fee_tax=total.tax,
    )
    return _draft(dispute, data) if amount else Ignored("amount_zero")


def funds_reinstated(event: StripeEvent) -> Found:
    """Read what a dispute gave back; a fee only where a balance transaction says so. Raises Rejected."""
    dispute = event.object
    given = [move for move in _movements(dispute) if move.amount.amount > 0]
    total = _total(given) or _whole(dispute)
    _refuse_negative(-total.fee, -total.tax, at=dispute.at("balance_transactions"))
    data = DisputeWon(
        fact=f"stripe:dispute:{dispute.identifier('id')}:reinstated",
        of=f"stripe:dispute:{dispute.identifier('id')}:withdrawn",
        dispute=dispute.identifier("id"),
        charge=dispute.identifier_or_none("charge"),
        amount=total.amount,
        fee=-total.fee,
        fee_tax=-total.tax,
    )
    return _draft(dispute, data) if total.amount else Ignored("amount_zero")


def closed(event: StripeEvent) -> Found:
    """Read a dispute that is over: when lost, what is still withdrawn is the loss. Raises Rejected."""
    dispute = event.object
    if dispute.token_or_none("status") != "lost":
        return Ignored("dispute_not_lost")
    total = _total(_movements(dispute))
    lost = -total.amount if total else _whole(dispute).amount
    if not lost:
        return Ignored("nothing_withdrawn")
    _refuse_negative(lost, at=dispute.at("balance_transactions"))
    data = DisputeLost(
        fact=f"stripe:dispute:{dispute.identifier('id')}:lost",
        of=f"stripe:dispute:{dispute.identifier('id')}:withdrawn",
        dispute=dispute.identifier("id"),
        charge=dispute.identifier_or_none("charge"),
        amount=lost,
    )
    return _draft(dispute, data)


def _movements(dispute: Fields) -> list[_Movement]:
    return [_movement(transaction) for transaction in dispute.sections("balance_transactions") or ()]


def _movement(transaction: Fields) -> _Movement:
    amount = stripe_amounts.money(transaction, "amount")
    parts = stripe_amounts.fees(transaction)
    stripe_amounts.net(transaction, amount, parts)
    return _Movement(amount, fee=parts.fee, tax=parts.tax)


def _total(moves: Iterable[_Movement]) -> _Movement | None:
    """Add movements up; None when there are none."""
    total: _Movement | None = None
    for move in moves:
        if total is None:
            total = move
            continue
        stripe_amounts.one_currency((total.amount, move.amount), field="data.object.balance_transactions")
        total = _Movement(total.amount + move.amount, fee=total.fee + move.fee, tax=total.tax + move.tax)
    return total


def _whole(dispute: Fields) -> _Movement:
    amount = stripe_amounts.not_negative(dispute, "amount")
    none = Money.zero(amount.currency)
    return _Movement(amount, fee=none, tax=none)


def _refuse_negative(*amounts: Money, at: str) -> None:
    for amount in amounts:
        if amount.amount < 0:
            raise Rejected("does_not_add_up", f"{amount} has the wrong sign for this kind of event", field=at)


def _draft(dispute: Fields, data: EventData) -> Found:
    dispute_id = dispute.identifier("id")
    return (Draft(data, subject=dispute_id, partitionkey=dispute.identifier_or_none("charge") or dispute_id),)
