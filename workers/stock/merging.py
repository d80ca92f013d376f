"""Merging: adjustments that were recorded in one window become one entry with many lines, as an event of its own.

The facts are in the store before their deliveries are settled; the batch is stored in the transaction that marks its
facts, and published until the broker has confirmed it. From then on it is an event like any other: retried, parked,
replayed under one identity. It must not talk to Solid.
"""

import asyncio
import contextlib
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import structlog

from messaging.outbox import publish_waiting
from messaging.publisher import Publishes
from runtime.clock import Clock
from schemas.envelope import Event, encode
from schemas.inventory import MergedLine, StockMerged
from schemas.money import Money
from store.outbox import Outbox
from store.stock import STREAM, Merged, StockFact, StockStore
from workers.earlier import MERGED
from workers.stock.book import posting_of

log = structlog.get_logger()

SOURCE = "/relay/stock"
LINES_OF_ONE = 2
LEFT_OVER_SECONDS = 60.0

PairKey = tuple[str, str, str, str]
"""Item, reason, debit, credit: what becomes one pair of lines."""


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges one company's adjustments every `seconds`."""

    store: StockStore
    outbox: Outbox
    publisher: Publishes
    company: str
    seconds: float
    most_lines: int
    clock: Clock
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a fact may have been recorded: a company without any costs no question to the store."""

    async def run(self) -> None:
        """Merge until cancelled; nothing to do where merging is off, but for what an earlier setting left.

        Raises:
            StoreUnavailable, PublishFailed: nothing is lost; the next run goes on.
        """
        while True:
            self.told.clear()
            await self.once()
            if self.seconds:
                await self._until_told()
            await asyncio.sleep(self.seconds or LEFT_OVER_SECONDS)

    async def _until_told(self) -> None:
        """Wait for something to merge; look now and then all the same, for what another worker has left."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEFT_OVER_SECONDS):
                await self.told.wait()

    async def once(self) -> None:
        """Merge what is pending now, and publish what is not published. Idempotent; safe to cancel.

        What is told meanwhile waits for the next time: else a busy feed would be merged in as many small entries.
        """
        now = self.clock.now()
        while await self.store.pending(self.company):
            facts = await self.store.merge(self.company, before=now, batches=self._batches)
            if not facts:
                break  # told since, or another worker is at it
            log.info("stock.merged", company=self.company, facts=facts)
        await publish_waiting(await self.outbox.unpublished(STREAM, [self.company]), self.outbox, self.publisher)

    def _batches(self, facts: Sequence[StockFact]) -> list[Merged]:
        now = self.clock.now()
        by_day: dict[tuple[date, str], list[StockFact]] = defaultdict(list)
        for fact in facts:
            by_day[fact.day, fact.postings[0]["currency"]].append(fact)
        return [
            _batch(self.company, day, some, now)
            for (day, _), of_day in sorted(by_day.items())
            for some in _filled(of_day, self.most_lines)
        ]


def _filled(facts: Sequence[StockFact], most_lines: int) -> Iterator[list[StockFact]]:
    """The facts, those of one item together, in parts of at most so many lines; a fact is never split."""
    part: list[StockFact] = []
    keys: set[PairKey] = set()
    for fact in sorted(facts, key=lambda fact: (fact.postings[0]["item"], fact.postings[0]["reason"])):
        new = {_key(fact, number) for number in range(len(fact.postings))}
        if part and LINES_OF_ONE * len(keys | new) > most_lines:
            yield part
            part, keys = [], set()
        part.append(fact)
        keys |= new
    if part:
        yield part


def _batch(company: str, day: date, facts: Sequence[StockFact], now: datetime) -> Merged:
    name = f"{MERGED}{uuid.uuid4().hex}"
    values: dict[PairKey, Money] = {}
    quantities: dict[PairKey, Decimal] = defaultdict(Decimal)
    counts: dict[PairKey, int] = defaultdict(int)
    for fact in facts:
        for number, body in enumerate(fact.postings):
            key, posting = _key(fact, number), posting_of(body)
            values[key] = values.get(key, Money.zero(posting.amount.currency)) + posting.amount
            quantities[key] += posting.quantity
            counts[key] += 1
    lines = tuple(
        MergedLine(
            item=key[0],
            reason=key[1],
            debit=key[2],
            credit=key[3],
            quantity=quantities[key],
            value=value,
            facts=counts[key],
        )
        for key, value in sorted(values.items())
        if value
    )
    event = _event(company, name, StockMerged(fact=name, day=day, lines=lines), now) if lines else None
    return Merged(fact=name, facts=[fact.fact for fact in facts], body=event)


def _event(company: str, name: str, data: StockMerged, now: datetime) -> bytes:
    return encode(Event.of(data, id=name, source=SOURCE, time=now, subject=name, partitionkey=name, company=company))


def _key(fact: StockFact, number: int) -> PairKey:
    body = fact.postings[number]
    return (body["item"], body["reason"], body["pair"][0], body["pair"][1])
