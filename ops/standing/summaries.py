"""`relay summaries`, and what `relay trace` tells of them: what waits for an entry, and which entry holds what."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from ops.composing.workers import books_of, open_store
from runtime.clock import Clock
from runtime.settings import ConfigurationError, Settings
from store.inbox import Inbox
from store.sales.lines import SummaryLine
from store.sales.summaries import OpenFact, Summary, SummaryStore
from workers.sales.closing import key_of_line

LATEST: Final = 50


async def summaries(settings: Settings, clock: Clock) -> dict[str, Any]:
    """What waits and which entries were made last, ready for JSON.

    Raises:
        StoreUnavailable: see there.
    """
    async with open_store(settings) as engine:
        inbox = Inbox(engine, owner="ops", lease=timedelta(seconds=1), clock=clock)
        store = SummaryStore(engine, clock, inbox.marks)
        facts = await store.open_facts(settings.company)
        made = await store.latest(settings.company, limit=LATEST)
        states = await inbox.state_of(settings.company, [each.external_id for each in made])
    return {
        "company": settings.company,
        "entries": _mode(settings),
        "open": list(_open(facts)),
        "closed": [_closed(each, states) for each in made],
    }


def _mode(settings: Settings) -> str | None:
    try:
        return books_of(settings).sales.entries
    except ConfigurationError:
        return None


def _open(facts: Sequence[OpenFact]) -> Iterator[dict[str, Any]]:
    buckets: dict[tuple[str, str], list[OpenFact]] = defaultdict(list)
    for fact in facts:
        buckets[fact.processor, fact.payout or f"{fact.day}"].append(fact)
    for (processor, bucket), some in sorted(buckets.items()):
        yield {
            "processor": processor,
            "bucket": bucket,
            "listed": some[0].payout is not None,
            "facts": len(some),
            "since": min(fact.since for fact in some),
        }


def _closed(made: Summary, states: Mapping[str, str]) -> dict[str, Any]:
    total = sum((Decimal(line["amount"]["amount"]) for line in made.lines if line["side"] == "debit"), Decimal(0))
    shown = ("external_id", "processor", "bucket", "number", "day", "currency", "facts", "lines", "closed_at")
    row = {name: getattr(made, name) for name in shown}
    return {**row, "total": f"{total:f}", "state": states.get(made.external_id, "under way")}


async def waiting_lines(store: SummaryStore, company: str) -> dict[str, Any]:
    """How many lines wait for an entry, and since when the oldest does."""
    days = await store.open_days(company)
    return {"lines": sum(day.lines for day in days), "since": min((day.since for day in days), default=None)}


async def lines_of(store: SummaryStore, text: str) -> list[dict[str, Any]]:
    """The lines that are known of one id, each with the entry that holds it and the lines of that entry it is in."""
    found = await store.trace(text)
    named = await store.named({line.summary for line in found if line.summary})
    made = {(each.company, each.external_id): each for each in named}
    return [_line(line, made.get((line.company, line.summary or ""))) for line in found]


def _line(line: SummaryLine, made: Summary | None) -> dict[str, Any]:
    places = {} if made is None else {key_of_line(dict(each)): place for place, each in enumerate(made.lines, start=1)}
    lines = [{**body, "line": places.get(key_of_line(body))} for body in line.lines]
    row = asdict(line)
    for internal in ("payload_hash", "about", "group_key", "group_amount", "group_currency"):
        del row[internal]
    return {**row, "amount": f"{line.amount:f}", "number": made and made.number, "lines": lines}
