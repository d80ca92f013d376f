"""One record a write, whatever happens between the intent and the stored answer."""

import asyncio

import pytest

from messaging.bucket import NoToken
from solid.client import Inconclusive
from solid.errors import OutcomeUnknown, Refused, Unavailable
from store.errors import LeaseLost, StoreUnavailable
from tests.unit.workers.bench import COMPANY, TIMING, Bench, entry, fact, one, sale
from tests.unit.workers.solid import Crash
from workers.errors import Conflicting, HeldForPerson, NotYet, Undecided
from workers.plans.writes import Parked, Plan

FEE = "fact:fee"


async def test_a_fresh_write_costs_one_call_and_a_repeated_event_none(bench: Bench) -> None:
    applier = bench.applier()
    assert await applier.apply(fact(), one()) == 1
    assert bench.solid.sent() == [f"create {FEE}"]
    assert await applier.apply(fact(), one()) == 1
    assert await bench.applier("b").apply(fact(2), one()) == 1
    assert bench.solid.sent() == []
    row = await bench.row(FEE)
    assert (row.state, row.solid_id, row.was_unknown, row.adopted) == ("applied", "solid-1", False, False)


async def test_writes_are_applied_in_order_and_refer_to_each_other_by_solids_ids(bench: Bench) -> None:
    await bench.applier().apply(fact(), sale())
    assert bench.solid.sent() == [
        "everything contact since 1999-10-03",
        "contacts Ada",
        "create stripe:customer:cus_1",
        "create fact:invoice",
        "create fact:payment",
    ]
    (_, customer), (_, invoice), (_, payment) = bench.solid.records
    assert (customer.kind, invoice.kind, payment.kind) == ("contact", "invoice", "payment")
    assert payment.model_dump()["customer_id"] == "solid-1"
    assert payment.model_dump()["applications"][0]["invoice_id"] == "solid-2"
    assert payment.model_dump()["deposit_account_id"] == "a-clearing"


async def test_a_lost_answer_is_looked_up_after_the_settle_time_and_adopted_without_a_second_record(
    bench: Bench,
) -> None:
    applier = bench.applier()
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await applier.apply(fact(), one())
    assert await bench.state(FEE) == "unknown"
    bench.solid.sent()
    with pytest.raises(NotYet, match="settling") as early:
        await applier.apply(fact(), one())
    assert early.value.after_seconds == TIMING.settle
    assert bench.solid.sent() == [], "before the settle time a look-up proves nothing"
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(), one())
    assert bench.solid.sent() == [f"find {FEE}"]
    row = await bench.row(FEE)
    assert (row.state, row.solid_id, row.was_unknown, row.adopted) == ("applied", "solid-1", True, True)
    assert bench.solid.counts == {FEE: 1}


async def test_a_doubt_that_came_early_waits_only_for_the_rest_of_the_settle_time(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one())
    bench.clock.advance(25)
    with pytest.raises(NotYet) as early:
        await bench.applier().apply(fact(), one())
    assert early.value.after_seconds == TIMING.settle - 25
    assert (await bench.row(FEE)).doubt_since is not None, "looking too early does not start the wait again"


async def test_a_call_that_never_arrived_is_sent_again_once_a_look_up_found_nothing(bench: Bench) -> None:
    applier = bench.applier()
    bench.solid.faults.append("never_arrived")
    with pytest.raises(OutcomeUnknown):
        await applier.apply(fact(), one())
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(), one())
    assert bench.solid.sent() == [f"create {FEE}", f"find {FEE}", f"create {FEE}"]
    assert bench.solid.counts == {FEE: 1}


async def test_a_commit_that_lands_late_but_within_the_settle_time_is_not_doubled(bench: Bench) -> None:
    bench.solid.faults.append("lands_late")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one())
    bench.clock.advance(TIMING.settle - 1)
    with pytest.raises(NotYet):
        await bench.applier().apply(fact(), one())
    bench.solid.land()
    bench.clock.advance(1)
    await bench.applier().apply(fact(), one())
    assert bench.solid.counts == {FEE: 1}


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
async def test_a_crash_between_the_intent_and_the_answer_is_looked_up_by_the_next_process(
    bench: Bench, fault: str
) -> None:
    bench.solid.faults.append(fault)  # type: ignore[arg-type]  # a fault of any kind
    with pytest.raises(Crash):
        await bench.applier("a").apply(fact(), one())
    await _taken_over(bench)
    assert bench.solid.counts == {FEE: 1}


async def test_a_crash_between_the_answer_and_its_commit_is_looked_up_by_the_next_process(
    bench: Bench,
) -> None:
    bench.crash_at_commit()
    with pytest.raises(Crash):
        await bench.applier("a").apply(fact(), one())
    assert await bench.state(FEE) == "intended"
    await _taken_over(bench)
    assert bench.solid.counts == {FEE: 1}
    assert (await bench.row(FEE)).adopted is True


async def _taken_over(bench: Bench) -> None:
    """Another process gets the delivery: it waits for the lease, then for the doubt to settle, then looks."""
    bench.solid.sent()
    heir = bench.applier("b")
    with pytest.raises(NotYet, match="busy") as busy:
        await heir.apply(fact(), one())
    assert 0 < busy.value.after_seconds <= TIMING.lease
    bench.clock.advance(TIMING.lease)
    with pytest.raises(NotYet, match="settling"):
        await heir.apply(fact(), one())
    assert bench.solid.sent() == []
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await heir.apply(fact(), one())
    assert bench.solid.calls[0] == f"find {FEE}"


async def test_an_answer_that_could_not_be_stored_never_leads_to_a_second_record(bench: Bench) -> None:
    applier = bench.applier()
    bench.break_store()
    with pytest.raises(StoreUnavailable):
        await applier.apply(fact(), one())
    assert bench.solid.sent() == [f"create {FEE}"]
    with pytest.raises(NotYet, match="busy"):
        await applier.apply(fact(), one())
    bench.clock.advance(TIMING.lease)
    with pytest.raises(NotYet, match="settling"):
        await applier.apply(fact(), one())
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(), one())
    assert bench.solid.sent() == [f"find {FEE}"]
    assert bench.solid.counts == {FEE: 1}


async def test_a_lost_answer_that_could_not_even_be_noted_stays_in_doubt(bench: Bench) -> None:
    applier = bench.applier()
    bench.solid.faults.append("answer_lost")
    bench.break_store()
    with pytest.raises(StoreUnavailable):
        await applier.apply(fact(), one())
    bench.clock.advance(TIMING.lease)
    with pytest.raises(NotYet, match="settling"):
        await applier.apply(fact(), one())
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await applier.apply(fact(), one())
    assert bench.solid.counts == {FEE: 1}


async def test_a_cancelled_call_is_in_doubt_as_after_a_crash(bench: Bench) -> None:
    applier = bench.applier("a")
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(applier.apply(fact(), one()))
    bench.solid.before_token = hang
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.solid.before_token = None
    await _taken_over(bench)
    assert bench.solid.counts == {FEE: 1}


async def test_a_refusal_is_told_and_the_mended_write_is_sent_without_a_look_up(bench: Bench) -> None:
    applier = bench.applier()
    bench.solid.faults.append("refused")
    with pytest.raises(Refused):
        await applier.apply(fact(), one())
    row = await bench.row(FEE)
    assert (row.state, row.error_code, row.error_message) == ("refused", "VALIDATION", "no")
    bench.solid.sent()
    await applier.apply(fact(), one(amount="2.00"))
    assert bench.solid.sent() == [f"create {FEE}"], "a refused write may be mended, and is in no doubt"


async def test_without_a_token_the_claim_is_given_up_and_the_next_attempt_is_a_first_one(
    bench: Bench,
) -> None:
    async def refuse() -> None:
        raise NoToken

    bench.solid.before_token = refuse
    with pytest.raises(NoToken):
        await bench.applier("a").apply(fact(), one())
    bench.solid.before_token = None
    await bench.applier("b").apply(fact(), one())
    assert bench.solid.sent() == [f"create {FEE}"], "no waiting for a lease, and no look-up"


async def test_while_nothing_is_sent_the_call_is_made_again_under_the_same_claim(bench: Bench) -> None:
    bench.solid.faults.extend(["closed", "closed", "closed"])
    await bench.applier().apply(fact(), one())
    assert bench.solid.sent() == [f"create {FEE}"]
    assert (await bench.row(FEE)).was_unknown is False


async def test_closed_and_then_no_token_leaves_nothing_in_doubt(bench: Bench) -> None:
    turns = iter([False, False, True])

    async def run_out() -> None:
        if next(turns):
            raise NoToken

    bench.solid.faults.extend(["closed", "closed"])
    bench.solid.before_token = run_out
    with pytest.raises(NoToken):
        await bench.applier("a").apply(fact(), one())
    bench.solid.before_token = None
    await bench.applier("b").apply(fact(), one())
    assert bench.solid.sent() == [f"create {FEE}"]


@pytest.mark.parametrize("fault", ["503", "503_done"])
async def test_a_503_after_sending_leaves_a_doubt(bench: Bench, fault: str) -> None:
    applier = bench.applier()
    bench.solid.faults.append(fault)  # type: ignore[arg-type]  # a fault of any kind
    with pytest.raises(Unavailable):
        await applier.apply(fact(), one())
    assert await bench.state(FEE) == "unknown"
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    bench.solid.sent()
    await applier.apply(fact(), one())
    assert bench.solid.sent()[0] == f"find {FEE}"
    assert bench.solid.counts == {FEE: 1}


@pytest.mark.parametrize("before", [None, "answer_lost"])
async def test_the_same_external_id_with_other_amounts_is_a_conflict_and_is_not_sent(
    bench: Bench, before: str | None
) -> None:
    applier = bench.applier()
    if before:
        bench.solid.faults.append(before)  # type: ignore[arg-type]  # a fault of any kind
        with pytest.raises(OutcomeUnknown):
            await applier.apply(fact(1), one())
    else:
        await applier.apply(fact(1), one())
    bench.solid.sent()
    with pytest.raises(Conflicting, match=FEE) as conflict:
        await applier.apply(fact(2), one(amount="1.51"))
    assert "1.51" in str(conflict.value)
    assert bench.solid.sent() == []


async def test_names_and_memos_may_change_without_a_conflict(bench: Bench) -> None:
    await bench.applier().apply(fact(1), one())
    renamed = entry().model_copy(update={"memo": "Another memo"})
    await bench.applier().apply(fact(2), Plan(writes=(renamed,)))
    assert bench.solid.counts == {FEE: 1}


@pytest.mark.parametrize(("moved", "error"), [(False, HeldForPerson), (True, Undecided)])
async def test_a_look_up_that_cannot_tell_never_sends_again(
    bench: Bench, *, moved: bool, error: type[Exception]
) -> None:
    applier = bench.applier()
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await applier.apply(fact(), one())
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    bench.solid.sent()
    bench.solid.inconclusive = Inconclusive("the list may be cut", moved=moved)
    for _ in range(2):
        with pytest.raises(error, match="the list may be cut"):
            await applier.apply(fact(), one())
    assert bench.solid.sent() == [f"find {FEE}"] * 2
    bench.solid.inconclusive = None
    await applier.apply(fact(), one())
    assert bench.solid.counts == {FEE: 1}
    assert (await bench.row(FEE)).adopted is True


async def test_of_two_records_found_the_older_is_kept_and_none_is_added(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(OutcomeUnknown):
        await bench.applier().apply(fact(), one())
    bench.solid.add(bench.solid.records[0][1])
    bench.clock.advance(TIMING.settle + TIMING.unasked)
    await bench.applier().apply(fact(), one())
    assert (await bench.row(FEE)).solid_id == "solid-1"
    assert bench.solid.counts == {FEE: 2}


async def test_a_claim_that_another_has_taken_over_meanwhile_sends_nothing(bench: Bench) -> None:
    """The first waits for a token so long that its lease ends, and a second claims and settles the write."""

    async def long_night() -> None:
        bench.solid.before_token = None
        bench.clock.advance(TIMING.lease)
        heir = bench.applier("b")
        with pytest.raises(NotYet):
            await heir.apply(fact(), one())
        bench.clock.advance(TIMING.settle + TIMING.unasked)
        await heir.apply(fact(), one())

    bench.solid.before_token = long_night
    with pytest.raises(LeaseLost):
        await bench.applier("a").apply(fact(), one())
    assert bench.solid.sent() == [f"find {FEE}", f"create {FEE}"]
    assert bench.solid.counts == {FEE: 1}


async def test_a_claim_that_may_end_before_the_call_does_is_renewed_right_before_it(bench: Bench) -> None:
    async def wait_for_token() -> None:
        bench.clock.advance(TIMING.lease - TIMING.call)

    bench.solid.before_token = wait_for_token
    bench.crash_at_commit()
    with pytest.raises(Crash):
        await bench.applier("a").apply(fact(), one())
    row = await bench.row(FEE)
    assert row.lease_until is not None
    assert (row.lease_until - bench.clock.now()).total_seconds() == TIMING.lease


async def test_what_comes_after_a_refused_write_is_given_up_unsent(bench: Bench) -> None:
    applier = bench.applier("a")
    plan = Plan(writes=(entry("fact:1"), entry("fact:2"), entry("fact:3")))
    bench.solid.faults.extend(["refused"])
    with pytest.raises(Refused):
        await applier.apply(fact(), plan)
    assert bench.solid.sent() == ["create fact:1"]
    await bench.applier("b").apply(fact(), plan)
    assert bench.solid.sent() == ["create fact:1", "create fact:2", "create fact:3"]


async def test_a_missing_account_is_parked_after_what_came_before_it_and_goes_on_there_when_mended(
    bench: Bench,
) -> None:
    with pytest.raises(Parked, match="Clering") as parked:
        await bench.applier("a").apply(fact(), sale(payment_account="Clering"))
    assert parked.value.reason == "unmapped:account:Clering"
    bench.solid.sent()
    await bench.applier("b").apply(fact(), sale())
    assert bench.solid.sent() == ["create fact:payment"]


async def test_two_events_of_one_fact_that_meet_in_one_process_create_one_record(bench: Bench) -> None:
    applier = bench.applier()
    done = await asyncio.gather(*(applier.apply(fact(number), one()) for number in range(5)), return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, Exception)] == [NotYet] * 4
    assert await applier.apply(fact(9), one()) == 1
    assert bench.solid.sent() == [f"create {FEE}"]


async def test_a_plan_that_writes_nothing_touches_nothing(bench: Bench) -> None:
    assert await bench.applier().apply(fact(), Plan()) == 0
    assert bench.solid.sent() == []
    assert await bench.inbox().counts(COMPANY) == {}
