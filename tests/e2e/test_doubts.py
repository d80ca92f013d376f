"""Where no look-up can tell, a person does: held, found or absent, and then in the books once."""

import json

import pytest

from staging.processes import wait_for
from tests.e2e.driving import Json, Relay, await_said, charge_event, payment_of

pytestmark = pytest.mark.e2e

HOLDING = {"money": "decimal_string", "lookups": {"payments": {"by": "hold"}}}


def _letter(relay: Relay, subject: str) -> Json:
    return next((each for each in relay.dead_letters() if each["subject"] == subject), None)


def _held(relay: Relay, name: str, **fault: object) -> Json:
    """A sale whose payment got no answer, on a dialect that holds payments for a person."""
    with relay.worker(f"holding-{name}", RELAY_SOLID__DIALECT=json.dumps(HOLDING)) as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(only="POST /payments", **fault)
        relay.deliver([charge_event(name)])
        return wait_for(lambda: _letter(relay, f"ch_{name}"), what="a letter")


def test_a_payment_that_a_person_found_is_adopted_and_not_sent_again(relay: Relay) -> None:
    letter = _held(relay, "found", lose_answers=1)
    assert letter["reason"] == "held"
    assert payment_of("found") in {row["external_id"] for row in relay.asked("doubts", "list")}
    [record] = relay.records(payment_of("found"))
    done = relay.command("doubts", "found", payment_of("found"), record["id"])
    assert done.returncode == 0, done.stderr
    with relay.worker("adopting"):
        relay.asked("dead", "replay", letter["id"])
        wait_for(lambda: _state(relay, "found") == "applied", what="the payment to be applied")
    assert len(relay.records(payment_of("found"))) == 1
    assert [act["act"] for act in relay.asked("trace", "ch_found")["audit"]] == ["dead_letter.replayed"]


def test_a_payment_that_a_person_did_not_find_is_sent_once(relay: Relay) -> None:
    letter = _held(relay, "absent", errors=1, status=500)
    assert relay.records(payment_of("absent")) == []
    done = relay.command("doubts", "absent", payment_of("absent"))
    assert done.returncode == 0, done.stderr
    with relay.worker("sending"):
        relay.asked("dead", "replay", letter["id"])
        relay.await_records(payment_of("absent"))
    assert len(relay.records(payment_of("absent"))) == 1


def test_a_word_about_a_write_that_needs_none_is_refused(relay: Relay) -> None:
    with relay.worker("plain"):
        relay.deliver([charge_event("plain")])
        relay.await_records(payment_of("plain"))
        wait_for(lambda: _state(relay, "plain") == "applied", what="the payment to be applied")
    for arguments in (("absent", payment_of("plain")), ("found", "stripe:charge:ch_nobody:payment", "x")):
        done = relay.command("doubts", *arguments)
        assert done.returncode == 1
        assert "relay doubts list" in done.stderr or "relay trace" in done.stderr


def _state(relay: Relay, name: str) -> str | None:
    writes = relay.command("trace", payment_of(name), "--json").stdout or '{"writes": []}'
    return next((row["state"] for row in json.loads(writes)["writes"]), None)
