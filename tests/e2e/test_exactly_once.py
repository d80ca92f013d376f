"""Each fact is one record in Solid, whatever happens to the processes on the way."""

import random
from collections import Counter

import pytest

from staging.processes import wait_for
from tests.e2e.driving import Relay, await_said, charge_event, invoice_of, payment_of, said

pytestmark = pytest.mark.e2e


def test_a_worker_killed_after_solid_committed_and_before_it_heard_so_leaves_one_invoice(
    relay: Relay,
) -> None:
    invoice = invoice_of("killed")
    with relay.worker("to-be-killed") as doomed:
        await_said(doomed, "worker.consuming")
        relay.simulator.switch(hold_answers=1, only="POST /invoices", delay_seconds=30)
        relay.deliver([charge_event("killed")])
        wait_for(lambda: relay.records(invoice), what="Solid to have committed")
        doomed.kill()
        [call] = [call for call in relay.simulator.ask("/calls") if call["external_id"] == invoice]
        assert call["status"] is None, "the answer was to be held"
        [row] = relay.asked("trace", invoice)["writes"]
        assert (row["state"], row["solid_id"]) == ("intended", None), "the relay was not to know"
    with relay.worker("heir"):
        relay.await_records(payment_of("killed"))
    [record] = relay.records(invoice)
    [row] = relay.asked("trace", invoice)["writes"]
    assert (row["state"], row["solid_id"], row["adopted"]) == ("applied", record["id"], True)
    assert len(relay.records(payment_of("killed"))) == 1
    assert relay.judge()["duplicated"] == []


def test_200_events_sent_five_times_each_through_two_workers_are_one_record_each(relay: Relay) -> None:
    names = [f"five_{number}" for number in range(200)]
    first = [charge_event(name) for name in names] * 3
    second = [charge_event(name) for name in names] * 2
    order = random.Random(5)  # noqa: S311 - an order that can be had again
    order.shuffle(first)
    order.shuffle(second)
    written = [external_id for name in names for external_id in (invoice_of(name), payment_of(name))]
    with relay.worker("one") as one, relay.worker("two") as two:
        relay.deliver(first)
        wait_for(lambda: said(one, "delivery.settled") or said(two, "delivery.settled"), what="a start")
        busy, standby = (one, two) if said(one, "delivery.settled") else (two, one)
        assert busy.stop() == 0
        relay.deliver(second)  # before the wait: the busy one may have settled all of the first
        await_said(standby, "delivery.settled")
        relay.await_records(*written)
        settled = [*said(one, "delivery.settled"), *said(two, "delivery.settled")]
        wait_for(lambda: _waiting(relay) == 0, what="all deliveries to be settled")
    counts: Counter[str] = Counter(relay.judge()["by_external_id"])
    assert {external_id: counts[external_id] for external_id in written} == dict.fromkeys(written, 1)
    # deferred: what met the same fact in the hands of the worker that was still draining
    assert {line["outcome"] for line in settled} <= {"Applied", "Defer"}
    verdict = relay.judge()
    assert verdict["duplicated"] == []
    assert verdict["balanced"] is True


def test_a_worker_told_to_stop_finishes_what_it_holds_and_leaves_nothing_in_doubt(relay: Relay) -> None:
    names = [f"drain_{number}" for number in range(60)]
    relay.deliver([charge_event(name) for name in names])
    relay.simulator.switch(slow_seconds=0.1, count=1000, only="POST")
    with relay.worker("draining") as worker:
        await_said(worker, "delivery.settled")
        assert worker.stop() == 0
    relay.simulator.switch(clear_faults=True)
    states = relay.asked("status")["writes"]
    assert states.keys() == {"applied"}, "nothing is intended or unknown after a drain"
    done = len([name for name in names if relay.records(payment_of(name))])
    assert 0 < done < len(names), "it was to be stopped in the middle"
    with relay.worker("finishing"):
        relay.await_records(*[payment_of(name) for name in names])
    assert relay.judge()["duplicated"] == []


def _waiting(relay: Relay) -> int:
    backlog = relay.asked("status")["backlog"]
    return sum(count or 0 for name, count in backlog.items() if "dlq" not in name)
