"""An inbox has an identity and a counter that only rises: another store, or an older state of it, gets no claims."""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.marks import Mark
from store import marks
from store.earlier import EarlierRecords
from store.engine import reading, transact
from store.errors import WrongStore
from store.inbox import Fresh, Inbox
from store.schema import MARKS, MARKS_KEPT, WRITES
from tests.contract.store.samples import COMPANY, EVENT, claim, intent
from tests.fakes import FakeClock

Owned = Callable[[str], Inbox]


async def _claims(inbox: Inbox, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await claim(inbox, intent(f"write_{number}"))


async def _go_back(engine: AsyncEngine, to: int) -> None:
    """As a replica that lagged: whatever was committed after a claim is not there."""
    async with engine.begin() as connection:
        last = (await connection.execute(MARKS_KEPT.select().where(MARKS_KEPT.c.count == to))).one()
        await connection.execute(delete(MARKS_KEPT).where(MARKS_KEPT.c.count > to))
        await connection.execute(MARKS.update().values(count=to, by=last.by, inbox=last.inbox))
        gone = [f"write_{number}" for number in range(to + 1, to + 20)]
        await connection.execute(delete(WRITES).where(WRITES.c.external_id.in_(gone)))


def _seen(inbox: Inbox) -> Mark:
    mark = inbox.marks.seen(COMPANY)
    assert mark is not None
    return mark


async def test_each_batch_of_claims_raises_the_counter_and_nothing_else_does(inbox_of: Owned) -> None:
    first, second = inbox_of("a"), inbox_of("b")
    await first.check_in(COMPANY)
    await second.check_in(COMPANY)
    assert (_seen(first).count, _seen(second)) == (0, _seen(first))
    held = await claim(first)
    assert isinstance(held, Fresh)
    await first.applied(COMPANY, intent().external_id, held.epoch, solid_id="s-1")
    await _claims(second, 1, 2)
    assert (_seen(first).count, _seen(second).count) == (1, 3)
    assert _seen(first).inbox == _seen(second).inbox


async def test_claims_that_are_rolled_back_raise_nothing(inbox: Inbox, engine: AsyncEngine) -> None:
    await _claims(inbox, 1, 1)
    with pytest.raises(RuntimeError):
        await transact(engine, lambda connection: _raise_and_fail(inbox, connection))
    await _claims(inbox, 2, 2)
    assert _seen(inbox).count == 2


async def _raise_and_fail(inbox: Inbox, connection: AsyncConnection) -> None:
    await inbox.marks.raise_all(connection, {COMPANY})
    raise RuntimeError


async def test_many_processes_that_claim_at_once_raise_one_counter(inbox_of: Owned) -> None:
    inboxes = [inbox_of(f"p{number}") for number in range(4)]
    for inbox in inboxes:
        await inbox.check_in(COMPANY)
    names = [(inbox, f"p{number}_{turn}") for number, inbox in enumerate(inboxes) for turn in range(5)]
    await asyncio.gather(*(claim(inbox, intent(name)) for inbox, name in names))
    await inboxes[0].check_in(COMPANY)
    assert 4 <= _seen(inboxes[0]).count <= 20


async def test_a_process_whose_store_goes_back_under_it_gets_no_claim(inbox: Inbox, engine: AsyncEngine) -> None:
    await inbox.check_in(COMPANY)
    await _claims(inbox, 1, 5)
    await _go_back(engine, to=3)
    with pytest.raises(WrongStore) as caught:
        await claim(inbox, intent("write_4"))
    assert (caught.value.cause, caught.value.company) == ("store_went_back", COMPANY)
    async with reading(engine) as connection:
        left = await connection.scalar(text("SELECT count(*) FROM writes"))
    assert left == 3, "nothing of the refused batch is kept"


async def test_a_store_that_went_back_and_rose_again_by_others_is_noticed_all_the_same(
    inbox_of: Owned, engine: AsyncEngine
) -> None:
    first, other = inbox_of("a"), inbox_of("b")
    await first.check_in(COMPANY)
    await other.check_in(COMPANY)
    await _claims(first, 1, 5)
    await _go_back(engine, to=3)
    await _claims(other, 10, 15)
    assert _seen(other).count > _seen(first).count
    with pytest.raises(WrongStore, match="gone back in time"):
        await claim(first, intent("write_4"))
    kept_by_the_broker = _seen(first)
    with pytest.raises(WrongStore, match="gone back in time"):
        await other.marks.admit(COMPANY, kept_by_the_broker)


def _memory(inbox: Inbox) -> dict[str, Any]:
    """What the process knows of its store, as a snapshot of its machine holds it."""
    return {name: deepcopy(value) for name, value in vars(inbox.marks).items() if name != "_engine"}


async def test_a_machine_put_back_to_a_snapshot_with_its_memory_is_noticed(inbox: Inbox, engine: AsyncEngine) -> None:
    """Process and store agree with each other, and the process claims before it hears of the broker's mark."""
    await inbox.check_in(COMPANY)
    await _claims(inbox, 1, 5)
    snapshot = _memory(inbox)
    await _claims(inbox, 6, 9)
    kept_by_the_broker = _seen(inbox)
    await _go_back(engine, to=5)
    vars(inbox.marks).update(snapshot)
    await _claims(inbox, 10, 16)
    assert _seen(inbox).count > kept_by_the_broker.count
    with pytest.raises(WrongStore, match="gone back in time"):
        await inbox.marks.admit(COMPANY, kept_by_the_broker)


async def test_the_kernel_of_a_snapshot_may_draw_the_same_numbers_again(
    inbox: Inbox, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "5" * 2 * size)
    await test_a_machine_put_back_to_a_snapshot_with_its_memory_is_noticed(inbox, engine)


async def test_what_this_process_has_seen_is_admitted_without_asking_the_store(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token costs no statement, however far the claims are ahead of it; one of long ago is asked for."""
    await inbox.check_in(COMPANY)
    seen = []
    for number in range(marks.REMEMBERED + 2):
        await _claims(inbox, number, number)
        seen.append(_seen(inbox))
    await inbox.marks.admit(COMPANY, seen[0])
    monkeypatch.delattr(marks, "reading")
    for mark in seen[-marks.REMEMBERED :]:
        await inbox.marks.admit(COMPANY, mark)
        assert inbox.marks.verified(COMPANY) == mark


async def test_the_marks_of_an_older_relay_are_held(inbox_of: Owned, engine: AsyncEngine) -> None:
    """They carry the process alone, in the store and with the broker."""
    older, newer = inbox_of("a"), inbox_of("a")
    await older.check_in(COMPANY)
    await _claims(older, 1, 3)
    async with engine.begin() as connection:
        await connection.execute(MARKS.update().values(by="a"))
        await connection.execute(MARKS_KEPT.update().values(by="a"))
    await newer.check_in(COMPANY)
    [kept, last] = (Mark(_seen(older).inbox, count, "a") for count in (2, 3))
    await newer.marks.admit(COMPANY, kept)
    await newer.marks.admit(COMPANY, last)
    await _claims(newer, 4, 5)
    await newer.marks.admit(COMPANY, last)


async def test_a_mark_that_the_store_holds_is_admitted_and_remembered(inbox_of: Owned) -> None:
    first, other = inbox_of("a"), inbox_of("b")
    await first.check_in(COMPANY)
    await other.check_in(COMPANY)
    await _claims(first, 1, 2)
    await other.marks.admit(COMPANY, _seen(first))
    assert (other.marks.verified(COMPANY), other.marks.seen(COMPANY)) == (_seen(first), _seen(first))


async def test_a_mark_of_another_inbox_is_not_admitted(inbox: Inbox) -> None:
    await inbox.check_in(COMPANY)
    with pytest.raises(WrongStore) as caught:
        await inbox.marks.admit(COMPANY, Mark("of another host", 7, "b"))
    assert caught.value.cause == "another_store"
    assert "relay restored --company main" in str(caught.value)


async def test_a_store_that_is_empty_all_at_once_is_another_one(inbox: Inbox, engine: AsyncEngine) -> None:
    await _claims(inbox, 1, 2)
    async with engine.begin() as connection:
        await connection.execute(delete(MARKS))
        await connection.execute(delete(MARKS_KEPT))
    with pytest.raises(WrongStore, match="not the one"):
        await claim(inbox, intent("write_3"))
    await inbox.check_in(COMPANY)
    assert inbox.marks.astray(COMPANY)


async def test_a_wrong_store_of_one_company_leaves_the_claims_of_others_alone(
    inbox: Inbox, engine: AsyncEngine
) -> None:
    await _claims(inbox, 1, 5)
    await inbox.claim("second", EVENT, [intent("s1")])
    await _go_back(engine, to=3)
    await inbox.check_in("second")
    north, south = await asyncio.gather(
        claim(inbox, intent("write_4")), inbox.claim("third", EVENT, [intent("s2")]), return_exceptions=True
    )
    assert isinstance(north, WrongStore)
    assert isinstance(south, list)


async def test_after_a_person_has_said_so_the_store_is_another_inbox_and_goes_on(
    inbox: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    await _claims(inbox, 1, 5)
    before = _seen(inbox)
    await _go_back(engine, to=3)
    await inbox.check_in(COMPANY)
    assert inbox.marks.astray(COMPANY)
    _, mark = await EarlierRecords(engine, clock).begin_anew(COMPANY, by="a person")
    await inbox.check_in(COMPANY)
    assert inbox.marks.astray(COMPANY), "the broker has not said so yet"
    await inbox.marks.admit(COMPANY, mark)
    await _claims(inbox, 4, 6)
    assert _seen(inbox).inbox == mark.inbox != before.inbox
    with pytest.raises(WrongStore):
        await inbox.marks.admit(COMPANY, before)


async def test_what_came_before_a_person_said_so_is_held_still(
    inbox: Inbox, engine: AsyncEngine, clock: FakeClock
) -> None:
    await _claims(inbox, 1, 5)
    before = _seen(inbox)
    await EarlierRecords(engine, clock).begin_anew(COMPANY, by="a person")
    await inbox.check_in(COMPANY)
    await inbox.marks.admit(COMPANY, before)
    await _claims(inbox, 6, 6)


async def test_marks_long_past_are_forgotten_and_still_held(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, engine: AsyncEngine
) -> None:
    monkeypatch.setattr(marks, "KEPT", 3)
    monkeypatch.setattr(marks, "CLEARED_EVERY", 2)
    await _claims(inbox, 1, 1)
    first = _seen(inbox)
    await _claims(inbox, 2, 10)
    async with reading(engine) as connection:
        assert await connection.scalar(text("SELECT min(count) FROM marks_kept")) == 7
    await inbox.marks.admit(COMPANY, Mark(first.inbox, first.count, "another process"))
    with pytest.raises(WrongStore):
        await inbox.marks.admit(COMPANY, Mark(first.inbox, 11, "another process"))
