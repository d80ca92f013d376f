"""The years of what events say: bounded once, for the events of every source."""

import json
import re
from pathlib import Path

import pytest

from schemas.envelope import decode
from schemas.errors import InvalidEvent

GOLDEN = sorted((Path(__file__).parents[2] / "contract" / "golden").glob("*.json"))
DATE = re.compile(r'"([a-z_]+)":\s*"(\d{4}-\d\d-\d\d)((?:T[^"]*)?)"')
UNBOUNDED = {"expires"}
"""A lot that never expires says so with a day that is far away, and nothing is booked on it."""

MADE_BY_OURSELVES = ("inventory.stock.merged", "sales.summary.closed")
"""What was recorded is booked, whenever it says that it was."""


def with_dates(day: str) -> list[tuple[str, bytes]]:
    """Each golden event once for each of its dates, with another one there."""
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in GOLDEN]
    return [
        (date[1], f"{text[: date.start(2)]}{day}{text[date.end(2) :]}".encode())
        for name, text in texts
        for date in DATE.finditer(text)
        if date[1] not in UNBOUNDED and (date[1] == "time" or not name.startswith(MADE_BY_OURSELVES))
    ]


@pytest.mark.parametrize("day", ["9999-12-31", "2100-01-01", "1999-12-31", "0001-01-01"])
def test_a_date_outside_of_the_years_of_events_is_refused_wherever_it_stands(day: str) -> None:
    cases = with_dates(day)
    assert {name for name, _ in cases} >= {"time", "day", "pay_date", "arrival_date", "due", "period_end", "deadline"}
    for name, raw in cases:
        with pytest.raises(InvalidEvent, match=r"from 2000 to 2099|RFC 3339") as refused:
            decode(raw)
        assert (refused.value.field or "").rpartition(".")[2] == name


@pytest.mark.parametrize("day", ["2000-01-02", "2099-12-30"])
def test_a_date_within_them_is_read(day: str) -> None:
    for _, raw in with_dates(day):
        assert decode(raw).time.year in range(2000, 2100)


def test_a_lot_that_never_expires_is_received() -> None:
    event = json.loads((GOLDEN[0].parent / "inventory.receipt.posted.v1.json").read_bytes())
    event["data"]["lines"][0]["expires"] = "9999-12-31"
    assert decode(json.dumps(event).encode()).subject == event["subject"]
