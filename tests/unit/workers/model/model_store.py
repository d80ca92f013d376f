"""The store in memory, with an await before each commit and one before its answer is heard.

What is decided, collected into batches and remembered is decided by the real `Inbox`, `Doubts` and transitions: only
the tables are a model. A commit can fail, and it can be done though its answer is lost.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast
from unittest.mock import patch

from store.claims import Claim, WriteRow
from store.doubts import Doubts
from store.earlier import EarlierRecords, KnownRecords
from store.errors import StoreUnavailable
from store.inbox import Inbox, _Claiming, _Settling
from store.writes import Key, Position
from tests.fakes import FakeClock
from tests.unit.workers.model.model_solid import Luck
from tests.unit.workers.model.stepping import Process

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

COMMITS: Final = ("claim", "renew", "applied", "refused", "unknown", "release")
STORE_TROUBLE: Final = (
    *((commit, bad) for commit in COMMITS for bad in ("not committed", "answer lost")),
    ("read", "out of reach"),
)
"""Where something can go wrong between a worker and the store, and what."""

NO_ENGINE: Final = cast("AsyncEngine", None)


@dataclass(slots=True)
class Tables:
    """What is on the disk."""

    began: datetime | None = None
    rows: dict[Key, WriteRow] = field(default_factory=dict)
    known: dict[str, KnownRecords] = field(default_factory=dict)

    def copy(self) -> "Tables":
        """A backup."""
        return replace(self, known=dict(self.known))

    def in_doubt(self, now: datetime) -> list[WriteRow]:
        """See `store.writes.in_doubt`."""
        return [
            row
            for row in self.rows.values()
            if row.state == "unknown"
            or (row.state == "intended" and row.lease_until is not None and row.lease_until <= now)
        ]


class ModelInbox(Inbox):
    """The inbox of one process."""

    def __init__(self, tables: Tables, process: Process, luck: Luck, *, lease: timedelta, clock: FakeClock) -> None:
        super().__init__(NO_ENGINE, owner=process.owner, lease=lease, clock=clock)
        self._tables, self._process, self._luck = tables, process, luck

    async def _commit(self, batch: Sequence[_Claiming | _Settling]) -> list[list[Claim] | Exception]:
        first = batch[0]
        what = "claim" if isinstance(first, _Claiming) else type(first.change).__name__.lower()
        await self._process.stand(what)
        bad = self._luck.take()
        after, taken = dict(self._tables.rows), dict[Key, int]()
        answers = [self._decide(request, after, taken) for request in batch]
        if bad != "not committed":
            self._tables.rows = after
        await self._process.stand(f"{what} heard")
        if bad:
            raise StoreUnavailable(bad)
        self._committed(batch, after, taken)
        return answers

    async def state_of(self, company: str, external_ids: Collection[str]) -> dict[str, str]:
        """See `Inbox.state_of`."""
        wanted = {(company, external_id) for external_id in external_ids}
        return {key[1]: row.state for key, row in (await self._read()).items() if key in wanted}

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """See `Inbox.group_total`."""
        wanted = (company, group_key, currency, "applied")
        rows = (await self._read()).values()
        of_group = [row for row in rows if (row.company, row.group_key, row.currency, row.state) == wanted]
        return sum((row.amount or Decimal(0) for row in of_group), Decimal(0))

    async def trace(self, text: str) -> list[WriteRow]:
        """See `Inbox.trace`; by external id and Solid's id."""
        return [row for row in (await self._read()).values() if text in {row.external_id, row.solid_id}]

    async def to_sweep(
        self, company: str, *, before: datetime, limit: int, past: Position | None = None
    ) -> list[WriteRow]:
        """See `Inbox.to_sweep`."""
        rows = [row for row in (await self._read()).values() if row.company == company and row.was_unknown]
        due = [row for row in rows if row.state == "applied" and not row.swept_at and row.updated_at < before]
        return [row for row in due if past is None or (row.updated_at, row.external_id) > past][:limit]

    async def to_read(
        self, company: str, *, before: datetime, limit: int, without: Collection[str] = ()
    ) -> list[WriteRow]:
        """See `Inbox.to_read`."""
        rows = [row for row in (await self._read()).values() if row.company == company and not row.was_unknown]
        due = [row for row in rows if row.state == "applied" and not row.swept_at and row.updated_at < before]
        due = [row for row in due if row.kind not in without]
        return [row for row in due if row.kind == due[0].kind][:limit]

    async def swept(self, company: str, external_ids: Sequence[str]) -> None:
        """See `Inbox.swept`."""
        for key in ((company, external_id) for external_id in external_ids):
            self._tables.rows[key] = replace(self._tables.rows[key], swept_at=self._clock.now())

    async def _read(self) -> Mapping[Key, WriteRow]:
        await self._process.stand("read")
        if self._luck.take():
            raise StoreUnavailable
        rows = dict(self._tables.rows)
        await self._process.stand("read heard")
        return rows


class ModelEarlierRecords(EarlierRecords):
    """What one process knows of the time before."""

    def __init__(self, tables: Tables, process: Process, clock: FakeClock) -> None:
        super().__init__(NO_ENGINE, clock)
        self._tables, self._process = tables, process

    async def began(self, company: str) -> datetime:
        """See `EarlierRecords.began`."""
        del company
        await self._process.stand("began")
        if self._tables.began is None:
            self._tables.began = min((row.created_at for row in self._tables.rows.values()), default=self._clock.now())
        began = self._tables.began
        await self._process.stand("began heard")
        return began

    async def was_restored(self, company: str) -> bool:
        """See `EarlierRecords.was_restored`."""
        del company
        await self._process.stand("was restored")
        began = self._tables.began
        older = began is not None and any(row.created_at < began for row in self._tables.rows.values())
        await self._process.stand("was restored heard")
        return older

    async def known(self, company: str, kind: str) -> KnownRecords | None:
        """See `EarlierRecords.known`."""
        del company
        await self._process.stand("known")
        known = self._tables.known.get(kind)
        await self._process.stand("known heard")
        return known

    async def keep(self, company: str, kind: str, known: KnownRecords) -> None:
        """See `EarlierRecords.keep`."""
        del company
        await self._process.stand("keep")
        self._tables.known[kind] = known
        await self._process.stand("keep heard")


async def decide(doubts: Doubts, tables: Tables, external_id: str, solid_id: str | None) -> WriteRow:
    """Let `Doubts.decide` decide on these tables."""

    async def transact(_: object, work: Any) -> WriteRow:  # noqa: ANN401 - as the real one
        row: WriteRow = await work(None)
        return row

    async def load(_: object, keys: Iterable[Key]) -> dict[Key, WriteRow]:
        return {key: tables.rows[key] for key in keys if key in tables.rows}

    async def save(_: object, before: object, after: Mapping[Key, WriteRow]) -> None:
        del before
        tables.rows = {**tables.rows, **after}

    with patch.multiple("store.doubts", transact=transact, writes=SimpleNamespace(load=load, save=save)):
        return await doubts.decide(external_id, solid_id=solid_id)
