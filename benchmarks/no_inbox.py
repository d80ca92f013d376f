"""A worker's inbox switched off: nothing is remembered, so nothing is ever found done, busy or in doubt.

Here to measure what the inbox costs, and nowhere else: with it a repeated event is posted twice.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from solid.models import RecordKind
from store.claims import Claim, EventRef, Fresh, Intent, Refusal
from store.inbox import Inbox

MANY: Final = Decimal(10**12)


class NoInbox(Inbox):
    """Says that every write is fresh and every prerequisite there."""

    def __init__(self) -> None:
        """There is nothing to open."""

    async def claim(self, company: str, event: EventRef, intents: Sequence[Intent]) -> list[Claim]:
        """Say that everything is fresh."""
        del company, event
        return [Fresh(1) for _ in intents]

    async def renew(self, company: str, external_id: str, epoch: int) -> None:
        """Do nothing."""

    async def applied(
        self, company: str, external_id: str, epoch: int, *, solid_id: str, adopted: bool = False
    ) -> None:
        """Do nothing."""

    async def refused(self, company: str, external_id: str, epoch: int, *, code: str, message: str) -> None:
        """Do nothing."""

    async def unknown(self, company: str, external_id: str, epoch: int, *, no: Refusal | None = None) -> None:
        """Do nothing."""

    async def release(self, company: str, external_id: str, epoch: int) -> None:
        """Do nothing."""

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """Say that all of them are applied."""
        del company
        return dict.fromkeys(external_ids, "applied")

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """Say that enough is booked."""
        del company, group_key, currency
        return MANY

    async def check_in(self, company: str) -> None:
        """Do nothing."""

    async def counts(self, company: str) -> dict[str, int]:
        """Say that there is nothing."""
        del company
        return {}


class NothingEarlier:
    """No fact is older than an inbox that does not exist."""

    async def concerns(self, stream: str, happened: datetime, day: date) -> bool:
        """Say no."""
        del stream, happened, day
        return False

    async def find(self, kind: RecordKind, external_id: str, *, day: date) -> str | None:
        """Find nothing."""
        del kind, external_id, day
        return None

    async def merged_stock(self, happened: datetime, day: date) -> bool:
        """Say no."""
        del happened, day
        return False

    async def summarised(self, happened: datetime, day: date) -> bool:
        """Say no."""
        del happened, day
        return False
