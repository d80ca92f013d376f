"""What a plan still needs once its writes are in the books: so each of two events may complete the other."""

from collections.abc import Mapping
from typing import Protocol, assert_never

from schemas.money import Money
from workers.books.books import Books
from workers.in_books import Remembers
from workers.plans.connect import of_sellers
from workers.plans.disputes import GIVEN_BACK, LOST, TAKEN, ended
from workers.plans.writes import Afterwards, AnyWrite, DisputeEnds, EntryWrite, IfPosted, Plan
from workers.prerequisites import PrerequisiteMissing


class KnowsGroups(Protocol):
    """Tells what of a group is in the books: external id → amount."""

    async def posted(self, group: str) -> Mapping[str, Money]:
        """Nothing where nothing is. Raises StoreUnavailable."""
        ...


class InboxGroups:
    """The groups of one company as its books hold them."""

    def __init__(self, inbox: Remembers, company: str) -> None:
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
        for write in plan.writes:
            if write.amount is not None:
                self._groups[write.external_id] = {write.external_id: Money.of(write.amount, write.currency)}
        for external_id, group in plan.groups.items():
            self._groups.setdefault(group.key, {})[external_id] = group.amount

    async def posted(self, group: str) -> Mapping[str, Money]:
        """See `KnowsGroups`."""
        return self._groups.get(group, {})


async def writes_afterwards(
    afterwards: tuple[Afterwards, ...], *, groups: KnowsGroups, books: Books
) -> tuple[AnyWrite, ...]:
    """The further writes of a plan whose own are in the books. Those that are there already cost nothing.

    Raises:
        Parked: an account is missing.
        PrerequisiteMissing: a sale is not in the books with all that belongs to it.
        StoreUnavailable: see there.
    """
    writes: list[AnyWrite] = []
    for each in afterwards:
        match each:
            case IfPosted():
                writes += await _beside(each, groups)
            case DisputeEnds(key=key):
                if await groups.posted(f"{key}:{LOST}"):
                    taken = await groups.posted(f"{key}:{TAKEN}")
                    given_back = await groups.posted(f"{key}:{GIVEN_BACK}")
                    writes += ended(each, taken=taken, given_back=given_back, books=books)
            case _ as never:
                assert_never(never)
    return tuple(writes)


async def _beside(each: IfPosted, groups: KnowsGroups) -> tuple[EntryWrite, ...]:
    """The entry as far as it is of what was not kept."""
    if not await groups.posted(each.group):
        return ()
    if each.of is None:
        return (each.write,)
    whole = (await groups.posted(f"{each.of}:payment")).get(f"{each.of}:payment")
    if whole is None:
        msg = f"{each.of} is in the books, and its payment is not yet"
        raise PrerequisiteMissing(f"prerequisite:{each.of}:payment", msg)
    kept = (await groups.posted(f"{each.of}:kept")).get(f"{each.of}:kept")
    return of_sellers(each.write, kept=kept, whole=whole) if kept else (each.write,)
