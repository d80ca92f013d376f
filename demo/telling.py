"""What the viewer sees: lines with the time, a bar where there is a terminal, tables at the end. It decides nothing."""

import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from demo.judging import Letter, Row, lines_of
from demo.story import CLEARING, Story

BETWEEN_LINES_SECONDS = 3.0


class Teller:
    """Tells the run as it goes. `whole` is how many records there will be in the end."""

    def __init__(self, console: Console, *, whole: int) -> None:
        self.console = console
        self._whole = whole
        self._started = self._last_line = time.monotonic()
        self._shown = 0
        self._progress = Progress(
            TextColumn("books"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f} records"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("books", total=whole, visible=False)

    def __enter__(self) -> Self:
        """Show the bar, once there is something to show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line, with the seconds since the start."""
        self._last_line = time.monotonic()
        line = f"{self._last_line - self._started:5.1f} s  {text}"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def books(self, count: int) -> None:
        """How many records are in the books now."""
        self._progress.update(self._task, completed=count, visible=count > 0)
        waited = time.monotonic() - self._last_line
        if not self.console.is_terminal and count != self._shown and waited > BETWEEN_LINES_SECONDS:
            self.say(f"books: {count} of {self._whole} records")
            self._shown = count


def trial_balance(report: Row) -> Table:
    """Every account that was touched, and that both sides are one sum."""
    found: Mapping[str, Any] = report["trial_balance"]
    table = _table("Trial balance", "account", "debit", "credit")
    for name, side in found["accounts"].items():
        table.add_row(name, _amount(Decimal(side["debit"])), _amount(Decimal(side["credit"])))
    table.add_section()
    table.add_row("total", _amount(Decimal(found["debit_total"])), _amount(Decimal(found["credit_total"])))
    return table


def clearing(story: Story, records: Sequence[Row]) -> Table:
    """The Stripe Clearing account by what moved it. What nobody asked for has a row of its own."""
    lines = lines_of(records)
    sums: dict[str, list[Decimal]] = {}
    for row in records:
        change = lines.get(row["seq"], {}).get(CLEARING)
        if change is not None:
            wanted = story.records.get((row["kind"], str(row["external_id"])))
            sums.setdefault(wanted.what if wanted else "not asked for", []).append(change)
    table = _table(CLEARING, "from", "debit", "credit", "records")
    for what, changes in sums.items():
        table.add_row(what, *_sides(changes), str(len(changes)))
    every = [change for changes in sums.values() for change in changes]
    table.add_section()
    table.add_row("total", *_sides(every), str(len(every)))
    balance = sum(every, Decimal(0))
    table.add_row("balance", *([f"{balance:,.2f}", ""] if balance >= 0 else ["", f"{-balance:,.2f}"]), "")
    return table


def dead_letters(story: Story, letters: Sequence[Letter]) -> Table:
    """What waits for a person, and why."""
    facts = story.fact_of_event
    table = _table("Dead-letter queues", "queue", "of", "reason", "error", numbers=False)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for letter in letters:
        table.add_row(letter.queue, _short(facts.get(letter.event or "", "")), letter.reason, letter.error)
    return table


def _short(name: str) -> str:
    """The object's id without its zeros."""
    prefix, _, number = name.rpartition(":")[2].partition("_")
    return f"{prefix}_…{number.lstrip('0')}" if number else name


def _sides(changes: Iterable[Decimal]) -> tuple[str, str]:
    known = list(changes)
    return _amount(sum((c for c in known if c > 0), Decimal(0))), _amount(-sum((c for c in known if c < 0), Decimal(0)))


def _amount(amount: Decimal) -> str:
    return f"{amount:,.2f}" if amount else ""


def _table(title: str, *columns: str, numbers: bool = True) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if numbers and index else "left", overflow="fold")
    return table
