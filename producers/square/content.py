"""What a document of Square's says, as it passes from the functions that know one kind of object each."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from producers.normalising import NormaliseContext, Rejected
from producers.reading.fields import Fields
from schemas.event_data import EventData


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, and when."""

    data: EventData
    at: datetime


Content = Sequence[Told] | str
"""What a document says, or as a short machine word why nothing is booked."""


def outside(kind: str, field: str, context: NormaliseContext) -> str:
    """What becomes of money that is not in Square's balance: a reason to ignore it, where the setting says so.

    Raises Rejected `unmapped:square_type:<kind>`: a person is to look at it.
    """
    word = f"unmapped:square_type:{kind}"
    if context.outside == "hold":
        message = f"{kind} is not in Square's balance: book it by hand, or set outside to ignore"
        raise Rejected(word, message, field=field)
    return word


def when(fields: Fields, *names: str) -> datetime:
    """Give the first of these times that is one. Raises Rejected `missing_field`, `bad_time`: none of them is."""
    for name in names[:-1]:
        with suppress(Rejected):
            return fields.instant(name)
    return fields.instant(names[-1])
