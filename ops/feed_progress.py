"""The progress bar of long files, on stderr and only where that is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from producers.feeds.feed import Progress as Told
from producers.feeds.feed import no_progress


@contextmanager
def shown_progress(console: Console | None = None) -> Iterator[Told]:
    """Something to tell how far a file is; it draws a bar for each file and what is done with it."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield no_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def tell(name: str, doing: str, done: int, of: int) -> None:
            key = (name, doing)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{doing} {name}", total=of or None)
            bars.update(tasks[key], completed=done)
            if of and done >= of:
                bars.remove_task(tasks.pop(key))

        yield tell
