"""Every state of a write and every way between them, as a worker sees it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.engine import reading
from store.errors import LeaseLost
from store.inbox import Busy, Conflict, Done, Doubt, Fresh, Inbox, State, Voided
from store.schema import WORKERS
from tests.contract.store.conftest import LEASE
from tests.contract.store.samples import COMPANY, EVENT, PAYMENT, claim, intent
from tests.fakes import NOON, FakeClock

InboxOf = Callable[[str], Inbox]


async def state(inbox: Inbox) -> str | None:
    return (await inbox.state_of(COMPANY, [PAYMENT])).get(PAYMENT)


async def test_a_write_nobody_knows_is_fresh_and_intended(inbox: Inbox) -> None:
    assert await claim(inbox) == Fresh(1)
    assert await state(inbox) == "intended"


async def test_an_applied_write_is_done_for_everybody(inbox_of: InboxOf) -> None:
    a, b = inbox_of("a"), inbox_of("b")
    await claim(a)
    await a.applied(COMPANY, PAYMENT, 1, solid_id="solid-1")
    assert [await claim(a), await claim(b)] == [Done("solid-1"), Done("solid-1")]
    assert await state(b) == "applied"


async def test_whether_something_was_applied_since_a_moment_is_known_of_each_company(
    inbox: Inbox, clock: FakeClock
) -> None:
    await claim(inbox)
    assert not await inbox.applied_since(COMPANY, NOON - LEASE), "it is intended only"
    clock.advance(10)
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="solid-1")
    assert await inbox.applied_since(COMPANY, NOON)
    assert not await inbox.applied_since(COMPANY, clock.now())
    assert not await inbox.applied_since("another", NOON)


async def test_a_live_lease_of_another_owner_is_busy_until_it_ends(inbox_of: InboxOf) -> None:
    await claim(inbox_of("a"))
    assert await claim(inbox_of("b")) == Busy(NOON + LEASE)


async def test_a_claim_that_this_inbox_is_working_on_is_busy_too(inbox: Inbox) -> None:
    """Two deliveries of one fact in one worker: the second must not fence out the first."""
    await claim(inbox)
    assert await claim(inbox) == Busy(NOON + LEASE)
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="solid-1")


async def test_a_claim_left_by_an_earlier_process_of_the_same_owner_is_in_doubt_at_once(
    inbox_of: InboxOf, clock: FakeClock
) -> None:
    await claim(inbox_of("a"))
    clock.advance(5)
    assert await claim(inbox_of("a")) == Doubt(2, NOON + timedelta(seconds=5))


async def test_an_expired_lease_is_in_doubt_since_it_was_fenced(inbox_of: InboxOf, clock: FakeClock) -> None:
    """Until the new epoch is stored, the silent holder may still send: settling counts from now."""
    await claim(inbox_of("a"))
    clock.advance(59.999)
    assert isinstance(await claim(inbox_of("b")), Busy)
    clock.advance(0.001)
    assert await claim(inbox_of("b")) == Doubt(2, NOON + LEASE)


async def test_an_expired_claim_of_this_very_inbox_is_in_doubt(inbox: Inbox, clock: FakeClock) -> None:
    await claim(inbox)
    clock.advance(61)
    assert await claim(inbox) == Doubt(2, NOON + timedelta(seconds=61))


async def test_an_old_epoch_cannot_settle(inbox_of: InboxOf, clock: FakeClock) -> None:
    a, b = inbox_of("a"), inbox_of("b")
    await claim(a)
    clock.advance(61)
    await claim(b)
    with pytest.raises(LeaseLost, match="epoch 1"):
        await a.applied(COMPANY, PAYMENT, 1, solid_id="late")
    with pytest.raises(LeaseLost):
        await a.refused(COMPANY, PAYMENT, 1, code="x", message="x")
    with pytest.raises(LeaseLost):
        await a.unknown(COMPANY, PAYMENT, 1)
    with pytest.raises(LeaseLost):
        await a.release(COMPANY, PAYMENT, 1)
    with pytest.raises(LeaseLost):
        await a.renew(COMPANY, PAYMENT, 1)
    await b.applied(COMPANY, PAYMENT, 2, solid_id="mine", adopted=True)
    [row] = await a.trace(PAYMENT)
    assert (row.solid_id, row.adopted, row.was_unknown, row.doubt_since) == ("mine", True, True, None)


async def test_settling_what_was_never_claimed_is_a_lost_lease(inbox: Inbox) -> None:
    with pytest.raises(LeaseLost):
        await inbox.applied(COMPANY, "never", 1, solid_id="x")


async def test_renewing_starts_the_lease_again(inbox_of: InboxOf, clock: FakeClock) -> None:
    a, b = inbox_of("a"), inbox_of("b")
    await claim(a)
    clock.advance(50)
    await a.renew(COMPANY, PAYMENT, 1)
    clock.advance(50)
    assert await claim(b) == Busy(NOON + timedelta(seconds=50) + LEASE)


async def test_an_unknown_outcome_gives_the_claim_up_and_is_in_doubt_since_then(
    inbox_of: InboxOf, clock: FakeClock
) -> None:
    a, b = inbox_of("a"), inbox_of("b")
    await claim(a)
    clock.advance(10)
    await a.unknown(COMPANY, PAYMENT, 1)
    assert await state(a) == "unknown"
    clock.advance(1)
    assert await claim(b) == Doubt(2, NOON + timedelta(seconds=10))
    with pytest.raises(LeaseLost):
        await a.applied(COMPANY, PAYMENT, 1, solid_id="late")


async def test_a_released_claim_is_fresh_for_anybody_and_for_another_payload(inbox_of: InboxOf) -> None:
    a, b = inbox_of("a"), inbox_of("b")
    await claim(a)
    await a.release(COMPANY, PAYMENT, 1)
    assert await claim(b) == Fresh(2)
    await b.release(COMPANY, PAYMENT, 2)
    assert await claim(a, intent(payload_hash="hash-2")) == Fresh(3)


async def test_releasing_a_claim_in_doubt_keeps_the_doubt_and_its_age(inbox_of: InboxOf, clock: FakeClock) -> None:
    """The trap: giving up a claim that never sent must not make an earlier "perhaps sent" Fresh."""
    a, b = inbox_of("a"), inbox_of("b")
    await claim(a)
    await a.unknown(COMPANY, PAYMENT, 1)
    clock.advance(5)
    assert await claim(b) == Doubt(2, NOON)
    await b.release(COMPANY, PAYMENT, 2)
    assert await state(b) == "unknown"
    assert await claim(a) == Doubt(3, NOON)
    assert isinstance(await claim(b, intent(payload_hash="hash-2")), Conflict)


async def test_a_refused_write_may_be_claimed_again_with_another_payload(inbox: Inbox, clock: FakeClock) -> None:
    await claim(inbox, intent(amount="10.00", currency="USD"))
    await inbox.refused(COMPANY, PAYMENT, 1, code="422", message="no such account")
    [row] = await inbox.trace(PAYMENT)
    assert (row.state, row.error_code, row.error_message) == ("refused", "422", "no such account")
    clock.advance(1)
    other = replace(EVENT, id="evt_2")
    wanted = intent(payload_hash="hash-2", amount="11.00", currency="EUR")
    assert await claim(inbox, wanted, other) == Fresh(2, refused_before=True)
    [row] = await inbox.trace(PAYMENT)
    assert (row.payload_hash, row.amount, row.currency, row.event_id) == ("hash-2", Decimal("11.00"), "EUR", "evt_2")
    assert (row.state, row.created_at, row.updated_at) == ("intended", NOON, NOON + timedelta(seconds=1))
    await inbox.applied(COMPANY, PAYMENT, 2, solid_id="s-1")
    [row] = await inbox.trace(PAYMENT)
    assert (row.state, row.error_code, row.error_message) == ("applied", None, None)


async def test_a_refused_write_that_is_given_up_unsent_stays_refused(inbox: Inbox) -> None:
    await claim(inbox)
    await inbox.refused(COMPANY, PAYMENT, 1, code="422", message="no such account")
    await claim(inbox)
    await inbox.release(COMPANY, PAYMENT, 2)
    [row] = await inbox.trace(PAYMENT)
    assert (row.state, row.error_code, row.error_message) == ("refused", "422", "no such account")
    assert await claim(inbox) == Fresh(3, refused_before=True)


@pytest.mark.parametrize("settled", ["intended", "unknown", "applied"])
async def test_another_payload_is_a_conflict_and_changes_nothing(inbox: Inbox, settled: State) -> None:
    await claim(inbox)
    if settled == "unknown":
        await inbox.unknown(COMPANY, PAYMENT, 1)
    if settled == "applied":
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    before = await inbox.trace(PAYMENT)
    assert await claim(inbox, intent(payload_hash="hash-2")) == Conflict("hash-1", settled)
    assert await inbox.trace(PAYMENT) == before


async def test_settling_twice_alike_is_harmless_and_otherwise_refused(inbox: Inbox) -> None:
    """The answer to the first commit may have been lost on its way back from the database."""
    await claim(inbox)
    for _ in range(2):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="s")
    with pytest.raises(LeaseLost):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="another")
    with pytest.raises(LeaseLost):
        await inbox.unknown(COMPANY, PAYMENT, 1)
    with pytest.raises(LeaseLost):
        await inbox.renew(COMPANY, PAYMENT, 1)


async def test_the_other_settlements_may_be_repeated_too(inbox: Inbox) -> None:
    ids = ["unknown", "refused", "release"]
    await inbox.claim(COMPANY, EVENT, [intent(name) for name in ids])
    for _ in range(2):
        await inbox.unknown(COMPANY, "unknown", 1)
        await inbox.refused(COMPANY, "refused", 1, code="c", message="m")
        await inbox.release(COMPANY, "release", 1)
    expected = {"unknown": "unknown", "refused": "refused", "release": "intended"}
    assert await inbox.state_of(COMPANY, ids) == expected


async def test_all_writes_of_an_event_are_claimed_together_and_answered_in_order(inbox: Inbox) -> None:
    await inbox.claim(COMPANY, EVENT, [intent("b")])
    await inbox.applied(COMPANY, "b", 1, solid_id="s")
    assert await inbox.claim(COMPANY, EVENT, [intent("c"), intent("b"), intent("a")]) == [
        Fresh(1),
        Done("s"),
        Fresh(1),
    ]
    assert await inbox.claim(COMPANY, EVENT, []) == []


async def test_one_external_id_twice_in_a_claim_is_refused(inbox: Inbox) -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        await inbox.claim(COMPANY, EVENT, [intent("a"), intent("a")])


async def test_companies_do_not_meet(inbox: Inbox) -> None:
    await claim(inbox)
    assert await inbox.claim("second", EVENT, [intent(payload_hash="other")]) == [Fresh(1)]
    assert await inbox.counts("second") == {"intended": 1}


@pytest.mark.parametrize("text", ["nul\x00", "half \ud800 pair"])
async def test_a_key_no_database_can_keep_is_refused_before_it_reaches_one(text: str) -> None:
    with pytest.raises(ValueError, match="no database keeps"):
        intent(text)
    with pytest.raises(ValueError, match="no database keeps"):
        replace(EVENT, subject=text)


async def test_an_amount_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        intent(amount="NaN")


async def test_what_solid_says_is_kept_even_when_no_database_could_keep_it(inbox: Inbox) -> None:
    await inbox.claim(COMPANY, EVENT, [intent("a"), intent("b")])
    await inbox.refused(COMPANY, "a", 1, code="4\x0022", message="bad\x00 \ud800 é")
    for _ in range(2):
        await inbox.applied(COMPANY, "b", 1, solid_id="id\x00")
    [row] = await inbox.trace("a")
    assert (row.error_code, row.error_message) == ("4\ufffd22", "bad\ufffd ? é")


async def test_applied_needs_an_id(inbox: Inbox) -> None:
    await claim(inbox)
    with pytest.raises(ValueError, match="without Solid's id"):
        await inbox.applied(COMPANY, PAYMENT, 1, solid_id="")


async def test_a_group_total_counts_applied_amounts_of_its_currency_digit_for_digit(inbox: Inbox) -> None:
    facts = [("a", "0.10", "USD"), ("b", "0.20", "USD"), ("c", "-0.05", "USD"), ("d", "7", "EUR"), ("e", "9", "USD")]
    await inbox.claim(
        COMPANY, EVENT, [intent(name, group_key="g", amount=amount, currency=cur) for name, amount, cur in facts]
    )
    await inbox.claim(COMPANY, EVENT, [intent("none", group_key="g", currency="USD")])
    for name in ("a", "b", "c", "d", "none"):
        await inbox.applied(COMPANY, name, 1, solid_id=name)
    assert str(await inbox.group_total(COMPANY, "g", "USD")) == "0.25"
    assert await inbox.group_total(COMPANY, "nothing", "USD") == Decimal(0)
    assert await inbox.group_total("second", "g", "USD") == Decimal(0)


async def test_trace_finds_a_write_by_each_of_its_ids(inbox: Inbox) -> None:
    await claim(inbox, intent(group_key="group-1"))
    await inbox.applied(COMPANY, PAYMENT, 1, solid_id="solid-1")
    for text in (PAYMENT, "evt_1", "ch_1", "solid-1", "group-1"):
        assert [row.external_id for row in await inbox.trace(text)] == [PAYMENT]
    assert await inbox.trace("ch_") == []
    assert await inbox.trace("\x00") == []


async def test_counts_and_states_name_only_what_exists(inbox: Inbox) -> None:
    assert await inbox.counts(COMPANY) == {}
    await inbox.claim(COMPANY, EVENT, [intent("a"), intent("b")])
    await inbox.unknown(COMPANY, "b", 1)
    assert await inbox.counts(COMPANY) == {"intended": 1, "unknown": 1}
    assert await inbox.state_of(COMPANY, ["a", "b", "c"]) == {"a": "intended", "b": "unknown"}
    assert await inbox.state_of(COMPANY, []) == {}


async def test_checking_in_again_replaces_the_first_time(inbox: Inbox, engine: AsyncEngine, clock: FakeClock) -> None:
    await inbox.check_in(COMPANY)
    clock.advance(1)
    await inbox.check_in(COMPANY)
    async with reading(engine) as connection:
        seen = (await connection.execute(select(WORKERS.c.company, WORKERS.c.seen_at))).all()
    assert seen == [(COMPANY, NOON + timedelta(seconds=1))]


async def test_a_lease_ends_though_the_clock_was_set_back_meanwhile(engine: AsyncEngine, clock: FakeClock) -> None:
    first, second = (Inbox(engine, owner=name, lease=LEASE, clock=clock) for name in ("first", "second"))
    await claim(first)
    clock.step(-3_600)
    assert isinstance(await claim(second), Busy)
    clock.advance(LEASE.total_seconds())
    assert isinstance(await claim(second), Doubt)


async def test_how_long_a_doubt_is_known_is_counted_from_when_this_process_saw_it(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    first, second = (Inbox(engine, owner=name, lease=LEASE, clock=clock) for name in ("first", "second"))
    held = await claim(first)
    await first.unknown(COMPANY, PAYMENT, held.epoch)  # type: ignore[union-attr] # a new one is Fresh
    clock.step(600)
    clock.advance(7)
    doubt = await claim(first)
    assert isinstance(doubt, Doubt)
    assert (doubt.watched, doubt.ours) == (7, True)
    await first.release(COMPANY, PAYMENT, doubt.epoch)
    other = await claim(second)
    assert isinstance(other, Doubt)
    assert (other.watched, other.ours) == (0, False), "it has only now begun to watch"


async def test_more_doubts_than_one_process_watches_all_come_of_age(
    inbox: Inbox, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.watch.MOST_WATCHED", 8)
    doubts = [f"doubt-{number}" for number in range(12)]
    for name in doubts:
        await claim(inbox, intent(name))
        await inbox.unknown(COMPANY, name, 1)
    for _ in range(4):
        clock.advance(60)
        for name in tuple(doubts):
            answer = await claim(inbox, intent(name))
            assert isinstance(answer, Doubt)
            if answer.watched >= 60:
                await inbox.applied(COMPANY, name, answer.epoch, solid_id="s")
                doubts.remove(name)
            else:
                await inbox.release(COMPANY, name, answer.epoch)
    assert not doubts
    assert not inbox.watch.count(), "what is settled is watched no longer"


async def test_a_write_that_was_undone_before_it_was_sent_is_void_for_everybody_and_for_ever(
    inbox_of: InboxOf, clock: FakeClock
) -> None:
    a, b = inbox_of("a"), inbox_of("b")
    assert await a.void(COMPANY, EVENT, intent(group_key="group", amount="2.50", currency="USD")) == Voided()
    clock.advance(10**6)
    assert [await claim(a), await claim(b), await b.void(COMPANY, EVENT, intent())] == [Voided()] * 3
    assert await claim(b, intent(payload_hash="hash-2")) == Conflict("hash-1", "refused")
    assert await b.void(COMPANY, EVENT, intent(payload_hash="hash-2")) == Conflict("hash-1", "refused")
    assert await b.group_total(COMPANY, "group", "USD") == Decimal("2.50"), "it is accounted for"
    assert await state(b) == "void"


async def test_what_was_or_may_have_been_sent_cannot_be_void(inbox: Inbox) -> None:
    await claim(inbox)
    assert isinstance(await inbox.void(COMPANY, EVENT, intent()), Busy)
    await inbox.unknown(COMPANY, PAYMENT, 1)
    assert isinstance(await inbox.void(COMPANY, EVENT, intent()), Busy)
    assert isinstance(await claim(inbox), Doubt)
    await inbox.applied(COMPANY, PAYMENT, 2, solid_id="solid-1")
    assert await inbox.void(COMPANY, EVENT, intent()) == Done("solid-1")
    assert await state(inbox) == "applied"


async def test_what_was_refused_or_given_up_before_cannot_be_void(inbox: Inbox) -> None:
    """Its event has come, and is before a person or on its way."""
    await claim(inbox)
    await inbox.refused(COMPANY, PAYMENT, 1, code="422", message="no")
    assert isinstance(await inbox.void(COMPANY, EVENT, intent()), Busy)
    assert await claim(inbox, intent("another")) == Fresh(1)
    await inbox.release(COMPANY, "another", 1)
    assert isinstance(await inbox.void(COMPANY, EVENT, intent("another")), Busy)
    assert isinstance(await claim(inbox), Fresh)
