"""How `relay payroll` prints: what became of runs, and the calendar of periods. It decides nothing."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ops.desk import cancelling
from ops.showing.terminal import Rows, show, show_json
from producers.payroll.run_book import RunOutcome, counted
from store.payroll_runs import RunRow


def show_outcomes(outcomes: Sequence[RunOutcome], *, dry_run: bool, as_json: bool) -> None:
    """A line for each run of a pull or of a file, and how many became what."""
    if as_json:
        show_json([asdict(outcome) for outcome in outcomes])
        return
    table = Rows("run", "paid", "became", "version", "why")
    for outcome in outcomes:
        why = outcome.message or outcome.reason or ""
        table.add(outcome.run, str(outcome.pay_date or ""), outcome.became, str(outcome.version or ""), why)
    if len(table):
        show(table)
    counts = ", ".join(f"{number} {word}" for word, number in counted(outcomes).items()) or "no runs"
    show(f"{'would be: ' if dry_run else ''}{counts}")


def show_calendar(status: Mapping[str, Any], *, as_json: bool) -> None:
    """A table of periods for each company at a provider."""
    if as_json:
        show_json(status)
        return
    if not status["calendars"]:
        show("no [payroll.<name>] is set, and no pay run is known")
    for calendar in status["calendars"]:
        pulled = calendar["last_pull"]
        last = f", last pulled {pulled:%Y-%m-%d %H:%M} UTC" if pulled else ""
        show(f"{calendar['company']}: {calendar['provider']} {calendar['entity']}{last}", style="bold")
        table = Rows("period", "state", "run", "became", "version", "paid", "why", "deadline")
        for period in calendar["periods"]:
            _add(table, period)
        show(table if len(table) else "no period yet")
        for run in _not_listed(calendar):
            command = f"relay payroll reverse --provider {calendar['provider']} --run {shlex.quote(run)}"
            show(f"{run} is not shown by its provider any more. Was it cancelled: {command}")


def _not_listed(calendar: Mapping[str, Any]) -> list[str]:
    runs = (run for period in calendar["periods"] for run in period["runs"])
    return [run["run"] for run in runs if (run["state"], run["reason"]) == ("missing", "not_listed")]


def show_run(row: RunRow) -> None:
    """A run with its figures, for the person who is asked about it."""
    shown = cancelling.as_json(row)
    show(f"{row.provider} run {row.run} of {row.entity}, company {row.company}", style="bold")
    show(f"version {row.version}, {'stands' if row.live else 'taken back'}; paid {row.pay_date}")
    for kind, amount in shown["totals"].items():
        show(f"  {kind:<17}{amount:>20}")


def show_word(before: RunRow, told: RunRow, *, as_json: bool) -> None:
    """What a person's word has become."""
    if as_json:
        show_json({"before": cancelling.as_json(before), "told": cancelling.as_json(told)})
        return
    did = "is told again" if told.live else "is taken back"
    show(f"run {told.run} {did} by version {told.version}, {told.fact}")


def _add(table: Rows, period: Mapping[str, Any]) -> None:
    span = f"{period['start'] or '?'} to {period['end'] or '?'}"
    if not period["runs"]:
        table.add(span, period["state"])
    for number, run in enumerate(period["runs"]):
        kind = "" if run["type"] in (None, "regular") else f" ({run['type']})"
        deadline = f"{run['deadline']:%Y-%m-%d %H:%M} UTC" if run["deadline"] else ""
        why = " ".join(word for word in (run["reason"], run["field"]) if word)
        version, paid = str(run["version"] or ""), str(run["pay_date"] or "")
        lead = ("", "") if number else (span, period["state"])
        table.add(*lead, f"{run['run']}{kind}", run["state"], version, paid, why, deadline)
