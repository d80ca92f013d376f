"""Pulling: what a provider has for some days, compared with what was told, and the difference told once.

A version is stored before it is published. A run merely missing from a list is reported and stays as it is: only an
explicit status takes a posting back. Nothing of a document is kept or logged: it is normalised and dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import structlog

from messaging.errors import PublishFailed
from messaging.outbox import Unreadable
from producers.calling.errors import KeepsChanging, NotReady, UnexpectedAnswer
from producers.normalising import NormaliseContext, Rejected
from producers.payroll.provider import ListedRun, Provider, Span
from producers.payroll.run_book import COMPANY_CHANGED, PayrollAccount, RunBook, RunOutcome, counted
from producers.payroll.scheduling import months_of, pieces
from producers.payroll.tally import paid
from producers.payroll.telling import Tells
from runtime.clock import Clock
from schemas.envelope import Event
from store.payroll_runs import PayrollRuns, RunDates, RunKey, RunRow

log = structlog.get_logger()

Progress = Callable[[int, int], None]
"""Told how many runs of how many are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Puller:
    """Pulls one account. With a dry teller nothing is stored or published, and the outcomes say what would be."""

    account: PayrollAccount
    client: Provider
    runs: PayrollRuns
    teller: Tells
    clock: Clock
    progress: Progress = lambda _done, _total: None
    departments: dict[str, Mapping[str, str]] = field(default_factory=dict, init=False)

    async def pull(self, span: Span, entities: Sequence[str]) -> list[RunOutcome]:
        """Pull these entities for the pay dates of whole months. Safe to cancel and to repeat at any moment.

        Raises:
            ProviderError, StoreUnavailable: it could not be read or kept; what was told until then is told.
            PublishFailed: the same, after the entities whose events the broker takes were pulled.
        """
        failed: list[PublishFailed] = []
        try:
            await self.teller.tell_pending(set(self.account.companies.values()), self.account.provider)
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
        company, provider = self.account.companies[entity], self.account.provider
        listed = list(await self.client.runs(entity, span))
        seen = {run.run for run in listed}
        standing = await self.runs.live(company, provider, entity)
        gone = [row for row in standing if row.run not in seen and span.holds(row.pay_date)]
        self.progress(0, len(listed) + len(gone))
        outcomes = []
        unread: list[Unreadable] = []
        for run in sorted(listed, key=lambda each: (each.pay_date or date.min, each.run)):
            try:
                outcomes.append(await self._run(entity, run))
            except Unreadable as error:
                unread.append(error)
            self.progress(len(outcomes), len(listed) + len(gone))
        for row in gone:
            outcomes.append(await self._gone(entity, row))
            self.progress(len(outcomes), len(listed) + len(gone))
        if unread:
            raise unread[0]

        async def pulled(runs: PayrollRuns) -> None:
            await runs.pulled(company, provider, entity, months_of(span))
            told = {"account": self.account.name, "entity": entity, "runs": len(outcomes)}
            log.info("payroll.pulled", **told, **counted(outcomes))

        await self.teller.note(pulled)
        return outcomes

    async def _gone(self, entity: str, row: RunRow) -> RunOutcome:
        """Ask for a told run that the list does not show: it may have moved, or have been taken back."""
        found = await self.client.find(entity, row.run)
        if found is not None:
            return await self._run(entity, found)
        await self.teller.note(lambda runs: runs.missing(row.key))
        return RunOutcome.of(
            row.key,
            "missing",
            version=row.version,
            pay_date=row.pay_date,
            reason="not_listed",
            message="the provider does not show it any more, and does not say why; its posting stands. "
            f"Was it cancelled: relay payroll reverse --provider {self.account.name} --run {row.run}",
        )

    async def _run(self, entity: str, run: ListedRun) -> RunOutcome:
        company = self.account.companies.get(run.entity)
        key = RunKey(company or self.account.companies[entity], self.account.provider, run.entity, run.run)
        book = RunBook(self.account, self.teller, self.clock)
        dates = RunDates(pay_date=run.pay_date, period_start=run.period_start, period_end=run.period_end)
        try:
            await self._refuse_other_books(key, ours=company is not None)
            found = await self._event(run, key.company)
        except (Rejected, UnexpectedAnswer, KeepsChanging) as error:
            reason = "not_ready" if isinstance(error, NotReady) else "not_readable"
            why = error if isinstance(error, Rejected) else Rejected(reason, str(error))
            said = f"run {key.run} of {key.entity}: {why}. Each pull tries it again."
            return await book.refused(key, why, said=said, dates=dates)
        if isinstance(found, Event):
            return await book.told(found)
        return await book.taken_back(key, found, dates=dates, is_open=run.status == "open")

    async def _refuse_other_books(self, key: RunKey, *, ours: bool) -> None:
        if not ours:
            message = f"{key.entity} is not in the entities of [payroll.{self.account.name}], so it has no books"
            raise Rejected("unknown_entity", message)
        if (other := await self.runs.elsewhere(key)) is not None:
            message = f"it stands in the books of {other}, which {key.entity} was of: say {other} in entities again"
            raise Rejected(COMPANY_CHANGED, message)

    async def _event(self, run: ListedRun, company: str) -> Event | str:
        """What tells the run, or why there is nothing to tell. Raises Rejected, and as the client."""
        if run.status != "closed":
            return "reopened" if run.status == "open" else "cancelled"
        context = await self._context(run.entity, company)
        normalised = self.account.normalise(await self.client.document(run), context)
        if len(normalised.events) > 1:
            message = f"the document of {run.run} tells {len(normalised.events)} runs, so it is not clear which is this"
            raise Rejected("several_runs", message)
        if not normalised.events:
            return normalised.ignored or "no_event"
        event = normalised.events[0]
        if run.reverses is None:
            return event
        data = paid(event).model_copy(update={"reverses": run.reverses, "run_type": "reversal"})
        return event.model_copy(update={"data": data})

    async def _context(self, entity: str, company: str) -> NormaliseContext:
        account = self.account
        options = {"entity": entity, **account.options}
        if options.get("split") == "department" and "departments" not in options:
            if entity not in self.departments:
                self.departments[entity] = await self.client.departments(entity)
            options |= {"departments": found} if (found := self.departments[entity]) else {}
        return NormaliseContext(company=company, accounts=account.companies, currency=account.currency, options=options)
