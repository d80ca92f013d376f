"""Merging: pending adjustments become few entries with many lines, and nothing is lost or told twice on the way."""

import asyncio
import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.errors import PublishFailed
from messaging.publisher import Encoded
from schemas.envelope import Event, decode
from schemas.inventory import StockAdjusted
from store.outbox import Outbox
from store.stock import Merged, StockFact, StockStore
from tests.fakes import FakeClock
from tests.unit.workers.stock.facts import BOOKS, Telling, told, usd
from workers.plans import plan
from workers.plans.writes import EntryWrite
from workers.stock.book import StockBook
from workers.stock.merging import Merger


class FakeBroker:
    """Takes events, and fails as often as it is told, before or after it has stored the message."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.failures: list[str] = []

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        """See `Publishes.publish_all`."""
        failure = self.failures.pop(0) if self.failures else None
        if failure != "before":
            self.published += [decode(message.body) for message in messages]
        if failure is not None:
            raise PublishFailed


class Stage:
    """A stock book and a merger on one store."""

    def __init__(self, engine: AsyncEngine, *, most_lines: int = 400) -> None:
        self.clock = FakeClock()
        self.store = StockStore(engine, self.clock)
        self.outbox = Outbox(engine, self.clock)
        self.broker = FakeBroker()
        self.book = StockBook(records=self.store, books=BOOKS, company="main")
        self.merger = Merger(
            store=self.store,
            outbox=self.outbox,
            publisher=self.broker,  # type: ignore[arg-type]  # a stand-in with what is used
            company="main",
            seconds=5,
            most_lines=most_lines,
            clock=self.clock,
        )

    async def tell(self, event: Event) -> None:
        """Tell an adjustment: it posts nothing by itself."""
        assert (await self.book.complete(plan(event, BOOKS), event)).writes == ()

    def entries(self) -> list[EntryWrite]:
        """What the published events post, each event once."""
        unique = {event.data.fact: event for event in self.broker.published}
        planned = [write for event in unique.values() for write in plan(event, BOOKS).writes]
        return [write for write in planned if isinstance(write, EntryWrite)]

    def balances(self) -> dict[str, Decimal]:
        """What those entries make."""
        balances: dict[str, Decimal] = defaultdict(Decimal)
        for entry in self.entries():
            for line in entry.lines:
                balances[line.role] += (line.debit or Decimal(0)) - (line.credit or Decimal(0))
        return {role: amount for role, amount in balances.items() if amount}


@pytest.fixture
async def stage(engine: AsyncEngine) -> Stage:
    return Stage(engine)


def adjustment(number: int, *, items: int = 5, day: int = 2) -> Event:
    reason = ("damage", "lost", "found")[number % 3]
    delta = Decimal((number % 7) - 3) or Decimal(2)
    data = StockAdjusted(
        fact=f"a{number}",
        item=f"SKU-{number % items}",
        delta=delta,
        reason=reason,
        unit_cost=usd("1.37"),
        day=date(2026, 3, day),
    )
    return told(data, hour=number % 5)


async def test_many_adjustments_of_a_day_are_one_entry_that_ends_in_the_same_books(stage: Stage) -> None:
    events = [adjustment(number) for number in range(60)]
    for event in events:
        await stage.tell(event)
    await stage.merger.once()
    [entry] = stage.entries()
    assert len(entry.lines) <= 2 * 5 * 3
    assert stage.balances() == await Telling().tell_all(events)


async def test_each_day_has_its_own_entry(stage: Stage) -> None:
    for number in range(20):
        await stage.tell(adjustment(number, day=2 + number % 2))
    await stage.merger.once()
    assert sorted(entry.date for entry in stage.entries()) == [date(2026, 3, 2), date(2026, 3, 3)]


async def test_an_entry_has_no_more_lines_than_it_may_and_each_fact_is_in_one(engine: AsyncEngine) -> None:
    stage = Stage(engine, most_lines=8)
    events = [adjustment(number, items=30) for number in range(90)]
    for event in events:
        await stage.tell(event)
    await stage.merger.once()
    assert max(len(entry.lines) for entry in stage.entries()) <= 8
    assert len(stage.entries()) > 5
    assert stage.balances() == await Telling().tell_all(events)


async def test_what_was_told_twice_is_merged_once(stage: Stage) -> None:
    for number in (1, 1, 2):
        await stage.tell(adjustment(number))
    await stage.merger.once()
    await stage.tell(adjustment(1))
    await stage.merger.once()
    assert len(stage.entries()) == 1


@pytest.mark.parametrize("failure", ["before", "after"])
async def test_a_batch_that_the_broker_did_not_confirm_is_published_again_as_it_was(stage: Stage, failure: str) -> None:
    await stage.tell(adjustment(1))
    stage.broker.failures = [failure]
    with pytest.raises(PublishFailed):
        await stage.merger.once()
    await stage.merger.once()
    await stage.merger.once()
    assert len({event.id for event in stage.broker.published}) == 1
    assert len(stage.entries()) == 1


async def test_a_fact_can_be_followed_to_the_entry_that_it_is_in(stage: Stage) -> None:
    await stage.tell(adjustment(1))
    await stage.merger.once()
    [fact] = await stage.store.trace("a1")
    assert (fact.state, fact.batch) == ("merged", stage.entries()[0].external_id)
    assert [fact.fact for fact in await stage.store.trace(str(fact.batch))] == ["a1"]


async def test_what_is_told_while_others_are_merged_waits_for_the_next_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge, late = stage.store.merge, iter(range(2, 6))

    async def while_more_is_told(
        company: str, *, before: datetime, batches: Callable[[Sequence[StockFact]], Sequence[Merged]]
    ) -> int:
        merged = await merge(company, before=before, batches=batches)
        stage.clock.advance(1)
        for number in itertools.islice(late, 1):
            await stage.tell(adjustment(number))
        return merged

    monkeypatch.setattr(stage.store, "merge", while_more_is_told)
    await stage.tell(adjustment(1))
    await stage.merger.once()
    assert len(stage.entries()) == 1
    await stage.merger.once()
    assert len(stage.entries()) == 2


async def test_a_company_without_adjustments_asks_the_store_once_and_one_that_is_told_some_merges_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    settled = asyncio.Event()

    async def pending(company: str) -> int:
        asked.append(company)
        return await StockStore.pending(stage.store, company)

    async def published(number: int) -> None:
        await Outbox.published(stage.outbox, number)
        settled.set()

    monkeypatch.setattr(stage.store, "pending", pending)
    monkeypatch.setattr(stage.outbox, "published", published)
    merging = asyncio.create_task(dataclasses.replace(stage.merger, seconds=0.001, told=stage.merger.told).run())
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert asked == ["main"]
    await stage.tell(adjustment(1))
    stage.merger.told.set()
    await settled.wait()
    merging.cancel()
    assert len(stage.entries()) == 1


async def test_adjustments_that_cancel_out_post_nothing(stage: Stage) -> None:
    for number, delta in enumerate(("3", "-3")):
        data = StockAdjusted(fact=f"x{number}", item="A", delta=Decimal(delta), reason="lost", unit_cost=usd("2"))
        await stage.tell(told(data, hour=number))
    await stage.merger.once()
    assert stage.broker.published == []
    assert await stage.store.pending("main") == 0


async def test_a_merged_fact_that_is_told_again_has_its_entry_published_again_once_a_session(stage: Stage) -> None:
    """The broker has lost the entry: nobody else would tell it, for its facts are known."""
    for number in range(4):
        await stage.tell(adjustment(number))
    await stage.merger.once()
    for _ in range(2):
        for number in range(4):
            await stage.tell(adjustment(number))
        await stage.merger.once()
    assert len(stage.broker.published) == 2
    assert len(stage.entries()) == 1
