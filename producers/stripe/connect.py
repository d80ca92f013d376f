"""Charges that a platform makes for a connected account, to which Stripe transfers them at once."""

from typing import TypedDict

from producers.reading.fields import Fields
from producers.stripe.amounts import minor
from schemas.money import Money


class SoldFor(TypedDict):
    """For whom a charge was made, and how much of it goes there where it is not the whole."""

    destination: str | None
    for_destination: Money | None


def sold_for(charge: Fields) -> SoldFor:
    """Read it. Until 2018 the account stood in `destination` alone; `on_behalf_of` moves no money. Raises Rejected."""
    data = charge.section("transfer_data")
    account = data.identifier_or_none("destination") if data else None
    account = account or charge.identifier_or_none("destination")
    part = data.get("amount") if data and account else None
    return {"destination": account, "for_destination": None if part is None else minor(part, charge, "transfer_data")}
