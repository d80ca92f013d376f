"""How `relay status` prints: what people on call look at first, short enough for 80 columns. It decides nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from messaging.lanes import LANES
from ops.showing.terminal import Rows, show, show_json

MINUTES_FROM_SECONDS: Final = 90
HOURS_FROM_MINUTES: Final = 90
ADVICE: Final = {
    "closed": "Solid cannot be reached: is the app open, and its API on?",
    "unauthorised": "Solid refuses the key: see the runbook",
    "rate_limited": "Solid said 429: who else uses the key?",
    "unavailable": "Solid or the proxy before it is not available",
    "topology": "the broker's queues or policies are not safe, see topology",
    "no mint is running": "is any worker?",
    "another_store": "the store is not the one last used: join the right one, or relay restored",
    "store_went_back": "the store lacks what was written last: join the right one, or relay restored",
}


def show_status(status: Mapping[str, Any], *, as_json: bool) -> None:
    """One company: queues, lanes, then a line for each thing that is kept."""
    if as_json:
        show_json(status)
        return
    show(f"company {status['company']}", style="bold")
    show(_queues(status) or "no queue holds a message")
    show()
    if status["mint"]:
        show(_lanes(status["mint"]))
        show()
    stopped = (("stopped", status["problem"]),) if status["problem"] else ()
    _print_lines(
        (
            *stopped,
            *_stopped(status),
            *_brake(status),
            *_astray(status["mint"]),
            *_topology(status),
            *_allowance(status["mint"]),
            *_kept(status),
        )
    )
    _print_feeds(status["feeds"])


def show_overview(status: Mapping[str, Any], *, as_json: bool) -> None:
    """A line for each company, and what all share."""
    if as_json:
        show_json(status)
        return
    table = Rows("company", "waiting", "used", "done in", "brake", numbers=("waiting", "used", "done in"))
    for company, figures in status["companies"].items():
        used = "" if figures["used"] is None else f"{figures['used']:.0%}"
        slowed = "" if figures["share_of_rate"] in (None, 1) else f"off, slowed to {figures['share_of_rate']:.0%}"
        done = _duration(figures["forecast_seconds"]) if figures["forecast_seconds"] else ""
        table.add(company, f"{figures['backlog']:,}", used, done, figures["brake"] or slowed or "off")
    show(table)
    show()
    shared = {name: count for name, count in status["backlog"].items() if count}
    lines = (("queues", _counts(shared)),) if shared else ()
    stopped = tuple(
        (f"stopped: {name}", figures["problem"]) for name, figures in status["companies"].items() if figures["problem"]
    )
    _print_lines((*stopped, *_stopped(status), *_topology(status), *lines, *_for_people(status)))
    _print_feeds(status["feeds"])
    show("relay status --company NAME tells more", style="dim")


def _queues(status: Mapping[str, Any]) -> Rows | None:
    table = Rows("queue", "waiting", "done in", numbers=("waiting", "done in"))
    for name, count in status["backlog"].items():
        if count:
            seconds = status["forecast"].get(name.removeprefix(f"relay.{status['company']}."))
            table.add(name, f"{count:,}", _duration(seconds) if seconds else "")
    return table if len(table) else None


def _lanes(mint: Mapping[str, Any]) -> Rows:
    table = Rows("lane", "calls", "of allowed", "wanted now", numbers=("calls", "of allowed", "wanted now"))
    for lane in LANES:
        used, wanted = mint["lanes"].get(lane, 0), mint["waiting"].get(lane, 0)
        table.add(lane, f"{used:,}", f"{used / _full(mint):.0%}", f"{wanted:,}")
    table.add("together", f"{mint['minted']:,}", f"{mint['minted'] / _full(mint):.0%}", "", style="bold")
    return table


def _full(mint: Mapping[str, Any]) -> float:
    return float(mint["rate"] * mint["window_seconds"])


def _brake(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    cause, mint = status["brake"], status["mint"]
    if cause is None:
        yield "brake", "off"
        return
    since = f" for {_duration(mint['braked_seconds'])}" if mint and mint["braked_seconds"] is not None else ""
    advice = f": {ADVICE[cause]}" if cause in ADVICE else ""
    yield "brake", f"{f'on{since}, ' if mint else ''}{cause}{advice}"


def _stopped(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Webhooks and payroll accounts that wait for a person; each goes on by itself once its file is mended."""
    yield from ((f"stopped: {name}", problem) for name, problem in status["stopped"].items())


def _topology(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if status.get("topology"):
        yield "topology", status["topology"]


def _astray(mint: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Workers that may not post because of their store, beside others that may."""
    for host, cause in (mint or {}).get("astray", {}).items():
        if mint and mint["brake"] != cause:
            yield "held back", f"a worker on {host}, {cause}: {ADVICE[cause]}"


def _allowance(mint: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    if mint is None:
        return
    yield "mint", mint.get("by", "of an older relay")
    yield "rate", f"{mint['rate']:.2f} calls a second, {_full(mint):.0f} in {mint['window_seconds']:g} s"
    if mint["share_of_rate"] < 1:
        yield "slowed", f"to {mint['share_of_rate']:.0%} since Solid said 429: who else uses the key?"


def _kept(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("deadline", _deadline(due)) for due in status["deadlines"])
    yield "writes", _counts(status["writes"])
    if (waiting := status["summaries_waiting"])["lines"]:
        yield "summaries", f"{waiting['lines']:,} lines wait for an entry since {waiting['since']:%Y-%m-%d %H:%M} UTC"
    yield from _for_people(status)


def _deadline(due: Mapping[str, Any]) -> str:
    """A pay run that is not in the books yet: `gusto 7, due 04-23 22:00 UTC: in time, expected 04-23 21:58 UTC`."""
    expected = f", expected {due['expected']:%m-%d %H:%M} UTC" if due["expected"] else ""
    why = f": {due['why']}" if due["why"] else ""
    return f"{due['provider']} {due['run']}, due {due['deadline']:%m-%d %H:%M} UTC: {due['verdict']}{expected}{why}"


def _for_people(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    waiting = "; see relay dead list" if status["dead_letters"].get("waiting") else ""
    yield "dead letters", _counts(status["dead_letters"]) + waiting
    if status["cases"]:
        yield "cases", f"{_counts(status['cases'])}; see relay cases list"


def _print_feeds(feeds: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each feed: what it read last, and how long it is behind."""
    if not feeds:
        return
    table = Rows("feed", "last", "rows", "events", "rejects", "lag", numbers=("rows", "events", "rejects", "lag"))
    problems = []
    for name, feed in feeds.items():
        last, lag = feed["last"] or {}, feed["lag_seconds"]
        counts = [f"{last[column]:,}" if last else "" for column in ("rows", "events", "rejects")]
        shown = f"{last['name']}, {last['state']}" if last else "nothing yet"
        table.add(name, shown, *counts, "" if lag is None else _duration(lag))
        problem = feed.get("problem") or (last.get("error") if last.get("state") == "interrupted" else None)
        if problem:
            problems.append((name, problem))
        if feed.get("failed"):
            problems.append((name, f"{feed['failed']:,} files in failed/, each with its report"))
        problems += [(name, f"left alone: {file}: {why}") for file, why in feed.get("left_alone", {}).items()]
    show()
    show(table)
    _print_lines(problems)


def _print_lines(lines: Sequence[tuple[str, str]]) -> None:
    table = Rows("", "", header=False)
    for name, text in lines:
        table.add(name, text)
    show(table)


def _duration(seconds: float) -> str:
    """As people say it: 45 s, 3 min, 2 h 5 min."""
    if seconds < MINUTES_FROM_SECONDS:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < HOURS_FROM_MINUTES else f"{minutes // 60} h {minutes % 60} min"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items())) or "none"
