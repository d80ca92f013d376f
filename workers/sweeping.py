"""The sweep: every write is looked for in Solid once more, later, when nothing of it can be under way any more.

A call that landed after its look-up had found nothing, or that Solid did twice, leaves two records. Nothing is deleted:
what is found becomes a case, and a person decides. What was ever in doubt is looked up write by write; of all others,
one reading of a list answers for every write of its days.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol, get_args

import structlog

from messaging.bucket import NoToken
from runtime.clock import Clock
from solid.errors import RefusedInDoubt, SolidError, Unavailable
from solid.lookups import MARGIN, Absent, Everything, Inconclusive, Lookup, Present, Sought, shifted
from solid.models import RecordKind
from store.cases import Cases
from store.errors import StoreUnavailable
from store.inbox import Inbox, WriteRow
from workers.earlier import FURTHER_BACK
from workers.failing import Failures

log = structlog.get_logger()

KINDS: Final[Mapping[str, RecordKind]] = {kind: kind for kind in get_args(RecordKind)}
AT_A_TIME = 20
READ_AT_A_TIME: Final = 5_000
SHORTEST_ROUND_SECONDS = 1.0
LONGEST_ROUND_SECONDS = 300.0
CLOCK_WAS_SET_SECONDS: Final = 60.0
ENDS: Final = (NoToken, StoreUnavailable)
"""What nobody can do anything about who goes on with the next write; nor about a Solid that takes no calls."""

DaysOfKind = tuple[str, date, date]
"""The days of one kind."""

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
PAGE: Final = 100
SECONDS_A_PAGE: Final = 6.0
"""So slowly lists are read: ten calls a minute, of the 600 that Solid takes, and only where nobody else wants them."""


class Looks(Protocol):
    """What the sweep needs of Solid's client."""

    async def look_up(self, sought: Sought) -> Lookup:
        """See `SolidClient.look_up`."""
        ...

    async def everything(
        self, kind: RecordKind, *, since: date, until: date | None = None
    ) -> Everything | Inconclusive:
        """See `SolidClient.everything`."""
        ...


@dataclass(slots=True)
class Sweeper:
    """Sweeps one company's writes. Several may run at once: they find the same and open one case."""

    solid: Looks
    inbox: Inbox
    cases: Cases
    company: str
    after: timedelta
    clock: Clock
    _ahead: float | None = None
    _rests_until: float = 0.0
    _past: tuple[datetime, str] | None = None
    _again_at: float = 0.0
    _waits: dict[DaysOfKind | str, float] = field(default_factory=dict)
    """What could not be read, and when it is tried again: the days of a kind, or all of it."""
    _failures: Failures = field(init=False)
    """Of look-ups, by external id, and of lists, by their days."""

    def __post_init__(self) -> None:
        """Nothing has failed yet."""
        self._failures = Failures(self.inbox, self.company, self.clock)

    async def run(self) -> None:
        """Sweep for ever, a little a round. Safe to cancel. Raises StoreUnavailable, NoToken."""
        shortest = min(max(self.after.total_seconds() / 10, SHORTEST_ROUND_SECONDS), LONGEST_ROUND_SECONDS)
        while True:
            await self._unless_closed(self.sweep_once)
            pages = await self._unless_closed(self.read_once)
            await self.clock.sleep(min(pages * SECONDS_A_PAGE, shortest) if pages else shortest)

    async def _unless_closed(self, look: Callable[[], Awaitable[int]]) -> int:
        """What came of it; 0 where Solid takes no calls at the moment."""
        try:
            return await look()
        except Unavailable as error:
            log.info("sweep.interrupted", error=type(error).__name__)
            return 0

    def _due_before(self) -> datetime:
        """What was settled before that is due: nothing for a while after the wall clock was set, as it may be young."""
        now, steady = self.clock.now(), self.clock.monotonic()
        ahead = now.timestamp() - steady
        if self._ahead is not None and abs(ahead - self._ahead) > CLOCK_WAS_SET_SECONDS:
            log.info("sweep.clock_was_set")
            self._rests_until = steady + self.after.total_seconds()
        self._ahead = ahead
        return now - self.after if steady >= self._rests_until else LONG_AGO

    async def sweep_once(self) -> int:
        """Look up the oldest writes that were in doubt and are due; returns how many. A crash repeats, never skips.

        One of which nothing can be told is left due, holds up none behind it, and has its turn again after a while.
        """
        steady, before = self.clock.monotonic(), self._due_before()
        if self._past is None:
            self._again_at = steady + self.after.total_seconds()
        due = await self.inbox.to_sweep(self.company, before=before, limit=AT_A_TIME, past=self._past)
        for row in due:
            try:
                answer = await self.solid.look_up(sought_of(row))
                await self._close([row], {row.external_id: answer})
                self._failures.over(row.external_id)
            except ENDS:
                raise
            except SolidError as error:
                if _is_of_all(error):
                    raise
                log.info("sweep.passed_over", external_id=row.external_id, error=type(error).__name__)
                if await self._failures.failed(row.external_id):
                    await self._close([row], {row.external_id: Inconclusive(str(error))})
            except Exception:
                log.exception("sweep.passed_over", external_id=row.external_id)
            self._past = (row.updated_at, row.external_id)
        if len(due) < AT_A_TIME and steady >= self._again_at:
            self._past = None
        return len(due)

    async def read_once(self) -> int:
        """Look for the oldest of the other writes, and with it for all of its days, in one reading of their list.

        Returns of how many pages that list may have been, 0 where nothing was due.
        """
        steady, before = self.clock.monotonic(), self._due_before()
        self._waits = {what: until for what, until in self._waits.items() if until > steady}
        kinds = [what for what in self._waits if isinstance(what, str)]
        due = await self.inbox.to_read(self.company, before=before, limit=READ_AT_A_TIME, without=kinds)
        if not due:
            return 0
        due, kind = [row for row in due if (row.kind, *days_of(row)) not in self._waits], due[0].kind
        if not due:
            self._wait(kind)
            return 1
        days = (kind, *days_of(due[0]))
        try:
            pages = await self._read(due)
        except ENDS:
            raise
        except SolidError as error:
            if _is_of_all(error):
                raise
            log.info("sweep.not_read", kind=kind, error=type(error).__name__)
            if await self._failures.failed(days):
                await self._open("unverified_record", f"every {kind}", {"why": str(error)})
        except Exception:
            log.exception("sweep.not_read", kind=kind)
        else:
            self._failures.over(days)
            return pages
        self._wait(days)
        return 1

    def _wait(self, what: DaysOfKind | str) -> None:
        self._waits[what] = self.clock.monotonic() + self.after.total_seconds()

    async def _read(self, due: Sequence[WriteRow]) -> int:
        first, last = days_of(due[0])
        reading = await self._list(due[0].kind, shifted(first, -MARGIN), until=shifted(last, MARGIN))
        if isinstance(reading, Inconclusive):
            await self._without_list(due[0], reading)
            return 1
        rows = [row for row in due if reading.whole or (first <= days_of(row)[0] and days_of(row)[1] <= last)]
        log.info("sweep.read", kind=due[0].kind, since=first.isoformat(), writes=len(rows), records=len(reading.ids))
        await self._close_read(rows, {row.external_id: _in(reading, row.external_id) for row in rows})
        return 1 + len(reading.ids) // PAGE

    async def _list(self, kind: str, since: date, *, until: date | None = None) -> Everything | Inconclusive:
        try:
            return await self.solid.everything(KINDS[kind], since=since, until=until)
        except RefusedInDoubt as error:
            return Inconclusive(str(error))

    async def _without_list(self, oldest: WriteRow, unclear: Inconclusive) -> None:
        """Where the list cannot be read to its end, look one write up by its key; one case where that tells nothing.

        Those days are left due then, and tried again after a while. A list that changed while it was read is read again
        in the next round.
        """
        log.info("sweep.not_read", kind=oldest.kind, why=unclear.why)
        answer = unclear if unclear.moved else await self.solid.look_up(sought_of(oldest))
        if not isinstance(answer, Inconclusive):
            await self._close_read([oldest], {oldest.external_id: answer})
        elif not answer.moved:
            await self._open("unverified_record", f"every {oldest.kind}", {"why": answer.why})
            self._wait((oldest.kind, *days_of(oldest)))

    async def _close_read(self, rows: Sequence[WriteRow], answers: Mapping[str, Lookup]) -> None:
        for row in await self._close(rows, answers):
            self._wait((row.kind, *days_of(row)))

    async def _close(self, rows: Sequence[WriteRow], answers: Mapping[str, Lookup]) -> Sequence[WriteRow]:
        """Open a case of what is wrong, and only then call these writes swept: a crash in between looks again.

        Returns those that cannot be told, and stay due: a case says so.
        What is not on its own days is looked for on all: it may have been adopted from another one.
        """
        swept, untold = list[str](), list[WriteRow]()
        everywhere: Everything | Inconclusive | None = None
        for row in rows:
            answer = answers[row.external_id]
            if isinstance(answer, Absent) and "date" in row.about:
                since = shifted(min(days_of(other)[0] for other in rows), -FURTHER_BACK)
                everywhere = everywhere or await self._list(row.kind, since)
                answer = _in(everywhere, row.external_id)
            if isinstance(answer, Inconclusive) and answer.moved:
                continue  # the list changed while it was read: in the next round
            if isinstance(answer, Inconclusive) and not await self._person_looked(row):
                await self._open("unverified_record", row.external_id, {"kept": row.solid_id, "why": answer.why})
                untold.append(row)
                continue  # what cannot be read was not looked at
            finding = judge(row, answer)
            if finding is not None:
                await self._open(finding[0], row.external_id, finding[1])
            swept.append(row.external_id)
        await self.inbox.swept(self.company, swept)
        return untold

    async def _person_looked(self, row: WriteRow) -> bool:
        return await self.cases.was_closed(self.company, "unverified_record", row.external_id)

    async def _open(self, kind: str, subject: str, detail: Mapping[str, object]) -> None:
        if await self.cases.open(self.company, kind, subject, detail):
            log.error("case.opened", kind=kind, external_id=subject)


def _is_of_all(error: SolidError) -> bool:
    """Whether no other call would fare better now."""
    return isinstance(error, Unavailable) and error.cause in {"closed", "rate_limited"}


def _in(read: Everything | Inconclusive, external_id: str) -> Lookup:
    """What a reading of a list says of one record."""
    if isinstance(read, Inconclusive):
        return read
    ids = read.ids.get(external_id)
    return Present(ids) if ids else Absent()


def judge(row: WriteRow, answer: Lookup) -> tuple[str, dict[str, object]] | None:
    """What is wrong, as a kind of case and its detail; None when Solid has exactly the record that we know. Pure.

    A contact that was adopted by its name may not carry our key. Of what cannot be told a person has told.
    """
    match answer:
        case Present(ids=(only,)) if only == row.solid_id:
            return None
        case Present(ids=ids):
            kind = "duplicate_record" if len(ids) > 1 else "other_record"
            return kind, {"kept": row.solid_id, "found": list(ids)}
        case Absent() if row.kind == "contact" and row.adopted:
            return None
        case Absent():
            return "missing_record", {"kept": row.solid_id}
        case Inconclusive():
            return None


def days_of(row: WriteRow) -> tuple[date, date]:
    """The first and the last day under which a write was ever sent; of a contact any."""
    first = row.about.get("date")
    since = date.fromisoformat(first) if first else date.min + FURTHER_BACK
    return since, date.fromisoformat(row.about.get("until", since.isoformat()))


def sought_of(row: WriteRow) -> Sought:
    """What to look for, from what the inbox remembers of a write."""
    since, until = days_of(row) if "date" in row.about else (None, None)
    name = row.about.get("display_name")
    return Sought(KINDS[row.kind], row.external_id, display_name=name, since=since, until=until)
