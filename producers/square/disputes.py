"""Square's disputes. Square holds the money from the day on which a dispute (no inquiry) is opened."""

from producers.normalising import NormaliseContext
from producers.reading.fields import Fields
from producers.square import amounts
from producers.square.content import Content, Told, when
from schemas.event_data import EventData
from schemas.money import Money
from schemas.sales import DisputeLost, DisputeOpened, DisputeWon


def dispute(found: Fields, _: NormaliseContext) -> Content:
    """Read a dispute by its state; an inquiry moves no money. Raises Rejected."""
    state = found.token_or_none("state") or ""
    if state.startswith("INQUIRY_"):
        return "dispute_is_inquiry"
    amount = amounts.taken(found)
    if not amount:
        return "amount_zero"
    return (Told(_data(found, state, amount), when(found, "updated_at", "created_at")),)


def _data(found: Fields, state: str, amount: Money) -> EventData:
    name = "id" if found.get("id") is not None else "dispute_id"
    number, none = found.identifier(name), Money.zero(amount.currency)
    paid = found.section("disputed_payment")
    charge = paid.identifier_or_none("payment_id") if paid else found.identifier_or_none("payment_id")
    fact = f"square:dispute:{number}"
    of = f"{fact}:withdrawn"
    if state == "WON":
        won = f"{fact}:reinstated"
        return DisputeWon(fact=won, of=of, dispute=number, charge=charge, amount=amount, fee=none, fee_tax=none)
    if state in {"LOST", "ACCEPTED"}:
        return DisputeLost(fact=f"{fact}:lost", of=of, dispute=number, charge=charge, amount=amount)
    return DisputeOpened(fact=of, dispute=number, charge=charge, amount=amount, fee=none, fee_tax=none)
