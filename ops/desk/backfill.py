"""Reading Stripe again from a day on, for what was never told: week by week, so that it can be stopped and go on.

What the books have already, or a dead letter waits for, is not published again. A dry run publishes and keeps nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import httpx2

from messaging.errors import MessagingError
from messaging.publisher import Publishes
from ops.composing.known import KnownHere
from ops.composing.stripe import LAG, Account, accounts_of, open_api, read_with_key
from ops.composing.webhooks import PATHS
from ops.composing.workers import open_publisher, open_store
from producers.calling.errors import ProviderError
from producers.stripe.api.client import StripeApi
from producers.stripe.api.listing import Span
from producers.stripe.api.payouts import KeepsPayouts, PayoutReader
from producers.stripe.api.reading import Reader
from producers.stripe.api.telling import Known, Teller, Told
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.lifecycle import ToldToStop, unless
from runtime.settings import Settings
from store.sales.payouts import Payouts

STEP: Final = timedelta(days=7)

Progress = Callable[[str, int, int], None]
"""Told what is read, and how many steps of how many are done."""


@dataclass(slots=True, kw_only=True)
class Backfilled:
    """What came of it. All before `until` is done; `ended` says whether that is all, `problem` why it is not."""

    since: datetime
    until: datetime
    is_dry: bool
    ended: bool = False
    problem: str | None = None
    told: Told = field(default_factory=Told)

    def as_json(self) -> Mapping[str, Any]:
        """Ready for JSON."""
        told = self.told
        return {
            "since": self.since.isoformat(),
            "done_until": self.until.isoformat(),
            "ended": self.ended,
            "problem": self.problem,
            "dry_run": self.is_dry,
            "rows": told.rows,
            "events": {name: {"count": count, "money": _figures(told, name)} for name, count in told.events.items()},
            "known": told.known,
            "ignored": dict(told.ignored),
            "kept": dict(told.kept),
        }


def _figures(told: Told, name: str) -> Mapping[str, str]:
    return {currency: f"{amount:f}" for currency, amount in told.money.get(name, {}).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be read again: since which day (in UTC), for one company or all, and whether only to look."""

    since: date
    company: str | None = None
    is_dry: bool = False


async def backfill(  # noqa: PLR0913 - what it depends on
    settings: Settings,
    clock: Clock,
    wanted: Wanted,
    *,
    stop: asyncio.Event,
    progress: Progress,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Backfilled:
    """Tell what Stripe has since a day and the books have not, until `stop` is set. Safe to repeat.

    Raises:
        ConfigurationError: there is no key, the day is to come, or no account is of that company.
        StoreError: see there.
    """
    since = datetime.combine(wanted.since, time(), UTC)
    now = clock.now() - LAG
    if since > now:
        raise ConfigurationError(f"--since {wanted.since} is to come: say the day from which on facts may be missing")
    tables = read_with_key(settings)
    if not tables:
        raise ConfigurationError("no key of Stripe: name its file with stripe.api_key_file (docs/settings.md)")
    done = Backfilled(since=since, until=since, is_dry=wanted.is_dry)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_store(settings))
        publisher = None
        if not wanted.is_dry:
            publisher = await stack.enter_async_context(open_publisher(settings, clock, "backfill"))
        kept = None if wanted.is_dry else Payouts(engine, clock)
        part = _Part(
            publisher=publisher, known=KnownHere(settings, engine, clock), kept=kept, told=done.told, clock=clock
        )
        try:
            readers = []
            for name, own in tables.items():
                api = await stack.enter_async_context(open_api(name, own, clock, transport=transport))
                readers += await unless(stop, _readers(api, name, settings, wanted.company, part))
            if not readers:
                raise ConfigurationError(f"no account of Stripe is company {wanted.company}'s")
            await _all(readers, done, now=now, stop=stop, progress=progress)
        except ToldToStop:
            done.problem = "stopped"
        except (ProviderError, MessagingError) as error:
            done.problem = str(error)
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What all readers of one backfill share."""

    publisher: Publishes | None
    known: Known
    kept: KeepsPayouts | None
    told: Told
    clock: Clock

    def reader(self, api: StripeApi, table: str, account: Account) -> PayoutReader:
        teller = Teller(self.publisher, self.known, f"{PATHS}{table}", self.told)
        reader = Reader(api=api, context=account.context, teller=teller, clock=self.clock, account=account.id)
        return PayoutReader(reader=reader, kept=self.kept, patient=False)


async def _readers(
    api: StripeApi, table: str, settings: Settings, company: str | None, part: _Part
) -> list[PayoutReader]:
    _, accounts = await accounts_of(api, table, settings)
    return [part.reader(api, table, each) for each in accounts if company in (None, each.context.company)]


async def _all(
    readers: list[PayoutReader], done: Backfilled, *, now: datetime, stop: asyncio.Event, progress: Progress
) -> None:
    steps = list(_steps(done.since, now))
    for number, span in enumerate(steps):
        progress("Stripe", number, len(steps))
        for payouts in readers:
            await unless(stop, _step(payouts, span))
        done.until = span.until
    progress("Stripe", len(steps), len(steps))
    done.ended = True


async def _step(payouts: PayoutReader, span: Span) -> None:
    await payouts.reader.read(span)
    await payouts.read(span)


def _steps(since: datetime, until: datetime) -> Iterator[Span]:
    while since < until:
        yield Span(since, min(since + STEP, until))
        since += STEP
