"""What undoes something that never came posts nothing, and neither does that if it comes after all: both cancel out."""

import pytest

from schemas.envelope import Event
from schemas.money import Money
from solid.client import Inconclusive
from tests.unit.producers.made import (
    CREATED,
    Json,
    charge,
    dispute,
    normalised,
    only_event,
    payout,
    refund,
    stripe_event,
    transaction,
)
from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.test_pipeline import hand, pipeline
from workers.outcomes import Applied, DeadLetter, Defer

LAST = 2
REFUND, FAILED = "stripe:refund:re_1", "stripe:refund:re_1:failed"


def refunded(amount: int = 500) -> Event:
    return only_event(stripe_event("refund.created", refund(amount=amount), id="evt_refunded"))


def failed() -> Event:
    return only_event(stripe_event("refund.failed", refund(status="failed"), id="evt_failed"))


def sold() -> Event:
    return only_event(stripe_event("charge.succeeded", charge()))


async def told(bench: Bench, *events: Event) -> None:
    for event in events:
        outcome = await pipeline(bench).handle(hand(bench, event, deferred=LAST))
        assert isinstance(outcome, Applied), outcome


def posted(bench: Bench) -> list[str]:
    return [record.external_id for _, record in bench.solid.records]


async def test_a_bank_refund_that_fails_while_it_is_pending_leaves_only_the_sale(bench: Bench) -> None:
    """320.00 by bank; the refund has its balance transaction, and fails before it has ever succeeded."""
    bank = refund(amount=32000, status="pending")
    over = bank | {"status": "failed", "failure_balance_transaction": "txn_back"}
    sale = only_event(stripe_event("charge.succeeded", charge(amount=32000, amount_captured=32000)))
    assert normalised(stripe_event("refund.updated", over, {"status": "pending"})).ignored == "refund_never_moved"
    failure = only_event(stripe_event("refund.failed", over))
    pending = only_event(stripe_event("refund.created", bank, id="evt_pending"))
    counted = charge(amount=32000, amount_captured=32000, amount_refunded=32000)
    total = only_event(stripe_event("charge.refunded", counted, {"amount_refunded": 0}, id="evt_sum"))
    await told(bench, sale)
    before = posted(bench)
    await told(bench, pending, total)
    for deferred in range(LAST):
        assert isinstance(await pipeline(bench).handle(hand(bench, failure, deferred=deferred)), Defer)
    assert await pipeline(bench).handle(hand(bench, failure, deferred=LAST)) == Applied(0)
    assert posted(bench) == before


async def test_a_refund_of_what_was_never_captured_posts_nothing(bench: Bench) -> None:
    """It names no transaction of the balance: an authorisation was given back as a refund."""
    released = only_event(stripe_event("refund.created", refund(balance_transaction=None)))
    for deferred in range(LAST):
        assert isinstance(await pipeline(bench).handle(hand(bench, released, deferred=deferred)), Defer)
    assert await pipeline(bench).handle(hand(bench, released, deferred=LAST)) == Applied(0)
    assert posted(bench) == []
    moved = only_event(stripe_event("refund.created", refund(2), id="evt_moved"))
    outcome = await pipeline(bench).handle(hand(bench, moved, deferred=LAST))
    assert isinstance(outcome, DeadLetter), "a refund that moved the balance waits for its charge"


async def test_a_refund_without_a_transaction_is_booked_where_it_is_no_release(bench: Bench) -> None:
    in_part = charge(amount=5000, amount_captured=3000, amount_refunded=2000)
    captured = only_event(stripe_event("charge.captured", in_part))
    release = refund(1, amount=2000, balance_transaction=None)
    true_refund = refund(2, amount=700, balance_transaction=None)
    await told(bench, captured)
    before = posted(bench)
    await told(bench, only_event(stripe_event("refund.created", release, id="evt_release")))
    assert posted(bench) == before
    await told(bench, only_event(stripe_event("refund.created", true_refund, id="evt_true")))
    assert posted(bench) == [*before, "stripe:refund:re_2"]


async def test_a_refund_that_was_pending_counts_once_when_it_is_booked(bench: Bench) -> None:
    pending = only_event(stripe_event("refund.created", refund(status="pending"), id="evt_pending"))
    more = charge(amount_refunded=900, refunds=None)
    both = only_event(stripe_event("charge.refunded", more, {"amount_refunded": 500}, id="evt_sum"))
    await told(bench, sold(), pending, pending, refunded(), pending)
    outcome = await pipeline(bench).handle(hand(bench, both, deferred=LAST))
    assert isinstance(outcome, DeadLetter), "4.00 of it came by no refund"
    assert outcome.reason == "prerequisite:stripe:refunds:ch_1"


async def test_a_refund_that_comes_after_its_failure_was_settled_posts_nothing_either(bench: Bench) -> None:
    await told(bench, sold(), failed())
    before = posted(bench)
    await told(bench, refunded(), failed(), refunded())
    assert posted(bench) == before
    assert await bench.state(REFUND) == "void"
    assert (await bench.row(REFUND)).event_id == "evt_failed"


async def test_a_refund_that_is_merely_late_is_booked_and_taken_back(bench: Bench) -> None:
    await told(bench, sold())
    assert isinstance(await pipeline(bench).handle(hand(bench, failed())), Defer)
    await told(bench, refunded(), failed(), failed(), refunded())
    assert posted(bench)[-2:] == [REFUND, FAILED]


async def test_a_refund_of_another_amount_than_the_void_one_comes_before_a_person(bench: Bench) -> None:
    await told(bench, sold(), failed())
    outcome = await pipeline(bench).handle(hand(bench, refunded(amount=499)))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "conflict"


async def test_where_solids_list_does_not_tell_nothing_is_void(bench: Bench) -> None:
    """A lost inbox may have posted the refund."""
    await told(bench, sold())
    bench.clock.advance(3600)
    bench.solid.unreadable = Inconclusive("the list shows no key")
    outcome = await pipeline(bench).handle(hand(bench, failed(), deferred=LAST))
    assert outcome == DeadLetter(f"prerequisite:{REFUND}", f"{REFUND} is not in the books yet")
    assert await bench.state(REFUND) is None


async def test_an_inbox_that_is_old_enough_knows_without_solids_list(bench: Bench) -> None:
    await told(bench, sold())
    days = 100 * 24 * 3600
    bench.clock.advance(days)
    bench.solid.unreadable = Inconclusive("the list shows no key")
    late = stripe_event("refund.failed", refund(status="failed"), created=CREATED + days)
    assert await pipeline(bench).handle(hand(bench, only_event(late), deferred=LAST)) == Applied(0)


async def test_a_refund_that_may_have_been_sent_is_not_void(bench: Bench) -> None:
    await told(bench, sold())
    bench.solid.faults.append("answer_lost")
    await pipeline(bench).handle(hand(bench, refunded()))
    outcome = await pipeline(bench).handle(hand(bench, failed(), deferred=LAST))
    assert isinstance(outcome, DeadLetter | Defer)
    assert await bench.state(REFUND) == "unknown"


async def test_a_refund_that_was_booked_just_now_is_taken_back_at_the_next_look(bench: Bench) -> None:
    await told(bench, sold())
    piped = pipeline(bench)
    check = bench.inbox().state_of

    async def before(company: str, ids: list[str]) -> dict[str, str]:
        known = await check(company, ids)
        await told(bench, refunded())
        return known

    piped.inbox.state_of = before  # type: ignore[method-assign,assignment]
    assert isinstance(await piped.handle(hand(bench, failed(), deferred=LAST)), Defer)
    await told(bench, failed())
    assert posted(bench)[-2:] == [REFUND, FAILED]


async def test_fees_are_booked_although_what_they_were_kept_for_is_void(bench: Bench) -> None:
    failure = only_event(stripe_event("payout.failed", payout(status="failed")))
    paid = only_event(stripe_event("payout.paid", payout(balance_transaction=transaction(-1100, 15)), id="evt_2"))
    await told(bench, failure, paid)
    assert posted(bench) == ["stripe:payout:po_1:fee"]


async def test_a_void_refund_counts_to_what_is_refunded_in_all(bench: Bench) -> None:
    told_sum = charge(amount_refunded=500, refunds=None)
    await told(bench, sold(), failed())
    await told(bench, only_event(stripe_event("charge.refunded", told_sum, {"amount_refunded": 0}, id="evt_sum")))
    assert await bench.inbox().group_total(COMPANY, "stripe:refunds:ch_1", "USD") == Money.of("5", "USD").amount


CAME_BACK = charge(status="failed", paid=False, failure_balance_transaction="txn_back")


async def test_a_payment_that_comes_back_after_it_was_booked_is_taken_back_once(bench: Bench) -> None:
    back = only_event(stripe_event("charge.failed", CAME_BACK, id="evt_back"))
    assert isinstance(await pipeline(bench).handle(hand(bench, back)), Defer)
    await told(bench, sold(), back, back, sold())
    assert posted(bench)[-2:] == ["stripe:charge:ch_1:payment", "stripe:charge:ch_1:failed"]


async def test_a_payment_that_fails_while_it_is_pending_is_never_booked(bench: Bench) -> None:
    back = only_event(stripe_event("charge.failed", CAME_BACK, id="evt_back"))
    await told(bench, back, sold(), back)
    assert posted(bench) == ["stripe:walk-in"], "a contact is no money"


LOST: Json = dispute(status="lost")
WON: Json = dispute(transaction(25000), status="won")


@pytest.mark.parametrize(
    ("kind", "told_of", "original"),
    [
        ("refund.failed", refund(status="failed"), REFUND),
        ("payout.failed", payout(status="failed"), "stripe:payout:po_1"),
        ("charge.dispute.funds_reinstated", WON, "stripe:dispute:dp_1:withdrawn"),
        ("charge.failed", CAME_BACK, "stripe:charge:ch_1:invoice"),
        ("charge.dispute.closed", LOST, "stripe:dispute:dp_1:withdrawn"),
    ],
)
async def test_a_person_cannot_waive_what_is_to_be_taken_back(
    bench: Bench, kind: str, told_of: Json, original: str
) -> None:
    outcome = await pipeline(bench).handle(hand(bench, only_event(stripe_event(kind, told_of)), waived=True))
    assert isinstance(outcome, Defer)
    assert outcome.reason == f"prerequisite:{original}"
    assert posted(bench) == []
