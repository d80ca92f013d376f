"""How `relay summaries` prints, and the lines of summaries in `relay trace`. It decides nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from ops.showing.terminal import Rows, show, show_json


def show_summaries(found: Mapping[str, Any], *, as_json: bool) -> None:
    """What waits, then the entries that were made last."""
    if as_json:
        show_json(found)
        return
    show(f"company {found['company']}: [sales] entries = {found['entries'] or 'not known: books.toml'}", style="bold")
    waiting = Rows("waits in", "facts", "since", "for", numbers=("facts",))
    for row in found["open"]:
        why = "the entry of its payout" if row["listed"] else _why(found["entries"])
        waiting.add(f"{row['processor']} {row['bucket']}", f"{row['facts']:,}", f"{row['since']:%Y-%m-%d %H:%M}", why)
    show(waiting if len(waiting) else "nothing waits for an entry")
    entries = Rows("entry", "dated", "facts", "total", "state", numbers=("facts", "total"))
    for row in found["closed"]:
        total = f"{row['total']} {row['currency']}"
        entries.add(row["external_id"], f"{row['day']}", f"{row['facts']:,}", total, row["state"])
    if len(entries):
        show(entries)


def _why(entries: str | None) -> str:
    return "a payout that lists it" if entries == "payout" else "the end of the day"


def lines_table(lines: Sequence[Mapping[str, Any]]) -> Rows:
    """What each recorded write posts, and where it is: the entry, and the numbers of its lines."""
    table = Rows("summary line", "day", "posts", "in the entry", "line")
    for row in lines:
        posts = [_said(body, row["currency"]) for body in row["lines"]] or "with its invoice"
        places = sorted({body["line"] for body in row["lines"] if body["line"]})
        where = row["summary"] or "still open"
        table.add(row["external_id"], f"{row['day']}", posts, where, ", ".join(map(str, places)))
    return table


def _said(body: Mapping[str, Any], currency: str) -> str:
    code = f" ({body['tax_code']})" if body["tax_code"] else ""
    side = "DR" if body["side"] == "debit" else "CR"
    return f"{side} {body['account'] or body['role']}{code} {body['amount']} {currency}"
