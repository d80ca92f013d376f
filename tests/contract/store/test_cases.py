"""Cases: opened once, listed, closed in somebody's name."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from store.cases import Case, Cases
from store.engine import connect
from tests.fakes import NOON, FakeClock

FOUND = ("main", "duplicate_record", "stripe:charge:ch_1:payment")
DETAIL = {"kept": "s1", "others": ["s2"]}


@pytest.fixture
def cases(engine: AsyncEngine, clock: FakeClock) -> Cases:
    return Cases(engine, clock)


async def test_a_case_comes_back_as_it_was_opened(cases: Cases) -> None:
    assert await cases.open(*FOUND, DETAIL)
    assert await cases.list() == [Case(1, *FOUND, DETAIL, NOON, None, None, None)]


async def test_what_is_open_is_not_opened_again(cases: Cases) -> None:
    await cases.open(*FOUND, DETAIL)
    assert not await cases.open(*FOUND, {"kept": "another"})
    assert [case.detail for case in await cases.list()] == [DETAIL]


async def test_another_company_kind_or_subject_is_another_case(cases: Cases) -> None:
    company, kind, subject = FOUND
    assert await cases.open(*FOUND, {})
    assert await cases.open("second", kind, subject, {})
    assert await cases.open(company, "conflict", subject, {})
    assert await cases.open(company, kind, "stripe:charge:ch_2:payment", {})
    assert len(await cases.list()) == 4


async def test_of_several_hosts_that_find_the_same_one_opens_the_case(database_url: str, clock: FakeClock) -> None:
    engines = [connect(database_url) for _ in range(3)]
    for number in range(10):
        found = (*FOUND[:2], f"write-{number}")
        opened = await asyncio.gather(*(Cases(engine, clock).open(*found, {}) for engine in engines))
        assert sorted(opened) == [False, False, True]
    assert len(await Cases(engines[0], clock).list()) == 10
    for engine in engines:
        await engine.dispose()


async def test_a_case_is_closed_once_with_a_name_and_a_note(cases: Cases, clock: FakeClock) -> None:
    await cases.open(*FOUND, DETAIL)
    clock.advance(60)
    assert await cases.close(1, by="ann", note="voided s2 in Solid")
    assert not await cases.close(1, by="bob", note="me too")
    assert not await cases.close(7, by="bob", note="no such case")
    assert await cases.list() == []
    closed_at = NOON + timedelta(seconds=60)
    assert await cases.list(open_only=False) == [
        Case(1, *FOUND, DETAIL, NOON, closed_at, "ann", "voided s2 in Solid"),
    ]


async def test_a_finding_that_comes_back_after_it_was_closed_is_a_new_case(cases: Cases) -> None:
    await cases.open(*FOUND, DETAIL)
    await cases.close(1, by="ann", note="done")
    assert await cases.open(*FOUND, DETAIL)
    assert [(case.id, case.closed_by) for case in await cases.list(open_only=False)] == [(1, "ann"), (2, None)]


async def test_open_cases_are_counted_by_kind(cases: Cases) -> None:
    assert await cases.counts() == {}
    for number in range(2):
        await cases.open("main", "duplicate_record", f"write-{number}", {})
    await cases.open("main", "conflict", "write-0", {})
    await cases.close(1, by="ann", note="done")
    assert await cases.counts() == {"duplicate_record": 1, "conflict": 1}


async def test_text_that_no_database_keeps_does_not_lose_a_case(cases: Cases) -> None:
    assert await cases.open("main", "conflict", "write\x00", {"said": "\x00\ud800"})
    assert not await cases.open("main", "conflict", "write\x00", {})
    assert await cases.close(1, by="ann\x00", note="\ud800")
    [case] = await cases.list(open_only=False)
    assert (case.subject, case.closed_by, case.note) == ("write\ufffd", "ann\ufffd", "?")
