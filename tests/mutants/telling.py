"""The verdicts for people (a table, the page docs/mutants.md) and for programs (JSON). It decides nothing."""

import re
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE
from rich.table import Table

from tests.mutants.judging import Verdict

HEADING = "| mutant | promise that it breaks | in | caught by |"


def line(verdict: Verdict, number: int, whole: int) -> str:
    """One line of progress."""
    what = "SURVIVED" if verdict.survived else f"caught by {_sentence(verdict)}"
    what = "could not be judged" if verdict.trouble else what
    return f"[{number:2d}/{whole}] {verdict.mutant.name}: {what} ({verdict.seconds:.1f} s)"


def table(verdicts: Sequence[Verdict]) -> Table:
    """What caught what."""
    shown = Table(box=SIMPLE, row_styles=["", "dim"])
    shown.add_column("mutant", no_wrap=True)
    shown.add_column("promise that it breaks", ratio=2)
    shown.add_column("caught by", ratio=3, overflow="fold")
    shown.add_column("s", justify="right")
    for verdict in verdicts:
        caught = "[bold red]SURVIVED[/]" if verdict.survived else _sentence(verdict)
        shown.add_row(verdict.mutant.name, verdict.mutant.promise, caught, f"{verdict.seconds:.0f}")
    return shown


def as_json(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """Every verdict with all that is known of it."""
    return [
        {
            "mutant": verdict.mutant.name,
            "promise": verdict.mutant.promise,
            "file": verdict.mutant.file,
            "caught_by": verdict.caught.test if verdict.caught else None,
            "why": verdict.caught.why if verdict.caught else verdict.trouble,
            "seconds": round(verdict.seconds, 1),
        }
        for verdict in verdicts
    ]


def page(before: str, verdicts: Sequence[Verdict]) -> str:
    """The page with its table replaced; the prose around it stays."""
    rows = "\n".join((HEADING, "| --- | --- | --- | --- |", *_rows(verdicts)))
    return re.sub(rf"^{re.escape(HEADING)}\n(?:\|.*\n?)*", lambda _: rows + "\n", before, flags=re.MULTILINE)


def _rows(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts:
        mutant, caught = verdict.mutant, verdict.caught
        by = f"`{_without_parameters(caught.test)}`" if caught else "nothing"
        yield f"| `{mutant.name}` | {mutant.promise} | `{mutant.file}` | {by} |"


def _sentence(verdict: Verdict) -> str:
    """The test's name as it is read: its file, and what it says."""
    file, _, name = _without_parameters(verdict.caught.test if verdict.caught else "").rpartition("::")
    return f"{file.removeprefix('tests/').removesuffix('.py')}: {name.removeprefix('test_').replace('_', ' ')}"


def _without_parameters(test: str) -> str:
    return test.partition("[")[0]
