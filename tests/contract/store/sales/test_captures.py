"""Parts of payments and pending refunds: what was told, what is new of it, and what counts as refunded."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.inbox import Inbox
from store.sales.captures import Captures, Part, PartsContradict
from store.sales.summaries import SummaryStore
from tests.contract.store.sales.test_summaries import line, recording
from tests.contract.store.samples import COMPANY, EVENT, claim, intent
from tests.fakes import FakeClock

CHARGE = "stripe:charge:ch_1"
REFUND = "stripe:refund:re_1"


@pytest.fixture
def captures(engine: AsyncEngine, clock: FakeClock) -> Captures:
    return Captures(engine, clock)


def part(before: str, in_all: str, *, by: str = "evt_1", released: str | None = None, currency: str = "USD") -> Part:
    return Part(
        before=Decimal(before),
        in_all=Decimal(in_all),
        currency=currency,
        released=None if released is None else Decimal(released),
        event_source="/webhooks/stripe",
        event_id=by,
    )


async def test_a_part_that_nobody_told_is_new_and_stays_the_answer_to_its_event(captures: Captures) -> None:
    whole = part("0.00", "100.00", by="evt_2")
    assert await captures.take(COMPANY, CHARGE, part("0.00", "30.00")) == part("0.00", "30.00")
    rest = part("30.00", "100.00", by="evt_2")
    assert [await captures.take(COMPANY, CHARGE, whole) for _ in range(2)] == [rest, rest]
    assert await captures.take(COMPANY, CHARGE, part("0.00", "100.00", by="evt_3")) is None
    exact = part("30.00", "100.00", by="evt_4")
    assert await captures.take(COMPANY, CHARGE, exact) == exact, "told again, perhaps with more detail"
    other = part("0.00", "100.00")
    assert await captures.take(COMPANY, "stripe:charge:ch_2", other) == other
    assert await captures.take("another", CHARGE, other) == other


async def test_of_two_at_once_no_part_is_told_twice(captures: Captures) -> None:
    parts = [part("0.00", "100.00", by=f"evt_{number}") for number in range(4)]
    answers = await asyncio.gather(*(captures.take(COMPANY, CHARGE, each) for each in parts))
    assert {(each.before, each.in_all) for each in answers if each} == {(Decimal(0), Decimal(100))}


@pytest.mark.parametrize(
    "second", [part("0.00", "90.00", by="evt_2"), part("60.00", "90.00", currency="EUR", by="evt_2")]
)
async def test_parts_that_contradict_are_not_recorded(captures: Captures, second: Part) -> None:
    await captures.take(COMPANY, CHARGE, part("30.00", "60.00"))
    with pytest.raises(PartsContradict):
        await captures.take(COMPANY, CHARGE, second)
    rest = part("60.00", "90.00", by="evt_2")
    assert await captures.take(COMPANY, CHARGE, rest) == rest


async def test_what_was_released_is_known_whichever_event_told_it(captures: Captures) -> None:
    await captures.take(COMPANY, CHARGE, part("0.00", "60.00"))
    assert await captures.released(COMPANY, CHARGE, "USD") == 0
    for _ in range(2):
        await captures.take(COMPANY, CHARGE, part("0.00", "60.00", by="evt_2", released="40.00"))
    assert await captures.released(COMPANY, CHARGE, "USD") == Decimal("40.00")
    assert await captures.released(COMPANY, CHARGE, "EUR") == 0


async def test_a_pending_refund_counts_until_it_is_booked_or_void(captures: Captures, inbox: Inbox) -> None:
    async def under_way() -> Decimal:
        return await captures.under_way(COMPANY, CHARGE, "USD")

    for refund, amount in ((REFUND, "3.00"), (REFUND, "3.00"), ("stripe:refund:re_2", "4.00")):
        await captures.pending(COMPANY, CHARGE, refund=refund, amount=Decimal(amount), currency="USD")
    assert await under_way() == Decimal("7.00")
    await claim(inbox, intent(REFUND))
    assert await under_way() == Decimal("7.00"), "it is intended only"
    await inbox.applied(COMPANY, REFUND, 1, solid_id="solid-1")
    assert await under_way() == Decimal("4.00")
    await inbox.void(COMPANY, EVENT, intent("stripe:refund:re_2"))
    assert await under_way() == 0


async def test_a_pending_refund_that_became_a_line_of_a_summary_counts_no_more(
    captures: Captures, inbox: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    await captures.pending(COMPANY, CHARGE, refund=REFUND, amount=Decimal("3.00"), currency="USD")
    summaries = SummaryStore(engine, clock, inbox.marks)
    await summaries.record(recording([line(REFUND, amount="3.00")], fact=REFUND, company="other"))
    assert await captures.under_way(COMPANY, CHARGE, "USD") == Decimal("3.00"), "it is another company's"
    await summaries.record(recording([line(REFUND, amount="3.00")], fact=REFUND, company=COMPANY))
    assert await captures.under_way(COMPANY, CHARGE, "USD") == 0
