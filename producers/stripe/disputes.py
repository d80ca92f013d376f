"""Stripe disputes: money withdrawn, money given back, and the loss.

Whatever an event of a dispute lists is told, each balance transaction as a fact of its own, so that it does not matter
which of the events come, and in which order. The amounts are those of the balance, in its currency; where a dispute
lists no transactions, its own amount counts and there is no fee. An inquiry has none, and moves no money.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from producers.normalising import Rejected
from producers.reading.fields import Fields
from producers.stripe.amounts import Movement, not_negative, one_currency
from producers.stripe.dispute_moves import Moved, given_back, moves_of
from producers.stripe.event import Content, StripeEvent
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import BalanceMoved, DisputeLost, DisputeOpened, DisputeWon, Settlement

_LOST: Final = "lost"
_WON: Final = "won"


@dataclass(frozen=True, slots=True)
class _Dispute:
    """A dispute as it stood, with what it took and gave back, the oldest first."""

    object: Fields
    moves: tuple[Moved, ...]

    @property
    def id(self) -> str:
        return self.object.identifier("id")

    @property
    def taken(self) -> list[Moved]:
        return [moved for moved in self.moves if moved.movement.gross.amount < 0]

    @property
    def back(self) -> list[Moved]:
        return [moved for moved in self.moves if moved.is_return]

    @property
    def only_fees(self) -> list[Moved]:
        """Where a fee came, or went back, without any money of the dispute."""
        return [moved for moved in self.moves if not moved.movement.gross and moved.movement.net]

    @property
    def status(self) -> str | None:
        return self.object.token_or_none("status")


def changed(event: StripeEvent) -> Content:
    """Read what a dispute lists, where it was opened or updated. Raises Rejected."""
    return _told(_taken_before_2014(_opened(event.object))) or "nothing_withdrawn"


def funds_withdrawn(event: StripeEvent) -> Content:
    """Read what a dispute took, and all else that it lists. Raises Rejected."""
    dispute = _opened(event.object)
    if not dispute.taken:
        dispute = replace(dispute, moves=(Moved.whole(_whole(dispute.object), taken=True), *dispute.moves))
    return _told(dispute)


def funds_reinstated(event: StripeEvent) -> Content:
    """Read what a dispute gave back, and all else that it lists; a fee only where a transaction says so.

    Raises Rejected.
    """
    dispute = _opened(event.object)
    if not dispute.back:
        dispute = replace(dispute, moves=(*dispute.moves, Moved.whole(_whole(dispute.object), taken=False)))
    return _told(dispute)


def closed(event: StripeEvent) -> Content:
    """Read a dispute that is over: what was withdrawn and is not given back is the loss. Raises Rejected."""
    dispute = _taken_before_2014(_opened(event.object))
    if not dispute.taken and not dispute.back and dispute.status == _LOST:
        return (_lost(dispute, Moved.whole(_whole(dispute.object), taken=True), number=0, left=None),)
    return _told(dispute) or ("nothing_withdrawn" if dispute.status == _LOST else "dispute_not_lost")


def _taken_before_2014(dispute: _Dispute) -> _Dispute:
    """A dispute of these versions names the transaction that took it, and lists none."""
    fields = dispute.object
    if "balance_transactions" in fields.values or dispute.moves or not fields.get("balance_transaction"):
        return dispute
    return replace(dispute, moves=(Moved.whole(_whole(fields), taken=True),))


def _told(dispute: _Dispute) -> Sequence[EventData]:
    """Every fact that the dispute tells, in an order in which each finds what it needs."""
    taken = [_withdrawal(dispute, moved, number) for number, moved in enumerate(dispute.taken)]
    shares = given_back(dispute.moves)
    pairs = enumerate(zip(dispute.back, shares, strict=True))
    back = [_return(dispute, moved, number, share=share) for number, (moved, share) in pairs]
    fees = [_fee(dispute, moved) for moved in dispute.only_fees]
    return [*taken, *back, *fees, *_losses(dispute, shares)]


def _withdrawal(dispute: _Dispute, moved: Moved, number: int) -> DisputeOpened:
    movement = moved.movement
    _refuse_negative(movement.fee, movement.tax, of=dispute)
    fact = _fact(dispute, "withdrawn", moved, number)
    return DisputeOpened(
        fact=fact, amount=abs(movement.gross), fee=movement.fee, fee_tax=movement.tax, **_names(dispute)
    )


def _return(dispute: _Dispute, moved: Moved, number: int, *, share: Money) -> DisputeWon:
    movement = moved.movement
    _refuse_negative(-movement.fee, -movement.tax, of=dispute)
    return DisputeWon(
        fact=_fact(dispute, "reinstated", moved, number),
        of=_withdrawn(dispute),
        amount=movement.gross,
        fee=-movement.fee,
        fee_tax=-movement.tax,
        taken=None if share == movement.gross else share,
        **_names(dispute),
    )


def _fee(dispute: _Dispute, moved: Moved) -> BalanceMoved:
    """The fee of a dispute by itself: booked as what moved, as that is no fee of a payment."""
    movement, number = moved.movement, moved.id or dispute.id
    none = Money.zero(movement.fee.currency)
    settlement = Settlement(
        balance_transaction=number, gross=-movement.fee, fee=none, fee_tax=movement.tax, net=movement.net
    )
    fact = f"stripe:balance:{number}"
    return BalanceMoved(fact=fact, transaction=moved.id, kind="dispute_fee", category="fee", settlement=settlement)


def _losses(dispute: _Dispute, given: Sequence[Money]) -> list[DisputeLost]:
    """What is lost: of one that was won only what stayed away of it, once something has come back."""
    if dispute.status not in (_LOST, _WON) or not dispute.taken or (dispute.status == _WON and not dispute.back):
        return []
    left = sum(given, _sum([moved.movement.gross for moved in dispute.taken]))
    if left.amount >= 0:
        return []
    return [_lost(dispute, moved, number=number, left=-left) for number, moved in enumerate(dispute.taken)]


def _lost(dispute: _Dispute, moved: Moved, *, number: int, left: Money | None) -> DisputeLost:
    taken = abs(moved.movement.gross)
    return DisputeLost(
        fact=_fact(dispute, "lost", moved, number),
        of=_fact(dispute, "withdrawn", moved, number),
        amount=taken if left is None else min(left, taken),
        taken=taken,
        **_names(dispute),
    )


def _opened(dispute: Fields) -> _Dispute:
    return _Dispute(dispute, moves_of(dispute))


def _whole(dispute: Fields) -> Movement:
    amount = not_negative(dispute, "amount")
    none = Money.zero(amount.currency)
    return Movement(amount, fee=none, tax=none)


def _sum(amounts: Sequence[Money]) -> Money:
    one_currency(amounts, field="data.object.balance_transactions")
    return sum(amounts[1:], amounts[0])


def _refuse_negative(*amounts: Money, of: _Dispute) -> None:
    for amount in amounts:
        if amount.amount < 0:
            message = f"{amount} has the wrong sign for this kind of event"
            raise Rejected("does_not_add_up", message, field=of.object.at("balance_transactions"))


def _withdrawn(dispute: _Dispute) -> str:
    return f"stripe:dispute:{dispute.id}:withdrawn"


def _fact(dispute: _Dispute, end: str, moved: Moved, number: int) -> str:
    """The first of its kind is named by the dispute alone, further ones by their transactions too."""
    fact = f"stripe:dispute:{dispute.id}:{end}"
    return f"{fact}:{moved.id}" if number and moved.id else fact


def _names(dispute: _Dispute) -> dict[str, Any]:
    return {"dispute": dispute.id, "charge": dispute.object.identifier_or_none("charge")}
