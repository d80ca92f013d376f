"""How the commands print: tables that fit a terminal, or JSON for scripts. It decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ops.checks.findings import Finding
from ops.desk.desk import Replayed
from ops.desk.retention import OUT_OF_REACH
from ops.showing.terminal import Rows, show, show_json
from store.cases import Case
from store.claims import WriteRow
from store.dead_letters import ListedLetter, StoredLetter
from store.erasing import Held

SHORT_ID = 10


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """The list of `relay check`."""
    if as_json:
        show_json([asdict(finding) for finding in findings])
        return
    table = Rows("", "what", "found")
    for finding in findings:
        mark = "note" if finding.note else "ok" if finding.ok else "WRONG"
        table.add(mark, finding.what, finding.text)
    show(table)


def show_trace(traced: Mapping[str, Any], *, as_json: bool) -> None:
    """The tables of `relay trace`."""
    if as_json:
        show_json(traced)
        return
    writes = Rows("external_id", "kind", "state", "solid id", "event", "when")
    for row in traced["writes"]:
        when = f"{row['updated_at']:%Y-%m-%d %H:%M:%S}"
        writes.add(row["external_id"], row["kind"], row["state"], row["solid_id"], row["event_id"], when)
    stock = Rows("stock fact", "day", "state", "posts", "in the entry")
    for row in traced["stock"]:
        posts = [_posting(body) for body in row["postings"]] or "nothing"
        own = "its own" if row["state"] == "own" and row["postings"] else ""
        stock.add(row["fact"], f"{row['day']}", row["state"], posts, row["batch"] or own)
    letters = Rows("dead letter", "reason", "state", "event", "error")
    for row in traced["dead_letters"]:
        letters.add(row["id"][:SHORT_ID], row["reason"], row["state"], row["event_id"], row["error"])
    for table in (writes, stock, letters):
        if len(table):
            show(table)
    for row in traced["audit"]:
        show(f"{row['at']:%Y-%m-%d %H:%M:%S} {row['actor']}: {row['act']} {row['subject'][:SHORT_ID]}")


def _posting(body: Mapping[str, Any]) -> str:
    """What one fact does to one pair of roles: `MUG: DR shrinkage / CR inventory 2.00 USD`."""
    debit, credit = reversed(body["pair"]) if body["amount"].startswith("-") else body["pair"]
    return f"{body['item']}: DR {debit} / CR {credit} {body['amount'].lstrip('-')} {body['currency']}"


def show_letters(letters: Sequence[ListedLetter], *, as_json: bool) -> None:
    """The table of `relay dead list`."""
    if as_json:
        show_json([_letter(letter) for letter in letters])
        return
    table = Rows("id", "reason", "what", "subject")
    for letter in letters:
        table.add(letter.id[:SHORT_ID], letter.reason, letter.event_type or letter.queue, letter.subject)
    show(table if letters else "no dead letters")
    if letters:
        show("relay dead show ID tells the error and the event; relay dead replay ID sends it again")


def show_letter(letter: StoredLetter, *, as_json: bool) -> None:
    """One dead letter with its body."""
    whole = {**_letter(letter), "headers": dict(letter.headers), "body": letter.body.decode(errors="replace")}
    if as_json:
        show_json(whole)
        return
    table = Rows("", "", header=False, longest=None)
    for name, value in whole.items():
        table.add(f"{name}:", value.split("\n") if name == "body" else value)
    show(table)


def show_held(held: Sequence[Held], *, done: bool, as_json: bool) -> None:
    """What `relay forget` found of a person, what became of it, and what the relay cannot reach."""
    if as_json:
        show_json({"done": done, "held": [asdict(kind) for kind in held], "out_of_reach": OUT_OF_REACH})
        return
    table = Rows("found in", "how many", "done" if done else "with --yes", numbers=("how many",))
    for kind in held:
        table.add(kind.what, f"{kind.count:,}", kind.becomes)
    show(table if held else "nothing is held under this name")
    show()
    show("Not reached:")
    for place in OUT_OF_REACH:
        show(f"- {place}")


def show_cases(cases: Sequence[Case], *, as_json: bool) -> None:
    """The table of `relay cases list`."""
    if as_json:
        show_json([asdict(case) for case in cases])
        return
    table = Rows("id", "kind", "subject", "found", "opened")
    for case in cases:
        opened = f"{case.opened_at:%Y-%m-%d %H:%M}"
        table.add(str(case.id), case.kind, case.subject, json.dumps(dict(case.detail)), opened)
    show(table if cases else "no cases")


def show_doubts(rows: Sequence[WriteRow], *, as_json: bool) -> None:
    """The table of `relay doubts list`."""
    if as_json:
        show_json([asdict(row) for row in rows])
        return
    table = Rows("external id", "kind", "amount", "date", "in doubt since")
    for row in rows:
        amount = f"{row.amount:f} {row.currency}" if row.amount is not None else ""
        since = f"{row.doubt_since or row.updated_at:%Y-%m-%d %H:%M:%S}"
        table.add(row.external_id, row.kind, amount, row.about.get("date", ""), since)
    show(table if rows else "no write is in doubt")


def show_replayed(results: Sequence[Replayed], *, dry_run: bool, as_json: bool) -> None:
    """What `relay dead replay` did, or would do."""
    if as_json:
        show_json([asdict(result) for result in results])
        return
    for result in results:
        done = "would be sent again" if dry_run else f"sent again ({result.sent} message{'s' * (result.sent != 1)})"
        show(f"{result.id[:SHORT_ID]}: {result.error or done}")
    if not results:
        show("no dead letters")


def _letter(letter: StoredLetter | ListedLetter) -> dict[str, Any]:
    left_out = {"headers", "body"}
    return {name: value for name, value in asdict(letter).items() if name not in left_out}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "none"
