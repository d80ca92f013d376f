"""Pulling: what a provider has for some days, compared with what was told, and the difference told once.

A version is stored before it is published. A run merely missing from a list is reported and stays as it is: only an
explicit status takes a posting back. Nothing of a document is kept or logged: it is normalised and dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from messaging.errors import PublishFailed
from messaging.outbox import Unreadable
from producers.calling.errors import KeepsChanging, NotReady, UnexpectedAnswer
from producers.normalising import NormaliseContext, Rejected
from producers.payroll.calendar import month, next_month, pieces
from producers.payroll.provider import ListedRun, Provider, Span
from producers.payroll.run_book import COMPANY_CHANGED, PayrollAccount, RunBook, RunOutcome, counted
from producers.payroll.telling import Tells
from producers.payroll.versions import paid
from runtime.clock import Clock
from schemas.envelope import Event
from store.payroll_runs import PayrollRuns, RunDates, RunKey, RunRow

Progress = Callable[[int, int], None]
"""Told how many runs of how many are done."""

UNKNOWN_ENTITY: Final = "unknown_entity"


class Puller:
    """Pulls one account. With a dry teller nothing is stored or published, and the outcomes say what would be."""

    def __init__(  # noqa: PLR0913 - its collaborators
        self,
        *,
        account: PayrollAccount,
        client: Provider,
        runs: PayrollRuns,
        teller: Tells,
        clock: Clock,
        progress: Progress = lambda _done, _total: None,
    ) -> None:
        self._account = account
        self._client = client
        self._runs = runs
        self._teller = teller
        self._book = RunBook(account, teller, clock)
        self._progress = progress
        self._departments: dict[str, Mapping[str, str]] = {}

    async def pull(self, span: Span, entities: Sequence[str]) -> list[RunOutcome]:
        """Pull these entities for the pay dates of whole months. Safe to cancel and to repeat at any moment.

        Raises:
            PayrollError: the provider could not be read; what was told until then is told.
            StoreUnavailable: the same.
            PublishFailed: the same, after the entities whose events the broker takes were pulled.
        """
        failed: list[PublishFailed] = []
        try:
            await self._teller.tell_pending(set(self._account.companies.values()), self._account.provider)
        except PublishFailed as error:
            failed.append(error)
        outcomes: list[RunOutcome] = []
        for entity in entities:
            try:
                for piece in pieces(span):
                    outcomes += await self._entity(entity, piece)
            except PublishFailed as error:
                failed.append(error)
        if failed:
            raise failed[0]
        return outcomes

    async def _entity(self, entity: str, span: Span) -> list[RunOutcome]:
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
        told = {"account": self._account.name, "runs": len(outcomes), **counted(outcomes)}
        await self._teller.pulled(company, provider, entity, months_of(span), **told)
        return outcomes

    async def _gone(self, entity: str, row: RunRow) -> RunOutcome:
        """Ask for a told run that the list does not show: it may have moved, or have been taken back."""
        found = await self._client.find(entity, row.run)
        if found is not None:
            return await self._run(entity, found)
        await self._teller.missing(row.key)
        return RunOutcome.of(
            row.key,
            "missing",
            version=row.version,
            pay_date=row.pay_date,
            reason="not_listed",
            message="the provider does not show it any more, and does not say why; its posting stands. "
            f"Was it cancelled: relay payroll reverse --provider {self._account.name} --run {row.run}",
        )

    async def _run(self, entity: str, run: ListedRun) -> RunOutcome:
        company = self._account.companies.get(run.entity)
        key = RunKey(company or self._account.companies[entity], self._account.provider, run.entity, run.run)
        if company is None or (stands_in := await self._runs.elsewhere(key)) is not None:
            return await self._not_told(key, run, self._not_ours(run, None if company is None else stands_in))
        if run.status != "closed":
            return await self._taken_back(key, run, "reopened" if run.status == "open" else "cancelled")
        try:
            context = await self._context(run.entity, company)
            normalised = self._account.normalise(await self._client.document(run), context)
        except (Rejected, UnexpectedAnswer, KeepsChanging) as error:
            return await self._not_told(key, run, error if isinstance(error, Rejected) else _unread(error))
        if not normalised.events:
            return await self._taken_back(key, run, normalised.ignored or "no_event")
        if len(normalised.events) > 1:
            message = f"the document of {run.run} tells {len(normalised.events)} runs, so it is not clear which is this"
            return await self._not_told(key, run, Rejected("several_runs", message))
        return await self._book.told(_as_listed(normalised.events[0], run))

    def _not_ours(self, run: ListedRun, stands_in: str | None) -> Rejected:
        if stands_in is None:
            message = f"{run.entity} is not in the entities of [payroll.{self._account.name}], so it has no books"
            return Rejected(UNKNOWN_ENTITY, message)
        message = f"it stands in the books of {stands_in}, which {run.entity} was of: say {stands_in} in entities again"
        return Rejected(COMPANY_CHANGED, message)

    async def _taken_back(self, key: RunKey, run: ListedRun, why: str) -> RunOutcome:
        return await self._book.taken_back(key, why, dates=_dates(run), is_open=run.status == "open")

    async def _not_told(self, key: RunKey, run: ListedRun, why: Rejected) -> RunOutcome:
        said = f"run {key.run} of {key.entity}: {why}. Each pull tries it again."
        return await self._book.refused(key, why, said=said, dates=_dates(run))

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


def _as_listed(event: Event, run: ListedRun) -> Event:
    """Add what only the list knows: which run this one takes back."""
    if run.reverses is None:
        return event
    data = paid(event).model_copy(update={"reverses": run.reverses, "run_type": "reversal"})
    return event.model_copy(update={"data": data})


def _unread(error: Exception) -> Rejected:
    reason = "not_ready" if isinstance(error, NotReady) else "not_readable"
    return Rejected(reason, str(error))


def _dates(run: ListedRun) -> RunDates:
    return RunDates(pay_date=run.pay_date, period_start=run.period_start, period_end=run.period_end)
