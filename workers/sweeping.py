"""The sweep: every write that was ever in doubt is looked up once more, later, when nothing can be under way any more.

A call that landed after its look-up had found nothing leaves two records in Solid. Nothing is deleted: what is found
becomes a case, and a person decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol, get_args

import structlog

from runtime.clock import Clock
from solid.errors import SolidError
from solid.lookups import Absent, Inconclusive, Lookup, Present, Sought
from solid.models import Kind
from store.cases import Cases
from store.inbox import Inbox, WriteRow

log = structlog.get_logger()

KINDS: Final[Mapping[str, Kind]] = {kind: kind for kind in get_args(Kind)}
AT_A_TIME = 20
SHORTEST_ROUND_SECONDS = 1.0
LONGEST_ROUND_SECONDS = 300.0


class LooksUp(Protocol):
    """What the sweep needs of Solid's client."""

    async def look_up(self, sought: Sought) -> Lookup:
        """See `SolidClient.look_up`."""
        ...


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps one company's writes. Several may run at once: they find the same and open one case."""

    solid: LooksUp
    inbox: Inbox
    cases: Cases
    company: str
    after: timedelta
    clock: Clock

    async def run(self) -> None:
        """Sweep for ever, a few writes a round. Safe to cancel. Raises StoreUnavailable, NoToken."""
        pause = min(max(self.after.total_seconds() / 10, SHORTEST_ROUND_SECONDS), LONGEST_ROUND_SECONDS)
        while True:
            try:
                await self.sweep_once()
            except SolidError as error:
                log.info("sweep.interrupted", error=type(error).__name__)
            await self.clock.sleep(pause)

    async def sweep_once(self) -> int:
        """Look up the oldest writes that are due; returns how many were swept. A crash repeats, never skips."""
        due = await self.inbox.to_sweep(self.company, before=self.clock.now() - self.after, limit=AT_A_TIME)
        for row in due:
            found = await self.solid.look_up(sought_of(row))
            if isinstance(found, Inconclusive) and found.moved:
                continue  # the list changed while it was read: in the next round
            finding = judge(row, found)
            if finding is not None:
                kind, detail = finding
                if await self.cases.open(self.company, kind, row.external_id, detail):
                    log.error("case.opened", kind=kind, external_id=row.external_id)
            await self.inbox.swept(self.company, row.external_id)
        return len(due)


def judge(row: WriteRow, found: Lookup) -> tuple[str, dict[str, object]] | None:
    """What is wrong, as a kind of case and its detail; None when Solid has exactly the record that we know. Pure."""
    match found:
        case Present(ids=(only,)) if only == row.solid_id:
            return None
        case Present(ids=ids):
            kind = "duplicate_record" if len(ids) > 1 else "other_record"
            return kind, {"kept": row.solid_id, "found": list(ids)}
        case Absent():
            return "missing_record", {"kept": row.solid_id}
        case Inconclusive(why=why):
            return "unverified_record", {"kept": row.solid_id, "why": why}


def sought_of(row: WriteRow) -> Sought:
    """What to look for, from what the inbox remembers of a write."""
    first, last = row.about.get("date"), row.about.get("until")
    return Sought(
        KINDS[row.kind],
        row.external_id,
        display_name=row.about.get("display_name"),
        since=date.fromisoformat(first) if first else None,
        until=date.fromisoformat(last) if last else None,
    )
