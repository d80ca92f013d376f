"""A call that Solid did twice: the answer came, nothing was in doubt, and the twin becomes a case all the same."""

import pytest

from staging.processes import wait_for
from tests.e2e.driving import Relay, await_said, charge_event, invoice_of

pytestmark = pytest.mark.e2e


def test_a_record_that_a_proxy_made_twice_becomes_a_case(relay: Relay) -> None:
    with relay.worker("twins", RELAY_WORKER__SWEEP_AFTER_SECONDS="1") as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(commit_twice=1, only="POST /invoices")
        relay.deliver([charge_event("once"), charge_event("twice")])
        cases = wait_for(lambda: relay.asked("cases", "list"), what="a case")
    [twin] = [name for name in (invoice_of("once"), invoice_of("twice")) if len(relay.records(name)) == 2]
    assert [(case["kind"], case["subject"]) for case in cases] == [("duplicate_record", twin)]
    assert {record["id"] for record in relay.records(twin)} == set(cases[0]["detail"]["found"])
