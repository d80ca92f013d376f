"""A payout of Stripe and the balance transactions that Stripe lists for it, as the store keeps them. Pure."""

from collections.abc import Iterable
from typing import Final

from producers.normalising import Normalised
from producers.reading.fields import Fields
from producers.stripe.amounts import money
from producers.stripe.other_moves import settlement_of
from store.sales.payouts import Payout, PayoutItem

OWN: Final = frozenset({"payout", "transfer"})
"""The types of a payout's own transaction, which stands in its list too."""


def is_own(document: Fields, payout_id: str) -> bool:
    """Whether a transaction is the payout itself, which its own list holds as well."""
    return document.token_or_none("type") in OWN and document.identifier_or_none("source") == payout_id


def payout(document: Fields, own: Fields | None = None) -> Payout:
    """Read a payout object; `own` is its own balance transaction where it is known: what it cost. Raises Rejected."""
    number, amount = document.identifier("id"), money(document, "amount")
    expanded = (
        document.section("balance_transaction") if isinstance(document.get("balance_transaction"), dict) else None
    )
    transaction = own or expanded
    said = settlement_of(transaction) if transaction else None
    return Payout(
        payout=number,
        fact=f"stripe:payout:{number}",
        amount=amount.amount,
        currency=amount.currency,
        arrival=document.time("arrival_date").date(),
        automatic=document.flag_or_none("automatic") is not False,
        status=document.token_or_none("status") or "unknown",
        fee=(said.fee + said.fee_tax).amount if said else amount.amount * 0,
    )


def item(document: Fields, told: Normalised | None) -> PayoutItem:
    """Read what a payout holds of one transaction; `told` is what came of it, None where it was refused.

    Raises Rejected where its figures cannot be read or do not add up.
    """
    said, events = settlement_of(document), told.events if told else ()
    return PayoutItem(
        transaction=document.identifier("id"),
        kind=document.token_or_none("type") or "unknown",
        source=document.identifier_or_none("source"),
        facts=tuple(event.data.fact for event in events),
        type=events[0].type if events else None,
        ignored=told.ignored if told else None,
        gross=said.gross.amount,
        fee=said.fee.amount,
        tax=said.fee_tax.amount,
        net=said.net.amount,
        currency=said.net.currency,
    )


def items(documents: Iterable[tuple[Fields, Normalised | None]], payout_id: str) -> tuple[PayoutItem, ...]:
    """Read all that a payout's list holds besides the payout itself. Raises Rejected as `item` does."""
    return tuple(item(document, told) for document, told in documents if not is_own(document, payout_id))
