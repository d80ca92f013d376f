"""One delivery from its bytes to its settlement: settled once, after the books, as the outcome says."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from messaging import headers as h
from messaging.bucket import NoToken
from messaging.errors import PublishFailed
from schemas.envelope import Event, encode
from solid.models import Account, InvoiceLine, NewInvoice
from tests.unit.producers.made import charge, only_event, payout, refund, stripe_event
from tests.unit.workers.bench import COMPANY, Bench
from workers.books.books import sample_books
from workers.chart import Chart
from workers.outcomes import Applied, DeadLetter, Defer, GiveBack, Retry
from workers.pipeline import CHART_GOOD_FOR_SECONDS, Pipeline
from workers.retry import RetryPolicy

BOOKS = sample_books().model_copy(update={"base_currency": "USD"})
CHART = Chart([Account(id=f"id of {name}", name=name) for name in BOOKS.accounts.values()])
INVOICE = "stripe:charge:ch_1:invoice"
PAYMENT = "stripe:charge:ch_1:payment"


@dataclass(slots=True)
class FakeHand:
    """A delivery that notes how it was settled, and what the inbox knew at that moment."""

    body: bytes
    bench: Bench
    headers: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    deferred: int = 0
    settled: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    known: str | None = None
    broker_lost: bool = False

    async def ack(self) -> None:
        """See `Delivery.ack`."""
        await self._note("ack")

    async def redeliver(self, *, after_seconds: float, counts: bool) -> None:
        """See `Delivery.redeliver`."""
        await self._note("redeliver", after_seconds=after_seconds, counts=counts)

    async def dead_letter(self, *, reason: str, error: str) -> None:
        """See `Delivery.dead_letter`."""
        await self._note("dead_letter", reason=reason, error=error)

    async def _note(self, how: str, **details: object) -> None:
        if self.broker_lost:
            raise PublishFailed
        self.known = await self.bench.state(PAYMENT)
        self.settled.append((how, details))


async def newest_chart() -> Chart:
    return CHART


def pipeline(bench: Bench, *, chart: Chart = CHART) -> Pipeline:
    return Pipeline(
        books=BOOKS,
        chart=chart,
        read_chart=newest_chart,
        inbox=bench.inbox(),
        captures=bench.captures(),
        applier=bench.applier(),
        earlier=bench.earlier(),
        completions={},
        policy=RetryPolicy((10, 60), max_attempts=2, max_deferrals=2),
        settle_seconds=60,
        company=COMPANY,
        clock=bench.clock,
    )


def sold() -> Event:
    return only_event(stripe_event("charge.succeeded", charge()))


def hand(bench: Bench, event: Event, *, attempt: int = 1, deferred: int = 0, waived: bool = False) -> FakeHand:
    headers = {h.WAIVED: "prerequisite"} if waived else {}
    return FakeHand(encode(event), bench, headers, attempt, deferred)


async def test_a_delivery_is_acknowledged_only_when_its_last_write_is_stored_as_applied(bench: Bench) -> None:
    delivery = hand(bench, sold())
    assert await pipeline(bench).handle(delivery) == Applied(3)
    assert delivery.settled == [("ack", {})]
    assert delivery.known == "applied"


async def test_bytes_that_are_no_event_come_before_a_person_and_post_nothing(bench: Bench) -> None:
    delivery = FakeHand(b'{"specversion": "1.0"', bench)
    assert isinstance(await pipeline(bench).handle(delivery), DeadLetter)
    [(how, details)] = delivery.settled
    assert (how, details["reason"]) == ("dead_letter", "undecodable")
    assert bench.solid.sent() == []


async def test_an_unknown_outcome_is_retried_and_on_the_last_attempt_shown_to_a_person(bench: Bench) -> None:
    bench.solid.faults.extend([None, "answer_lost"])
    first = hand(bench, sold())
    assert await pipeline(bench).handle(first) == Retry(60, "outcome_unknown")
    assert first.settled == [("redeliver", {"after_seconds": 60, "counts": True})]
    last = hand(bench, sold(), attempt=2)
    assert await pipeline(bench).handle(last) == Defer(60, "settling"), "waiting uses no attempt"
    bench.clock.advance(60)
    assert await pipeline(bench).handle(last) == Applied(3)
    assert bench.solid.counts == {"stripe:walk-in": 1, INVOICE: 1, PAYMENT: 1}


async def test_giving_back_settles_nothing(bench: Bench) -> None:
    async def refuse() -> None:
        raise NoToken

    bench.solid.before_token = refuse
    delivery = hand(bench, sold())
    assert await pipeline(bench).handle(delivery) == GiveBack("no_token")
    assert delivery.settled == []


async def test_a_cancelled_delivery_settles_nothing(bench: Bench) -> None:
    reached = asyncio.Event()

    async def wait_for_token() -> None:
        reached.set()
        await asyncio.Event().wait()

    bench.solid.before_token = wait_for_token
    delivery = hand(bench, sold())
    task = asyncio.create_task(pipeline(bench).handle(delivery))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert delivery.settled == []


async def test_a_settlement_that_cannot_be_published_is_raised_and_nothing_is_settled(bench: Bench) -> None:
    delivery = FakeHand(b"no event", bench, broker_lost=True)
    with pytest.raises(PublishFailed):
        await pipeline(bench).handle(delivery)
    assert delivery.settled == []


async def test_a_refund_before_its_charge_is_deferred_and_applied_after_it(bench: Bench) -> None:
    event = only_event(stripe_event("refund.created", refund()))
    early = hand(bench, event)
    outcome = await pipeline(bench).handle(early)
    assert isinstance(outcome, Defer)
    assert outcome.reason == f"prerequisite:{INVOICE}"
    assert early.settled[0][1]["counts"] is False
    assert bench.solid.sent() == []
    await pipeline(bench).handle(hand(bench, sold()))
    assert await pipeline(bench).handle(hand(bench, event, deferred=1)) == Applied(1)


async def test_a_refund_of_what_a_lost_inbox_sold_asks_at_its_second_look(
    bench: Bench,
) -> None:
    sold_at = BOOKS.day_of(sold().time)
    lines = (InvoiceLine(account_id="id of Sales", description="", amount=Decimal("20.00")),)
    bench.solid.add(NewInvoice(external_id=INVOICE, customer_id="c", date=sold_at, currency="USD", lines=lines))
    event = only_event(stripe_event("refund.created", refund()))
    assert isinstance(await pipeline(bench).handle(hand(bench, event)), Defer)
    assert bench.solid.sent() == []
    assert isinstance(await pipeline(bench).handle(hand(bench, event, deferred=1)), Defer), "it may still land"
    bench.clock.advance(600)
    assert await pipeline(bench).handle(hand(bench, event, deferred=2)) == Applied(1)


async def test_a_prerequisite_that_never_came_is_shown_and_waived_by_who_replays_it(bench: Bench) -> None:
    event = only_event(stripe_event("refund.created", refund()))
    outcome = await pipeline(bench).handle(hand(bench, event, deferred=2))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == f"prerequisite:{INVOICE}"
    waived = hand(bench, event, waived=True)
    assert await pipeline(bench).handle(waived) == Applied(1)


async def test_another_currency_is_parked_with_its_key(bench: Bench) -> None:
    event = only_event(stripe_event("payout.paid", payout(currency="eur")))
    outcome = await pipeline(bench).handle(hand(bench, event))
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "unmapped:currency:EUR"
    assert bench.solid.sent() == []


async def test_the_same_fact_in_another_event_costs_no_call(bench: Bench) -> None:
    await pipeline(bench).handle(hand(bench, sold()))
    bench.solid.sent()
    again = only_event(stripe_event("charge.captured", charge(), id="evt_2"))
    assert await pipeline(bench).handle(hand(bench, again)) == Applied(3)
    assert bench.solid.sent() == []


async def test_an_account_made_since_the_chart_was_read_is_found_without_a_new_session(bench: Bench) -> None:
    piped = pipeline(bench, chart=Chart([]))
    early = hand(bench, sold())
    await piped.handle(early)
    assert [how for how, _ in early.settled] == ["dead_letter"], "the chart was read a moment ago: no call is spent"
    bench.clock.advance(CHART_GOOD_FOR_SECONDS)
    late = hand(bench, sold())
    await piped.handle(late)
    assert [how for how, _ in late.settled] == ["ack"]


async def test_another_companys_event_is_never_booked_here(bench: Bench) -> None:
    event = sold().model_copy(update={"company": "other"})
    delivery = hand(bench, event)
    await pipeline(bench).handle(delivery)
    [(how, details)] = delivery.settled
    assert (how, details["reason"]) == ("dead_letter", "wrong_company:other")
    assert bench.solid.records == []


async def test_a_waived_sum_of_refunds_is_still_not_taken_for_booked(bench: Bench) -> None:
    told = charge(amount_refunded=500, refunds=None)
    event = only_event(stripe_event("charge.refunded", told, {"amount_refunded": 0}))
    delivery = hand(bench, event, waived=True)
    outcome = await pipeline(bench).handle(delivery)
    assert isinstance(outcome, Defer)


@pytest.mark.parametrize("attribute", ["id", "source", "subject", "partitionkey", "company"])
async def test_an_event_with_a_name_that_no_index_can_hold_is_one_dead_letter(bench: Bench, attribute: str) -> None:
    document = json.loads(encode(sold())) | {attribute: "x" * 9_000}
    hand = FakeHand(json.dumps(document).encode(), bench)
    assert isinstance(await pipeline(bench).handle(hand), DeadLetter)
    [(how, details)] = hand.settled
    assert (how, details["reason"]) == ("dead_letter", "undecodable")
    assert f"{attribute}: longer than 1000 bytes" in str(details["error"])
