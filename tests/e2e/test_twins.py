"""A call that Solid did twice: the answer came, nothing was in doubt, and the twin becomes a case all the same."""

import pytest

from ops.processes import wait_for
from tests.e2e.driving import Relay, await_said, charge_event, payment_of

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


def test_a_record_that_a_proxy_made_twice_becomes_a_case(relay: Relay) -> None:
    with relay.worker("twins", RELAY_WORKER__SWEEP_AFTER_SECONDS="1") as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(commit_twice=1, only="POST /payments")
        relay.deliver([charge_event("once"), charge_event("twice")])
        try:
            cases = wait_for(lambda: relay.asked("cases", "list"), what="a case")
        finally:
            print("\n".join(worker.lines()[-60:]) if hasattr(worker, "lines") else worker.log.read_text()[-6000:])
    [twin] = [name for name in (payment_of("once"), payment_of("twice")) if len(relay.records(name)) == 2]
    assert [(case["kind"], case["subject"]) for case in cases] == [("duplicate_record", twin)]
    assert {record["id"] for record in relay.records(twin)} == set(cases[0]["detail"]["found"])
