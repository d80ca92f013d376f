"""What is in the books: applied by itself, or recorded as a line of a summary. For whatever must come first."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from store.claims import WriteRow
from store.sales.lines import SummaryLine


class Knows(Protocol):
    """What is asked of the inbox."""

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """See `Inbox.state_of`."""
        ...

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `Inbox.group_total`."""
        ...


class Remembers(Knows, Protocol):
    """What is asked of the inbox by those who must know what a write was."""

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`."""
        ...

    async def knows_any(self, company: str, beginning: str) -> bool:
        """See `Inbox.knows_any`."""
        ...


class Recorded(Protocol):
    """What is asked of `store.sales.summaries`."""

    async def recorded(self, company: str, external_ids: Collection[str]) -> dict[str, SummaryLine]:
        """See `SummaryStore.recorded`."""
        ...

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `SummaryStore.group_total`."""
        ...

    async def trace(self, text: str) -> list[SummaryLine]:
        """See `SummaryStore.trace`."""
        ...

    async def knows_any(self, company: str, beginning: str) -> bool:
        """See `SummaryStore.knows_any`."""
        ...


@dataclass(frozen=True, slots=True)
class InBooks:
    """The inbox and the lines of summaries as one: a recorded line counts as applied, as nothing can undo it."""

    inbox: Remembers
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

    async def knows_any(self, company: str, beginning: str) -> bool:
        """Whether a write whose external id begins so is booked. Raises StoreUnavailable."""
        known = await self.inbox.knows_any(company, beginning)
        return known or await self.summaries.knows_any(company, beginning)

    async def trace(self, text: str) -> list[WriteRow]:
        """What is known of writes by one of their ids, as `Inbox.trace`. Raises StoreUnavailable."""
        return await self.inbox.trace(text) + [_as_row(line) for line in await self.summaries.trace(text)]


def _as_row(line: SummaryLine) -> WriteRow:
    """A line as a write that was applied: its record is that of the summary."""
    return WriteRow(
        company=line.company,
        external_id=line.external_id,
        kind=line.kind,
        payload_hash=line.payload_hash,
        state="applied",
        epoch=0,
        owner=None,
        lease_until=None,
        doubt_since=None,
        was_unknown=False,
        adopted=False,
        solid_id=line.summary,
        error_code=None,
        error_message=None,
        event_source=line.event_source,
        event_id=line.event_id,
        event_type=line.event_type,
        subject=line.subject,
        group_key=line.group_key,
        amount=line.amount if line.group_amount is None else line.group_amount,
        currency=line.group_currency or line.currency,
        created_at=line.recorded_at,
        updated_at=line.recorded_at,
        about=line.about,
    )
