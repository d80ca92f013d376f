"""What a document of Shopify's says, as it passes from the functions that know one kind of object each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from schemas.event_data import EventData

PAYMENTS: Final = "shopify_payments"
"""The gateway whose money is in Shopify's balance."""

BOGUS: Final = "bogus"
"""The gateway of a shop that tries things out."""


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, and when."""

    data: EventData
    at: datetime


Content = Sequence[Told] | str
"""What a document says, or as a short machine word why nothing is booked."""


def of_test(found: Fields, context: NormaliseContext, *, is_test: bool) -> str | None:
    """Why a document of the other mode is ignored; None where it is of the books' mode.

    Raises Rejected `live_mode`: it is real money, and these are trial books.
    """
    if is_test:
        return None if context.mode == "test" else "test_mode"
    if context.mode == "test":
        message = "it is real money, and these are trial books: see shopify.test_mode"
        raise Rejected("live_mode", message, field=found.at("test"))
    return None


def outside(gateway: str, field: str, context: NormaliseContext) -> str:
    """What becomes of money that Shopify Payments does not hold: a reason to ignore it, where the setting says so.

    Raises Rejected `unmapped:shopify_gateway:<gateway>`: a person is to look at it.
    """
    word = f"unmapped:shopify_gateway:{gateway}"
    if context.outside == "hold":
        message = f"money by {gateway} is not in Shopify's balance: book it by hand, or set shopify.outside to ignore"
        raise Rejected(word, message, field=field)
    return word


def when(found: Fields) -> datetime:
    """Give the time at which it happened. Raises Rejected `missing_field`, `bad_time`."""
    return found.instant("processed_at" if found.get("processed_at") is not None else "created_at")
