"""Payouts and what belongs to them are kept, and one that does not add up comes before a person with both figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from producers.stripe.api.listing import Span
from producers.stripe.api.payouts import PayoutReader
from staging.stripe_api import StripeApiServer
from store.sales.payouts import Payout, PayoutItem
from tests.fakes import NOON, FakeClock
from tests.unit.producers.made import CREATED
from tests.unit.producers.receiving import FakePublisher
from tests.unit.producers.stripe.api.stand_in import (
    PAYOUTS,
    TRANSACTIONS,
    api_of,
    own_of,
    paid_out,
    reader_of,
    sold,
    stripe,
)

SPAN = Span(NOON - timedelta(hours=1), NOON + timedelta(hours=1))


@dataclass
class Kept:
    """Payouts in memory."""

    payouts: dict[str, tuple[Payout, Sequence[PayoutItem]]] = field(default_factory=dict)

    async def keep(self, company: str, payout: Payout, items: Sequence[PayoutItem]) -> None:
        assert company == "main"
        self.payouts[payout.payout] = (payout, items)


@dataclass
class Reading:
    """Readings of one stand-in, one after the other."""

    server: StripeApiServer
    folder: Path
    kept: Kept = field(default_factory=Kept)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    marks: dict[str, None] = field(default_factory=dict)
    patient: bool = True

    async def once(self) -> None:
        clock = FakeClock()
        async with api_of(self.server, self.folder, clock) as api:
            reader = reader_of(api, clock, self.publisher)
            payouts = PayoutReader(reader=reader, kept=self.kept, marks=self.marks, patient=self.patient)
            await payouts.read(SPAN)

    @property
    def reasons(self) -> list[str]:
        return [each["reason"] for each in self.publisher.kept]


def fill(server: StripeApiServer, *, amount: int = 3824) -> None:
    """Add a payout of two sales of 19.12 after fees."""
    payout = paid_out(1, amount)
    server.add(PAYOUTS, payout)
    server.add(TRANSACTIONS, sold(1, payout="po_1"), sold(2, payout="po_1"), own_of(payout), sold(3))


async def test_a_payout_is_told_and_kept_with_what_belongs_to_it(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server)
        reading = Reading(server, tmp_path)
        await reading.once()
    payout, items = reading.kept.payouts["po_1"]
    assert payout.amount == sum(item.net for item in items) == Decimal("38.24")
    assert [item.transaction for item in items] == ["txn_1", "txn_2"]
    assert [told.data.fact for told in reading.publisher.events] == ["stripe:payout:po_1"]
    assert reading.reasons == []


async def test_what_is_settled_is_not_asked_for_again(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server)
        reading = Reading(server, tmp_path)
        await reading.once()
        server.calls.clear()
        await reading.once()
    assert server.calls == [PAYOUTS]
    assert len(reading.publisher.events) == 1


async def test_one_that_stays_off_comes_before_a_person_once_and_not_at_the_first_reading(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server, amount=4000)
        reading = Reading(server, tmp_path)
        await reading.once()
        assert reading.reasons == []
        await reading.once()
        await reading.once()
    [letter] = reading.publisher.kept
    assert letter["reason"] == "payout_does_not_add_up"
    assert "payout po_1 add up to 38.24 USD, and 40.00 USD left the balance" in letter["error"]


async def test_one_that_adds_up_at_the_next_reading_troubles_nobody(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server, amount=4000)
        reading = Reading(server, tmp_path)
        await reading.once()
        server.add(TRANSACTIONS, sold(4, amount=200, fee=24, payout="po_1"))
        await reading.once()
        await reading.once()
    assert reading.reasons == []
    assert len(reading.kept.payouts["po_1"][1]) == 3


async def test_who_reads_once_is_told_at_once(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server, amount=4000)
        reading = Reading(server, tmp_path, patient=False)
        await reading.once()
    assert reading.reasons == ["payout_does_not_add_up"]


async def test_a_payout_that_stripe_is_still_putting_together_waits(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(PAYOUTS, paid_out(1, 4000, reconciliation_status="in_progress"))
        reading = Reading(server, tmp_path, patient=False)
        await reading.once()
        await reading.once()
    assert reading.reasons == []
    assert reading.kept.payouts == {}


async def test_a_payout_that_somebody_asked_for_has_no_list_and_is_kept_without(tmp_path: Path) -> None:
    with stripe() as server:
        server.add(PAYOUTS, paid_out(1, 4000, automatic=False))
        reading = Reading(server, tmp_path)
        await reading.once()
    payout, items = reading.kept.payouts["po_1"]
    assert (payout.automatic, items) == (False, ())


async def test_a_payout_on_its_way_is_told_when_it_arrives(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server)
        [payout] = server.rows[PAYOUTS]
        payout["status"] = "in_transit"
        reading = Reading(server, tmp_path)
        await reading.once()
        assert reading.publisher.events == []
        payout["status"] = "paid"
        await reading.once()
    assert [told.data.fact for told in reading.publisher.events] == ["stripe:payout:po_1"]


async def test_a_payout_the_other_way_adds_up_too(tmp_path: Path) -> None:
    with stripe() as server:
        payout = paid_out(1, -512)
        refund = sold(1, amount=-500, fee=12, payout="po_1") | {"type": "adjustment", "source": None}
        server.add(PAYOUTS, payout)
        server.add(TRANSACTIONS, refund, own_of(payout))
        reading = Reading(server, tmp_path, patient=False)
        await reading.once()
    assert reading.reasons == []
    assert reading.kept.payouts["po_1"][0].amount == Decimal("-5.12")


async def test_what_cannot_be_read_of_a_payout_comes_before_a_person(tmp_path: Path) -> None:
    with stripe() as server:
        fill(server)
        server.add(TRANSACTIONS, sold(5, payout="po_1", at=CREATED) | {"net": 1})
        reading = Reading(server, tmp_path)
        await reading.once()
        await reading.once()
    assert reading.reasons == ["does_not_add_up"]
