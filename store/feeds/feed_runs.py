"""What became of each file and each poll of the feeds, for `relay status`. Only the latest of a feed are kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from store.engine import reading, transact
from store.schema import FEED_RUNS

KEPT: Final = 200

RunState = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRun:
    """One file, or one pass over a polled address.

    `rows` are the pieces that were read, `events` those published and confirmed, `rejects` the pieces that were
    refused. `failed`: something was refused; `interrupted`: it will be read again. `lag_seconds` is how long the
    file had waited when it was taken; `error` must hold no payload.
    """

    company: str
    feed: str
    name: str
    state: RunState
    size: int | None = None
    rows: int = 0
    events: int = 0
    rejects: int = 0
    lag_seconds: float | None = None
    error: str | None = None
    started_at: datetime
    ended_at: datetime


_ROWS: Final = select(*(FEED_RUNS.c[field.name] for field in fields(FeedRun)))
_NAMES: Final = tuple(field.name for field in fields(FeedRun))


class FeedRuns:
    """Every method raises `StoreUnavailable` when the database cannot be used."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, run: FeedRun) -> None:
        """Keep it, durable on return, and forget those of this feed that are older than the latest `KEPT`."""
        of_feed = _of(run.company, run.feed)
        oldest = select(FEED_RUNS.c.id).where(*of_feed).order_by(FEED_RUNS.c.id.desc()).offset(KEPT).limit(1)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(FEED_RUNS), asdict(run))
            forgotten = await connection.scalar(oldest)
            if forgotten is not None:
                await connection.execute(delete(FEED_RUNS).where(*of_feed, FEED_RUNS.c.id <= forgotten))

        await transact(self._engine, work)

    async def latest(self, company: str, feed: str, *, limit: int = KEPT) -> Sequence[FeedRun]:
        """The latest runs of a feed, the youngest first."""
        wanted = _ROWS.where(*_of(company, feed)).order_by(FEED_RUNS.c.id.desc()).limit(limit)
        async with reading(self._engine) as connection:
            return [FeedRun(**dict(zip(_NAMES, row, strict=True))) for row in await connection.execute(wanted)]


def _of(company: str, feed: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return FEED_RUNS.c.company == company, FEED_RUNS.c.feed == feed
