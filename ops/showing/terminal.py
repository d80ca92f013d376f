"""What the commands print, and the only place that prints: tables, lines and JSON, in which outside text is escaped.

Nothing here takes rich's markup, so no text can be taken for it. A lint test keeps every other module from printing.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runtime.outside_text import visible, visible_json, visible_lines
from runtime.tracebacks import trace_of

if TYPE_CHECKING:
    from rich.console import JustifyMethod
    from rich.progress import Progress

LONGEST_CELL: Final = 1_000
"""Letters of a cell that are shown: what is longer would push all else off the screen. `--json` has all of it."""


class Terminal(typer.Typer):
    """The command as it is started: whatever a bug says is escaped too, and no encoding makes it fail."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the class it stands in for
        """Run the command of this process."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().__call__(*args, **kwargs)
        except Exception as bug:  # noqa: BLE001 - it is told with its traceback, and ends the process
            _tell(bug)


class Rows:
    """A table. A cell is one text, whatever is in it, or a list of them: one a line."""

    def __init__(
        self, *columns: str, numbers: Sequence[str] = (), header: bool = True, longest: int | None = LONGEST_CELL
    ) -> None:
        """`numbers` are columns that are set to the right; `longest` cuts cells, None none of them."""
        self._longest = longest
        self.table = Table(box=None, header_style="bold", pad_edge=False, show_header=header)
        for column in columns:
            justify: JustifyMethod = "right" if column in numbers else "left"
            self.table.add_column(_text(column), overflow="fold", justify=justify)

    def add(self, *cells: object, style: str = "") -> None:
        """Add a row; the last columns may be left out."""
        self.table.add_row(*map(self._cell, cells), style=style)

    def _cell(self, value: object) -> Text:
        return Text("\n".join(map(self._shown, value)) if isinstance(value, list) else self._shown(value))

    def _shown(self, value: object) -> str:
        text = visible("" if value is None else value)
        return text if self._longest is None or len(text) <= self._longest else f"{text[: self._longest]}…"

    def __len__(self) -> int:
        """Count the rows."""
        return self.table.row_count


def show(what: Rows | str = "", *, style: str = "") -> None:
    """Print a table, or a line that may be broken at spaces to fit the terminal."""
    Console(highlight=False).print(what.table if isinstance(what, Rows) else _text(what, style))


def say(text: object, *, err: bool = False) -> None:
    """Print a sentence, as one line."""
    typer.echo(visible(text), err=err)


def show_json(value: object) -> None:
    """Print a document for scripts: it says exactly what `value` does."""
    say_json(json.dumps(value, indent=2, default=_as_text))


def _as_text(value: object) -> str:
    """Numbers digit for digit, never as 1E+2."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def say_json(text: str) -> None:
    """Print JSON as it is written."""
    typer.echo(visible_json(text))


def on_terminal() -> Console | None:
    """Give stderr where it is a terminal: only there bars are drawn."""
    console = Console(stderr=True)
    return console if console.is_terminal else None


@contextmanager
def bars(console: Console) -> Iterator["Bars"]:
    """Progress bars for the length of a block, gone afterwards."""
    from rich.progress import (  # noqa: PLC0415 - keeps commands without bars quick
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)


class Bars:
    """A bar for each thing that takes long, by its name."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def tell(self, name: str, done: int, of: int | None) -> None:
        """Move a bar on; the first word of it makes it, and its end takes it away."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(visible(name), total=of or None)
        self._progress.update(self._tasks[name], completed=done, total=of or None)
        if of and done >= of:
            self._progress.remove_task(self._tasks.pop(name))


def _text(value: str, style: str = "") -> Text:
    return Text(visible(value), style=style)


def _tell(bug: Exception) -> NoReturn:
    sys.stderr.write(f"{visible_lines(trace_of(bug), '  ')}\n")
    sys.exit(1)
