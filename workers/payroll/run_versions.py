"""One version of a pay run stands in the books at a time, judged by the inbox alone.

Each version waits for the one it replaces; this is for what a person waived, and for what was parked meanwhile.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.envelope import Event
from schemas.payroll import RunPaid, RunReversed
from store.claims import WriteRow
from workers.external_ids import external_id_of
from workers.payroll.mirroring import Remembers, as_posted, never_sent
from workers.plans.writes import Parked, Plan
from workers.prerequisites import PrerequisiteMissing

_OF_VERSION: Final = re.compile(r"(.+:v(\d+))(?::[0-9a-z]+)?", re.DOTALL)
"""The id of an event of a run: its fact, and what it says as a hash."""


@dataclass(frozen=True, slots=True)
class PayRuns:
    """The pay runs of one company, as its inbox knows them."""

    inbox: Remembers
    company: str

    async def complete(self, plan: Plan, event: Event) -> Plan:
        """The plan with what it takes back as it was posted. Idempotent; safe to cancel.

        Raises:
            Parked, PrerequisiteMissing: as for `as_posted` and `check_alone`.
        """
        posted = await as_posted(self.inbox, self.company, plan)
        await check_alone(self.inbox, self.company, event, posted)
        return posted


async def check_alone(inbox: Remembers, company: str, event: Event, plan: Plan) -> None:
    """Return when the plan, as `mirroring.as_posted` left it, leaves no other version of the run standing.

    Raises:
        Parked: a later version stands already (`superseded:<its external id>`).
        PrerequisiteMissing: an earlier one stands that the plan does not take back, or there is nothing to take back.
    """
    data = event.data
    if isinstance(data, RunReversed) and not plan.writes:
        msg = f"{data.taken_back.fact} was never posted: replay it first, or discard it and this"
        raise PrerequisiteMissing(f"prerequisite:{external_id_of(data.taken_back.fact)}", msg)
    if not isinstance(data, RunPaid):
        return
    rows = [row for row in await inbox.trace(event.subject or "") if row.company == company and not never_sent(row)]
    known = {row.external_id for row in rows}
    if known.issuperset(write.external_id for write in plan.writes):
        return
    taken_back = known | {write.external_id for write in plan.writes}
    for version, external_id in _posted(rows, data.fact.rpartition(":v")[0]):
        reversal = external_id_of(f"{external_id}:reversal")
        if version == data.version or reversal in known:
            continue
        if version > data.version:
            msg = f"{external_id}, a later version of the run, stands in the books already. Discard this one."
            raise Parked(f"superseded:{external_id}", msg)
        if reversal not in taken_back:
            msg = f"{external_id} stands in the books, and this version does not take it back: replay what does first"
            raise PrerequisiteMissing(f"prerequisite:{reversal}", msg)


def _posted(rows: Sequence[WriteRow], run: str) -> Iterator[tuple[int, str]]:
    """The versions whose own entry was sent: number and external id."""
    for row in rows:
        named = _OF_VERSION.fullmatch(row.event_id)
        if named and named[1] == f"{run}:v{named[2]}" and row.external_id == external_id_of(named[1]):
            yield int(named[2]), row.external_id
