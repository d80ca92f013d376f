"""What `relay summaries` and `relay trace` show of sales that share an entry."""

from datetime import UTC, date, datetime

import pytest

from ops.showing.desk import show_trace
from ops.showing.summaries import show_summaries

WHEN = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def line(external_id: str, *, summary: str | None, place: int | None) -> dict[str, object]:
    body = {"side": "credit", "role": "income", "account": None, "tax_code": "txr_1", "amount": "20.00", "line": place}
    named = {"external_id": external_id, "day": date(2026, 3, 2), "currency": "USD", "summary": summary}
    return {**named, "lines": [body]}


def test_a_charge_is_followed_to_the_entry_and_the_line_that_holds_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        line("stripe:charge:ch_1:invoice", summary="stripe:summary:2026-03-02:1", place=3),
        line("stripe:charge:ch_2:invoice", summary=None, place=None),
    ]
    show_trace({"writes": [], "stock": [], "summaries": lines, "dead_letters": [], "audit": []}, as_json=False)
    closed, waiting = [text for text in capsys.readouterr().out.splitlines() if "2026-03-02" in text]
    assert "CR income (txr_1) 20.00 USD" in closed
    assert closed.split()[-2:] == ["stripe:summary:2026-03-02:1", "3"]
    assert waiting.rstrip().endswith("still open")


def test_what_waits_and_what_was_made_is_listed_with_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"processor": "stripe", "bucket": "po_1", "listed": True, "facts": 1200, "since": WHEN}
    unlisted = {"processor": "stripe", "bucket": "2026-03-03", "listed": False, "facts": 3, "since": WHEN}
    made = {"external_id": "stripe:summary:po_0:1", "day": date(2026, 3, 1), "facts": 31, "total": "620.00"}
    found = {"company": "main", "entries": "payout", "open": [waiting, unlisted]}
    show_summaries({**found, "closed": [{**made, "currency": "USD", "state": "applied"}]}, as_json=False)
    out = capsys.readouterr().out
    assert "stripe po_1" in out
    assert "1,200" in out
    assert "the entry of its payout" in out
    assert "a payout that lists it" in out
    assert "620.00 USD" in out
    assert "applied" in out
