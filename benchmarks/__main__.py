"""`make bench`: runs every benchmark, prints a table, and writes `benchmarks/latest.json`.

The figures are of this machine at this hour: `machine` says how busy it was. What must hold anywhere (the inbox costs
at most a fifth, one call a write, no window above the allowance, memory) stands in `demands` with whether it does.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks import feeding, inbox_cost, memory, pacing, peers, receiving, stock, stranger, stripe_reading, summaries
from benchmarks.staging import Setting, opened
from runtime.logs import configure_logs
from runtime.settings import Settings
from staging.broker import Broker, find_broker

LATEST: Final = Path(__file__).parent / "latest.json"
MOST_COST_PERCENT: Final = 20.0
FEWEST_EVENTS_A_CALL: Final = 100
MOST_CALLS_A_CHARGE: Final = 0.04
"""In summaries: 400 of 10,000 charges."""

LEAST_USED_PERCENT: Final = 98.0
LEAST_THROUGH_FAILOVER_PERCENT: Final = 95.0
PARTS: Final = (
    *(
        "inbox",
        "receiver",
        "allowance",
        "five_minutes",
        "stranger",
        "peers",
        "memory",
        "store",
        "stock",
        "feeding",
        "summaries",
        "stripe",
    ),
)

PACED: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    "allowance": pacing.measure,
    "five_minutes": pacing.five_minutes,
    "stranger": stranger.measure,
    "peers": peers.measure,
}
"""What opens its own stage, with an allowance or books of its own: takes the broker's URL and `progress`."""


def main() -> None:
    """Run all or some parts; what is not run keeps its figures from the last time."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is named")
    arguments.add_argument("--store", metavar="URL", help="an empty database for the inbox; a new SQLite file if none")
    arguments.add_argument("--events", type=int, default=200, help="in a run of the inbox")
    arguments.add_argument("--rounds", type=int, default=10, help="of runs with and without the inbox")
    arguments.add_argument("--queued", type=int, default=100_000, help="events that wait while memory is measured")
    arguments.add_argument("--rows", type=int, default=100_000, help="of the file that a feed reads")
    arguments.add_argument("--transactions", type=int, default=10_000, help="of Stripe's balance that are read")
    arguments.add_argument("--charges", type=int, default=500, help="booked in each mode of sales")
    asked = arguments.parse_args()
    configure_logs("error", "json")
    report = json.loads(LATEST.read_text()) if LATEST.exists() else {}
    with find_broker() as broker:
        for part in asked.parts or PARTS:
            _say(part)
            report[part] = {"machine": _machine(), **_run(part, broker, asked)}
            report["demands"] = _demands(report)
            LATEST.write_text(json.dumps(report, indent=2) + "\n")
    _show(report)


def _run(part: str, broker: Broker, asked: argparse.Namespace) -> dict[str, Any]:
    if measure := PACED.get(part):
        return measure(broker.url, progress=_say)
    match part:
        case "summaries":
            return summaries.measure(broker.url, progress=_say, charges=asked.charges)
        case "inbox":
            with opened(broker.url) as setting, _settings(setting, asked.store) as settings:
                return uvloop.run(inbox_cost.compare(setting, settings, events=asked.events, rounds=asked.rounds))
        case "store":
            return _store()
        case "receiver" | "memory" | "stock" | "feeding" | "stripe":
            with opened(broker.url) as setting:
                return _staged(part, setting, asked)
        case _:
            msg = f"bench: there is no part {part}; there are {', '.join(PARTS)}"
            raise SystemExit(msg)


def _staged(part: str, setting: Setting, asked: argparse.Namespace) -> dict[str, Any]:
    """What needs a stage and nothing more."""
    measures: Mapping[str, Callable[[], dict[str, Any]]] = {
        "receiver": lambda: receiving.measure(setting, webhooks=2_000),
        "memory": lambda: memory.measure(setting, queued=asked.queued),
        "stock": lambda: stock.measure(setting, count=30_000),
        "feeding": lambda: feeding.measure(setting, rows=asked.rows),
        "stripe": lambda: stripe_reading.measure(setting, transactions=asked.transactions),
    }
    return measures[part]()


def _store() -> dict[str, Any]:
    """The inbox alone, on both stores, in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.store"], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _settings(setting: Setting, store: str | None) -> Iterator[Settings]:
    """The stage's settings in this process, as its workers would read them."""
    wanted = setting.stage.environment() | ({"RELAY_STORE__URL": store} if store else {})
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield Settings()
    finally:
        os.environ.clear()
        os.environ.update(before)


def _machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def _demands(report: Mapping[str, Any]) -> dict[str, bool]:
    """What the figures must say, as far as they were taken."""
    met: dict[str, bool] = {}
    if inbox := report.get("inbox"):
        costs = [inbox["worker"]["cost_percent"], *(figures["cost_percent"] for figures in inbox["pipeline"].values())]
        met["inbox_costs_at_most_20_percent"] = max(costs) <= MOST_COST_PERCENT
        met["one_call_a_write"] = inbox["calls_per_write"] == 1
    met |= _allowance_demands(report)
    if found := report.get("memory"):
        met["worker_stays_under_150_mb"] = found["peak_mb"] < found["limit_mb"]
    if fed := report.get("feeding"):
        met["a_feed_stays_under_200_mb"] = fed["peak_mb"] < fed["limit_mb"]
        met["100_000_rows_take_under_60_s"] = fed["seconds"] * 100_000 / fed["rows"] < fed["limit_seconds"]
    if read := report.get("stripe"):
        pages = -(-read["transactions"] // stripe_reading.PAGE)
        met["every_transaction_is_told"] = read["published"] == read["transactions"]
        met["a_page_costs_two_calls"] = read["calls_of_transactions"] <= stripe_reading.MOST_CALLS_A_PAGE * pages + 2
        met["reading_stripe_stays_under_250_mb"] = read["peak_mb"] < read["limit_mb"]
    if found := report.get("stock"):
        met["a_call_is_of_100_adjustments"] = found["events_a_call"] >= FEWEST_EVENTS_A_CALL
    if found := report.get("summaries"):
        most = max(found[mode]["calls_a_charge"] for mode in ("day", "payout"))
        met["10_000_charges_cost_400_calls"] = most <= MOST_CALLS_A_CHARGE
    return met


def _allowance_demands(report: Mapping[str, Any]) -> dict[str, bool]:
    met: dict[str, bool] = {}
    runs: list[Mapping[str, Any]] = []
    if allowance := report.get("allowance"):
        runs = [run for each in allowance.values() if isinstance(each, dict) for run in each.values() if _is_run(run)]
    if real := report.get("five_minutes"):
        runs.append(real)
        met["five_minutes_use_98_percent"] = real["used_percent"] >= LEAST_USED_PERCENT
        through = real["minute_of_failover"]["used_percent"]
        met["a_failover_leaves_95_percent"] = through >= LEAST_THROUGH_FAILOVER_PERCENT
    if runs:
        met["no_call_refused"] = all(run["refused"] == 0 for run in runs)
        met["no_window_above_the_allowance"] = all(run["worst_window"] <= pacing.REAL.allowance for run in runs)
    if beside := report.get("stranger"):
        percent = beside["refused_percent_after_two_windows"]
        met["a_stranger_costs_under_half_a_percent"] = percent < stranger.FEW_PERCENT
        met["a_stranger_gone_is_noticed"] = beside["recovered_after_windows"] is not None
    return met


def _is_run(figures: object) -> bool:
    return isinstance(figures, dict) and "worst_window" in figures


def _say(line: str) -> None:
    Console(stderr=True).print(f"bench: {line}", highlight=False)


def _show(report: Mapping[str, Any]) -> None:
    table = Table("what", "figure", box=None, header_style="bold", pad_edge=False)
    for name, value in _flat(report):
        table.add_row(name, str(value))
    Console().print(table)


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name} ")
        else:
            yield f"{path}{name}", value


if __name__ == "__main__":
    main()
