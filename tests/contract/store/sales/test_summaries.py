"""The store of summaries: a write is sent by itself or is a line, never both; a line is in one entry, once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from store.dead_letters import DeadLetters
from store.engine import connect
from store.errors import Summarised, WrongStore
from store.inbox import EventRef, Inbox
from store.outbox import Outbox
from store.sales.lines import NewLine, OtherEconomics, Recording, SummaryLine
from store.sales.payouts import Payouts
from store.sales.summaries import STREAM, Made, SummaryStore
from store.schema import MARKS, MARKS_KEPT
from tests.contract.store.conftest import LEASE
from tests.contract.store.sales.test_payouts import item, payout
from tests.contract.store.samples import claim, intent, letter
from tests.fakes import FakeClock

DAY = date(2026, 11, 30)
INVOICE, PAYMENT, FEE = (f"stripe:charge:ch_1:{part}" for part in ("invoice", "payment", "fee"))


@pytest.fixture
def summaries(engine: AsyncEngine, clock: FakeClock, inbox: Inbox) -> SummaryStore:
    return SummaryStore(engine, clock, inbox.marks)


def line(external_id: str, *, amount: str = "20.00", content: str = "a", group: str | None = None) -> NewLine:
    bodies = [
        {"side": side, "role": role, "account": None, "tax_code": None, "amount": amount}
        for side, role in (("debit", "stripe_clearing"), ("credit", "income"))
    ]
    new = NewLine(
        external_id=external_id,
        kind="entry",
        payload_hash=content,
        day=DAY,
        currency="USD",
        amount=Decimal(amount),
        lines=bodies,
    )
    return new if group is None else replace(new, group_key=group, group_amount=Decimal(amount), group_currency="EUR")


def recording(*units: Sequence[NewLine], fact: str = "stripe:charge:ch_1", company: str = "main") -> Recording:
    event = EventRef(source="stripe", id=f"evt of {fact}", type="sales.payment.succeeded.v1", subject="ch_1")
    return Recording(company, fact, "stripe", event, units)


def making(lines: Sequence[SummaryLine], number: int) -> list[Made]:
    name = f"stripe:summary:{DAY}:{number}"
    of = [each.external_id for each in lines]
    facts = {"facts": len({each.fact for each in lines}), "lines": [{"role": "income"}], "of": of}
    return [Made(external_id=name, number=number, day=DAY, currency="USD", body=name.encode(), **facts)]  # type: ignore[arg-type]  # as named


async def close(summaries: SummaryStore, company: str = "main") -> int:
    return sum([await summaries.close_day(company, day, making) for day in await summaries.open_days(company)])


async def test_what_is_recorded_is_recorded_once_for_ever(summaries: SummaryStore, clock: FakeClock) -> None:
    first = await summaries.record(recording([line(INVOICE)]))
    clock.advance(60)
    assert await summaries.record(recording([line(INVOICE)])) == first
    await close(summaries)
    again = await summaries.record(recording([line(INVOICE)]))
    assert again[INVOICE].summary == f"stripe:summary:{DAY}:1"
    assert await close(summaries) == 0
    assert set(await summaries.recorded("main", [INVOICE, FEE])) == {INVOICE}
    assert await summaries.recorded("branch", [INVOICE]) == {}


async def test_a_line_that_says_something_else_is_refused_and_nothing_of_its_event_is_recorded(
    summaries: SummaryStore,
) -> None:
    await summaries.record(recording([line(INVOICE)]))
    with pytest.raises(OtherEconomics) as other:
        await summaries.record(recording([line(INVOICE, content="b")], [line(FEE)]))
    assert other.value.known.payload_hash == "a"
    assert await summaries.recorded("main", [FEE]) == {}


async def test_what_is_claimed_is_not_recorded_and_nor_is_what_goes_with_it(
    summaries: SummaryStore, inbox: Inbox
) -> None:
    await claim(inbox, intent(INVOICE))
    recorded = await summaries.record(recording([line(INVOICE), line(PAYMENT)], [line(FEE)]))
    assert set(recorded) == {FEE}


async def test_what_was_refused_for_good_may_be_recorded(summaries: SummaryStore, inbox: Inbox) -> None:
    await claim(inbox, intent(INVOICE))
    await inbox.refused("main", INVOICE, 1, code="NO", message="no")
    assert set(await summaries.record(recording([line(INVOICE)]))) == {INVOICE}


async def test_what_is_recorded_cannot_be_claimed_and_holds_up_no_other(summaries: SummaryStore, inbox: Inbox) -> None:
    await summaries.record(recording([line(INVOICE)]))
    refused, other = await asyncio.gather(
        claim(inbox, intent(INVOICE)), claim(inbox, intent("another")), return_exceptions=True
    )
    assert isinstance(refused, Summarised)
    assert not isinstance(other, BaseException)
    assert await inbox.state_of("main", [INVOICE]) == {}


async def test_who_records_and_who_claims_at_the_same_moment_never_both_have_it(
    database_url: str, inbox: Inbox, clock: FakeClock
) -> None:
    """Two processes, one of each mode, at the same facts."""
    another = connect(database_url)
    theirs = Inbox(another, owner="b", lease=LEASE, clock=clock)
    summaries = SummaryStore(another, clock, theirs.marks)
    ids = [f"stripe:charge:ch_{number}:fee" for number in range(40)]
    claims = [claim(inbox, intent(each)) for each in ids]
    records = [summaries.record(recording([line(each)], fact=each)) for each in reversed(ids)]
    await asyncio.gather(*claims, *records, return_exceptions=True)
    claimed, recorded = await inbox.state_of("main", ids), await summaries.recorded("main", ids)
    await another.dispose()
    assert set(claimed) | set(recorded) == set(ids)
    assert set(claimed) & set(recorded) == set()


async def test_nothing_is_recorded_in_a_store_that_went_back(
    summaries: SummaryStore, inbox: Inbox, engine: AsyncEngine
) -> None:
    await claim(inbox, intent(FEE))
    async with engine.begin() as connection:
        await connection.execute(delete(MARKS))
        await connection.execute(delete(MARKS_KEPT))
    with pytest.raises(WrongStore):
        await summaries.record(recording([line(INVOICE)]))
    assert await summaries.recorded("main", [INVOICE]) == {}


async def test_two_that_record_the_same_at_once_record_it_once(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(2)]
    stores = [
        SummaryStore(engine, clock, Inbox(engine, owner=f"{number}", lease=LEASE, clock=clock).marks)
        for number, engine in enumerate(engines)
    ]
    ids = [f"f{number}" for number in range(20)]
    await asyncio.gather(*(store.record(recording([line(each)], fact=each)) for each in ids for store in stores))
    assert [day.lines for day in await stores[0].open_days("main")] == [20]
    await asyncio.gather(*(close(store) for store in stores))
    entries = await stores[0].latest("main", limit=9)
    assert sum(entry.facts for entry in entries) == 20
    for engine in engines:
        await engine.dispose()


async def test_what_comes_later_is_in_the_next_entry_alone(
    summaries: SummaryStore, engine: AsyncEngine, clock: FakeClock
) -> None:
    await summaries.record(recording([line(INVOICE), line(PAYMENT)]))
    assert await close(summaries) == 2
    await summaries.record(recording([line(FEE)]))
    assert await close(summaries) == 1
    waiting = await Outbox(engine, clock).unpublished(STREAM, ["main"])
    assert [each.key for each in waiting] == [f"stripe:summary:{DAY}:{number}" for number in (1, 2)]
    traced = await summaries.trace("ch_1")
    assert {each.external_id: each.summary for each in traced} == {
        INVOICE: f"stripe:summary:{DAY}:1",
        PAYMENT: f"stripe:summary:{DAY}:1",
        FEE: f"stripe:summary:{DAY}:2",
    }
    for text in (FEE, f"stripe:summary:{DAY}:2"):
        assert [each.external_id for each in await summaries.trace(text)] == [FEE]
    assert [each.number for each in await summaries.named([f"stripe:summary:{DAY}:2"])] == [2]


async def test_companies_do_not_share_entries(summaries: SummaryStore) -> None:
    for company in ("main", "branch"):
        await summaries.record(recording([line(INVOICE)], company=company))
    assert await close(summaries, "branch") == 1
    assert len(await summaries.open_days("main")) == 1


async def test_entries_that_are_in_no_books_are_told_again(
    summaries: SummaryStore, inbox: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    name, outbox = f"stripe:summary:{DAY}:1", Outbox(engine, clock)
    await summaries.record(recording([line(INVOICE)]))
    await close(summaries)
    [waiting] = await outbox.unpublished(STREAM, ["main"])
    await outbox.published(waiting.id)
    assert await summaries.tell_again("main") == 1
    await outbox.published(waiting.id)
    assert await summaries.tell_again("main", name) == 1
    await outbox.published(waiting.id)
    await claim(inbox, intent(name))
    await inbox.applied("main", name, 1, solid_id="solid-1")
    assert await summaries.tell_again("main") == 0


async def test_a_replayed_letter_whose_event_is_recorded_is_not_lost(
    summaries: SummaryStore, engine: AsyncEngine, clock: FakeClock
) -> None:
    letters = DeadLetters(engine, clock)
    for name in ("evt of stripe:charge:ch_1", "evt of nothing"):
        await letters.add(letter(name, company="main", event_id=name))
        await letters.set_state(name, "waiting", "replayed")
    await summaries.record(recording([line(INVOICE)]))
    assert await letters.wait_again("main") == 1
    assert [each.id for each in await letters.list(state="waiting")] == ["evt of nothing"]


async def test_what_is_recorded_in_a_group_is_added_up(summaries: SummaryStore) -> None:
    assert await summaries.group_total("main", "refunds", "EUR") == 0
    await summaries.record(recording([line("re_1", amount="5.00", group="refunds")]))
    await summaries.record(recording([line("re_2", amount="3.25", group="refunds")], [line("re_2:fee")]))
    assert await summaries.group_total("main", "refunds", "EUR") == Decimal("8.25")
    assert await summaries.group_total("main", "refunds", "USD") == 0


async def test_whether_anything_was_recorded_is_known_by_its_beginning(summaries: SummaryStore) -> None:
    assert not await summaries.knows_any("main")
    await summaries.record(recording([line(INVOICE)]))
    assert await summaries.knows_any("main")
    assert await summaries.knows_any("main", "stripe:charge:")
    assert not await summaries.knows_any("main", "stripe:refund:")
    assert not await summaries.knows_any("branch")


async def test_a_fact_that_waits_is_known_with_its_payout_and_since_when(
    summaries: SummaryStore, engine: AsyncEngine, clock: FakeClock
) -> None:
    await summaries.record(recording([line(INVOICE), line(PAYMENT)]))
    await summaries.record(recording([line("other")], fact="stripe:charge:ch_2"))
    listed_at = clock.now()
    for _ in range(2):
        await Payouts(engine, clock).keep("main", payout(), (item(),))
        clock.advance(3600)
    facts = await summaries.open_facts("main")
    assert [(each.fact, each.payout, each.listed_at) for each in facts] == [
        ("stripe:charge:ch_1", "po_1", listed_at),
        ("stripe:charge:ch_2", None, None),
    ]
    assert await summaries.close_facts("main", ("stripe", "po_1"), ["stripe:charge:ch_1"], making) == 2
    assert [each.fact for each in await summaries.open_facts("main")] == ["stripe:charge:ch_2"]
