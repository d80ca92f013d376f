"""The tables at the end of a run. They decide nothing."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.table import Table

from demo.judging import Letter, Row, lines_of
from demo.story import CLEARING, Story


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
