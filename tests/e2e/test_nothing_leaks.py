"""The processes of a relay at debug: nothing that a customer is called, and no secret, is in what they say."""

import secrets
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import SIMULATOR_KEY, STRIPE_SECRET
from tests.e2e.driving import charge_event, open_relay, payment_of, signature

pytestmark = pytest.mark.e2e

CANARY = "canary7319"


def test_no_customer_and_no_secret_is_in_the_log_of_any_process_at_debug(broker: Broker, tmp_path: Path) -> None:
    person = {"name": f"Ida {CANARY}", "email": f"ida@{CANARY}.example"}
    about = {"billing_details": person, "description": CANARY, "metadata": {"note": CANARY}}
    company = f"e{secrets.token_hex(4)}"
    with (
        open_relay(tmp_path, broker.url, company, RELAY_LOG__LEVEL="debug") as relay,
        relay.worker(RELAY_LOG__FORMAT="console") as shown,
        relay.worker("in-json") as worker,
    ):
        relay.deliver([charge_event("good", **about), charge_event("foreign", currency="eur", **about)])
        assert relay.send(charge_event("unreadable", amount=CANARY, **about)).status_code == 200
        garbled = f"no JSON {CANARY}".encode()
        assert {relay.send(garbled).status_code, relay.send(garbled, f"t=1,v1={CANARY}").status_code} == {200, 401}
        assert relay.send(garbled, signature(garbled, secret=f"whsec_{CANARY}{CANARY}")).status_code == 401
        relay.await_records(payment_of("good"))
        relay.simulator.switch(open=False)
        relay.deliver([charge_event("waits", **about)])
        commands = [relay.command(*words) for words in (["dead", "list"], ["check"])]
        relay.simulator.switch(open=True)
        relay.await_records(payment_of("waits"))
    logs = {path.name: path.read_text() for path in tmp_path.glob("**/*.log") if "simulator" not in path.name}
    logs |= {f"relay {number}": done.stderr for number, done in enumerate(commands)}
    hidden = (CANARY, SIMULATOR_KEY, STRIPE_SECRET, "guest:guest")
    told = {
        name: [line for line in text.splitlines() if any(each in line for each in hidden)]
        for name, text in logs.items()
    }
    assert {name: lines for name, lines in told.items() if lines} == {}
    assert "delivery.settled" in shown.log.read_text() + worker.log.read_text()
