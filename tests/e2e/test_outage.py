"""Solid is closed with thousands of events waiting: nothing is used up, nothing is lost, nothing waits for long after.

Time is scaled by 15: a minute is four seconds, and the allowance is one that two shared cores can take. The test plays
until the full rate is proven and then shows where each of the 5,000 events is: in the books, before a person, or in
its queue on its first attempt. `make nightly` (OUTAGE_TO_THE_END=1) plays until the queue is empty.
"""

import asyncio
import os
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from messaging import headers as h
from messaging.drain import backlog
from messaging.publisher import Publisher, event_key
from messaging.topology import routing_key, stream_queue
from runtime.settings import BucketSettings
from schemas.envelope import Event, encode
from schemas.sales import Customer
from simulator.service.limits import worst_window
from staging.broker import Broker
from staging.processes import Process, wait_for
from tests.e2e.driving import Relay, await_said, open_relay, said
from tests.integration.wiring import CLOCK, linked
from tests.unit.producers.made import charge, only_event, payout, refund, stripe_event

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TO_THE_END: Final = os.environ.get("OUTAGE_TO_THE_END", "") == "1"
EVENTS: Final = 5_000
POISON: Final = 50
PLAYED: Final = 200
"""Where the test does not play to the end, the poison is among so many events at the head of the queue."""

MINUTE: Final = 4.0
"""Seconds of this test."""

HOLD: Final = MINUTE
FULL: Final = 0.75
"""Of the full rate: about all of it on a machine of one's own, less where other processes make the mint come late."""

SLACK: Final = 2.0
"""Seconds that a machine with two shared cores may take for what takes none."""

PACE: Final = BucketSettings(allowance=120, window_seconds=MINUTE, burst=5, jitter_seconds=0.1)
SETTINGS: Final = {
    "RELAY_BUCKET__ALLOWANCE": str(PACE.allowance),
    "RELAY_BUCKET__WINDOW_SECONDS": str(PACE.window_seconds),
    "RELAY_BUCKET__BURST": str(PACE.burst),
    "RELAY_BUCKET__JITTER_SECONDS": str(PACE.jitter_seconds),
    "RELAY_BUCKET__PROBE_GAP_SECONDS": str(MINUTE / 60),
    "RELAY_BUCKET__LONGEST_PROBE_GAP_SECONDS": str(MINUTE / 2),
    "RELAY_WORKER__HOLD_SECONDS": str(HOLD),
    "RELAY_WORKER__PREFETCH": "32",
    "RELAY_SOLID__DIALECT": '{"money": "decimal_string", "refusal_codes": ["VALIDATION_ERROR"]}',
}
"""The gaps between probes are those of earnest, scaled: 1 s at first and 30 s at most.

The refusal among the poison is one that the dialect knows: every other would be looked up first, a settle time later.
"""


@pytest.mark.alone
@pytest.mark.nightly
def test_five_thousand_events_outlast_a_closed_solid_and_only_the_poison_among_them_is_isolated(
    broker: Broker, tmp_path: Path
) -> None:
    company = f"o{secrets.token_hex(4)}"
    warm, waiting = _payouts(company, "warm", 40), _mixture(company)
    with open_relay(tmp_path, broker.url, company, **SETTINGS) as relay:
        relay.books.write_text(_books(relay))
        with relay.worker() as worker, watching(broker.url, company) as watch:
            _publish(broker.url, company, warm)
            relay.await_records(*(_record_of(event) for event in warm))
            relay.simulator.switch(open=False)
            begun = time.monotonic()
            _publish(broker.url, company, [*waiting.good, *waiting.poison], order=waiting.order)
            published = (begun, time.monotonic())
            _stay_closed(worker, watch)
            isolated = _letters(relay)
            assert isolated <= waiting.letters(), "dead for no fault of its own"
            assert watch.ready == EVENTS - isolated.total(), "all the rest waits in its queue, in nobody's hands"
            reopened = time.monotonic()
            relay.simulator.switch(open=True)
            _play_on(relay, watch, reopened)
            assert worker.stop() == 0
        _judge_holds(watch, published, reopened)
        assert {(line["attempt"], line["deferred"]) for line in said(worker, "delivery.settled")} == {(1, 0)}
        _judge_where_each_is(relay, broker.url, waiting)
        _judge_rate(relay, reopened)


def test_a_single_delivery_in_hand_when_solid_closes_is_given_back_in_time(broker: Broker, tmp_path: Path) -> None:
    """It is served by each probe, and so never waits for a token for long."""
    company = f"o{secrets.token_hex(4)}"
    settings = {**SETTINGS, "RELAY_WORKER__DRAIN_SECONDS": "1"}
    with open_relay(tmp_path, broker.url, company, **settings) as relay, relay.worker() as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(open=False)
        with watching(broker.url, company) as watch:
            _publish(broker.url, company, _payouts(company, "single", 1))
            await_said(worker, "worker.stopped_consuming", within_seconds=HOLD + SLACK)
            wait_for(lambda: watch.ready == 1, what="the delivery to be in its queue", within_seconds=SLACK)


Letter = tuple[str | None, str]
"""The event's id, which one that cannot be decoded has not, and the reason."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What waits, and the reason that each of the poison must be isolated for; both in the order of `order`."""

    good: tuple[Event, ...]
    poison: tuple[Event, ...]
    reasons: dict[str, str]
    order: tuple[int, ...]

    def letters(self, *, but: Collection[str] = ()) -> Counter[Letter]:
        """Give the dead letters there must be: of all poison but these."""
        dead = ((evt, reason) for evt, reason in self.reasons.items() if evt not in but)
        return Counter((None if reason == "undecodable" else evt, reason) for evt, reason in dead)


def _payouts(company: str, name: str, count: int) -> list[Event]:
    """Events of one record each."""
    return [_event(company, "payout.paid", payout(id=f"po_{name}_{n}"), f"evt_{name}_{n}") for n in range(count)]


def _mixture(company: str) -> Mixture:
    """Payouts and some sales, and four kinds of poison among them: two of them need no Solid to be found out."""
    sales = (EVENTS - POISON) // 20
    good = _payouts(company, "good", EVENTS - POISON - sales)
    good += [_event(company, "charge.succeeded", charge(id=f"ch_{n}"), f"evt_sale_{n}") for n in range(sales)]
    poison: list[Event] = []
    reasons: dict[str, str] = {}
    for number in range(POISON):
        event, reason = _poison(company, number)
        poison.append(event)
        reasons[event.id] = reason
    chance = random.Random(5)  # noqa: S311 - an order that can be had again
    order = list(range(len(good)))
    chance.shuffle(order)
    gap = (EVENTS if TO_THE_END else PLAYED) // POISON
    for number in range(POISON):
        order.insert(number * gap + chance.randrange(gap), len(good) + number)
    return Mixture(tuple(good), tuple(poison), reasons, tuple(order))


def _poison(company: str, number: int) -> tuple[Event, str]:
    """Make one that can never be booked."""
    evt = f"evt_poison_{number}"
    match number % 4:
        case 0:
            yen = payout(id=f"po_yen_{number}", currency="jpy")
            return _event(company, "payout.paid", yen, evt), "unmapped:currency:JPY"
        case 1:
            event = _event(company, "payout.paid", payout(id=f"po_odd_{number}"), evt)
            return event.model_copy(update={"datacontenttype": "text/plain"}), "undecodable"
        case 2:
            alone = refund(number, charge=None)
            return _event(company, "refund.created", alone, evt), "unmapped:account:Nowhere"
        case _:
            event = _event(company, "charge.succeeded", charge(id=f"ch_blank_{number}"), evt)
            blank = {"customer": Customer(id=f"cus_blank_{number}", name=" ")}
            return event.model_copy(update={"data": event.data.model_copy(update=blank)}), "refused:VALIDATION_ERROR"


def _event(company: str, kind: str, thing: dict[str, object], evt: str) -> Event:
    return only_event(stripe_event(kind, thing, id=evt)).model_copy(update={"company": company})


def _record_of(event: Event) -> str:
    """Give the record that shows that a payout or a sale is booked in whole."""
    return event.data.fact if event.type.startswith("sales.payout") else f"{event.data.fact}:payment"


def _books(relay: Relay) -> str:
    """Give books in which refunds go to an account that Solid has not."""
    return relay.books.read_text().replace('sales_returns = "Sales Returns"', 'sales_returns = "Nowhere"')


def _publish(url: str, company: str, events: Sequence[Event], *, order: Iterable[int] | None = None) -> None:
    """Straight to the broker, confirmed, in this order more or less."""

    async def publish() -> None:
        async with linked(url, "outage") as link:
            publisher = Publisher(link, clock=CLOCK, companies=[company], retry_delays=[0.25, 1])
            rest = iter(events if order is None else (events[index] for index in order))

            async def some() -> None:
                for event in rest:
                    key, headers = routing_key(company, event.type), {h.PARTITION: event.partitionkey}
                    await publisher.publish_raw(encode(event), key=key, message_id=event_key(event), headers=headers)

            await asyncio.gather(*(some() for _ in range(64)))

    asyncio.run(publish())


@dataclass(slots=True)
class Watch:
    """How many messages lie in the queue and in nobody's hands, as the broker says, ten times a second."""

    samples: list[tuple[float, int]] = field(default_factory=list)

    @property
    def ready(self) -> int:
        """The latest count."""
        return self.samples[-1][1] if self.samples else -1


@contextmanager
def watching(url: str, company: str) -> Iterator[Watch]:
    """Watch a company's sales for the length of a block."""
    watch, stop = Watch(), threading.Event()
    queue = stream_queue(company, "sales")

    async def look() -> None:
        async with linked(url, "watch") as link:
            while not stop.is_set():
                at = time.monotonic()
                count = (await backlog(link, (queue,)))[queue]
                watch.samples.append((at, count or 0))
                await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(look()))
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join()


def _stay_closed(worker: Process, watch: Watch) -> None:
    """Wait until the worker has given everything back, and two more minutes of an idle night."""
    await_said(worker, "worker.stopped_consuming", within_seconds=HOLD + SLACK)
    dawn = time.monotonic() + 2 * MINUTE
    wait_for(lambda: watch.samples[-1][0] > dawn, what="a night to pass", within_seconds=3 * MINUTE)


def _play_on(relay: Relay, watch: Watch, reopened: float) -> None:
    """Wait for the second minute after the opening to be over, or for the end of all work."""
    enough = reopened + 2 * MINUTE
    wait_for(lambda: watch.samples[-1][0] > enough, what="two minutes of work", within_seconds=3 * MINUTE)
    if TO_THE_END:
        queue = stream_queue(relay.stage.company, "sales")
        wait_for(
            lambda: relay.asked("status")["backlog"][queue] == 0 and _calls_rest(relay),
            what="the queue to be empty",
            within_seconds=400,
        )


def _calls_rest(relay: Relay) -> bool:
    last: float = max(call["monotonic"] for call in relay.simulator.ask("/calls"))
    return time.monotonic() - last > SLACK


def _judge_holds(watch: Watch, published: tuple[float, float], reopened: float) -> None:
    """Once the first of them has been held for as long as is allowed, nobody holds any until Solid is back."""
    begun, done = published
    idle = [ready for at, ready in watch.samples if max(begun + HOLD + SLACK, done + 0.5) < at < reopened]
    assert len(idle) > 20, "there was a night to watch"
    assert len(set(idle)) == 1, "a delivery was taken in the middle of the night"


def _judge_rate(relay: Relay, reopened: float) -> None:
    """Within a minute of the opening the full rate is reached, and no window ever held too many calls."""
    times = [call["monotonic"] for call in relay.simulator.ask("/calls")]
    second = [at for at in times if reopened + MINUTE <= at < reopened + 2 * MINUTE]
    used = len(second) / (PACE.rate * MINUTE)
    assert used >= FULL, f"{used:.0%} of the full rate in the second minute after the opening"
    assert worst_window(times, PACE.window_seconds) <= PACE.allowance


def _judge_where_each_is(relay: Relay, url: str, mixture: Mixture) -> None:
    """Each event is at exactly one place, and each place is the right one; what still waits has lost nothing."""
    company = relay.stage.company
    left = _left_in_queue(url, company)
    verdict = relay.judge()
    assert {(attempt, deferred) for attempt, deferred in left.values()} <= {(1, 0)}
    assert _letters(relay) == mixture.letters(but=left)
    booked = [*_payouts(company, "warm", 40), *(event for event in mixture.good if event.id not in left)]
    assert verdict["by_external_id"] == _records_of(booked)
    assert (verdict["duplicated"], verdict["balanced"]) == ([], True)
    assert (left == {}) if TO_THE_END else left, "all was to be played" if TO_THE_END else "more was to be waiting"


def _records_of(events: Iterable[Event]) -> dict[str, int]:
    """Give every record that the events leave, each once."""
    records: dict[str, int] = {}
    for event in events:
        fact = event.data.fact
        if event.type.startswith("sales.payout"):
            records[fact] = 1
        else:
            records |= {"stripe:walk-in": 1, f"{fact}:invoice": 1, f"{fact}:payment": 1}
    return records


def _letters(relay: Relay) -> Counter[Letter]:
    company = f"{relay.stage.company}."
    letters = [letter for letter in relay.asked("dead", "list") if letter["routing_key"].startswith(company)]
    return Counter((letter["event_id"], letter["reason"]) for letter in letters)


def _left_in_queue(url: str, company: str) -> dict[str, tuple[int, int]]:
    """Read the queue without settling anything: event id → attempt and deferrals."""

    async def read() -> dict[str, tuple[int, int]]:
        left: dict[str, tuple[int, int]] = {}
        queue_name = stream_queue(company, "sales")
        async with linked(url, "reading") as link:
            expected = (await backlog(link, (queue_name,)))[queue_name] or 0
            channel = await link.channel(prefetch=10_000)  # 0 would mean 2,000 for a quorum queue
            queue = await channel.get_queue(queue_name, ensure=False)
            async with asyncio.timeout(30), queue.iterator() as messages:
                while len(left) < expected:
                    message = await anext(messages)
                    evt = str(message.message_id).rpartition("#")[2]
                    assert evt not in left, f"{evt} is in the queue twice"
                    left[evt] = (h.count(message.headers, h.ATTEMPT, 1), h.count(message.headers, h.DEFERRED, 0))
            await channel.close()
        return left

    return asyncio.run(read())
