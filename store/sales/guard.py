"""The guard of the inbox: what is a line of a summary gets no claim.

It is asked under the marks that the claims have just raised. Who records raises them too, so nobody records meanwhile;
and where the mark before was the guard's own, nobody has recorded since. Most companies never do: they are asked once.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.marks import Mark
from store.sales.lines import known_among
from store.schema import SUMMARY_LINES

Key = tuple[str, str]  # company, external_id


class Guard:
    """What one inbox knows of the lines of all companies. For one transaction at a time."""

    def __init__(self) -> None:
        self._some: set[str] = set()
        self._none: dict[str, Mark] = {}  # the last mark of ours under which nothing was recorded

    async def recorded_among(
        self, connection: AsyncConnection, keys: Collection[Key], marks: Mapping[str, Mark]
    ) -> set[Key]:
        """Those of these writes that are recorded. `marks` were raised in this transaction for all of their companies.

        Tell `committed` once it is.
        """
        found: set[Key] = set()
        for company, mark in marks.items():
            if self._ours_alone(company, mark) or not await self._any(connection, company):
                continue
            ids = [external_id for of, external_id in keys if of == company]
            found |= {(company, external_id) for external_id in await known_among(connection, company, ids)}
        return found

    def committed(self, marks: Mapping[str, Mark]) -> None:
        """The transaction that asked under these marks is durable."""
        self._none |= {company: mark for company, mark in marks.items() if company not in self._some}

    def _ours_alone(self, company: str, mark: Mark) -> bool:
        """Whether nobody has raised the mark between our last one and this.

        The counts tell: that the store still holds what this process has seen was compared when it was raised.
        """
        last = self._none.get(company)
        return last is not None and (last.inbox, last.count + 1) == (mark.inbox, mark.count)

    async def _any(self, connection: AsyncConnection, company: str) -> bool:
        """Whether anything was ever recorded. What was stays so: it is asked until then."""
        if company not in self._some:
            wanted = select(SUMMARY_LINES.c.external_id).where(SUMMARY_LINES.c.company == company).limit(1)
            if await connection.scalar(wanted) is None:
                return False
            self._some.add(company)
            self._none.pop(company, None)
        return True
