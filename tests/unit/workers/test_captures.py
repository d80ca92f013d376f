"""Captures in parts, in whatever order they are told, and refunds of what was captured in part."""

import itertools

import pytest

from schemas.envelope import Event
from solid.models import NewInvoice
from tests.unit.producers.made import charge, only_event, refund, stripe_event, transaction
from tests.unit.workers.bench import Bench
from tests.unit.workers.test_pipeline import hand, pipeline
from workers.outcomes import Applied, DeadLetter, Defer, GiveBack, Outcome

LAST = 2


def captured(in_all: int, *, id: str = "evt_1", **fields: object) -> Event:  # noqa: A002 - as Stripe calls it
    part = charge(amount=10000, amount_captured=in_all, **fields)
    return only_event(stripe_event("charge.captured", part, id=id))


def later(in_all: int, before: int, *, id: str = "evt_2", **fields: object) -> Event:  # noqa: A002
    part = charge(amount=10000, amount_captured=in_all, **fields)
    return only_event(stripe_event("charge.updated", part, {"amount_captured": before}, id=id))


def summed(total: int, before: int, *, captured: int = 6000, **previous: object) -> Event:
    told = charge(amount=10000, amount_captured=captured, amount_refunded=total)
    return only_event(stripe_event("charge.refunded", told, {"amount_refunded": before, **previous}, id="evt_sum"))


async def outcome(bench: Bench, event: Event) -> Outcome:
    return await pipeline(bench).handle(hand(bench, event, deferred=LAST))


async def told(bench: Bench, *events: Event) -> None:
    for event in events:
        became = await outcome(bench, event)
        assert isinstance(became, Applied), became


def invoiced(bench: Bench) -> dict[str, str]:
    records = [record for _, record in bench.solid.records if isinstance(record, NewInvoice)]
    return {str(record.external_id): str(sum(line.amount for line in record.lines)) for record in records}


PARTS = (captured(3000), captured(10000, id="evt_2"), later(10000, 3000, id="evt_3"))
EXACT = {"stripe:charge:ch_1:invoice": "30.00", "stripe:charge:ch_1:captured:10000:invoice": "70.00"}
WHOLE = {"stripe:charge:ch_1:invoice": "100.00"}


@pytest.mark.parametrize("order", [*itertools.permutations(PARTS)])
async def test_captures_add_up_to_what_was_captured_in_any_order(bench: Bench, order: tuple[Event, ...]) -> None:
    await told(bench, *order, *order)
    assert invoiced(bench) == (WHOLE if order[0] is PARTS[1] else EXACT)


async def test_a_later_capture_has_its_own_fee(bench: Bench) -> None:
    first = captured(3000, balance_transaction=transaction(3000, 110))
    second = later(10000, 3000, balance_transaction=transaction(7000, 230))
    await told(bench, second, first)
    fees = [record.external_id for _, record in bench.solid.records if str(record.external_id).endswith(":fee")]
    assert fees == ["stripe:charge:ch_1:captured:10000:fee", "stripe:charge:ch_1:fee"]
    assert invoiced(bench) == EXACT


async def test_a_capture_that_cannot_be_after_what_was_told_comes_before_a_person(bench: Bench) -> None:
    await told(bench, later(6000, 3000))
    became = await outcome(bench, captured(10000, id="evt_3"))
    assert isinstance(became, DeadLetter)
    assert became.reason == "conflict"
    assert "from 0.00 to 100.00 USD, and told before that: 30.00 to 60.00" in became.error


async def test_a_settlement_of_a_part_that_was_told_otherwise_comes_before_a_person(bench: Bench) -> None:
    await told(bench, captured(10000))
    became = await outcome(bench, later(10000, 3000, balance_transaction=transaction(7000, 230)))
    assert isinstance(became, DeadLetter)
    assert became.reason == "conflict"


async def test_a_capture_that_was_recorded_before_a_crash_is_booked_afterwards(bench: Bench) -> None:
    again = captured(10000, id="evt_2")
    await told(bench, captured(3000))
    bench.break_store()
    assert isinstance(await outcome(bench, again), GiveBack)
    bench.clock.advance(3600)
    assert isinstance(await outcome(bench, again), Defer)
    bench.clock.advance(3600)
    await told(bench, again)
    assert invoiced(bench) == EXACT


async def test_after_a_partial_capture_only_the_true_refund_is_waited_for(bench: Bench) -> None:
    """60.00 of 100.00 captured; the sum refunded counts the other 40.00, and goes from there to 50.00."""
    ten = only_event(stripe_event("refund.created", refund(amount=1000)))
    await told(bench, captured(6000, amount_refunded=4000))
    early = await pipeline(bench).handle(hand(bench, summed(5000, 4000)))
    assert isinstance(early, Defer), "the refund is not booked yet"
    await told(bench, ten, summed(5000, 4000))
    posted = [record.external_id for _, record in bench.solid.records]
    assert posted[-1] == "stripe:refund:re_1"


async def test_the_release_alone_needs_no_refund(bench: Bench) -> None:
    await told(bench, captured(6000, amount_refunded=4000), summed(4000, 0))


async def test_where_the_release_is_not_counted_every_refund_is_waited_for(bench: Bench) -> None:
    await told(bench, captured(6000))
    forty = only_event(stripe_event("refund.created", refund(amount=4000)))
    assert isinstance(await outcome(bench, summed(4000, 0)), DeadLetter)
    await told(bench, forty, summed(4000, 0))
    assert isinstance(await outcome(bench, summed(5000, 4000)), DeadLetter), "40.00 is a refund here, and 10.00 is not"


async def test_a_sum_of_more_than_was_captured_needs_no_word_of_the_capture(bench: Bench) -> None:
    """Captured before the relay was there to hear of it: the sum alone tells that it counts the release."""
    sale = only_event(stripe_event("charge.succeeded", charge(amount=10000, amount_captured=6000)))
    await told(bench, sale)
    assert isinstance(await outcome(bench, summed(7000, 4000)), DeadLetter)
    await told(bench, only_event(stripe_event("refund.created", refund(amount=3000))), summed(7000, 4000))
