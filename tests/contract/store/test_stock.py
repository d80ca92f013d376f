"""The stock's store: a fact is recorded once, facts of one item one after another, and pending ones merged once."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.dead_letters import DeadLetters
from store.engine import connect
from store.inbox import EventRef, Fresh, Inbox
from store.outbox import Outbox
from store.stock import (
    STREAM,
    Body,
    Decided,
    FactState,
    Merged,
    NewMovement,
    OtherContent,
    Recording,
    StockFact,
    StockStore,
)
from tests.contract.store.samples import claim, intent, letter
from tests.fakes import FakeClock

DAY = date(2026, 4, 20)
AT = datetime(2026, 4, 20, 12, tzinfo=UTC)


class Full(Exception):
    """What a decision raises here."""


@pytest.fixture
def stock(engine: AsyncEngine, clock: FakeClock) -> StockStore:
    return StockStore(engine, clock)


@pytest.fixture
def outbox(engine: AsyncEngine, clock: FakeClock) -> Outbox:
    return Outbox(engine, clock)


def recording(  # noqa: PLR0913 - one each
    fact: str,
    *,
    item: str = "MUG",
    change: int = 1,
    content: str = "a",
    state: FactState = "own",
    history: bool = False,
) -> Recording:
    """A fact that adds to a number on its item's card; `history` asks for all movements before it."""

    def decide(cards: Mapping[str, Body], histories: Mapping[str, Sequence[Body]]) -> Decided:
        seen = sum(body["change"] for body in histories[item]) if history else cards[item].get("level", 0)
        if seen + change > 100:
            raise Full
        movement = NewMovement(0, item, AT, {"change": change})
        return Decided([movement], {item: {"level": seen + change}}, [{"level": seen + change}], state)

    return Recording(
        company="main",
        fact=fact,
        content_hash=content,
        day=DAY,
        event=EventRef(source="/test", id=fact, type="t", subject=item),
        items=[item],
        needs_history=lambda _: [item] if history else [],
        decide=decide,
    )


async def test_a_fact_is_recorded_once_and_told_again_as_it_was(stock: StockStore) -> None:
    first = await stock.record(recording("f1"))
    assert first.postings == [{"level": 1}]
    assert await stock.record(recording("f1")) == first
    assert (await stock.record(recording("f2"))).postings == [{"level": 2}]


async def test_a_fact_that_says_something_else_is_refused_and_changes_nothing(stock: StockStore) -> None:
    await stock.record(recording("f1"))
    with pytest.raises(OtherContent):
        await stock.record(recording("f1", change=5, content="b"))
    assert (await stock.record(recording("f2"))).postings == [{"level": 2}]


async def test_what_a_decision_raises_reaches_its_own_fact_only(stock: StockStore) -> None:
    answers = await asyncio.gather(
        stock.record(recording("f1", change=40)),
        stock.record(recording("f2", change=90)),
        stock.record(recording("f3", change=2)),
        return_exceptions=True,
    )
    assert isinstance(answers[1], Full)
    assert (await stock.record(recording("f4"))).postings == [{"level": 43}]


async def test_a_history_holds_what_was_recorded_a_moment_ago_in_the_same_transaction(stock: StockStore) -> None:
    answers = await asyncio.gather(*(stock.record(recording(f"f{n}", history=True)) for n in range(6)))
    assert sorted(fact.postings[0]["level"] for fact in answers) == [1, 2, 3, 4, 5, 6]


async def test_of_several_workers_each_sees_what_the_others_recorded(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(3)]
    stores = [StockStore(engine, clock) for engine in engines]
    facts = await asyncio.gather(
        *(store.record(recording(f"f{n}-{m}")) for n in range(5) for m, store in enumerate(stores))
    )
    assert sorted(fact.postings[0]["level"] for fact in facts) == list(range(1, 16))
    for engine in engines:
        await engine.dispose()


async def test_of_several_workers_that_are_told_one_fact_all_get_the_same(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(3)]
    for n in range(5):
        facts = await asyncio.gather(*(StockStore(engine, clock).record(recording(f"f{n}")) for engine in engines))
        assert [fact.postings for fact in facts] == [[{"level": n + 1}]] * 3
    for engine in engines:
        await engine.dispose()


def as_one(facts: Sequence[StockFact]) -> list[Merged]:
    return [Merged(fact=f"batch-{facts[0].fact}", facts=[fact.fact for fact in facts], body=b"event")]


async def test_pending_facts_are_merged_once_and_published_until_confirmed(
    stock: StockStore, outbox: Outbox, clock: FakeClock
) -> None:
    for n in range(3):
        await stock.record(recording(f"f{n}", state="pending"))
    await stock.record(recording("own"))
    assert await stock.pending("main") == 3
    assert await stock.merge("main", before=clock.now(), batches=as_one) == 3
    assert await stock.merge("main", before=clock.now(), batches=as_one) == 0
    [waiting] = await outbox.unpublished(STREAM, ["main"])
    assert waiting.body == b"event"
    await outbox.published(waiting.id)
    await outbox.published(waiting.id)
    assert await outbox.unpublished(STREAM, ["main"]) == []
    batch = waiting.key
    assert {fact.fact for fact in await stock.trace(batch)} == {"f0", "f1", "f2"}
    assert [(fact.state, fact.batch) for fact in await stock.trace("f1")] == [("merged", batch)]


async def test_of_several_workers_one_merges_a_fact(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(3)]
    stores = [StockStore(engine, clock) for engine in engines]
    for n in range(4):
        await stores[0].record(recording(f"f{n}", state="pending"))
        await asyncio.gather(*(store.merge("main", before=clock.now(), batches=as_one) for store in stores))
    assert len(await Outbox(engines[0], clock).unpublished(STREAM, ["main"])) == 4
    for engine in engines:
        await engine.dispose()


async def test_a_batch_that_has_nothing_to_post_is_not_published(
    stock: StockStore, outbox: Outbox, clock: FakeClock
) -> None:
    await stock.record(recording("f", state="pending"))
    await stock.merge("main", before=clock.now(), batches=lambda facts: [Merged("none", [facts[0].fact], None)])
    assert await outbox.unpublished(STREAM, ["main"]) == []
    assert await stock.pending("main") == 0


async def test_companies_know_nothing_of_one_another(stock: StockStore, clock: FakeClock) -> None:
    await stock.record(recording("f", state="pending"))
    assert await stock.pending("other") == 0
    assert await stock.merge("other", before=clock.now(), batches=as_one) == 0


async def test_a_batch_that_is_in_no_books_and_before_no_person_is_published_again(
    stock: StockStore, outbox: Outbox, engine: AsyncEngine, clock: FakeClock, inbox: Inbox
) -> None:
    for name in ("lost", "posted", "parked"):
        await stock.record(recording(name, state="pending"))
        await stock.merge("main", before=clock.now(), batches=as_one)
        [waiting] = await outbox.unpublished(STREAM, ["main"])
        await outbox.published(waiting.id)
    fresh = await claim(inbox, intent("batch-posted"))
    assert isinstance(fresh, Fresh)
    await inbox.applied("main", "batch-posted", epoch=fresh.epoch, solid_id="1", adopted=False)
    await DeadLetters(engine, clock).add(letter(event_id="batch-parked"))
    assert await stock.tell_again("main", "batch-posted") == 0
    assert await stock.tell_again("other") == 0
    assert await stock.tell_again("main") == 1
    assert [waiting.key for waiting in await outbox.unpublished(STREAM, ["main"])] == ["batch-lost"]
    assert await stock.tell_again("main", "batch-lost") == 0
