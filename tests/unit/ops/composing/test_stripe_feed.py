"""Reading Stripe on schedule: from where the last reading ended, and a crash neither loses nor doubles anything."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from messaging.errors import PublishFailed
from messaging.publisher import Encoded
from ops.composing.stripe import StripeFeed
from ops.standing.feeds import feeds
from producers.feeds.passing import Interrupted, Pass, PollRefused, PollUnavailable, Turn, no_progress
from runtime.settings import Settings
from staging.stripe_api import StripeApiServer
from store import migrate
from store.engine import connect
from store.feeds.cursors import Cursors
from store.sales.payouts import Payouts
from tests.fakes import NOON, FakeClock
from tests.unit.producers.made import CREATED, charge
from tests.unit.producers.receiving import FakePublisher
from tests.unit.producers.stripe.api.stand_in import (
    EVENTS,
    PAYOUTS,
    TRANSACTIONS,
    event,
    key_file,
    own_of,
    paid_out,
    sold,
    stripe,
)

MINUTE = 60
BOOKS = 'base_currency = "USD"\n' + resources.files("workers.books").joinpath("sample_books.toml").read_text()


@dataclass
class Feeding:
    """One table of settings that is read again and again, each time by a process of its own."""

    folder: Path
    server: StripeApiServer
    said: dict[str, Any] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    publisher: FakePublisher = field(default_factory=FakePublisher)

    @property
    def settings(self) -> Settings:
        own: dict[str, Any] = {
            "api_key_file": str(key_file(self.folder, self.server.key)),
            "api_base_url": self.server.url,
        }
        own |= {"test_mode": True, "api_calls_per_minute": 60_000}
        books = self.folder / "books.toml"
        books.write_text(BOOKS)
        store = {"url": f"sqlite:///{self.folder / 'relay.db'}"}
        return Settings.model_validate({"stripe": own | self.said, "store": store, "books": str(books)})

    @asynccontextmanager
    async def feed(self) -> AsyncIterator[StripeFeed]:
        settings = self.settings
        engine = connect(settings.store.url.get_secret_value())
        try:
            yield StripeFeed(
                table="stripe",
                settings=settings,
                engine=engine,
                publisher=self.publisher,
                clock=self.clock,
                progress=no_progress,
            )
        finally:
            await engine.dispose()

    async def look(self) -> Pass:
        async with self.feed() as feed:
            return await feed.look(Turn(asyncio.Event(), self.clock, patient=False))

    async def later(self) -> Pass:
        self.clock.advance(15 * MINUTE)
        return await self.look()

    @property
    def told(self) -> list[str]:
        return [each.id for each in self.publisher.events]


@pytest.fixture
def feeding(tmp_path: Path) -> Any:  # noqa: ANN401 - a generator
    migrate.upgrade(f"sqlite:///{tmp_path / 'relay.db'}")
    with stripe() as server:
        yield Feeding(tmp_path, server)


def soon(minutes: int) -> int:
    """A time of Stripe's, minutes from the first reading."""
    return CREATED + minutes * MINUTE


async def test_the_first_reading_begins_when_the_key_is_first_used(feeding: Feeding) -> None:
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(-24 * 60)))
    await feeding.look()
    feeding.server.add(TRANSACTIONS, sold(2, at=soon(5)))
    await feeding.later()
    assert feeding.told == ["txn_2"]


async def test_what_was_settled_is_not_told_again(feeding: Feeding) -> None:
    await feeding.look()
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5)))
    feeding.server.add(EVENTS, event(1, "charge.captured", charge(id="ch_8"), at=soon(6)))
    await feeding.later()
    await feeding.later()
    await feeding.later()
    assert feeding.told == ["txn_1", "evt_1"]


async def test_a_row_that_stripe_lists_late_is_told(feeding: Feeding) -> None:
    await feeding.look()
    await feeding.later()
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5)))
    await feeding.later()
    assert feeding.told == ["txn_1"]


@pytest.mark.parametrize("good_calls", range(4))
async def test_a_reading_that_dies_anywhere_is_repeated_from_its_start(feeding: Feeding, good_calls: int) -> None:
    await feeding.look()
    payout = paid_out(1, 1912, at=soon(7))
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5), payout="po_1"), own_of(payout))
    feeding.server.add(EVENTS, event(1, "charge.captured", charge(id="ch_8"), at=soon(6)))
    feeding.server.add(PAYOUTS, payout)
    feeding.publisher.failure, feeding.publisher.good_calls = PublishFailed("gone"), good_calls
    with pytest.raises(Interrupted):
        await feeding.later()
    feeding.publisher.failure = None
    await feeding.later()
    assert {each.data.fact for each in feeding.publisher.events} == {
        "stripe:charge:ch_1",
        "stripe:charge:ch_8",
        "stripe:payout:po_1",
    }


async def test_a_reading_that_is_told_to_stop_ends_at_once_and_goes_on_where_it_began(feeding: Feeding) -> None:
    await feeding.look()
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5)))
    feeding.clock.advance(15 * MINUTE)
    stop = asyncio.Event()

    class Stopping(FakePublisher):
        async def publish_all(self, messages: Sequence[Encoded]) -> None:
            del messages
            stop.set()
            await asyncio.Event().wait()

    good, feeding.publisher = feeding.publisher, Stopping()
    async with feeding.feed() as feed:
        with pytest.raises(Interrupted, match="stopped"):
            await feed.look(Turn(stop, feeding.clock))
    feeding.publisher = good
    await feeding.later()
    assert feeding.told == ["txn_1"]


async def test_a_key_of_another_account_is_refused_and_nothing_of_it_is_told(feeding: Feeding) -> None:
    await feeding.look()
    feeding.server.account = "acct_other"
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5)))
    with pytest.raises(PollRefused, match="the key is of account acct_other, and acct_standin was read before"):
        await feeding.later()
    assert feeding.told == []


async def test_a_key_whose_account_is_not_among_those_that_are_set_is_refused(feeding: Feeding) -> None:
    feeding.said = {"accounts": {"acct_mine": "main"}}
    with pytest.raises(PollRefused, match=r"account acct_standin, which is not in stripe\.accounts"):
        await feeding.look()


async def test_each_account_is_read_for_its_own_company(feeding: Feeding) -> None:
    feeding.said = {"accounts": {"acct_standin": "main", "acct_1": "second"}}
    feeding.server.of["acct_1"] = {TRANSACTIONS: [sold(2, at=soon(6))]}
    await feeding.look()
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5)))
    await feeding.later()
    assert {(each.id, each.company) for each in feeding.publisher.events} == {("txn_1", "main"), ("txn_2", "second")}


async def test_an_account_that_cannot_be_read_keeps_no_other_from_it(feeding: Feeding) -> None:
    feeding.said = {"accounts": {"acct_gone": "second", "acct_standin": "main"}}
    with pytest.raises(PollRefused):
        await feeding.look()
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5)))
    with pytest.raises(PollRefused, match="acct_gone"):
        await feeding.later()
    assert feeding.told == ["txn_1"]


async def test_payouts_are_kept_with_what_belongs_to_them(feeding: Feeding) -> None:
    await feeding.look()
    payout = paid_out(1, 1912, at=soon(7))
    feeding.server.add(TRANSACTIONS, sold(1, at=soon(5), payout="po_1"), own_of(payout))
    feeding.server.add(PAYOUTS, payout)
    await feeding.later()
    async with feeding.feed() as feed:
        items = await Payouts(feed.engine, feeding.clock).items("main", "po_1")
    assert [item.transaction for item in items] == ["txn_1"]


async def test_an_overload_without_end_is_no_mistake_of_a_person(feeding: Feeding) -> None:
    feeding.server.limited, feeding.server.retry_after = 1000, None
    with pytest.raises(PollUnavailable, match="429"):
        await feeding.look()


async def test_the_status_says_when_stripe_was_read_and_what_keeps_it_from_that(feeding: Feeding) -> None:
    await feeding.look()
    feeding.clock.advance(5 * MINUTE)
    async with feeding.feed() as feed:
        good = await feeds(feeding.settings, feed.engine, feeding.clock)
    feeding.server.forbidden = {TRANSACTIONS}
    with pytest.raises(PollRefused):
        await feeding.later()
    async with feeding.feed() as feed:
        bad = await feeds(feeding.settings, feed.engine, feeding.clock)
    assert good["stripe:read"]["lag_seconds"] == 5 * MINUTE
    assert good["stripe:read"]["problem"] is None
    assert "no right to read this" in bad["stripe:read"]["last"]["error"]


async def test_the_place_of_a_reading_is_no_feeds(feeding: Feeding) -> None:
    await feeding.look()
    async with feeding.feed() as feed:
        cursor = await Cursors(feed.engine, feeding.clock).get("main", "stripe:read")
    assert cursor.value is not None
    assert cursor.updated_at == NOON + timedelta(0)
