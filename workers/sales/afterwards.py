"""What a plan still needs once its writes are in the books: so each of two events may complete the other."""

from collections.abc import Mapping
from typing import Protocol, assert_never

from schemas.money import Money
from store.inbox import Inbox
from workers.books.books import Books
from workers.plans.disputes import GIVEN_BACK, LOST, TAKEN, ended
from workers.plans.writes import Afterwards, AnyWrite, DisputeEnds, IfPosted, Plan


class KnowsGroups(Protocol):
    """Tells what of a group is in the books: external id → amount."""

    async def posted(self, group: str) -> Mapping[str, Money]:
        """Nothing where nothing is. Raises StoreUnavailable."""
        ...


class InboxGroups:
    """The groups of one company as its inbox knows them."""

    def __init__(self, inbox: Inbox, company: str) -> None:
        self._inbox, self._company = inbox, company

    async def posted(self, group: str) -> Mapping[str, Money]:
        """See `KnowsGroups`. A write of that name counts, too: it may be from before it had a group."""
        rows = await self._inbox.trace(group)
        return {
            row.external_id: Money.of(row.amount, row.currency)
            for row in rows
            if row.company == self._company
            and group in (row.group_key, row.external_id)
            and row.state == "applied"
            and row.amount is not None
            and row.currency is not None
        }


class MemoryGroups:
    """The groups of plans that were only looked at, in the memory of one run."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, Money]] = {}

    def note(self, plan: Plan) -> None:
        """Remember what would be in the books now."""
        if plan.group is not None and plan.writes:
            first = next(write for write in plan.writes if write.kind != "contact")
            self._groups.setdefault(plan.group.key, {})[first.external_id] = plan.group.amount

    async def posted(self, group: str) -> Mapping[str, Money]:
        """See `KnowsGroups`."""
        return self._groups.get(group, {})


async def writes_afterwards(
    afterwards: tuple[Afterwards, ...], *, groups: KnowsGroups, books: Books
) -> tuple[AnyWrite, ...]:
    """The further writes of a plan whose own are in the books. Those that are there already cost nothing.

    Raises:
        Parked: an account is missing.
        StoreUnavailable: see there.
    """
    writes: list[AnyWrite] = []
    for each in afterwards:
        match each:
            case IfPosted(group=group, write=write):
                writes += [write] if await groups.posted(group) else []
            case DisputeEnds(key=key):
                if await groups.posted(f"{key}:{LOST}"):
                    taken = await groups.posted(f"{key}:{TAKEN}")
                    given_back = await groups.posted(f"{key}:{GIVEN_BACK}")
                    writes += ended(each, taken=taken, given_back=given_back, books=books)
            case _ as never:
                assert_never(never)
    return tuple(writes)
