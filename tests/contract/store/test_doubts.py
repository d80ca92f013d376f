"""A person's word about a write in doubt."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.claims import Refusal
from store.doubts import Doubts, count_doubts
from store.errors import LeaseLost, NotInDoubt
from store.inbox import Done, Doubt, Fresh, Inbox
from tests.contract.store.samples import COMPANY, PAYMENT, claim
from tests.fakes import FakeClock

SETTLE = timedelta(seconds=60)


@pytest.fixture
def doubts(engine: AsyncEngine, clock: FakeClock) -> Doubts:
    return Doubts(engine, company=COMPANY, settle=SETTLE, clock=clock)


async def test_what_was_found_is_applied_and_never_sent(inbox: Inbox, doubts: Doubts) -> None:
    await _in_doubt(inbox)
    row = await doubts.decide(PAYMENT, solid_id="s-7")
    assert (row.state, row.solid_id, row.adopted, row.was_unknown) == ("applied", "s-7", True, True)
    assert await claim(inbox) == Done("s-7")
    assert await doubts.list() == []


async def test_what_is_absent_is_sent_when_it_comes_again(inbox: Inbox, doubts: Doubts, clock: FakeClock) -> None:
    await _in_doubt(inbox)
    clock.advance(SETTLE.total_seconds())
    await doubts.decide(PAYMENT, solid_id=None)
    assert await claim(inbox) == Fresh(3, refused_before=True)


async def test_nothing_is_called_absent_before_it_can_have_landed(
    inbox: Inbox, doubts: Doubts, clock: FakeClock
) -> None:
    await _in_doubt(inbox)
    clock.advance(SETTLE.total_seconds() - 1)
    with pytest.raises(NotInDoubt, match="may still land"):
        await doubts.decide(PAYMENT, solid_id=None)
    assert [row.external_id for row in await doubts.list()] == [PAYMENT]


async def test_a_write_that_a_worker_is_at_is_left_to_it(inbox: Inbox, doubts: Doubts) -> None:
    await claim(inbox)
    with pytest.raises(NotInDoubt, match="a worker is at it"):
        await doubts.decide(PAYMENT, solid_id="s-7")
    assert await doubts.list() == []


async def test_a_worker_that_died_leaves_a_doubt_and_cannot_settle_it_any_more(
    inbox: Inbox, doubts: Doubts, clock: FakeClock
) -> None:
    await claim(inbox)
    clock.advance(3_600)
    assert [row.external_id for row in await doubts.list()] == [PAYMENT]
    await doubts.decide(PAYMENT, solid_id="s-7")
    with pytest.raises(LeaseLost):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s-8")
    assert await claim(inbox) == Done("s-7")


async def test_what_a_dead_worker_sent_last_may_still_land_after_its_lease(
    inbox: Inbox, doubts: Doubts, clock: FakeClock
) -> None:
    await claim(inbox)
    [row] = await inbox.trace(PAYMENT)
    assert row.lease_until is not None
    clock.advance((row.lease_until - clock.now()).total_seconds() + 1)
    with pytest.raises(NotInDoubt, match="may still land"):
        await doubts.decide(PAYMENT, solid_id=None)
    clock.advance(SETTLE.total_seconds())
    await doubts.decide(PAYMENT, solid_id=None)


async def test_what_is_applied_or_unknown_needs_nobodys_word(inbox: Inbox, doubts: Doubts) -> None:
    with pytest.raises(NotInDoubt, match="no write has the external id"):
        await doubts.decide(PAYMENT, solid_id="s-7")
    await claim(inbox)
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s-1")
    with pytest.raises(NotInDoubt, match="is applied"):
        await doubts.decide(PAYMENT, solid_id="s-7")
    assert await claim(inbox) == Done("s-1")


async def test_doubts_are_counted_company_by_company(inbox: Inbox, engine: AsyncEngine, clock: FakeClock) -> None:
    companies = (COMPANY, "another")
    assert await count_doubts(engine, companies, now=clock.now()) == {COMPANY: 0, "another": 0}
    await _in_doubt(inbox)
    assert await count_doubts(engine, companies, now=clock.now()) == {COMPANY: 1, "another": 0}


async def _in_doubt(inbox: Inbox) -> None:
    await claim(inbox)
    await inbox.unknown(COMPANY, PAYMENT, 1)


async def test_a_no_that_proves_nothing_is_told_with_the_doubt(inbox: Inbox) -> None:
    fresh = await claim(inbox)
    assert isinstance(fresh, Fresh)
    await inbox.unknown(COMPANY, PAYMENT, fresh.epoch, no=Refusal("http_404", "no"))
    doubt = await claim(inbox)
    assert isinstance(doubt, Doubt)
    assert doubt.no == Refusal("http_404", "no")
    await inbox.release(COMPANY, PAYMENT, doubt.epoch)
    again = await claim(inbox)
    assert isinstance(again, Doubt)
    assert again.no == doubt.no, "giving up changes nothing of what is known"


async def test_an_old_no_says_nothing_of_the_call_that_fell_silent(inbox: Inbox, clock: FakeClock) -> None:
    fresh = await claim(inbox)
    assert isinstance(fresh, Fresh)
    await inbox.refused(COMPANY, PAYMENT, fresh.epoch, code="X", message="no")
    await claim(inbox)
    for _ in range(2):
        clock.advance(3_600)
        doubt = await claim(inbox)
        assert isinstance(doubt, Doubt)
        assert doubt.no is None
