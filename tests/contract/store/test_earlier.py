"""What is remembered of Solid from before the inbox began."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.earlier import EarlierRecords, KnownRecords
from store.inbox import Inbox
from tests.contract.store.samples import COMPANY, claim
from tests.fakes import NOON, FakeClock

SINCE = date(2026, 1, 1)


@pytest.fixture
def earlier(engine: AsyncEngine, clock: FakeClock) -> EarlierRecords:
    return EarlierRecords(engine, clock)


async def test_an_inbox_begins_when_it_is_first_asked_for_and_never_again(
    earlier: EarlierRecords, clock: FakeClock
) -> None:
    assert await earlier.began(COMPANY) == NOON
    clock.advance(3_600)
    assert await earlier.began(COMPANY) == NOON
    assert await earlier.began("second") == NOON + timedelta(hours=1)


async def test_an_inbox_that_has_writes_already_began_with_the_oldest(
    inbox: Inbox, earlier: EarlierRecords, clock: FakeClock
) -> None:
    await claim(inbox)
    clock.advance(3_600)
    assert await earlier.began(COMPANY) == NOON


async def test_two_that_ask_at_once_hear_the_same(earlier: EarlierRecords) -> None:
    assert set(await asyncio.gather(*(earlier.began(COMPANY) for _ in range(8)))) == {NOON}


async def test_what_was_read_comes_back_by_kind_and_company(earlier: EarlierRecords) -> None:
    known = KnownRecords(SINCE, {"stripe:charge:ch_1:invoice": "s-1", "another\u0000": "s-2"})
    await earlier.keep(COMPANY, "invoice", known)
    found = await earlier.known(COMPANY, "invoice")
    assert found == KnownRecords(SINCE, {"stripe:charge:ch_1:invoice": "s-1", "another\ufffd": "s-2"})
    assert await earlier.known(COMPANY, "entry") is None
    assert await earlier.known("second", "invoice") is None


async def test_a_later_reading_takes_the_place_of_the_one_before(earlier: EarlierRecords) -> None:
    await earlier.keep(COMPANY, "invoice", KnownRecords(SINCE, {"a": "s-1"}))
    await earlier.keep(COMPANY, "invoice", KnownRecords(date.min, {"b": "s-2"}))
    assert await earlier.known(COMPANY, "invoice") == KnownRecords(date.min, {"b": "s-2"})


async def test_an_empty_list_was_read_too(earlier: EarlierRecords) -> None:
    await earlier.keep(COMPANY, "invoice", KnownRecords(SINCE, {}))
    assert await earlier.known(COMPANY, "invoice") == KnownRecords(SINCE, {})


async def test_a_restored_store_begins_anew_and_what_was_read_counts_no_more(
    earlier: EarlierRecords, clock: FakeClock
) -> None:
    await earlier.keep(COMPANY, "invoice", KnownRecords(SINCE, {"a": "s-1"}))
    await earlier.keep("second", "invoice", KnownRecords(SINCE, {"a": "s-1"}))
    clock.advance(60)
    assert (await earlier.begin_anew(COMPANY, by="me"))[0] == NOON + timedelta(minutes=1)
    assert await earlier.began(COMPANY) == NOON + timedelta(minutes=1)
    assert await earlier.known(COMPANY, "invoice") is None
    assert await earlier.known("second", "invoice") is not None


async def test_an_inbox_that_has_writes_of_before_its_beginning_was_restored(
    earlier: EarlierRecords, inbox: Inbox, clock: FakeClock
) -> None:
    await earlier.began(COMPANY)
    await claim(inbox)
    assert not await earlier.was_restored(COMPANY)
    clock.advance(1)
    await earlier.begin_anew(COMPANY, by="me")
    assert await earlier.was_restored(COMPANY)
    assert not await earlier.was_restored("second")
