"""Nothing that is secret or somebody's own reaches the log, at debug, in either form, whatever fails."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.postgres import PrivatePostgres
from tests.integration.talkative import CANARY, FAR


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_value_and_no_secret_is_in_the_log_at_debug_whatever_fails(
    form: str, broker: Broker, postgres: PrivatePostgres, tmp_path: Path
) -> None:
    database = f"leaks_{form}"
    postgres.sql(f"CREATE DATABASE {database}")
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.talkative", form, broker.url, postgres.url(database), tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = done.stdout + done.stderr
    secrets = [CANARY, str(FAR), "731973", base64.b64encode(f"ida:{CANARY}".encode()).decode().rstrip("=")]
    assert [line[:400] for line in said.splitlines() if any(secret in line for secret in secrets)] == []
    assert "end.reached" in said, "it came to its end"
    for kind in ("Raced", "UniqueViolationError", "CheckViolationError", "Unroutable", "Bug", "ValidationError"):
        assert kind in said
    assert done.returncode == 1
    if form == "json":
        events = [json.loads(line)["event"] for line in said.splitlines()]
        assert {"thread.failed", "cleanup.failed", "process.failed", "library.said", "log.line_lost"} <= {*events}
