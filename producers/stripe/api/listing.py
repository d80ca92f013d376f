"""Lists of Stripe, page by page, until it is certain that none of their rows was passed over.

Rows are given as they come, so that memory does not grow with them; what came twice is given once. A list of more than
one page is read until two readings name the same rows (`producers.calling.settled`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from producers.calling.errors import UnexpectedAnswer
from producers.calling.settled import SettledReading, Shifted, settled
from producers.calling.shapes import name_of, rows_of
from producers.stripe.api.client import Query, Row, StripeApi

PAGE: Final = 100
"""Rows of a page: the most that Stripe gives."""
MOST_PAGES: Final = 10_000

Take = Callable[[list[Row]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on, and before `until`: whole seconds, in UTC."""

    since: datetime
    until: datetime

    @property
    def query(self) -> Query:
        """As Stripe's lists take it."""
        return (("created[gte]", str(_seconds(self.since))), ("created[lt]", str(_seconds(self.until))))

    def holds(self, row: Row) -> bool:
        """Whether a row was made in it, whatever the server made of the query; one without a time counts."""
        created = row.get("created")
        return not isinstance(created, int) or _seconds(self.since) <= created < _seconds(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list: where it is, what is asked, of which connected account, and of which time."""

    path: str
    query: Query = ()
    account: str | None = None
    span: Span | None = None

    def holds(self, row: Row) -> bool:
        """Whether a row is of its time."""
        return self.span is None or self.span.holds(row)


async def read_whole(api: StripeApi, listing: Listing, take: Take) -> list[str]:
    """Hand every row to `take`, page by page, each once; the ids of all that the list has, sorted.

    A row that is handed over may be missing from the ids: it was gone at the end. Raises KeepsChanging, and as
    `StripeApi.get`; what was taken before is taken.
    """
    taken: set[str] = set()

    async def once() -> SettledReading[list[str]]:
        ids: list[str] = []
        number = 0
        async for rows in pages(api, listing):
            number += 1
            mine = [row for row in rows if listing.holds(row)]
            await take([row for row in mine if row["id"] not in taken])
            ids += [row["id"] for row in mine]
            taken.update(ids[-len(mine) :] if mine else ())
        return SettledReading(sorted(ids), number)

    return await settled(once, what=f"{api.paced.where}: the list {listing.path}")


async def pages(api: StripeApi, listing: Listing) -> AsyncIterator[list[Row]]:
    """Each page of one reading, from the newest row to the oldest. Raises Shifted: a row came twice, or is gone."""
    query = (*listing.query, *(listing.span.query if listing.span else ()), ("limit", str(PAGE)))
    after: str | None = None
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        asked = query if after is None else (*query, ("starting_after", after))
        answer = await api.get(listing.path, asked, account=listing.account)
        rows = rows_of(answer.get("data"), "data")
        ids = [name_of(row, "id") for row in rows]
        if len({*ids} - seen) < len(ids):
            raise Shifted
        seen.update(ids)
        yield rows
        if answer.get("has_more") is not True:
            return
        if not ids:
            raise Shifted
        after = ids[-1]
    raise UnexpectedAnswer(f"{api.paced.where}: the list {listing.path} has no end: more than {MOST_PAGES:,} pages")


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
