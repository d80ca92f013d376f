"""What must be in the books before an event may post: the inbox knows, or a reading of what an earlier inbox posted.

Lines of summaries count as well, where `workers.in_books` is asked.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Protocol

from workers.earlier import FURTHER_BACK, KnowsEarlier, NotRead
from workers.in_books import Knows
from workers.patience import when_open
from workers.plans.writes import Prerequisite, RefundsReach, Requirement


class KnowsReleased(Protocol):
    """What is needed of the table of captures."""

    async def released(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.released`."""
        ...

    async def under_way(self, company: str, payment: str, currency: str) -> Decimal:
        """See `Captures.under_way`."""
        ...


class PrerequisiteMissing(Exception):
    """Something that must come first is not in the books yet; `reason` names it.

    `surely`: neither this inbox nor an earlier one has posted it, as far as a list that was read tells.
    """

    def __init__(self, reason: str, message: str, *, surely: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.surely = surely


async def check(  # noqa: PLR0913 - one keyword a part that knows something
    inbox: Knows,
    company: str,
    requires: Sequence[Requirement],
    *,
    captures: KnowsReleased,
    earlier: KnowsEarlier | None,
    day: date,
) -> None:
    """Return when everything required is applied, by this inbox or by one that was lost.

    `day` is when the event is booked. With `earlier` None only the inbox is asked: as a rule what comes first is
    merely late, and no call to Solid is spent on that.

    Raises:
        PrerequisiteMissing: the first that is not.
        NotYet, StoreUnavailable, Unavailable, OutcomeUnknown: as for `Earlier.find`.
    """
    for requirement in requires:
        match requirement:
            case Prerequisite(external_id=external_id):
                states = await inbox.state_of(company, [external_id])
                if states.get(external_id) == "applied":
                    continue
                posted = await _posted_earlier(earlier, requirement, day)
                if not posted:
                    message = requirement.message or f"{external_id} is not in the books yet"
                    raise PrerequisiteMissing(requirement.key, message, surely=posted is False)
            case RefundsReach():
                await _refunds_reach(inbox, captures, company, requirement)


async def _refunds_reach(inbox: Knows, captures: KnowsReleased, company: str, need: RefundsReach) -> None:
    """What was never captured counts as refunded where the source says so: at its capture, or by this very sum.

    So does what is under way.
    """
    booked = await inbox.group_total(company, need.group, need.total.currency)
    surely = need.released.amount if need.released else Decimal(0)
    if booked + surely >= need.total.amount:
        return
    counted = surely
    if need.payment:
        of = (company, need.payment, need.total.currency)
        counted = max(await captures.released(*of), surely) + await captures.under_way(*of)
    if booked + counted < need.total.amount:
        others = f", and {counted:f} was never captured or is pending" if counted else ""
        msg = f"{need.total} refunded in all, but only {booked:f} {need.total.currency} is booked refund by refund"
        raise PrerequisiteMissing(need.key, msg + others)


async def _posted_earlier(earlier: KnowsEarlier | None, need: Prerequisite, day: date) -> bool | None:
    """Whether an earlier inbox has; None where nobody was asked, or Solid's list does not tell.

    This inbox knows all that was posted since it began: where that is as long ago as a list is read back, none has.
    """
    kind = need.kind
    if earlier is None or kind is None:
        return None
    with contextlib.suppress(NotRead):
        return await when_open(lambda: earlier.find(kind, need.external_id, day=day)) is not None
    long_before = day - FURTHER_BACK
    may_have = await earlier.concerns("sales", datetime.combine(long_before, time.min, UTC), long_before)
    return None if may_have else False
