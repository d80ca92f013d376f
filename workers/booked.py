"""What is in the books: applied by itself, or recorded as a line of a summary. For whatever must come first."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from store.sales.summaries import SummaryLine


class Knows(Protocol):
    """What is asked of the inbox."""

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """See `Inbox.state_of`."""
        ...

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `Inbox.group_total`."""
        ...


class Recorded(Protocol):
    """What is asked of `store.sales.summaries`."""

    async def recorded(self, company: str, external_ids: Collection[str]) -> dict[str, SummaryLine]:
        """See `SummaryStore.recorded`."""
        ...

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `SummaryStore.group_total`."""
        ...


@dataclass(frozen=True, slots=True)
class Booked:
    """The inbox and the lines of summaries as one: a recorded line counts as applied, as nothing can undo it."""

    inbox: Knows
    summaries: Recorded

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """external_id → state, for those that are known. Raises StoreUnavailable."""
        states = await self.inbox.state_of(company, external_ids)
        rest = [each for each in external_ids if states.get(each) != "applied"]
        recorded = await self.summaries.recorded(company, rest) if rest else {}
        return {**states, **dict.fromkeys(recorded, "applied")}

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """The sum of what is booked in one group and currency. Raises StoreUnavailable."""
        applied = await self.inbox.group_total(company, group_key, currency)
        return applied + await self.summaries.group_total(company, group_key, currency)
