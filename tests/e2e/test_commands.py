"""The `relay` command on a running stage: what it prints for scripts, and what it says when something is wrong."""

import json
from pathlib import Path

import httpx2
import pytest

from staging.broker.handshake import free_ports
from staging.processes import PLAIN, wait_for
from tests.e2e.driving import Json, Relay, await_said, books_text, charge_event, invoice_of, payment_of

pytestmark = pytest.mark.e2e


def found(relay: Relay, **settings: str) -> dict[str, tuple[bool, str]]:
    """Run `relay check` and give what was found wrong or right, by what was looked at."""
    done = relay.command("check", "--json", **settings)
    findings: list[Json] = json.loads(done.stdout)
    assert done.returncode == (0 if all(finding["ok"] for finding in findings) else 1)
    return {finding["what"]: (finding["ok"], finding["text"]) for finding in findings}


def test_a_closed_period_is_parked_listed_shown_and_replayed_once_it_is_open(relay: Relay) -> None:
    with relay.worker("closing") as worker:
        await_said(worker, "worker.consuming")
        relay.simulator.switch(closed_through="2026-01-31")
        relay.deliver([charge_event("late")])
        await_said(worker, "delivery.settled")
        [letter] = [each for each in relay.dead_letters() if each["subject"] == "ch_late"]
        assert letter["reason"] == "period_closed:2026-01"
        assert (letter["queue"], letter["attempts"], letter["state"]) == ("relay.sales.dlq", 1, "waiting")
        shown = relay.asked("dead", "show", letter["id"][:12])
        assert json.loads(shown["body"])["data"]["charge"] == "ch_late"
        dry = relay.asked("dead", "replay", letter["id"], "--dry-run")
        assert [(each["id"], each["sent"]) for each in dry] == [(letter["id"], 0)]
        relay.simulator.switch(closed_through=None)
        [result] = relay.asked("dead", "replay", letter["id"][:12])
        assert (result["id"], result["sent"], result["error"]) == (letter["id"], 1, None)
        relay.await_records(payment_of("late"))
    assert len(relay.records(invoice_of("late"))) == 1
    assert [each["id"] for each in relay.asked("dead", "list", "--state", "replayed")].count(letter["id"]) == 1
    traced = relay.asked("trace", "ch_late")
    assert {write["external_id"]: write["state"] for write in traced["writes"]} | {
        invoice_of("late"): "applied",
        payment_of("late"): "applied",
    } == {write["external_id"]: write["state"] for write in traced["writes"]}
    assert [each["state"] for each in traced["dead_letters"]] == ["replayed"]
    assert [act["act"] for act in traced["audit"]] == ["dead_letter.replayed"]


def test_an_account_that_solid_has_not_is_parked_with_the_nearest_name_and_replayed_when_the_books_are_mended(
    relay: Relay, tmp_path: Path
) -> None:
    wrong = tmp_path / "books.toml"
    wrong.write_text(books_text().replace('"Stripe Clearing"', '"Stripe Clering"'))
    with relay.worker("misled", RELAY_BOOKS=str(wrong)) as misled:
        assert "Stripe Clering" in await_said(misled, "books.account_missing")[0]["problem"]
        relay.deliver([charge_event("parked")])
        await_said(misled, "delivery.settled")
    [letter] = relay.dead_letters()
    assert letter["reason"] == "unmapped:account:Stripe Clering"
    assert '"Stripe Clering" is not in Solid\'s chart of accounts; nearest: "Stripe Clearing"' in letter["error"]
    assert relay.records(payment_of("parked")) == []
    with relay.worker("mended"):
        [result] = relay.asked("dead", "replay", "--reason", letter["reason"])
        assert (result["sent"], result["error"]) == (1, None)
        relay.await_records(payment_of("parked"))
    assert len(relay.records(invoice_of("parked"))) == 1
    assert relay.judge()["duplicated"] == []
    assert relay.dead_letters() == []


@pytest.mark.alone
def test_status_says_what_waits_how_fast_it_goes_and_when_it_will_be_done(relay: Relay) -> None:
    def minting() -> Json:
        status = relay.asked("status")
        return status if status["mint"]["minted"] else None

    idle = relay.asked("status")
    relay.deliver([charge_event(f"waiting_{number}") for number in range(30)])
    waiting = relay.asked("status")
    sales = f"relay.{relay.stage.company}.sales"
    assert waiting["backlog"][sales] - idle["backlog"][sales] == 30
    assert waiting["forecast_seconds"] > 0
    with relay.worker("status") as worker:
        await_said(worker, "delivery.settled", times=30)
        busy = wait_for(minting, what="the mint to have told what it minted")
    assert (busy["brake"], busy["backlog"][sales]) == (None, 0)
    assert busy["writes"]["applied"] >= idle["writes"].get("applied", 0) + 60


def test_a_worker_shows_its_metrics_where_it_is_told_to(relay: Relay) -> None:
    port = free_ports(1)[0]
    relay.deliver([charge_event(f"measured_{number}") for number in range(3)])
    with relay.worker("measured", RELAY_METRICS__PORT=str(port)) as worker:
        await_said(worker, "delivery.settled", times=3)
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=10, verify=PLAIN).text
    company = relay.stage.company
    assert f'relay_deliveries_total{{company="{company}",outcome="applied",stream="sales"}} 3.0' in text
    assert f'relay_brake{{cause="unauthorised",company="{company}"}} 0.0' in text
    assert f'relay_writes_in_doubt{{company="{company}"}} 0.0' in text
    assert f'relay_solid_calls_total{{company="{company}",outcome="201"}}' in text


def test_up_shows_the_metrics_of_receiver_and_worker_on_one_page_that_is_not_the_receivers(relay: Relay) -> None:
    public, own = free_ports(2)
    ports = {"RELAY_RECEIVER__PORT": str(public), "RELAY_METRICS__PORT": str(own)}
    both = relay.stage.start("up", "ops.commands.relay", "up", environment=ports)
    try:
        await_said(both, "worker.consuming")
        assert httpx2.get(f"http://127.0.0.1:{public}/metrics", timeout=10, verify=PLAIN).status_code == 404
        text = httpx2.get(f"http://127.0.0.1:{own}/metrics", timeout=10, verify=PLAIN).text
    finally:
        both.stop()
    assert "# TYPE relay_webhook_requests_total counter" in text
    assert f'relay_company_served{{company="{relay.stage.company}"}} 1.0' in text
    assert "relay_process_open_fds" in text


def test_up_goes_on_whatever_is_wrong_with_one_feed_one_webhook_or_one_account(relay: Relay, tmp_path: Path) -> None:
    (good := tmp_path / "good").mkdir()
    bad, later = tmp_path / "nowhere", tmp_path / "shopify_secrets"
    feed = {"source": "stripe", "folder": str(good), "currency": "USD", "quiet_seconds": 0}
    account = {"provider": "finch", "token_file": str(bad), "schedule": "0 7 * * *"}
    wrong = {
        "RELAY_FEEDS": json.dumps({"good": feed, "wrong": {**feed, "source": "strype", "folder": str(bad)}}),
        "RELAY_SHOPIFY__SECRETS_FILE": str(later),
        "RELAY_PAYROLL": json.dumps({"wrong": {**account, "entities": {"e": relay.stage.company}}}),
    }
    port = free_ports(1)[0]
    url = f"http://127.0.0.1:{port}/webhooks/shopify"
    up = relay.stage.start(
        "up-apart", "ops.commands.relay", "up", environment={**wrong, "RELAY_RECEIVER__PORT": str(port)}
    )
    try:
        await_said(up, "worker.consuming")
        await_said(up, "payroll.pull_failed")
        assert [each["feed"] for each in await_said(up, "feed.interrupted")] == ["wrong"]
        assert [each["source"] for each in await_said(up, "webhook.source_stopped")] == ["shopify"]
        assert httpx2.post(url, content=b"{}", timeout=10, verify=PLAIN).status_code == 503
        named = relay.asked("status", **wrong)
        assert named["stopped"].keys() == {"webhook shopify", "payroll wrong"}
        assert {name: bool(each["problem"]) for name, each in named["feeds"].items()} == {"good": False, "wrong": True}
        later.write_text("0123456789abcdef0123456789abcdef")
        assert httpx2.post(url, content=b"{}", timeout=10, verify=PLAIN).status_code == 401
        relay.deliver([charge_event("beside_the_wrong")])
        relay.await_records(payment_of("beside_the_wrong"))
    finally:
        assert up.stop() == 0


def test_an_id_that_is_not_known_is_said_to_be_so(relay: Relay) -> None:
    unknown = relay.command("trace", "ch_never_seen")
    assert (unknown.returncode, unknown.stderr.strip()) == (1, "relay: nothing is known of ch_never_seen")
    letter = relay.command("dead", "show", "ffff0000")
    assert letter.returncode == 1
    assert "no dead letter has the id 'ffff0000'; `relay dead list` shows them" in letter.stderr
    vague = relay.command("dead", "replay")
    assert (vague.returncode, "say which: ids, or --reason REASON, or --all" in vague.stderr) == (2, True)


def test_check_finds_a_sound_configuration_sound_without_posting(relay: Relay) -> None:
    writes = relay.judge()["writes"]
    findings = found(relay)
    assert {what: ok for what, (ok, _) in findings.items() if not ok} == {}
    assert {"bucket", "books", "broker", "store", "solid", "dialect", "accounts"} <= findings.keys()
    assert relay.judge()["writes"] == writes


def test_check_names_a_wrong_account_with_the_nearest(relay: Relay, tmp_path: Path) -> None:
    books = tmp_path / "books.toml"
    books.write_text(books_text().replace('"Checking"', '"Cheking"'))
    ok, text = found(relay, RELAY_BOOKS=str(books))["accounts"]
    assert not ok
    assert '[accounts].bank: "Cheking" is not in Solid\'s chart of accounts; nearest: "Checking"' in text


def test_check_tells_a_key_that_solid_refuses_without_showing_it(relay: Relay) -> None:
    wrong = "w" * 64
    findings = found(relay, RELAY_SOLID__API_KEY=wrong)
    ok, text = findings["solid"]
    assert not ok
    assert "401" in text or "key" in text
    assert wrong not in json.dumps(findings)


def test_check_tells_a_dialect_that_solid_does_not_speak(relay: Relay) -> None:
    ok, text = found(relay, RELAY_SOLID__DIALECT='{"money": "decimal_number"}')["dialect"]
    assert not ok
    assert "money" in text


def test_check_points_out_an_endpoint_for_adjustments_that_is_not_used(relay: Relay) -> None:
    relay.simulator.switch(dialect={"adjustments": "offered"})
    try:
        findings = json.loads(relay.command("check", "--json").stdout)
        named = '{"money": "decimal_string", "paths": {"adjustments": "/inventory-adjustments"}}'
        used = json.loads(relay.command("check", "--json", RELAY_SOLID__DIALECT=named).stdout)
    finally:
        relay.simulator.switch(dialect={"adjustments": "absent"})
    [note, sound] = [finding for finding in findings if finding["what"] == "dialect"]
    assert (note["ok"], note["note"], sound["ok"]) == (True, True, True)
    assert "Solid offers /api/v1/inventory-adjustments: with solid.dialect.paths.adjustments" in note["text"]
    assert [finding["ok"] for finding in used if finding["what"] == "dialect"] == [True]


def test_check_finds_a_wrong_unit_of_money_by_a_known_balance(relay: Relay) -> None:
    right = found(relay, RELAY_SOLID__KNOWN_BALANCE='{"Savings": "0.00"}')
    assert right["known balance"][0] is True, right["known balance"]
    ok, text = found(relay, RELAY_SOLID__KNOWN_BALANCE='{"Savings": "12.50"}')["known balance"]
    assert not ok
    assert '"Savings" should be 12.50 and is 0' in text


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("RELAY_SOLID__DIALECT", "{}", "solid.dialect.money"),
        ("RELAY_SOLID__DIALECT", '{"money": "pennies"}', "solid.dialect.money"),
        ("RELAY_BOOKS", "/nowhere/books.toml", "/nowhere/books.toml: No such file"),
        ("RELAY_BUCKET__BURST", "9000", "burst 9000 leaves no rate"),
        ("RELAY_WORKER__LEASE_SECONDS", "1", "worker.lease_seconds"),
        ("RELAY_BUCKET__BRUST", "9", "bucket.brust"),
    ],
)
def test_a_worker_with_a_wrong_setting_says_which_and_does_not_start(
    relay: Relay, setting: str, value: str, said: str
) -> None:
    done = relay.command("work", **{setting: value})
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
