"""What must be in the books before an event may post, judged by the inbox alone: no call to Solid is spent on it."""

from collections.abc import Sequence

from store.inbox import Inbox
from workers.plans.writes import Prerequisite, RefundsReach, Requirement


class PrerequisiteMissing(Exception):
    """Something that must come first is not in the books yet; `reason` names it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


async def check(inbox: Inbox, company: str, requires: Sequence[Requirement]) -> None:
    """Return when everything required is applied.

    Raises:
        PrerequisiteMissing: the first that is not.
    """
    for requirement in requires:
        match requirement:
            case Prerequisite(external_id=external_id):
                states = await inbox.state_of(company, [external_id])
                if states.get(external_id) != "applied":
                    reason = f"prerequisite:{external_id}"
                    raise PrerequisiteMissing(reason, f"{external_id} is not in the books yet")
            case RefundsReach(group=group, total=total):
                booked = await inbox.group_total(company, group, total.currency)
                if booked < total.amount:
                    reason = f"prerequisite:{group}"
                    msg = f"{total} refunded in all, but only {booked:f} {total.currency} is booked refund by refund"
                    raise PrerequisiteMissing(reason, msg)
