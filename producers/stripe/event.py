"""A Stripe event as it passes to the functions that know one kind of object each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from producers.reading.fields import Fields
from schemas.event_data import EventData


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """A Stripe event, opened. `previous` is None when the event has no `previous_attributes` at all."""

    id: str
    created: datetime
    object: Fields
    previous: Fields | None

    def changed(self, name: str) -> bool:
        """Whether the event says that this field changed, or says nothing of what changed."""
        return self.previous is None or name in self.previous.values


Content = Sequence[EventData] | str
"""What an event says, or as a short machine word why nothing is booked."""
