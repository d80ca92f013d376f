"""Closing: lines that were recorded become one entry a day or payout, as an event of its own through the outbox.

A line is in one entry for ever. What comes after it was made is in the next one of the same bucket, numbered on, with
exactly what came. From its publication on, the event is like any other. It must not talk to Solid.
"""

import asyncio
import time as monotonic
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog

from messaging.outbox import publish_waiting
from messaging.publisher import Publishes
from runtime.clock import Clock
from schemas.envelope import Event, encode
from schemas.money import Money
from schemas.sales import SummarisedLine, SummaryClosed
from store.outbox import Outbox
from store.sales.lines import SummaryLine
from store.sales.summaries import STREAM, Made, OpenFact, SummaryStore
from workers.books.books import Books
from workers.external_ids import external_id_of

log = structlog.get_logger()

SOURCE: Final = "/relay/summaries"
LOOK_SECONDS: Final = 30.0

LineKey = tuple[str, str, str, str]
"""Side, role, account where it is not the role's, tax code: what becomes one line."""


@dataclass(frozen=True, slots=True)
class Closer:
    """Makes one company's entries when they are due."""

    store: SummaryStore
    outbox: Outbox
    publisher: Publishes
    company: str
    books: Books
    clock: Clock

    async def run(self) -> None:
        """Look every half minute until cancelled; in mode "each" for what an earlier mode has left.

        Raises:
            StoreUnavailable, PublishFailed: nothing is lost; the next run goes on.
        """
        while True:
            await self.once()
            await asyncio.sleep(LOOK_SECONDS)

    async def once(self) -> None:
        """Make what is due, and publish what is not published. Idempotent; safe to cancel."""
        began = monotonic.monotonic()
        lines = await (self._by_payout() if self.books.sales.entries == "payout" else self._by_day())
        if lines:
            log.info("summaries.closed", company=self.company, lines=lines, seconds=monotonic.monotonic() - began)
        await publish_waiting(await self.outbox.unpublished(STREAM, [self.company]), self.outbox, self.publisher)

    async def _by_day(self) -> int:
        lines = 0
        for day in await self.store.open_days(self.company):
            if self._is_due(self._end_of(day.day), day.since):
                lines += await self.store.close_day(self.company, day, self._making(day.processor, f"{day.day}"))
        return lines

    async def _by_payout(self) -> int:
        """What a payout lists is in its entry; what none will list, or has listed for long, in that of its day."""
        buckets: dict[tuple[str, str], list[OpenFact]] = defaultdict(list)
        for fact in await self.store.open_facts(self.company):
            buckets[fact.processor, self._bucket_of(fact)].append(fact)
        lines = 0
        for (processor, bucket), facts in sorted(buckets.items()):
            if bucket and self._is_due(min(self._known_at(fact) for fact in facts), min(x.since for x in facts)):
                names = sorted({fact.fact for fact in facts})
                make = self._making(processor, bucket)
                lines += await self.store.close_facts(self.company, (processor, bucket), names, make)
        return lines

    def _bucket_of(self, fact: OpenFact) -> str:
        """Whose entry it belongs into; empty where that is not known yet."""
        if fact.payout is not None:
            return fact.payout
        waited = self.clock.now() - self._end_of(fact.day)
        by_day = not fact.clears or waited > timedelta(days=self.books.sales.unlisted_after_days)
        return f"{fact.day}" if by_day else ""

    def _known_at(self, fact: OpenFact) -> datetime:
        """Since when nothing more of its bucket is expected."""
        return fact.listed_at or self._end_of(fact.day)

    def _is_due(self, known_at: datetime, since: datetime) -> bool:
        """Whether the first line of a bucket has waited for others long enough, and the bucket is over for as long."""
        return self.clock.now() >= max(known_at, since) + self._grace

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(self.books.time_zone))

    @property
    def _grace(self) -> timedelta:
        return timedelta(minutes=self.books.sales.close_after_minutes)

    def _making(self, processor: str, bucket: str) -> Callable[[Sequence[SummaryLine], int], list[Made]]:
        def make(lines: Sequence[SummaryLine], number: int) -> list[Made]:
            parts: dict[tuple[date, str], list[SummaryLine]] = defaultdict(list)
            for line in lines:
                parts[line.day.replace(day=1), line.currency].append(line)
            name = f"{processor}:summary:{bucket}"
            return [
                _made(self.company, name, number + place, bucket=bucket, lines=part, now=self.clock.now())
                for place, (_, part) in enumerate(sorted(parts.items()))
            ]

        return make


def _made(  # noqa: PLR0913 - one each
    company: str, name: str, number: int, *, bucket: str, lines: Sequence[SummaryLine], now: datetime
) -> Made:
    sums = _sums(lines)
    fact, day, facts = external_id_of(f"{name}:{number}"), max(line.day for line in lines), len({x.fact for x in lines})
    data = SummaryClosed(fact=fact, bucket=bucket, number=number, day=day, facts=facts, lines=sums)
    event = Event.of(data, id=fact, source=SOURCE, time=now, subject=fact, partitionkey=fact, company=company)
    return Made(
        external_id=fact,
        number=number,
        day=day,
        currency=lines[0].currency,
        facts=facts,
        lines=[each.model_dump(mode="json") for each in sums],
        of=[line.external_id for line in lines],
        body=encode(event),
    )


def _sums(lines: Sequence[SummaryLine]) -> tuple[SummarisedLine, ...]:
    """A line for each role, tax code and side, debits first."""
    amounts: dict[LineKey, Decimal] = defaultdict(Decimal)
    facts: dict[LineKey, int] = defaultdict(int)
    for line in lines:
        for body in line.lines:
            amounts[key_of_line(body)] += Decimal(body["amount"])
            facts[key_of_line(body)] += 1
    return tuple(
        SummarisedLine(
            role=role,
            account=account or None,
            tax_code=code or None,
            side="debit" if side == "debit" else "credit",
            amount=Money.of(amounts[side, role, account, code], lines[0].currency),
            facts=facts[side, role, account, code],
        )
        for side, role, account, code in sorted(amounts, key=lambda key: (key[0] != "debit", *key[1:]))
    )


def key_of_line(body: dict[str, Any]) -> LineKey:
    """What a line of a fact, or of an entry, is summed by."""
    return (body["side"], body["role"], body["account"] or "", body["tax_code"] or "")
