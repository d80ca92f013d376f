"""Pay runs, composed as in `ops/composing/workers.py`: from `[payroll.<name>]` to a puller, a reader and a schedule."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import httpx2
import structlog
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import AsyncEngine

from ops.composing.workers import open_publisher, open_store
from producers.calling.calling import Caller, Paced, granted
from producers.calling.tokens import FixedToken, RenewedTokens, Tokens
from producers.normalising import NormaliseContext, Normalised
from producers.payroll.provider import Provider, Span
from producers.payroll.pulling import Progress, Puller
from producers.payroll.reading import ExportReader
from producers.payroll.run_book import PayrollAccount
from producers.payroll.scheduling import Rhythm, Schedule
from producers.payroll.telling import DryTeller, Teller, Tells
from producers.source import Pulled
from producers.sources import SOURCES
from runtime.calling import LARGE_ANSWERS, new_client
from runtime.clock import Clock
from runtime.sections_payroll import EXPORTS, PayrollSettings
from runtime.settings import ConfigurationError, Settings
from store.outbox import Outbox
from store.payroll_runs import PayrollRuns

log = structlog.get_logger()

CLOSE_OF_BUSINESS = time(17)


def account_settings(settings: Settings, name: str) -> PayrollSettings:
    """The table of an account.

    Raises:
        ConfigurationError: there is none of this name, or what it says is wrong.
    """
    refuse_wrong_account(settings, name)
    if name not in settings.payroll:
        known = ", ".join(sorted(settings.payroll)) or "none"
        msg = f"relay.toml has no table [payroll.{name}]; known: {known}. docs/payroll.md tells what stands there."
        raise ConfigurationError(msg)
    return settings.payroll[name]


def refuse_wrong_account(settings: Settings, name: str) -> None:
    """Ask before a name is taken for one that is not set.

    Raises:
        ConfigurationError: what is wrong with the account's table.
    """
    if name in settings.wrong_payroll:
        raise ConfigurationError(settings.wrong_payroll[name])


def pulled_of(name: str, own: PayrollSettings) -> Pulled:
    """How the provider of an account is asked.

    Raises:
        ConfigurationError: it is an account of files, there is no such provider, or a setting that it needs is missing.
    """
    if own.provider == EXPORTS:
        msg = f"[payroll.{name}] is read from files: relay payroll read FILE --provider {name}"
        raise ConfigurationError(msg)
    known = {source.name: source.pulled for source in SOURCES.values() if source.pulled is not None}
    if own.provider not in known:
        names = ", ".join((*sorted(known), EXPORTS))
        raise ConfigurationError(f"payroll.{name}.provider: no provider is called {own.provider!r}; known: {names}")
    pulled = known[own.provider]
    if missing := [need for need in pulled.needs if getattr(own, need) is None]:
        msg = f"payroll.{name}: without {', '.join(missing)} {own.provider} cannot be asked: set that too"
        raise ConfigurationError(msg)
    return pulled


def address_of(own: PayrollSettings, pulled: Pulled) -> str:
    """The provider's base URL, without a slash at the end."""
    return (own.base_url or pulled.base_url).rstrip("/")


def pace_of(own: PayrollSettings, pulled: Pulled) -> int:
    """Calls a minute."""
    return own.calls_per_minute or pulled.calls_per_minute


def entities_of(own: PayrollSettings, company: str | None) -> list[str]:
    """The provider's companies that are ours, or of one company of ours.

    Raises:
        ConfigurationError: none is of that company.
    """
    found = [entity for entity, of in sorted(own.entities.items()) if company in (None, of)]
    if not found:
        whose = ", ".join(sorted(set(own.entities.values())))
        msg = f"no entity of this account is company {company}'s; they are of: {whose}"
        raise ConfigurationError(msg)
    return found


def deadline_rule(own: PayrollSettings) -> Callable[[date], datetime | None]:
    """When a run that is paid on a day must be in the books: so many hours before the close of business of that day."""

    def rule(pay_date: date) -> datetime | None:
        if own.deadline_hours is None:
            return None
        closing = datetime.combine(pay_date, CLOSE_OF_BUSINESS, own.zone).astimezone(UTC)
        return closing - timedelta(hours=own.deadline_hours)

    return rule


def account_of(name: str, own: PayrollSettings) -> PayrollAccount:
    """What a puller or reader knows of an account."""
    product = {"product": own.region} if own.region is not None else {}
    source = SOURCES.get(own.provider)
    return PayrollAccount(
        name=name,
        provider=own.provider,
        companies=own.entities,
        normalise=_no_document if source is None else source.normalise,
        zone=own.zone,
        currency=own.currency,
        options={**product, **own.options},
        deadline=deadline_rule(own),
    )


def _no_document(document: bytes, context: NormaliseContext) -> Normalised:
    """Stands in where an account has files and no documents."""
    del document, context
    return Normalised((), ignored="type_not_used:document")


@asynccontextmanager
async def open_client(
    name: str, own: PayrollSettings, clock: Clock, *, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncIterator[Provider]:
    """A client of the account's provider, with a limiter of its own.

    Raises:
        ConfigurationError: see `pulled_of`.
    """
    pulled = pulled_of(name, own)
    timeout = httpx2.Timeout(own.timeout_seconds, connect=min(10, own.timeout_seconds))
    address = address_of(own, pulled)
    opened = new_client(base_url=address, timeout=timeout, times=LARGE_ANSWERS, proxy=own.proxy, transport=transport)
    async with opened as http:
        paced = Paced(f"payroll.{name}", http, AsyncLimiter(pace_of(own, pulled), 60), clock)
        caller = Caller(paced, _tokens(own, pulled, paced))
        yield pulled.client(caller, own, own.api_version or pulled.api_version)


def token_address_of(own: PayrollSettings, pulled: Pulled) -> str:
    """Where tokens are renewed: as set, else beside the base URL that was set, else the provider's own."""
    if own.token_url is not None or pulled.renewal is None:
        return own.token_url or ""
    return pulled.renewal.url if own.base_url is None else address_of(own, pulled) + pulled.renewal.path


def _tokens(own: PayrollSettings, pulled: Pulled, paced: Paced) -> Tokens:
    if own.token_file is None:
        msg = f"{paced.where}.token_file is missing"
        raise ConfigurationError(msg)
    if pulled.renewal is None:
        return FixedToken(own.token_file, where=paced.where)
    grant = functools.partial(
        granted,
        paced=paced,
        url=token_address_of(own, pulled),
        form=pulled.renewal.form,
        client_id=own.client_id or "",
        client_secret=own.client_secret,
    )
    return RenewedTokens(own.token_file, where=paced.where, grant=grant)


@asynccontextmanager
async def open_teller(settings: Settings, engine: AsyncEngine, clock: Clock) -> AsyncIterator[Teller]:
    """A teller of what the store holds.

    Raises:
        BrokerUnreachable: see there.
    """
    async with open_publisher(settings, clock, "payroll") as publisher:
        yield Teller(PayrollRuns(engine, clock), Outbox(engine, clock), publisher)


@asynccontextmanager
async def _open_tells(settings: Settings, engine: AsyncEngine, clock: Clock, *, dry: bool) -> AsyncIterator[Tells]:
    if dry:
        yield DryTeller(PayrollRuns(engine, clock))
        return
    async with open_teller(settings, engine, clock) as teller:
        yield teller


@asynccontextmanager
async def open_puller(  # noqa: PLR0913 - what a pull depends on
    settings: Settings,
    name: str,
    clock: Clock,
    *,
    dry: bool = False,
    progress: Progress = lambda _done, _total: None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> AsyncIterator[Puller]:
    """A puller on store, broker and provider; a dry one has no broker, and stores nothing.

    Raises:
        ConfigurationError, StoreUnavailable: see there.
    """
    own = account_settings(settings, name)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client(name, own, clock, transport=transport))
        engine = await stack.enter_async_context(open_store(settings))
        runs = PayrollRuns(engine, clock)
        teller = await stack.enter_async_context(_open_tells(settings, engine, clock, dry=dry))
        yield Puller(
            account=account_of(name, own), client=client, runs=runs, teller=teller, clock=clock, progress=progress
        )


@asynccontextmanager
async def open_reader(
    settings: Settings, name: str, clock: Clock, *, company: str | None, dry: bool = False
) -> AsyncIterator[tuple[ExportReader, NormaliseContext]]:
    """A reader of exports, and the context of its files. `name`: a table of provider csv, or a mapping of the relay's.

    Raises:
        ConfigurationError, StoreUnavailable: see there.
    """
    refuse_wrong_account(settings, name)
    own = settings.payroll.get(name)
    if own is None:
        options = {"provider": name}
        account = PayrollAccount(
            name=name, provider=EXPORTS, companies={}, normalise=_no_document, zone=ZoneInfo("UTC"), options=options
        )
        context = NormaliseContext(company=company or settings.company, options=options)
    elif own.provider != EXPORTS:
        msg = f"[payroll.{name}] is pulled from {own.provider}: relay payroll pull --provider {name} --period 2026-04"
        raise ConfigurationError(msg)
    else:
        account = account_of(name, own)
        whose = own.entities[entities_of(own, company)[0]]
        context = NormaliseContext(company=whose, accounts=own.entities, currency=own.currency, options=account.options)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_store(settings))
        runs = PayrollRuns(engine, clock)
        teller = await stack.enter_async_context(_open_tells(settings, engine, clock, dry=dry))
        yield ExportReader(account=account, runs=runs, teller=teller, clock=clock), context


async def run_schedules(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Pull every account that has a schedule when its time comes, until `stop` is set."""
    scheduled = {name: own for name, own in sorted(settings.payroll.items()) if own.schedule is not None}
    wrong = {**settings.wrong_payroll, **_unusable(scheduled)}
    for name, problem in sorted(wrong.items()):
        log.error("payroll.account_stopped", account=name, error=problem)
    async with asyncio.TaskGroup() as group:
        for name, own in scheduled.items():
            if name not in wrong:
                group.create_task(_schedule(settings, name, own, clock).run(stop))


def _unusable(accounts: Mapping[str, PayrollSettings]) -> dict[str, str]:
    """Account → why its provider cannot be asked as it is set."""
    found = {}
    for name, own in accounts.items():
        try:
            pulled_of(name, own)
        except ConfigurationError as error:
            found[name] = str(error)
    return found


def _schedule(settings: Settings, name: str, own: PayrollSettings, clock: Clock) -> Schedule:
    async def pull(span: Span) -> None:
        async with open_puller(settings, name, clock) as puller:
            await puller.pull(span, entities_of(own, None))

    async def pulls() -> Mapping[date, datetime]:
        async with open_store(settings) as engine:
            runs = PayrollRuns(engine, clock)
            each = [await runs.pulls(company, own.provider, entity) for entity, company in own.entities.items()]
        return {month: min(one[month] for one in each) for month in each[0] if all(month in one for one in each)}

    rhythm = Rhythm(schedule=own.schedule or "", zone=own.zone, months_back=own.months_back, first=own.first_period)
    return Schedule(name=name, rhythm=rhythm, pull=pull, pulls=pulls, clock=clock)
