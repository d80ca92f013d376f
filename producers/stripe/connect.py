"""Charges that a platform makes for a connected account, to which Stripe transfers them at once."""

import re
from typing import Final, TypedDict

from producers.reading.fields import Fields
from producers.stripe.amounts import minor
from schemas.money import Money

_ACCOUNT: Final = re.compile(r"acct_[A-Za-z0-9_]{1,100}", re.ASCII)


class SoldFor(TypedDict):
    """For whom a charge was made, and how much of it goes there where it is not the whole."""

    destination: str | None
    for_destination: Money | None


def sold_for(charge: Fields) -> SoldFor:
    """Read it. Until 2018 the account stood in `destination` alone; `on_behalf_of` moves no money. Raises Rejected."""
    told = charge.get("transfer_data")
    data = Fields(told, charge.at("transfer_data")) if isinstance(told, dict) else None
    account = (_account(data) if data else None) or _account(charge)
    part = data.get("amount") if data and account else None
    return {"destination": account, "for_destination": None if part is None else minor(part, charge, "transfer_data")}


def _account(fields: Fields) -> str | None:
    """Whatever else stands there is no account, and may name a person."""
    value = fields.get("destination")
    value = value.get("id") if isinstance(value, dict) else value
    return value if isinstance(value, str) and _ACCOUNT.fullmatch(value) else None
