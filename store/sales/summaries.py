"""Lines of summaries, kept: what each write of a sale posts, once for ever, and the entry that it became part of.

A line is one write that is not sent by itself. It must not know accounting: whose lines share an entry is the caller's
to say. That a write is sent by itself *or* recorded here, and never both, is kept here and in `store.inbox`: both take
the company's mark first, which is one lock, and look at the other's table then.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, bindparam, cast, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.clock import Clock
from store import outbox
from store.engine import reading, transact
from store.group_commit import GroupCommit
from store.lost import applied, no_letter
from store.marks import Marks
from store.sales.lines import KEYS_AT_A_TIME, LINES, Body, Recording, SummaryLine, decided, known_among, sent_among
from store.schema import OUTBOX, PAYOUT_FACTS, SUMMARIES, SUMMARY_LINES, UNSUMMED

STREAM: Final = "summaries"

MOST_IN_ONE: Final = 60_000
"""So many lines become one entry at most: what is left is in the next one."""

MOST_TRACED: Final = 400


@dataclass(frozen=True, slots=True)
class Summary:
    """An entry that was made of lines, its columns in order. `lines` are its own, in their order."""

    company: str
    processor: str
    bucket: str
    number: int
    external_id: str
    day: date
    currency: str
    facts: int
    lines: Sequence[Body]
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """An entry as the caller makes it of lines: `of` are their external ids, `body` is the event to publish."""

    external_id: str
    number: int
    day: date
    currency: str
    facts: int
    lines: Sequence[Body]
    of: Sequence[str]
    body: bytes


@dataclass(frozen=True, slots=True)
class OpenDay:
    """What waits of one day: how many lines, and since when the oldest does."""

    processor: str
    currency: str
    day: date
    lines: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenFact:
    """What waits of one fact; `payout` is the one that lists it, if any was read that does, `listed_at` when.

    `clears`: it moves the processor's balance, so that a payout may list it.
    """

    fact: str
    processor: str
    day: date
    since: datetime
    clears: bool
    payout: str | None
    listed_at: datetime | None


_SUMMARIES: Final = select(*(SUMMARIES.c[name] for name in Summary.__dataclass_fields__))


class SummaryStore:
    """Every method raises `StoreUnavailable` when the database cannot be used. What returned is durable."""

    def __init__(self, engine: AsyncEngine, clock: Clock, marks: Marks) -> None:
        self._engine = engine
        self._clock = clock
        self._marks = marks
        self._commits: GroupCommit[Recording, Mapping[str, SummaryLine]] = GroupCommit(self._commit)

    async def record(self, recording: Recording) -> Mapping[str, SummaryLine]:
        """Record what is not sent by itself already; which of its external ids are recorded now. Idempotent.

        Raises:
            OtherEconomics: one is recorded already, and says something else now.
            WrongStore: the store is not what this process has seen of it.
        """
        return await self._commits.submit(recording)

    async def recorded(self, company: str, external_ids: Collection[str]) -> dict[str, SummaryLine]:
        """Those of these writes that are recorded, in whatever entry they are or will be."""
        async with reading(self._engine) as connection:
            return await known_among(connection, company, external_ids)

    async def knows_any(self, company: str, beginning: str = "") -> bool:
        """Whether anything was ever recorded whose external id begins so."""
        ours = (SUMMARY_LINES.c.company == company) & SUMMARY_LINES.c.external_id.startswith(beginning, autoescape=True)
        async with reading(self._engine) as connection:
            return await connection.scalar(select(SUMMARY_LINES.c.external_id).where(ours).limit(1)) is not None

    async def any_listed(self, company: str) -> bool:
        """Whether anything is known of what belongs to a payout."""
        wanted = select(PAYOUT_FACTS.c.fact).where(PAYOUT_FACTS.c.company == company).limit(1)
        async with reading(self._engine) as connection:
            return await connection.scalar(wanted) is not None

    async def group_total(self, company: str, group_key: str, currency: str) -> Decimal:
        """The sum of the amounts recorded in one group and currency; as `Inbox.group_total`."""
        columns = SUMMARY_LINES.c
        ours = (columns.company == company) & (columns.group_key == group_key) & (columns.group_currency == currency)
        async with reading(self._engine) as connection:
            amounts = (await connection.scalars(select(columns.group_amount).where(ours))).all()
        return sum((amount for amount in amounts if amount is not None), Decimal(0))

    async def open_days(self, company: str) -> list[OpenDay]:
        """What waits to become part of an entry, day by day."""
        columns = SUMMARY_LINES.c
        key = (columns.processor, columns.currency, columns.day)
        wanted = select(*key, func.count(), func.min(columns.recorded_at)).where(columns.company == company, UNSUMMED)
        async with reading(self._engine) as connection:
            return [OpenDay(*row) for row in await connection.execute(wanted.group_by(*key).order_by(*key))]

    async def open_facts(self, company: str) -> list[OpenFact]:
        """What waits, fact by fact, with the payout that lists it."""
        columns, listed = SUMMARY_LINES.c, PAYOUT_FACTS.c
        same = (listed.company == columns.company) & (listed.fact == columns.fact)
        key = (columns.fact, columns.processor, columns.day)
        clears = func.max(cast(columns.clears, Integer))
        since, payout = func.min(columns.recorded_at), (func.min(listed.payout), func.min(listed.read_at))
        wanted = select(*key, since, clears > 0, *payout)
        wanted = wanted.select_from(SUMMARY_LINES.outerjoin(PAYOUT_FACTS, same))
        wanted = wanted.where(columns.company == company, UNSUMMED).group_by(*key).order_by(*key)
        async with reading(self._engine) as connection:
            return [OpenFact(*row) for row in await connection.execute(wanted)]

    async def close_day(self, company: str, day: OpenDay, make: "Making") -> int:
        """Make what waits of a day part of entries, in one transaction; how many lines it was."""
        columns = SUMMARY_LINES.c
        these = (columns.processor == day.processor) & (columns.currency == day.currency) & (columns.day == day.day)
        return await self._close(company, (day.processor, day.day.isoformat()), [these], make)

    async def close_facts(self, company: str, bucket: tuple[str, str], facts: Sequence[str], make: "Making") -> int:
        """Make what waits of these facts part of entries, in one transaction; how many lines it was.

        `bucket`: the processor, and whose entries they are.
        """
        some = [facts[start : start + KEYS_AT_A_TIME] for start in range(0, len(facts), KEYS_AT_A_TIME)]
        return await self._close(company, bucket, [SUMMARY_LINES.c.fact.in_(each) for each in some], make)

    async def _close(
        self, company: str, bucket: tuple[str, str], these: Sequence[ColumnElement[bool]], make: "Making"
    ) -> int:
        processor, name = bucket

        async def work(connection: AsyncConnection) -> int:
            lines: list[SummaryLine] = []
            for some in these:
                wanted = LINES.where(SUMMARY_LINES.c.company == company, UNSUMMED, some)
                wanted = wanted.order_by(SUMMARY_LINES.c.recorded_at, SUMMARY_LINES.c.external_id)
                wanted = wanted.limit(MOST_IN_ONE - len(lines)).with_for_update(skip_locked=True)
                lines += [SummaryLine(*row) for row in await connection.execute(wanted)]
            if not lines:
                return 0
            key = (SUMMARIES.c.company == company) & (SUMMARIES.c.processor == processor)
            last = await connection.scalar(select(func.max(SUMMARIES.c.number)).where(key, SUMMARIES.c.bucket == name))
            for made in make(lines, (last or 0) + 1):
                await self._keep(connection, company, bucket, made)
            return len(lines)

        return await transact(self._engine, work)

    async def _keep(self, connection: AsyncConnection, company: str, bucket: tuple[str, str], made: Made) -> None:
        now, (processor, whose) = self._clock.now(), bucket
        row = {name: getattr(made, name) for name in ("external_id", "number", "day", "currency", "facts", "lines")}
        key = {"company": company, "processor": processor, "bucket": whose}
        await connection.execute(insert(SUMMARIES), {**row, **key, "closed_at": now})
        await outbox.add(connection, company=company, stream=STREAM, key=made.external_id, body=made.body, now=now)
        change = update(SUMMARY_LINES).where(
            SUMMARY_LINES.c.company == company, SUMMARY_LINES.c.external_id == bindparam("one")
        )
        await connection.execute(change.values(summary=made.external_id), [{"one": each} for each in made.of])

    async def tell_again(self, company: str, summary: str | None = None) -> int:
        """Have entries published again that are in no books and before no person: the broker may have lost them.

        All of them, or one; how many it was. Harmless where the broker still has them: the inbox knows them.
        """
        here = (OUTBOX.c.company == company) & (OUTBOX.c.stream == STREAM)
        lost = here & ~applied(company, OUTBOX.c.key) & no_letter(OUTBOX.c.key)
        these = lost if summary is None else lost & (OUTBOX.c.key == summary)
        return await transact(self._engine, lambda connection: outbox.again(connection, these))

    async def latest(self, company: str, *, limit: int) -> list[Summary]:
        """The entries that were made last, the youngest first."""
        order = (SUMMARIES.c.closed_at.desc(), SUMMARIES.c.external_id)
        wanted = _SUMMARIES.where(SUMMARIES.c.company == company).order_by(*order).limit(limit)
        async with reading(self._engine) as connection:
            return [Summary(*row) for row in await connection.execute(wanted)]

    async def named(self, external_ids: Collection[str]) -> list[Summary]:
        """The entries of these names, of whichever company."""
        wanted = _SUMMARIES.where(SUMMARIES.c.external_id.in_(sorted(external_ids)))
        async with reading(self._engine) as connection:
            return [Summary(*row) for row in await connection.execute(wanted)]

    async def trace(self, text: str) -> list[SummaryLine]:
        """Lines with exactly `text` as external id, fact, event id, subject, group or summary, oldest first."""
        ids = (SUMMARY_LINES.c[name] for name in ("external_id", "fact", "event_id", "subject", "group_key", "summary"))
        wanted = LINES.where(or_(*(column == text for column in ids)))
        wanted = wanted.order_by(SUMMARY_LINES.c.recorded_at, SUMMARY_LINES.c.external_id)
        async with reading(self._engine) as connection:
            return [SummaryLine(*row) for row in await connection.execute(wanted.limit(MOST_TRACED))]

    async def _commit(self, recordings: Sequence[Recording]) -> list[Mapping[str, SummaryLine] | Exception]:
        answers: list[Mapping[str, SummaryLine] | Exception] = [{}] * len(recordings)
        for company in sorted({each.company for each in recordings}):
            places = [place for place, each in enumerate(recordings) if each.company == company]
            try:
                of_company = await self._commit_of(company, [recordings[place] for place in places])
            except Exception as error:  # noqa: BLE001 - one company's own: the others go on
                of_company = [copy(error) for _ in places]
            for place, answer in zip(places, of_company, strict=True):
                answers[place] = answer
        return answers

    async def _commit_of(
        self, company: str, recordings: Sequence[Recording]
    ) -> list[Mapping[str, SummaryLine] | Exception]:
        """Record them in one transaction, under the company's mark: no claim of the inbox is decided meanwhile."""

        async def work(connection: AsyncConnection) -> tuple[list[Mapping[str, SummaryLine] | Exception], Any]:
            marks = await self._marks.raise_all(connection, {company})
            ids = {line.external_id for each in recordings for unit in each.units for line in unit}
            known = await known_among(connection, company, ids)
            sent = {key for key, state in (await sent_among(connection, company, ids)).items() if state != "refused"}
            new: list[Body] = []
            answers = [decided(each, known, sent, new, now=self._clock.now()) for each in recordings]
            if new:
                await connection.execute(insert(SUMMARY_LINES), new)
            return answers, marks

        answers, marks = await transact(self._engine, work)
        self._marks.committed(marks)
        return answers


Making = Callable[[Sequence[SummaryLine], int], Sequence[Made]]
"""From lines and the first free number to entries, each line in one of them, exactly. Pure."""
