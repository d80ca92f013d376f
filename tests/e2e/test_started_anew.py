"""The roles as their users start them: a new interpreter each, which imports what it needs by itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from staging.broker.handshake import free_ports
from staging.processes import launched
from tests.e2e.driving import Relay, await_said

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (("work",), "worker.consuming"),
        (("up",), "worker.consuming"),
        (("feed",), "feed.settled"),
        (("payroll",), "payroll.pull_failed"),
    ],
    ids=" ".join,
)
@pytest.mark.long
def test_a_role_starts_works_and_stops(relay: Relay, tmp_path: Path, command: tuple[str, ...], event: str) -> None:
    (tmp_path / "counts.csv").write_text("id,item,quantity,reason\n1,MUG,1,found\n")
    feed = {"source": "warehouse-csv", "folder": str(tmp_path), "quiet_seconds": 0, "options": {"kind": "adjusted"}}
    account = {"provider": "finch", "token_file": str(tmp_path / "none"), "schedule": "0 7 * * *"}
    settings = {
        "RELAY_RECEIVER__PORT": str(free_ports(1)[0]),
        "RELAY_FEEDS": json.dumps({"counts": feed}),
        "RELAY_PAYROLL": json.dumps({"wrong": {**account, "entities": {"e": relay.stage.company}}}),
    }
    anew = replace(relay.stage, starter=launched, processes=[])
    role = anew.start("-".join(command), "ops.commands.relay", *command, environment=settings)
    try:
        await_said(role, event)
    finally:
        code = role.stop()
    assert code == 0, role.log.read_text()
