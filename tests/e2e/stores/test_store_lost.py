"""A store that is lost, and events that come again: what is in the books is not written twice."""

from collections import Counter
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import Process, wait_for
from tests.e2e.driving import Relay, await_said, charge_event, invoice_of, open_relay, payment_of, said

pytestmark = pytest.mark.e2e

NAMES = [f"lost_{number}" for number in range(20)]
WRITTEN = [external_id for name in NAMES for external_id in (invoice_of(name), payment_of(name))]


def test_a_lost_store_posts_nothing_twice_and_asks_once_or_twice_a_kind(
    broker: Broker, tmp_path: Path, company: str
) -> None:
    with open_relay(tmp_path, broker.url, company) as relay:
        _post_and_lose_the_store(relay)
        calls_before = len(relay.simulator.ask("/calls"))
        with relay.worker("second") as second:
            relay.deliver([charge_event(name) for name in (*NAMES, "new")])
            wait_for(lambda: relay.asked("status")["brake"] == "another_store", what="the loss to be noticed")
            assert not [call for call in relay.simulator.ask("/calls")[calls_before:] if call["method"] == "POST"]
            assert relay.command("restored").returncode == 0
            relay.await_records(payment_of("new"))
            _await_applied(relay, len(WRITTEN) + 2)
            wait_for(lambda: _applied_events(second) == len(NAMES) + 1, what="all events to be settled")
        calls = relay.simulator.ask("/calls")[calls_before:]
        counts: Counter[str] = Counter(relay.judge()["by_external_id"])
        assert {external_id: counts[external_id] for external_id in WRITTEN} == dict.fromkeys(WRITTEN, 1)
        sent = [call["external_id"] for call in calls if call["method"] == "POST"]
        assert sorted(sent) == sorted([invoice_of("new"), payment_of("new")])
        reads = Counter(call["path"].rsplit("/", 1)[-1] for call in calls if call["method"] == "GET")
        assert max(reads["invoices"], reads["payments"]) <= 2, "once, and once more after the settle time"


def _post_and_lose_the_store(relay: Relay) -> None:
    """Post twenty sales; the last payment's answer is lost, the worker dies, and the store is gone."""
    with relay.worker("first") as first:
        await_said(first, "worker.consuming")
        relay.deliver([charge_event(name) for name in NAMES[:-1]])
        relay.await_records(*WRITTEN[:-2])
        relay.simulator.switch(hold_answers=1, only="POST /payments", delay_seconds=30)
        relay.deliver([charge_event(NAMES[-1])])
        wait_for(lambda: relay.records(WRITTEN[-1]), what="Solid to have committed")
        first.kill()
    relay.simulator.switch(clear_faults=True)
    for path in relay.stage.folder.glob("relay.db*"):
        path.unlink()


def _await_applied(relay: Relay, writes: int) -> None:
    wait_for(lambda: relay.asked("status")["writes"].get("applied", 0) >= writes, what=f"{writes} writes in the inbox")


def _applied_events(worker: Process) -> int:
    lines = said(worker, "delivery.settled")
    return len({line["event_id"] for line in lines if line["outcome"] == "Applied"})
