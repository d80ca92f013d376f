"""How `relay backfill` prints what it told, or would tell."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ops.desk.backfill import Backfilled
from ops.desk.backfill import Progress as Told
from ops.showing.terminal import Rows, bars, on_terminal, say, show, show_json

HOW: Final = "relay backfill stripe --since {day}"


@contextmanager
def shown_progress() -> Iterator[Told]:
    """Something to tell how far it is; a bar where stderr is a terminal."""
    console = on_terminal()
    if console is None:
        yield lambda _name, _done, _of: None
        return
    with bars(console) as shown:
        yield shown.tell


def show_backfilled(done: Backfilled, *, company: str | None = None, as_json: bool) -> None:
    """A line for each type of event, and what else was met; then how to go on where it did not come to its end."""
    figures = done.as_json()
    if as_json:
        show_json(figures)
    else:
        _show(figures)
    if not done.ended:
        say(f"relay: {_how_to_go_on(done, company)}", err=True)


def _how_to_go_on(done: Backfilled, company: str | None) -> str:
    of = f" --company {company}" if company else ""
    again = f"{HOW.format(day=done.until.date())}{of}{' --dry-run' if done.is_dry else ''}"
    problem = str(done.problem)
    ends = problem if problem.endswith((".", "?")) else f"{problem}."
    so_far = f"All before {done.until:%Y-%m-%d} (UTC) is done" if done.until > done.since else "Nothing is done yet"
    return f"{ends} {so_far}; go on with: {again}"


def _show(figures: Mapping[str, Any]) -> None:
    would = "would be published" if figures["dry_run"] else "published"
    table = Rows("event", would, "money", numbers=(would, "money"))
    for name, each in sorted(figures["events"].items()):
        money = [f"{amount} {currency}" for currency, amount in sorted(each["money"].items())]
        table.add(name, f"{each['count']:,}", money)
    nothing = f"nothing {would}{': nothing is missing' if figures['ended'] else ''}"
    show(table if len(table) else nothing)
    kept = "would be put before a person" if figures["dry_run"] else "put before a person: see relay dead list"
    for reason, count in sorted(figures["kept"].items()):
        say(f"{count:,} {kept}: {reason}")
    say(f"{figures['rows']:,} rows read; {figures['known']:,} facts are in the books already, or wait for a person")
