"""Under which name the facts of each feed are known, decided once: its own, or none where it is older than that.

It must not change what was decided: the facts of a feed would be told again under other names.
"""

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.engine import reading, transact
from store.schema import FEED_NAMES


class FeedNames:
    """Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def known(self, company: str, feed: str) -> str | None:
        """What was decided; "" for none, None where nothing was."""
        async with reading(self._engine) as connection:
            found: str | None = await connection.scalar(select(FEED_NAMES.c.name).where(*_of(company, feed)))
            return found

    async def of(self, company: str, feed: str) -> str:
        """What was decided; the feed's own from now on where nothing was. Durable on return."""

        async def work(connection: AsyncConnection) -> str:
            found: str | None = await connection.scalar(select(FEED_NAMES.c.name).where(*_of(company, feed)))
            if found is None:
                await connection.execute(insert(FEED_NAMES), {"company": company, "feed": feed, "name": feed})
            return feed if found is None else found

        return await transact(self._engine, work)


def _of(company: str, feed: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return FEED_NAMES.c.company == company, FEED_NAMES.c.feed == feed
