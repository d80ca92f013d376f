"""What Stripe has of some time becomes the events that webhooks would have told, each fact once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from producers.calling.errors import TokenRefused
from producers.normalising import NormaliseContext
from producers.stripe.api.listing import Span
from producers.stripe.stripe import normalise
from schemas.envelope import Event
from schemas.sales import DisputeLost, PaymentSucceeded
from store.errors import StoreUnavailable
from tests.fakes import NOON, FakeClock
from tests.unit.producers.made import CREATED, Json, charge, dispute, payout, refund, stripe_event, transaction
from tests.unit.producers.receiving import FakePublisher
from tests.unit.producers.stripe.api.stand_in import (
    DAY,
    EVENTS,
    TRANSACTIONS,
    api_of,
    event,
    reader_of,
    sold,
    stripe,
)
from workers.books.books import sample_books
from workers.plans import plan

HOUR = timedelta(hours=1)
SPAN = Span(NOON - HOUR, NOON + HOUR)


def economics(told: Event) -> dict[str, str]:
    """What its writes are known by, and what may never differ of them."""
    return {write.external_id: write.payload_hash for write in plan(told, sample_books()).writes}


async def test_a_sale_is_told_with_its_fee(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.add(TRANSACTIONS, sold(1, amount=2000, fee=88))
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(SPAN)
    [told] = publisher.events
    assert isinstance(told.data, PaymentSucceeded)
    assert told.data.fact == "stripe:charge:ch_1"
    assert told.data.settlement is not None
    assert told.data.settlement.fee.amount == Decimal("0.88")


async def test_the_same_fact_has_the_same_economics_by_webhook_by_event_and_by_transaction(tmp_path: Path) -> None:
    hooked = stripe_event("charge.succeeded", charge(livemode=False), livemode=False)
    [by_webhook] = normalise(hooked, NormaliseContext(mode="test")).events
    found = []
    for path, row in ((EVENTS, event(1, "charge.succeeded", charge())), (TRANSACTIONS, sold(1))):
        clock, publisher = FakeClock(), FakePublisher()
        with stripe() as server:
            server.add(path, row)
            async with api_of(server, tmp_path, clock) as api:
                await reader_of(api, clock, publisher).read(SPAN)
        found += publisher.events
    by_event, by_transaction = map(economics, found)
    assert economics(by_webhook) == by_event
    assert {name: digest for name, digest in by_transaction.items() if not name.endswith(":fee")} == by_event
    assert "stripe:charge:ch_1:fee" in by_transaction


TAKEN = transaction(-25000, 1500, id="txn_d", created=CREATED)
MOVES = [
    ("refund.created", refund(), transaction(-500, id="txn_re_1", type="refund", created=CREATED)),
    ("charge.dispute.funds_withdrawn", dispute(TAKEN), TAKEN | {"type": "adjustment"}),
    ("payout.paid", payout(), transaction(-1100, id="txn_po_1", type="payout", created=CREATED)),
]


@pytest.mark.parametrize(("kind", "obj", "row"), MOVES, ids=[kind for kind, _, _ in MOVES])
async def test_what_else_moves_has_the_same_economics_both_ways(
    tmp_path: Path, kind: str, obj: Json, row: Json
) -> None:
    [by_webhook] = normalise(stripe_event(kind, obj, livemode=False), NormaliseContext(mode="test")).events
    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.add(TRANSACTIONS, row | {"source": obj})
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(SPAN)
    [by_transaction] = publisher.events
    assert economics(by_transaction) == economics(by_webhook)
    assert economics(by_webhook)


async def test_a_fact_is_told_once_and_by_who_says_most(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.add(TRANSACTIONS, sold(1))
        server.add(EVENTS, event(1, "charge.succeeded", charge()), event(2, "charge.captured", charge()))
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(SPAN)
    [told] = publisher.events
    assert told.id == "txn_1"


@pytest.mark.long
async def test_ten_thousand_transactions_are_told_once_each(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.rows[TRANSACTIONS] = [sold(number, at=CREATED + 1000 - number // 10) for number in range(10_000)]
        server.limited = 2
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(SPAN)
    facts = [each.data.fact for each in publisher.events]
    assert len(facts) == len(set(facts)) == 10_000


async def test_events_are_asked_for_no_further_back_than_stripe_keeps_them(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    lost = dispute(
        transaction(-25000, 1500, created=CREATED - 60 * DAY), status="lost", created=CREATED - 61 * DAY, livemode=False
    )
    with stripe() as server:
        server.add(EVENTS, event(1, "charge.succeeded", charge(), at=CREATED - 31 * DAY))
        server.add("/v1/disputes", lost, lost | {"id": "dp_2", "status": "won"})
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(Span(NOON - timedelta(days=90), NOON))
    told = publisher.events[-1]
    assert isinstance(told.data, DisputeLost)
    assert told.data.fact == "stripe:dispute:dp_1:lost"
    assert {each.subject for each in publisher.events} == {"dp_1"}


async def test_a_connected_account_is_told_for_its_own_company(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.of["acct_1"] = {EVENTS: [event(1, "charge.succeeded", charge())]}
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher, account="acct_1").read(SPAN)
    assert [told.company for told in publisher.events] == ["second"]


async def test_what_cannot_be_read_is_put_before_a_person_and_holds_up_nothing(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    odd = sold(2) | {"net": 1}
    with stripe() as server:
        server.add(TRANSACTIONS, sold(1), odd, sold(3))
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(SPAN)
    assert {told.id for told in publisher.events} == {"txn_1", "txn_3"}
    assert [kept["reason"] for kept in publisher.kept] == ["does_not_add_up"]


async def test_an_unknown_move_is_no_silence(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    strange = transaction(-700, id="txn_9", type="something_new", created=CREATED, source="xx_1")
    with stripe() as server:
        server.add(TRANSACTIONS, strange)
        async with api_of(server, tmp_path, clock) as api:
            await reader_of(api, clock, publisher).read(SPAN)
    assert [told.type for told in publisher.events] == ["sales.balance.moved.v1"]


async def test_a_dry_reading_publishes_nothing_and_counts_all(tmp_path: Path) -> None:
    clock = FakeClock()
    with stripe() as server:
        server.add(TRANSACTIONS, sold(1), sold(2, amount=1000), sold(3) | {"net": 1})
        async with api_of(server, tmp_path, clock) as api:
            reader = reader_of(api, clock, None)
            await reader.read(SPAN)
    told = reader.teller.told
    assert told.events == {"sales.payment.succeeded.v1": 2}
    assert told.money == {"sales.payment.succeeded.v1": {"USD": Decimal("30.00")}}
    assert told.kept == {"does_not_add_up": 1}


async def test_what_the_store_cannot_say_ends_the_reading(tmp_path: Path) -> None:
    class Away:
        async def lacking(self, events: object) -> list[Event]:
            del events
            raise StoreUnavailable("away")

        async def is_kept(self, document: bytes) -> bool:
            del document
            raise StoreUnavailable("away")

    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.add(TRANSACTIONS, sold(1))
        async with api_of(server, tmp_path, clock) as api:
            with pytest.raises(StoreUnavailable):
                await reader_of(api, clock, publisher, known=Away()).read(SPAN)
    assert publisher.events == []


async def test_a_key_without_a_right_ends_the_reading_by_the_name_of_it(tmp_path: Path) -> None:
    clock, publisher = FakeClock(), FakePublisher()
    with stripe() as server:
        server.forbidden = {EVENTS}
        async with api_of(server, tmp_path, clock) as api:
            with pytest.raises(TokenRefused, match="rak_event_read"):
                await reader_of(api, clock, publisher).read(SPAN)


def test_the_time_of_the_tests_is_that_of_the_rows() -> None:
    assert datetime.fromtimestamp(CREATED, UTC) == NOON
