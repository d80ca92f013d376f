"""`relay status` and `relay trace`: what waits where, how the allowance is used, and what became of one thing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.connection import Link
from messaging.drain import backlog, mint_report
from messaging.errors import UnsafeTopology
from messaging.topology import (
    REPLAY,
    STREAMS,
    company_queues,
    dead_letter_queues,
    declare_bucket,
    declared_channel,
    retry_queue,
    stream_queue,
)
from ops.composing.companies import problem_of
from ops.composing.workers import losses_on, open_link, open_store
from ops.standing.deadlines import Allowance, open_runs, verdicts
from ops.standing.feeds import feeds
from ops.standing.forecast import Recent, forecast
from ops.standing.stopped import stopped
from ops.standing.summaries import lines_of, waiting_lines
from runtime.clock import Clock
from runtime.settings import Settings
from store.audit import AuditTrail
from store.cases import Cases
from store.dead_letters import DeadLetters
from store.inbox import Inbox
from store.payroll_runs import PayrollRuns
from store.sales.summaries import SummaryStore
from store.stock import StockStore
from workers.external_ids import external_id_of

NO_MINT = "no mint is running"


async def status(settings: Settings, clock: Clock) -> dict[str, Any]:
    """Backlog, allowance, brake, forecast, inbox and dead letters, ready for JSON.

    Raises:
        BrokerUnreachable, StoreUnavailable: see there.
    """
    async with open_link(settings, "status") as link, open_store(settings) as engine:
        queues = await _queues(link, settings)
        mint = await mint_report(link, settings.company)
        writes = await _inbox(engine, clock).counts(settings.company)
        letters = await DeadLetters(engine, clock).counts()
        cases = await Cases(engine, clock).counts()
        merging = await StockStore(engine, clock).pending(settings.company)
        waiting = await waiting_lines(SummaryStore(engine, clock, _inbox(engine, clock).marks), settings.company)
        fed = await feeds(settings, engine, clock, company=settings.company)
        deadlines = await _deadlines(engine, settings, _waiting(queues, settings), mint, clock=clock)
        unsafe = await _unsafe(link, settings, (_brake(mint),))
    forecasts = _forecast(queues, settings, mint)
    return {
        "company": settings.company,
        "problem": problem_of(settings, []),
        "backlog": queues,
        "mint": mint,
        "brake": _brake(mint),
        "topology": unsafe,
        "forecast": forecasts,
        "forecast_seconds": max(forecasts.values()),
        "deadlines": deadlines,
        "feeds": fed,
        "stopped": await stopped(settings, clock, company=settings.company),
        "stock_merging": merging,
        "summaries_waiting": waiting,
        "writes": writes,
        "dead_letters": letters,
        "cases": cases,
    }


async def overview(settings: Settings, clock: Clock) -> dict[str, Any]:
    """A short word on each company that is served, and what all share, ready for JSON.

    `used` is the share of the full rate that was used in the last window; None where no mint runs.

    Raises:
        BrokerUnreachable, StoreUnavailable: see there.
    """
    async with open_link(settings, "status") as link, open_store(settings) as engine:
        own = [settings.of(company) for company in settings.served]
        companies = {company: await _short(link, each, own) for company, each in zip(settings.served, own, strict=True)}
        shared = await backlog(link, (*_retries(settings), *dead_letter_queues()))
        letters = await DeadLetters(engine, clock).counts()
        cases = await Cases(engine, clock).counts()
        fed = await feeds(settings, engine, clock)
        unsafe = await _unsafe(link, settings, [each["brake"] for each in companies.values()])
    return {
        "companies": companies,
        "topology": unsafe,
        "backlog": shared,
        "dead_letters": letters,
        "cases": cases,
        "feeds": fed,
        "stopped": await stopped(settings, clock),
    }


async def _short(link: Link, settings: Settings, others: Sequence[Settings]) -> dict[str, Any]:
    queues, mint = await backlog(link, _streams(settings)), await mint_report(link, settings.company)
    return {
        "problem": problem_of(settings, others),
        "backlog": sum(count or 0 for count in queues.values()),
        "brake": _brake(mint),
        "by": mint.get("by") if mint else None,
        "used": mint["minted"] / (mint["rate"] * mint["window_seconds"]) if mint else None,
        "share_of_rate": mint["share_of_rate"] if mint else None,
        "forecast_seconds": max(_forecast(queues, settings, mint).values()),
    }


def _brake(mint: Mapping[str, Any] | None) -> str | None:
    cause: str | None = mint["brake"] if mint else NO_MINT
    return cause


async def _unsafe(link: Link, settings: Settings, brakes: Sequence[str | None]) -> str | None:
    """What a person must mend at the broker, where that may be why nothing is posted; None where it is not."""
    if not {"topology", NO_MINT} & set(brakes):
        return None
    try:
        channel = await declared_channel(link, settings.fed, settings.rabbitmq.retry_delays_seconds)
        for company in settings.served:
            await declare_bucket(channel, company)
        await channel.close()
    except UnsafeTopology as unsafe:
        return str(unsafe)
    return "; ".join(await losses_on(settings)) or None


async def _queues(link: Link, settings: Settings) -> dict[str, int | None]:
    return await backlog(link, (*_streams(settings), *_retries(settings), *dead_letter_queues()))


def _streams(settings: Settings) -> tuple[str, ...]:
    return company_queues(settings.company)


def _retries(settings: Settings) -> tuple[str, ...]:
    return tuple(retry_queue(delay) for delay in settings.rabbitmq.retry_delays_seconds)


def _inbox(engine: AsyncEngine, clock: Clock) -> Inbox:
    """For reading only: it claims nothing."""
    return Inbox(engine, owner="ops", lease=timedelta(seconds=1), clock=clock)


def _waiting(queues: Mapping[str, int | None], settings: Settings) -> dict[str, int]:
    """Stream → what waits for it.

    What waits for a retry goes home and counts as sales; with several companies nobody knows whose it is.
    """
    waiting = {each: queues[stream_queue(settings.company, each)] or 0 for each in (*STREAMS, REPLAY)}
    if not settings.companies:
        waiting["sales"] += sum(queues[name] or 0 for name in _retries(settings))
    return waiting


def _recent(settings: Settings, mint: Mapping[str, Any] | None) -> tuple[Recent, float]:
    """What the mint saw in the last window, and the rate that there is now."""
    bucket = settings.bucket
    seen = mint or {"lanes": {}, "settled": {}, "window_seconds": bucket.window_seconds, "share_of_rate": 1.0}
    return Recent(seen["window_seconds"], seen["lanes"], seen["settled"]), bucket.rate * seen["share_of_rate"]


def _forecast(queues: Mapping[str, int | None], settings: Settings, mint: Mapping[str, Any] | None) -> dict[str, float]:
    """Stream → seconds until its backlog is done."""
    recent, rate = _recent(settings, mint)
    return forecast(_waiting(queues, settings), rate=rate, weights=settings.bucket.lanes, recent=recent)


async def _deadlines(
    engine: AsyncEngine, settings: Settings, waiting: Mapping[str, int], mint: Mapping[str, Any] | None, *, clock: Clock
) -> list[dict[str, Any]]:
    """The pay runs with a deadline that are not in the books yet, and whether they will be."""
    told = [row for row in await PayrollRuns(engine, clock).all((settings.company,)) if row.deadline and row.fact]
    names = {external_id_of(row.fact): row.fact for row in told if row.fact}
    states = await _inbox(engine, clock).state_of(settings.company, list(names))
    runs = open_runs(told, [names[name] for name, state in states.items() if state == "applied"])
    letters = DeadLetters(engine, clock)
    parked = {
        row.fact: letter.reason
        for row in runs
        for letter in await letters.about(f"{row.entity}:{row.run}")
        if row.fact and letter.state == "waiting" and (letter.event_id or "").startswith(f"{row.fact}:")
    }
    recent, rate = _recent(settings, mint)
    allowance = Allowance(rate, settings.bucket.lanes, recent, waiting, _brake(mint))
    return [asdict(due) for due in verdicts(runs, parked, allowance, now=clock.now())]


async def trace(settings: Settings, clock: Clock, text: str) -> dict[str, Any]:
    """All that is known of one event, write, Stripe id or Solid id.

    Its writes, stock facts, lines of summaries, dead letters and acts.

    A fact about stock, or a sale, that became part of an entry brings the writes of that entry with it.

    Raises:
        StoreUnavailable: see there.
    """
    async with open_store(settings) as engine:
        inbox, letters = _inbox(engine, clock), DeadLetters(engine, clock)
        facts = await StockStore(engine, clock).trace(text)
        lines = await lines_of(SummaryStore(engine, clock, inbox.marks), text)
        entries = [*(fact.batch for fact in facts), *(line["summary"] for line in lines)]
        names = dict.fromkeys((text, external_id_of(text), *filter(None, entries)))
        rows = {(row.company, row.external_id): row for name in names for row in await inbox.trace(name)}
        found = await letters.about(text)
        audit = AuditTrail(engine, clock)
        acts = [asdict(line) for letter in found for line in await audit.list(letter.id)]
    shown = ("id", "queue", "reason", "error", "attempts", "event_id", "event_type", "subject", "state", "stored_at")
    return {
        "id": text,
        "writes": [asdict(row) for row in rows.values()],
        "stock": [asdict(fact) for fact in facts],
        "summaries": lines,
        "dead_letters": [{name: getattr(letter, name) for name in shown} for letter in found],
        "audit": acts,
    }
