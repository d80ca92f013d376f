"""From `[stripe]` with a key to reading Stripe: which accounts, for whose books, from where on, and again and again.

Part of the composition root. A reading is a feed: `relay feed` and `relay up` run it beside others.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx2
from aiolimiter import AsyncLimiter
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.errors import MessagingError
from messaging.publisher import Publishes
from ops.composing.known import KnownHere
from ops.composing.webhooks import PATHS, webhook_context
from producers.calling.calling import Paced
from producers.calling.errors import KeepsChanging, ProviderError, ProviderUnreachable, TokenRefused
from producers.feeds.feed import keep_run
from producers.feeds.passing import FeedProblem, Interrupted, Pass, PollRefused, PollUnavailable, Progress, Turn
from producers.normalising import NormaliseContext
from producers.stripe.api.client import BASE_URL, KeyFile, StripeApi
from producers.stripe.api.listing import Span
from producers.stripe.api.payouts import PayoutReader
from producers.stripe.api.reading import EVENTS_REACH, Reader
from producers.stripe.api.telling import Teller, Told
from runtime.calling import LARGE_ANSWERS, new_client
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from runtime.lifecycle import ToldToStop, unless
from runtime.sections_webhooks import WebhookSettings, table_of
from runtime.settings import Settings
from store.feeds.cursors import Cursor, Cursors
from store.feeds.runs import FeedRun, FeedRuns, FeedRunState
from store.sales.payouts import Payouts

OVERLAP: Final = timedelta(hours=1)
"""So much of what was read is read again: a list of Stripe's may lag behind."""

LAG: Final = timedelta(seconds=5)
"""So near to now nothing is read: more may still come of the same second."""

CALL_SECONDS: Final = 60.0


def read_with_key(settings: Settings) -> Mapping[str, WebhookSettings]:
    """The tables of source stripe that have a key, by the name of their webhook."""
    return {
        name: own
        for name, own in settings.all_webhooks.items()
        if own.source == "stripe" and own.api_key_file is not None
    }


def feed_name(name: str) -> str:
    """What the reading of a table is called in logs and in the store; no feed of `[feeds]` can be called so."""
    return f"{name}:read"


def key_of(name: str, own: WebhookSettings) -> KeyFile:
    """The key of a table. Raises ConfigurationError: none is set."""
    if own.api_key_file is None:
        raise ConfigurationError(f"{table_of(name)}.api_key_file is missing: without a key Stripe cannot be asked")
    return KeyFile(f"{table_of(name)}.api_key_file", own.api_key_file, is_live=not own.test_mode)


@asynccontextmanager
async def open_api(
    name: str, own: WebhookSettings, clock: Clock, *, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncIterator[StripeApi]:
    """Stripe's API with the key of a table, and a limiter of its own. Raises ConfigurationError: no key is set."""
    key = key_of(name, own)
    timeout = httpx2.Timeout(CALL_SECONDS, connect=10)
    address = (own.api_base_url or BASE_URL).rstrip("/")
    async with new_client(base_url=address, timeout=timeout, times=LARGE_ANSWERS, transport=transport) as http:
        # spread over the minute, with the burst of a second
        limiter = AsyncLimiter(max(1, own.api_calls_per_minute / 60), max(1.0, 60 / own.api_calls_per_minute))
        yield StripeApi(Paced(table_of(name), http, limiter, clock), key)


@dataclass(frozen=True, slots=True)
class Account:
    """One account to read: connected (`id`), or that of the key itself (None); and in which context."""

    context: NormaliseContext
    id: str | None = None


async def accounts_of(api: StripeApi, name: str, settings: Settings) -> tuple[str | None, list[Account]]:
    """The id of the key's own account, as far as the key may read it, and all that are to be read.

    Where `accounts` names any, money of no other is booked: the key's own must be among them.

    Raises:
        TokenRefused: the key is of another account. ProviderError: see there.
        ConfigurationError: the table cannot be used.
    """
    own, context = settings.all_webhooks[name], webhook_context(name, settings)
    mine = await api.account()
    if not own.accounts:
        return mine, [Account(context)]
    where = table_of(name)
    if mine is None:
        msg = f"{where}: the key may not read which account it is of, and {where}.accounts names those of these books"
        raise TokenRefused(f"{msg}: give it the right to read /v1/account.")
    if mine not in own.accounts:
        msg = f"{where}: the key is of account {mine}, which is not in {where}.accounts"
        raise TokenRefused(f"{msg}: use the key of one that is, or add it with its company.")
    connected = [Account(replace(context, company=company), each) for each, company in own.accounts.items()]
    return mine, [replace(each, id=None) if each.id == mine else each for each in connected]


@dataclass(slots=True, kw_only=True)
class StripeFeed:
    """The reading of one table, as a feed: from where the last one ended, every `read_every_minutes`."""

    table: str
    settings: Settings
    engine: AsyncEngine
    publisher: Publishes
    clock: Clock
    progress: Progress
    transport: httpx2.AsyncBaseTransport | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        """Name it."""
        self.name = feed_name(self.table)

    @property
    def every_seconds(self) -> float:
        """See `Feed`."""
        return self._own.read_every_minutes * 60

    @property
    def _own(self) -> WebhookSettings:
        return self.settings.all_webhooks[self.table]

    async def close(self) -> None:
        """Nothing is left open between two readings."""

    async def look(self, turn: Turn) -> Pass:
        """Read what is new. Raises FeedProblem, StoreError; what was told before is told."""
        started, told = self.clock.now(), Told()
        company = self._own.company or self.settings.company
        problem: FeedProblem | None = None
        try:
            await unless(turn.stop, self._read(told))
        except ToldToStop:
            problem = Interrupted(f"{self.name}: stopped in the middle; the next reading begins where this one did")
        except (ProviderUnreachable, KeepsChanging) as error:
            problem = PollUnavailable(str(error))
        except ProviderError as error:
            problem = PollRefused(str(error))
        except MessagingError as error:
            problem = Interrupted(str(error))
        run = self._run(told, company, started=started, problem=problem)
        await keep_run(FeedRuns(self.engine), run, ignored=told.ignored)
        if problem is not None:
            raise problem
        found = Pass()
        found.count(run)
        return found

    async def _read(self, told: Told) -> None:
        """Each account for itself: what keeps one from being read keeps no other. Raises what the first raised."""
        failed: list[ProviderError] = []
        async with open_api(self.table, self._own, self.clock, transport=self.transport) as api:
            mine, accounts = await accounts_of(api, self.table, self.settings)
            for account in accounts:
                try:
                    await self._account(api, account, mine if account.id is None else account.id, told)
                except ProviderError as error:
                    failed.append(error)
        if failed:
            raise failed[0]

    async def _account(self, api: StripeApi, account: Account, number: str | None, told: Told) -> None:
        cursors, company = Cursors(self.engine, self.clock), account.context.company
        place = Place(cursors, company, self.name if account.id is None else f"{self.name}:{account.id}")
        now = self.clock.now()
        stand = await place.stand(number, now=now)
        until = max(stand.until, now - LAG)
        known = KnownHere(self.settings, self.engine, self.clock)
        teller = Teller(self.publisher, known, f"{PATHS}{self.table}", told)
        reader = Reader(
            api=api,
            context=account.context,
            teller=teller,
            clock=self.clock,
            account=account.id,
            progress=lambda what, rows: self.progress(self.name, what, rows, 0),
            seen=frozenset(stand.seen),
        )
        payouts = PayoutReader(reader=reader, kept=Payouts(self.engine, self.clock), marks=dict.fromkeys(stand.marks))
        await reader.read(Span(stand.until - OVERLAP, until))
        await payouts.read(Span(max(stand.begun, until - EVENTS_REACH) - OVERLAP, until))
        await place.move(replace(stand, until=until, seen=[*reader.met], marks=[*payouts.marks], account=number))

    def _run(self, told: Told, company: str, *, started: datetime, problem: FeedProblem | None) -> FeedRun:
        rejects = told.kept.total()
        state: FeedRunState = "interrupted" if problem else "failed" if rejects else "done"
        return FeedRun(
            company=company,
            feed=self.name,
            name="Stripe's API",
            state=state,
            rows=told.rows,
            events=told.events.total(),
            rejects=rejects,
            error=None if problem is None else str(problem),
            started_at=started,
            ended_at=self.clock.now(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far an account was read: since when at all (`begun`), and `until` when; what need not be looked at again."""

    begun: datetime
    until: datetime
    account: str | None = None
    seen: Sequence[str] = ()
    marks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is kept how far an account was read: two cursors, of its rows and of its payouts."""

    cursors: Cursors
    company: str
    feed: str

    async def stand(self, account: str | None, *, now: datetime) -> Stand:
        """How far it was read; at first, from now on. Raises TokenRefused: it was another account until now."""
        rows, payouts = await self.cursors.get(self.company, self.feed), await self.cursors.get(*self._payouts)
        if rows.value is None:
            return Stand(begun=now, until=now, account=account)
        said = json.loads(rows.value)
        if account is not None and said["account"] not in (None, account):
            msg = (
                f"{self.feed.partition(':')[0]}: the key is of account {account}, and {said['account']} was read before"
            )
            raise TokenRefused(f"{msg}: put the key of that one into api_key_file; two accounts are two tables.")
        begun, until = (datetime.fromtimestamp(said[name], UTC) for name in ("begun", "until"))
        return Stand(begun=begun, until=until, account=account or said["account"], seen=rows.seen, marks=payouts.seen)

    async def move(self, to: Stand) -> None:
        """Keep it; all before it was told, and what is settled of payouts stands before how far it was read."""
        said = {"begun": int(to.begun.timestamp()), "until": int(to.until.timestamp()), "account": to.account}
        await self.cursors.move(*self._payouts, Cursor(None, None, to.marks))
        await self.cursors.move(self.company, self.feed, Cursor(json.dumps(said), None, to.seen))

    @property
    def _payouts(self) -> tuple[str, str]:
        return self.company, f"{self.feed}:payouts"
