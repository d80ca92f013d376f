"""Balance transactions that are no sale, refund, dispute or payout: top-ups, transfers, reserves, fees and the rest.

What a type means here is its category; what is booked for a category is the books' to say.
"""

from collections.abc import Mapping
from typing import Final

from producers.reading.fields import Fields
from producers.stripe.amounts import movement
from schemas.money import Money
from schemas.sales import BalanceMoved, MoveCategory, Settlement

_CATEGORIES: Final[Mapping[str, MoveCategory]] = {
    **dict.fromkeys(("topup", "topup_reversal"), "topup"),
    "application_fee": "application_fee",
    "application_fee_refund": "application_fee_refund",
    "transfer": "transfer",
    **dict.fromkeys(("transfer_refund", "transfer_cancel", "transfer_failure"), "transfer_reversal"),
    **dict.fromkeys(("reserve_transaction", "reserved_funds", "reserve_hold", "reserve_release"), "reserve"),
    **dict.fromkeys(("payout_minimum_balance_hold", "payout_minimum_balance_release"), "reserve"),
    **dict.fromkeys(("payment_network_reserve_hold", "payment_network_reserve_release"), "reserve"),
    **dict.fromkeys(("stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"), "fee"),
    "adjustment": "adjustment",
}
"""A type that is not among them is "other"."""

_NAMED: Final[Mapping[str, tuple[str, str]]] = {
    "topup": ("topup", "tu_"),
    "topup_reversal": ("topup_reversal", "tu_"),
    "application_fee": ("application_fee", "fee_"),
    "application_fee_refund": ("application_fee_refund", "fr_"),
    "transfer": ("transfer", "tr_"),
    "transfer_refund": ("transfer_reversal", "trr_"),
}
"""By type: how the fact of its source begins, and how the source's id does."""


def is_dispute(source: Mapping[str, object]) -> bool:
    """Whether an expanded source is a dispute."""
    return source.get("object") == "dispute" or str(source.get("id")).startswith(("dp_", "du_", "pdp_"))


def settlement_of(document: Fields) -> Settlement:
    """What a transaction moved. Raises Rejected."""
    found = movement(document)
    number = document.identifier("id")
    return Settlement(balance_transaction=number, gross=found.gross, fee=found.fee, fee_tax=found.tax, net=found.net)


def moved_otherwise(document: Fields, *, only_fees: bool = False) -> tuple[BalanceMoved, ...] | str:
    """Read any transaction as a move of its category; `only_fees`: its gross is booked elsewhere. Raises Rejected."""
    kind, number, said = document.token_or_none("type") or "unknown", document.identifier("id"), settlement_of(document)
    if only_fees:
        said = said.model_copy(update={"gross": Money.zero(said.net.currency), "net": -said.fee - said.fee_tax})
    if not (said.gross or said.fee or said.fee_tax):
        return "amount_zero"
    category: MoveCategory = "fee" if only_fees else _CATEGORIES.get(kind, "other")
    fact = f"stripe:balance:{number}" if only_fees else _fact(document, kind, number)
    return (BalanceMoved(fact=fact, transaction=number, kind=kind, category=category, settlement=said),)


def _fact(document: Fields, kind: str, number: str) -> str:
    source = document.identifier_or_none("source")
    name, begins = _NAMED.get(kind, ("", ""))
    named = source is not None and bool(name) and source.startswith(begins)
    return f"stripe:{name}:{source}" if named else f"stripe:balance:{number}"
