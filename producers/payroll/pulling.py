"""Pulling: what a provider has for some days, compared with what was told, and the difference told once.

A version is stored before it is published. A run merely missing from a list is reported and stays as it is: only an
explicit status takes a posting back. Nothing of a document is kept or logged: it is normalised and dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import structlog

from messaging.errors import PublishFailed
from producers.calling.errors import KeepsChanging, NotReady, UnexpectedAnswer
from producers.normalising import NormaliseContext, Normaliser, Rejected
from producers.payroll.calendar import month, next_month, pieces
from producers.payroll.provider import ListedRun, Provider, Span
from producers.payroll.telling import Teller, Unreadable
from producers.payroll.versions import Following, following_paid, following_reversed, key_of, paid
from runtime.clock import Clock
from schemas.envelope import Event
from store.payroll_runs import PayrollRuns, Reference, RunDates, RunKey, RunRow

log = structlog.get_logger()

Became = Literal["told", "unchanged", "reversed", "open", "ignored", "refused", "missing"]
Progress = Callable[[int, int], None]
"""Told how many runs of how many are done."""

UNKNOWN_ENTITY: Final = "unknown_entity"
COMPANY_CHANGED: Final = "company_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account at a provider. `companies`: its ids of companies → ours; `name` is that of its settings."""

    name: str
    provider: str
    companies: Mapping[str, str]
    normalise: Normaliser
    zone: ZoneInfo
    currency: str = "USD"
    options: Mapping[str, Any]
    deadline: Callable[[date], datetime | None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one run in a pull. `version` is the one told or standing; `reason` and `field` are words."""

    company: str
    entity: str
    run: str
    became: Became
    version: int | None = None
    pay_date: date | None = None
    reason: str | None = None
    field: str | None = None
    message: str | None = None


class Puller:
    """Pulls one account. `dry`: nothing is stored or published, and the outcomes say what would be."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        *,
        account: Account,
        client: Provider,
        runs: PayrollRuns,
        teller: Teller | None,
        clock: Clock,
        progress: Progress = lambda _done, _total: None,
    ) -> None:
        self._account = account
        self._client = client
        self._runs = runs
        self._teller = teller
        self._clock = clock
        self._progress = progress
        self._departments: dict[str, Mapping[str, str]] = {}

    async def pull(self, span: Span, entities: Sequence[str]) -> list[Outcome]:
        """Pull these entities for the pay dates of whole months. Safe to cancel and to repeat at any moment.

        Raises:
            PayrollError: the provider could not be read; what was told until then is told.
            StoreUnavailable: the same.
            PublishFailed: the same, after the entities whose events the broker takes were pulled.
        """
        failed: list[PublishFailed] = []
        if self._teller is not None:
            try:
                await self._teller.tell_pending(set(self._account.companies.values()), self._account.provider)
            except PublishFailed as error:
                failed.append(error)
        outcomes: list[Outcome] = []
        for entity in entities:
            try:
                for piece in pieces(span):
                    outcomes += await self._entity(entity, piece)
            except PublishFailed as error:
                failed.append(error)
        if failed:
            raise failed[0]
        return outcomes

    async def _entity(self, entity: str, span: Span) -> list[Outcome]:
        company, provider = self._account.companies[entity], self._account.provider
        listed = list(await self._client.runs(entity, span))
        seen = {run.run for run in listed}
        standing = await self._runs.live(company, provider, entity)
        gone = [row for row in standing if row.run not in seen and span.holds(row.pay_date)]
        self._progress(0, len(listed) + len(gone))
        outcomes = []
        unread: list[Unreadable] = []
        for run in sorted(listed, key=lambda each: (each.pay_date or date.min, each.run)):
            try:
                outcomes.append(await self._run(entity, run))
            except Unreadable as error:
                unread.append(error)
            self._progress(len(outcomes), len(listed) + len(gone))
        for row in gone:
            outcomes.append(await self._gone(entity, row))
            self._progress(len(outcomes), len(listed) + len(gone))
        if unread:
            raise unread[0]
        if self._teller is not None:
            await self._runs.pulled(company, provider, entity, months_of(span))
            counts = counted(outcomes)
            log.info("payroll.pulled", account=self._account.name, entity=entity, runs=len(outcomes), **counts)
        return outcomes

    async def _gone(self, entity: str, row: RunRow) -> Outcome:
        """Ask for a told run that the list does not show: it may have moved, or have been taken back."""
        found = await self._client.find(entity, row.run)
        if found is not None:
            return await self._run(entity, found)
        if self._teller is not None:
            await self._runs.missing(row.key)
        return Outcome(
            company=row.company,
            entity=entity,
            run=row.run,
            became="missing",
            version=row.version,
            pay_date=row.pay_date,
            reason="not_listed",
            message="the provider does not show it any more, and does not say why; its posting stands. "
            f"Was it cancelled: relay payroll reverse --provider {self._account.name} --run {row.run}",
        )

    async def _run(self, entity: str, run: ListedRun) -> Outcome:
        company = self._account.companies.get(run.entity)
        key = RunKey(company or self._account.companies[entity], self._account.provider, run.entity, run.run)
        if company is None or (stands_in := await self._runs.elsewhere(key)) is not None:
            return await self._refused(key, run, self._not_ours(run, None if company is None else stands_in))
        if run.status != "closed":
            return await self._taken_back(key, run, reason="reopened" if run.status == "open" else "cancelled")
        try:
            context = await self._context(run.entity, company)
            normalised = self._account.normalise(await self._client.document(run), context)
        except (Rejected, UnexpectedAnswer, KeepsChanging) as error:
            return await self._refused(key, run, error if isinstance(error, Rejected) else _unread(error))
        if not normalised.events:
            return await self._taken_back(key, run, reason=normalised.ignored or "no_event")
        if len(normalised.events) > 1:
            message = f"the document of {run.run} tells {len(normalised.events)} runs, so it is not clear which is this"
            return await self._refused(key, run, Rejected(reason="several_runs", message=message))
        return await self._paid(run, _as_listed(normalised.events[0], run))

    def _not_ours(self, run: ListedRun, stands_in: str | None) -> Rejected:
        if stands_in is None:
            message = f"{run.entity} is not in the entities of [payroll.{self._account.name}], so it has no books"
            return Rejected(reason=UNKNOWN_ENTITY, message=message)
        message = f"it stands in the books of {stands_in}, which {run.entity} was of: say {stands_in} in entities again"
        return Rejected(reason=COMPANY_CHANGED, message=message)

    async def _paid(self, run: ListedRun, event: Event) -> Outcome:
        told = paid(event)
        following = following_paid(event, deadline=self._account.deadline(told.pay_date))
        new = await self._advance(key_of(event), following)
        return _outcome(key_of(event), run, "unchanged" if new is None else "told", version=new)

    async def _taken_back(self, key: RunKey, run: ListedRun, *, reason: str) -> Outcome:
        """A run that is open, cancelled or empty: reversed where it stands in the books, else only noted."""
        day = self._clock.now().astimezone(self._account.zone).date()
        new = await self._advance(key, following_reversed(day=day, reason=reason))
        if new is not None:
            return _outcome(key, run, "reversed", version=new, reason=reason)
        state: Literal["open", "ignored"] = "open" if run.status == "open" else "ignored"
        reason = "run_open" if state == "open" else reason
        if self._teller is not None:
            await self._runs.refer(key, Reference(state=state, reason=reason, dates=_dates(run)))
        return _outcome(key, run, state, reason=reason)

    async def _refused(self, key: RunKey, run: ListedRun, error: Rejected) -> Outcome:
        if self._teller is not None:
            reference = Reference(state="refused", reason=error.reason, field=error.field, dates=_dates(run))
            if await self._runs.is_new(key, reference):
                await self._teller.put_before_a_person(
                    key,
                    source=f"/payroll/{self._account.name}/reference",
                    reason=error.reason,
                    field=error.field,
                    error=f"run {key.run} of {key.entity}: {error}. Each pull tries it again.",
                )
            await self._runs.refer(key, reference)
        return _outcome(key, run, "refused", reason=error.reason, field=error.field, message=str(error))

    async def _advance(self, key: RunKey, following: Following) -> int | None:
        """Store and tell what follows; give its version, or None where nothing does."""
        if self._teller is None:
            would = following(await self._runs.latest(key))
            return None if would is None else would.version
        return await self._teller.advance(key, following)

    async def _context(self, entity: str, company: str) -> NormaliseContext:
        account = self._account
        options = {"entity": entity, **account.options}
        if options.get("split") == "department" and "departments" not in options:
            if entity not in self._departments:
                self._departments[entity] = await self._client.departments(entity)
            options |= {"departments": found} if (found := self._departments[entity]) else {}
        return NormaliseContext(company=company, accounts=account.companies, currency=account.currency, options=options)


def months_of(span: Span) -> list[date]:
    """The first days of the months that lie in the span as a whole."""
    first = span.first if span.first.day == 1 else next_month(span.first)
    months = []
    while month(first).last <= span.last:
        months.append(first)
        first = next_month(first)
    return months


def counted(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many runs became what, for those that occur."""
    words = [outcome.became for outcome in outcomes]
    return {word: words.count(word) for word in sorted(set(words))}


def _as_listed(event: Event, run: ListedRun) -> Event:
    """Add what only the list knows: which run this one takes back."""
    if run.reverses is None:
        return event
    data = paid(event).model_copy(update={"reverses": run.reverses, "run_type": "reversal"})
    return event.model_copy(update={"data": data})


def _unread(error: Exception) -> Rejected:
    reason = "not_ready" if isinstance(error, NotReady) else "not_readable"
    return Rejected(reason=reason, message=str(error))


def _dates(run: ListedRun) -> RunDates:
    return RunDates(pay_date=run.pay_date, period_start=run.period_start, period_end=run.period_end)


def _outcome(  # noqa: PLR0913 - one keyword a field
    key: RunKey,
    run: ListedRun,
    became: Became,
    *,
    version: int | None = None,
    reason: str | None = None,
    field: str | None = None,
    message: str | None = None,
) -> Outcome:
    return Outcome(
        company=key.company,
        entity=key.entity,
        run=key.run,
        became=became,
        version=version,
        pay_date=run.pay_date,
        reason=reason,
        field=field,
        message=message,
    )
