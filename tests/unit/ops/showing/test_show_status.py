"""`relay status` on a terminal of 80 columns: what is asked first stands there, and no line is broken."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.showing.status import show_overview, show_status

MINT: dict[str, Any] = {
    "rate": 9.8755,
    "share_of_rate": 1.0,
    "minted": 587,
    "lanes": {"live": 300, "batch": 280, "background": 7},
    "settled": {},
    "waiting": {"batch": 16},
    "window_seconds": 60,
    "brake": None,
    "braked_seconds": None,
}
FOUND: dict[str, Any] = {
    "company": "main",
    "problem": None,
    "backlog": {"relay.main.sales": 120, "relay.main.contacts": 0, "relay.main.inventory": 12_000},
    "mint": MINT,
    "brake": None,
    "forecast": {"sales": 25.0, "contacts": 0.0, "inventory": 8_000.0},
    "forecast_seconds": 8_000.0,
    "deadlines": [],
    "summaries_waiting": {"lines": 0, "since": None},
    "writes": {"applied": 12_000, "unknown": 1},
    "dead_letters": {"waiting": 2},
    "cases": {},
    "feeds": {},
    "stopped": {},
}
SHORT: dict[str, Any] = {
    "problem": None,
    "backlog": 120,
    "brake": None,
    "used": 0.987,
    "share_of_rate": 1.0,
    "forecast_seconds": 25.0,
}
ALL: dict[str, Any] = {
    "companies": {
        "north": SHORT,
        "south": {**SHORT, "brake": "closed", "problem": "no key"},
        "west": {**SHORT, "share_of_rate": 0.81},
    },
    "backlog": {"relay.retry.10s": 3, "relay.sales.dlq": 0},
    "dead_letters": {"waiting": 2},
    "cases": {"duplicate_record": 1},
    "feeds": {},
    "stopped": {"webhook stripe": "stripe.secrets_file: secrets: No such file"},
}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def rows(text: str) -> dict[str, str]:
    """First word of each line → the rest of it, spaces squeezed."""
    split = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return {words[0]: " ".join(words[1].split()) for words in split if len(words) == 2}


def test_a_company_shows_queues_with_their_forecast_lanes_and_brake(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(FOUND, as_json=False)
    shown = rows(capsys.readouterr().out)
    assert shown["relay.main.inventory"] == "12,000 2 h 13 min"
    assert "relay.main.contacts" not in shown, "nothing waits there"
    assert (shown["live"], shown["batch"], shown["together"]) == ("300 51% 0", "280 47% 16", "587 99%")
    assert (shown["brake"], shown["rate"]) == ("off", "9.88 calls a second, 593 in 60 s")
    assert "slowed" not in shown
    assert shown["dead"] == "letters 2 waiting; see relay dead list"


@pytest.mark.parametrize("cause", ["closed", "unauthorised", "rate_limited", "unavailable"])
def test_a_pulled_brake_has_its_cause_and_what_to_look_at_on_one_line(
    capsys: pytest.CaptureFixture[str], cause: str
) -> None:
    mint = {**MINT, "brake": cause, "braked_seconds": 30_000, "share_of_rate": 0.81}
    show_status({**FOUND, "brake": cause, "mint": mint}, as_json=False)
    shown = rows(capsys.readouterr().out)
    assert shown["brake"].startswith(f"on for 8 h 20 min, {cause}: ")
    assert "rate" in shown, "the line after it: it was not broken"
    assert shown["slowed"].startswith("to 81%")


def test_a_pay_run_that_somebody_waits_for_has_a_line_with_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    due = {"provider": "gusto", "run": "7", "deadline": datetime(2026, 4, 23, 22, tzinfo=UTC), "why": None}
    late = {**due, "expected": datetime(2026, 4, 23, 22, 5, tzinfo=UTC), "verdict": "late"}
    held = {**due, "run": "8", "expected": None, "verdict": "not known", "why": "period_closed:2026-03"}
    show_status({**FOUND, "deadlines": [late, held]}, as_json=False)
    shown = capsys.readouterr().out
    assert "gusto 7, due 04-23 22:00 UTC: late, expected 04-23 22:05 UTC" in shown
    assert "gusto 8, due 04-23 22:00 UTC: not known: period_closed:2026-03" in shown


def test_without_a_mint_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_status({**FOUND, "mint": None, "brake": "no mint is running", "backlog": {}}, as_json=False)
    shown = capsys.readouterr().out
    assert "no mint is running: is any worker?" in shown
    assert "no queue holds a message" in shown


def test_several_companies_have_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    show_overview(ALL, as_json=False)
    shown = rows(capsys.readouterr().out)
    assert shown["north"] == "120 99% 25 s off"
    assert shown["south"] == "120 99% 25 s closed"
    assert shown["west"] == "120 99% 25 s off, slowed to 81%"
    assert shown["queues"] == "3 relay.retry.10s"


def test_a_webhook_that_waits_for_its_secrets_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_overview(ALL, as_json=False)
    show_status({**FOUND, "stopped": ALL["stopped"]}, as_json=False)
    assert capsys.readouterr().out.count("stopped: webhook stripe") == 2


def test_a_company_of_which_no_mint_tells_has_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    silent = {**SHORT, "used": None, "share_of_rate": None, "brake": "no mint is running", "forecast_seconds": 0}
    show_overview({**ALL, "companies": {"north": silent}}, as_json=False)
    assert rows(capsys.readouterr().out)["north"] == "120 no mint is running"


def test_for_scripts_all_of_it_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(FOUND, as_json=True)
    assert json.loads(capsys.readouterr().out) == FOUND
    show_overview(ALL, as_json=True)
    assert json.loads(capsys.readouterr().out) == ALL
