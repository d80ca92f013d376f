"""Solid closed, its key revoked, the broker gone: the relay waits, loses nothing, and goes on by itself.

The workers have a single attempt and a single deferral: whatever used one more would be a dead letter.
"""

import secrets
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import SIMULATOR_KEY, wait_for
from tests.e2e.driving import Relay, await_said, charge_event, open_relay, payment_of, said

pytestmark = pytest.mark.e2e

ONE_TRY = {"RELAY_WORKER__MAX_ATTEMPTS": "1", "RELAY_WORKER__MAX_DEFERRALS": "1", "RELAY_WORKER__HOLD_SECONDS": "1"}
NEW_KEY = "n" * 64


def names_of(what: str, count: int = 20) -> list[str]:
    return [f"{what}_{number}" for number in range(count)]


def refusals(relay: Relay) -> int:
    """How many calls Solid has refused for their key."""
    return sum(call["status"] == 401 for call in relay.simulator.ask("/calls"))


def test_solid_closed_for_a_while_uses_no_attempt_and_makes_no_dead_letter(relay: Relay) -> None:
    names = names_of("closed")
    with relay.worker("patient", **ONE_TRY) as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(open=False)
        try:
            relay.deliver([charge_event(name) for name in names])
            await_said(worker, "worker.stopped_consuming")
            wait_for(lambda: relay.asked("status")["brake"] == "closed", what="the brake to be told")
        finally:
            relay.simulator.switch(open=True)
        relay.await_records(*[payment_of(name) for name in names])
        assert worker.popen.poll() is None
    assert relay.dead_letters() == []
    assert {line["attempt"] for line in said(worker, "delivery.settled")} == {1}
    assert relay.judge()["duplicated"] == []


def test_solid_closed_in_the_middle_of_calls_leaves_each_record_once(relay: Relay) -> None:
    names = names_of("cut", 40)
    with relay.worker("interrupted") as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(slow_seconds=0.2, count=1000, only="POST")
        relay.deliver([charge_event(name) for name in names])
        wait_for(lambda: relay.records(payment_of(names[0])), what="the work to be under way")
        relay.simulator.switch(clear_faults=True, close_for_seconds=1.5)
        relay.await_records(*[payment_of(name) for name in names], within_seconds=60)
    assert relay.dead_letters() == []
    assert relay.judge()["duplicated"] == []


@pytest.mark.alone
def test_a_revoked_key_stops_the_work_and_a_new_one_in_the_key_file_resumes_it_without_a_restart(
    relay: Relay, tmp_path: Path
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(SIMULATOR_KEY)
    names = names_of("revoked")
    with relay.worker("keyed", **ONE_TRY, RELAY_SOLID__API_KEY_FILE=str(key_file)) as worker:
        relay.deliver([charge_event("before_revocation")])
        relay.await_records(payment_of("before_revocation"))
        relay.simulator.switch(revoke_key=True)
        try:
            relay.deliver([charge_event(name) for name in names])
            wait_for(lambda: refusals(relay) >= 4, what="probes to be refused")
            wait_for(lambda: relay.asked("status")["brake"] == "unauthorised", what="the brake to be told")
            assert relay.dead_letters() == []
            assert refusals(relay) < 16 + len(names), "what was in hand, and then single probes"
            relay.simulator.switch(key=NEW_KEY)
            key_file.write_text(NEW_KEY + "\n")
            relay.await_records(*[payment_of(name) for name in names])
        finally:
            relay.simulator.switch(key=SIMULATOR_KEY)
        assert worker.popen.poll() is None, "the same process goes on"
        wait_for(lambda: relay.asked("status")["writes"].keys() == {"applied"}, what="every answer to be kept")
    assert relay.dead_letters() == []


@pytest.mark.long
def test_while_the_broker_is_stopped_senders_are_asked_to_come_again_and_afterwards_all_arrives_once(
    own_broker: Broker, tmp_path: Path
) -> None:
    accepted, refused = names_of("accepted", 30), names_of("refused", 3)
    with open_relay(tmp_path, own_broker.url, f"b{secrets.token_hex(4)}") as relay, relay.worker() as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(slow_seconds=0.2, count=1000, only="POST")
        relay.deliver([charge_event(name) for name in accepted])
        wait_for(lambda: relay.records(payment_of(accepted[0])), what="the work to be under way")
        own_broker.halt()
        answers = [relay.send(charge_event(name)) for name in refused]
        assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers] == [(503, "30")] * 3
        relay.simulator.switch(clear_faults=True)
        assert relay.judge()["writes"] < 2 * len(accepted), "some were to be left"
        own_broker.start()
        wait_for(
            lambda: [relay.send(charge_event(name)).status_code for name in refused] == [200] * 3,
            what="the receiver to publish again",
        )
        relay.await_records(*[payment_of(name) for name in (*accepted, *refused)], within_seconds=60)
        verdict = relay.judge()
        assert verdict["duplicated"] == []
        assert verdict["writes"] == 1 + 2 * len([*accepted, *refused])
        assert relay.dead_letters() == []
        assert worker.popen.poll() is None
