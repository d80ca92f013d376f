"""Disputes of Shopify Payments. A chargeback takes money when it is opened, an inquiry takes none.

Its fee is told by the balance transaction alone, and is a movement of its own.
"""

from typing import TYPE_CHECKING, Final

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from producers.shopify import amounts
from producers.shopify.content import Content, Told
from schemas.money import Money
from schemas.sales import DisputeLost, DisputeOpened, DisputeWon

if TYPE_CHECKING:
    from schemas.event_data import EventData

_OPEN: Final = frozenset({"needs_response", "under_review"})


def dispute(found: Fields, _: NormaliseContext) -> Content:
    """Read a dispute by its status. Raises Rejected `unmapped:shopify_type`: what it did to the balance is not said."""
    if found.token_or_none("type") == "inquiry":
        return "dispute_is_inquiry"
    status, number = found.token_or_none("status") or "unknown", found.identifier("id")
    amount = amounts.not_negative(found, "amount")
    if not amount:
        return "amount_zero"
    ended = found.instant("finalized_on") if found.get("finalized_on") is not None else None
    began = found.instant("initiated_at")
    if status in _OPEN:
        return (Told(opened(number, amount), began),)
    data: EventData
    if status == "won":
        data = won(number, amount)
    elif status in {"lost", "accepted"}:
        fact = fact_of(number)
        data = DisputeLost(fact=f"{fact}:lost", of=f"{fact}:withdrawn", dispute=number, amount=amount)
    else:
        message = "how a dispute of this status moved the balance is not said: book it by hand"
        raise Rejected(f"unmapped:shopify_type:dispute_{status}", message, field=found.at("status"))
    return (Told(data, ended or began),)


def opened(number: str, amount: Money) -> DisputeOpened:
    """What a dispute took."""
    none, fact = Money.zero(amount.currency), f"{fact_of(number)}:withdrawn"
    return DisputeOpened(fact=fact, dispute=number, amount=amount, fee=none, fee_tax=none)


def won(number: str, amount: Money) -> DisputeWon:
    """What a dispute gave back."""
    none, fact = Money.zero(amount.currency), fact_of(number)
    return DisputeWon(
        fact=f"{fact}:reinstated", of=f"{fact}:withdrawn", dispute=number, amount=amount, fee=none, fee_tax=none
    )


def fact_of(number: str) -> str:
    """How the facts of a dispute begin."""
    return f"shopify:dispute:{number}"
