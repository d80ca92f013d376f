"""What passes between reading a Stripe event and the functions that know one kind of object each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from producers.reading.fields import Fields
from schemas.event_data import EventData


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """A Stripe event, opened. `previous` is None when the event has no `previous_attributes` at all."""

    id: str
    type: str
    created: datetime
    object: Fields
    previous: Fields | None

    def changed(self, name: str) -> bool:
        """Whether the event says that this field changed, or says nothing of what changed."""
        return self.previous is None or name in self.previous.values


@dataclass(frozen=True, slots=True)
class Draft:
    """One event to be: its data, its subject (the object's id) and the entity whose order matters.

    `part` tells apart several drafts of one Stripe event; None when there is only ever one.
    """

    data: EventData
    subject: str
    partitionkey: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to book, and why, as a short machine word."""

    reason: str


Found = tuple[Draft, ...] | Ignored
Reader = Callable[[StripeEvent], Found]
"""Turns one opened Stripe event into drafts. Raises Rejected."""
