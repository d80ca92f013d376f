"""Reversals take back what was posted, and not what the books would post today: a mapping may have changed since.

The inbox remembers the lines of entries that may be reversed. Nothing here asks Solid.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from pydantic import TypeAdapter

from store.claims import WriteRow
from workers.plans.writes import AnyWrite, EntryWrite, Line, Plan, mirrored
from workers.prerequisites import PrerequisiteMissing

LINES: Final = "lines"
"""Under which name the inbox remembers them."""

_LINES: Final = TypeAdapter(tuple[Line, ...])


class Remembers(Protocol):
    """What this needs of the inbox."""

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`."""
        ...


def remembered_of(write: AnyWrite) -> dict[str, str]:
    """What the inbox must remember of a write for its reversal: the lines of an entry that stands for `totals`."""
    if isinstance(write, EntryWrite) and write.totals is not None:
        return {LINES: _LINES.dump_json(write.lines, exclude_none=True).decode()}
    return {}


def as_remembered(write: EntryWrite, about: Mapping[str, str]) -> EntryWrite:
    """The entry with the lines that the inbox remembers; the very same where it remembers none."""
    return write.model_copy(update={"lines": _LINES.validate_json(about[LINES])}) if LINES in about else write


async def as_posted(inbox: Remembers, company: str, plan: Plan) -> Plan:
    """The plan with every reversal as the mirror of what was posted; without those of what never was.

    Raises:
        PrerequisiteMissing: whether it was posted is not known yet.
    """
    if not any(isinstance(write, EntryWrite) and write.reverses for write in plan.writes):
        return plan
    writes = [await _as_posted(inbox, company, write) for write in plan.writes]
    return plan.model_copy(update={"writes": tuple(write for write in writes if write is not None)})


async def _as_posted(inbox: Remembers, company: str, write: AnyWrite) -> AnyWrite | None:
    if not isinstance(write, EntryWrite) or write.reverses is None:
        return write
    row = await _known(inbox, company, write.reverses)
    if row is None or never_sent(row):
        return None
    if row.state != "applied":
        raise PrerequisiteMissing(f"prerequisite:{write.reverses}", f"{write.reverses} may or may not be in the books")
    posted = as_remembered(write, row.about)
    return posted if posted is write else posted.model_copy(update={"lines": mirrored(posted.lines)})


async def _known(inbox: Remembers, company: str, external_id: str) -> WriteRow | None:
    rows = await inbox.trace(external_id)
    return next((row for row in rows if row.company == company and row.external_id == external_id), None)


def never_sent(row: WriteRow) -> bool:
    """Whether Solid refused it, or its claim was given up unused."""
    return row.state == "refused" or (row.state == "intended" and row.lease_until is None)
