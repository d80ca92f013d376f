"""`relay check`: is the configuration safe? Nothing is posted; every call to Solid takes a token like any other."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from messaging.bucket import Bucket, Token
from messaging.lanes import on_lane
from ops.checks.broker import check_broker
from ops.checks.exposure import check_exposure
from ops.checks.feeds import check_feeds
from ops.checks.findings import PATIENCE_SECONDS, Checklist, Finding
from ops.checks.payroll import check_payroll
from ops.checks.stripe import check_stripe
from ops.checks.webhooks import check_webhooks
from ops.composing.keys import refuse_shared_key
from ops.composing.workers import (
    books_of,
    bucket_on,
    dialect_of,
    mint_on,
    open_link,
    open_solid,
    open_store,
    transport_of,
    watch_stalls,
)
from ops.desk.retention import check_bodies
from runtime.clock import Clock
from runtime.secret_files import fingerprint
from runtime.settings import ConfigurationError, Settings
from solid import expectations
from solid.client import SolidClient
from workers.books.books import Books
from workers.chart import Chart


async def check(settings: Settings, clock: Clock, *, company: str | None = None) -> list[Finding]:
    """Look at what all companies share, then at each, or at one alone: bucket, books, and what Solid says.

    Of Solid: its dialect, key, accounts, a known balance. The settings must be those of all.

    Raises:
        ConfigurationError: the company is not known.
    """
    everyone = [settings.of(name) for name in settings.served]
    chosen = [settings.of(company)] if company else everyone
    checklist = Checklist()
    broker = await check_broker(checklist, chosen[0], clock)
    await checklist.look("store", _store(settings))
    await checklist.look("kept bodies", check_bodies(settings, clock))
    for one in chosen:
        check_exposure(checklist, one)
    await check_webhooks(checklist, chosen[0])
    await check_stripe(checklist, chosen[0], clock)
    for name, problem in chosen[0].wrong_feeds.items():
        checklist.wrong(f"feed {name}", problem)
    for name, problem in chosen[0].wrong_payroll.items():
        checklist.wrong(f"payroll.{name}", problem)
    for one in chosen:
        checklist.of = one.company if len(chosen) > 1 else ""
        await _company(checklist, one, clock, reachable=broker, others=everyone)
    return list(dict.fromkeys(checklist.findings))


async def _company(
    checklist: Checklist, settings: Settings, clock: Clock, *, reachable: bool, others: Sequence[Settings]
) -> None:
    try:
        settings.refuse_wrong()
    except ConfigurationError as error:
        checklist.wrong("settings", str(error))
        return
    await checklist.look("bucket", _bucket(settings))
    books = await checklist.look("books", _books(settings))
    await check_payroll(checklist, settings, clock)
    await check_feeds(checklist, settings)
    configured = await checklist.look("dialect setting", _dialect_setting(settings))
    key = await checklist.look("api key", _key(settings, others))
    trusted = await checklist.look("solid.ca_file", _trusted(settings)) if settings.solid.ca_file else True
    if books and configured and key and trusted and reachable:
        await _solid(checklist, settings, clock, books_of(settings))


async def _bucket(settings: Settings) -> str:
    bucket = settings.bucket
    window = f"({bucket.window_seconds:g} s + {bucket.jitter_seconds:g} s)"
    return f"{bucket.burst} + {bucket.rate:.4f}/s x {window} = {bucket.allowance} calls at most in any window"


async def _books(settings: Settings) -> str:
    books = books_of(settings)
    return f"{settings.books}: {len(books.roles)} roles, kept in {books.base_currency}"


async def _store(settings: Settings) -> str:
    async with open_store(settings):
        return "migrated to the newest schema"


async def _dialect_setting(settings: Settings) -> str:
    return f"money is read and written as {dialect_of(settings).money}"


async def _key(settings: Settings, others: Sequence[Settings]) -> str:
    refuse_shared_key(settings, others)
    key = settings.solid.key()
    return f"{len(key)} characters, fingerprint {fingerprint(key)}"


async def _trusted(settings: Settings) -> str:
    transport_of(settings)
    return f"{settings.solid.ca_file} is trusted"


async def _solid(checklist: Checklist, settings: Settings, clock: Clock, books: Books) -> None:
    async with _paced(settings, clock) as solid:
        if not await checklist.look("solid", _answers(solid)):
            return
        await checklist.look("dialect", _dialect(checklist, solid, settings))
        await checklist.look("accounts", _accounts(checklist, solid, books))
        if settings.solid.known_balance:
            await checklist.look("known balance", _balances(solid, settings.solid.known_balance))


class QuietBucket:
    """The bucket for who only looks: what it meets, a wrong key say, brakes nobody who works."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def take(self) -> Token:
        """See `Bucket.take`."""
        return await self._bucket.take()

    async def report(self, token: Token, *, cause: str | None, retry_after: float | None) -> None:
        """Tell of an answer only: without a word, another probe follows."""
        if cause is None:
            await self._bucket.report(token, cause=None, retry_after=retry_after)


@asynccontextmanager
async def _paced(settings: Settings, clock: Clock) -> AsyncIterator[SolidClient]:
    """Solid's client behind the real bucket, with a standby mint of its own for where no worker runs."""
    async with (
        open_link(settings, "check") as link,
        open_link(settings, "check mint") as minting,
        watch_stalls(settings, clock) as stalls,
    ):
        bucket = bucket_on(link, settings, stalls, clock)
        jobs = [asyncio.create_task(bucket.run()), asyncio.create_task(mint_on(minting, settings, clock).run())]
        try:
            async with open_solid(settings, QuietBucket(bucket), clock) as solid:
                with on_lane("background"):
                    yield solid
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)


async def _answers(solid: SolidClient) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        await solid.probe()
    return "answers, and takes the key"


async def _dialect(checklist: Checklist, solid: SolidClient, settings: Settings) -> str:
    dialect = dialect_of(settings)
    async with asyncio.timeout(PATIENCE_SECONDS):
        document = await solid.openapi()
    checklist.note("dialect", *expectations.notes(dialect, document))
    problems = expectations.check(dialect, document)
    if problems:
        raise ConfigurationError("; ".join(problems))
    return "Solid's /openapi.json has all that the relay uses"


async def _accounts(checklist: Checklist, solid: SolidClient, books: Books) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        chart = Chart(await solid.accounts())
    problems = chart.problems(books)
    checklist.note("accounts", *chart.notes(books))
    if problems:
        raise ConfigurationError(" ".join(problems))
    return f"all {len(books.roles)} accounts of the books are in Solid"


async def _balances(solid: SolidClient, known: Mapping[str, Decimal]) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        chart, balances = Chart(await solid.accounts()), await solid.balances()
    for name, expected in known.items():
        found = balances.get(chart.id_of(name))
        if found != expected:
            said = "not told" if found is None else f"{found:f}"
            msg = f'solid.known_balance: "{name}" should be {expected:f} and is {said}: is solid.dialect.money right?'
            raise ConfigurationError(msg)
    return "as expected: amounts are read in the right unit"
