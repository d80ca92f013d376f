"""`relay status` and `relay trace`: what waits where, how the allowance is used, and what became of one thing."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.connection import Link
from messaging.drain import backlog, mint_report
from messaging.topology import STREAMS, dead_letter_queues, retry_queue, stream_queue
from ops.roles import open_link, open_store
from runtime.clock import Clock
from runtime.settings import Settings
from store.audit import AuditTrail
from store.cases import Cases
from store.dead_letters import DeadLetters
from store.inbox import Inbox


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
    return {
        "company": settings.company,
        "backlog": queues,
        "mint": mint,
        "brake": mint["brake"] if mint else "no mint is running",
        "forecast_seconds": _forecast(queues, settings.bucket.rate),
        "writes": writes,
        "dead_letters": letters,
        "cases": cases,
    }


async def _queues(link: Link, settings: Settings) -> dict[str, int | None]:
    streams = tuple(stream_queue(settings.company, stream) for stream in STREAMS)
    retries = tuple(retry_queue(delay) for delay in settings.rabbitmq.retry_delays_seconds)
    return await backlog(link, (*streams, *retries, *dead_letter_queues()))


def _inbox(engine: AsyncEngine, clock: Clock) -> Inbox:
    """For reading only: it claims nothing."""
    return Inbox(engine, owner="ops", lease=timedelta(seconds=1), clock=clock)


def _forecast(queues: dict[str, int | None], rate: float) -> float:
    """Seconds until the streams are empty at the full rate: a sale costs two calls as a rule."""
    calls = {"sales": 2}
    waiting = sum(
        (count or 0) * calls.get(name.rsplit(".", 1)[-1], 1) for name, count in queues.items() if "dlq" not in name
    )
    return round(waiting / rate, 1)


async def trace(settings: Settings, clock: Clock, text: str) -> dict[str, Any]:
    """All that is known of one event, write, Stripe id or Solid id: its writes, dead letters and acts.

    Raises:
        StoreUnavailable: see there.
    """
    async with open_store(settings) as engine:
        inbox, letters = _inbox(engine, clock), DeadLetters(engine, clock)
        writes = [asdict(row) for row in await inbox.trace(text)]
        found = await letters.about(text)
        audit = AuditTrail(engine, clock)
        acts = [asdict(line) for letter in found for line in await audit.list(letter.id)]
    shown = ("id", "queue", "reason", "error", "attempts", "event_id", "event_type", "subject", "state", "stored_at")
    return {
        "id": text,
        "writes": writes,
        "dead_letters": [{name: getattr(letter, name) for name in shown} for letter in found],
        "audit": acts,
    }
