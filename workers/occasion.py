"""An occasion: the event that writes come from, and what must be known of it to apply them."""

from dataclasses import dataclass
from datetime import datetime

from store.inbox import EventRef
from workers.chart import Chart


@dataclass(frozen=True, slots=True)
class Occasion:
    """What writes are applied for: the event, when it happened, and the chart of accounts that it is booked with.

    One that happened before the inbox began may have been posted by an earlier inbox.
    """

    event: EventRef
    happened: datetime
    chart: Chart

    @property
    def stream(self) -> str:
        """The first word of its type: `sales`, `inventory`, `payroll`."""
        return self.event.type.partition(".")[0]
