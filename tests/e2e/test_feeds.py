"""`relay up` with a folder and no webhook: files are read, and `relay status` and `relay check` tell of them."""

import json
import secrets
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import stage, wait_for
from tests.e2e.driving import QUICK, Relay, books_text
from tests.forking import Forked

pytestmark = pytest.mark.e2e

ROWS = "document,day,sku,qty,reason\nA-1,2026-03-02,SKU-1,-1,damage\nA-2,2026-03-02,SKU-2,many,damage\n"


def test_a_relay_of_feeds_alone_reads_them_and_tells_of_them(broker: Broker, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    feed = {
        "source": "warehouse-csv",
        "folder": str(folder),
        "quiet_seconds": 0,
        "every_seconds": 0.2,
        "options": {"kind": "adjusted", "columns": {"id": "document", "item": "sku", "quantity": "qty"}},
    }
    settings = {**QUICK, "RELAY_FEEDS": json.dumps({"north": feed}), "RELAY_STRIPE__SECRETS": "[]"}
    with stage(tmp_path / "stage", broker.url, Forked, company=f"e{secrets.token_hex(4)}", **settings) as on:
        (on.folder / "books.toml").write_text(books_text())
        relay = Relay(on, on.start_simulator("--allowance", "3000", "--window-seconds", "6"), "")
        up = on.start("up", "ops.commands.relay", "up")
        (folder / "a.csv").write_text(ROWS)
        wait_for((on.folder / "feeds" / "north" / "failed" / "a.csv").exists, what="the file to be read")
        north = wait_for(lambda: relay.asked("status")["feeds"]["north"]["last"], what="the status to know of it")
        assert (north["name"], north["rows"], north["events"], north["rejects"]) == ("a.csv", 2, 1, 1)
        assert "a.csv, failed" in relay.command("status").stdout
        findings = json.loads(relay.command("check", "--json").stdout)
        assert [each["ok"] for each in findings if each["what"] == "feed north"] == [True]
        assert up.stop() == 0, up.log.read_text()
        assert list((on.folder / "feeds" / "north" / "work").iterdir()) == []
