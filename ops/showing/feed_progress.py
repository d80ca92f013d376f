"""The progress bars of long files, on stderr and only where that is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from ops.showing.terminal import bars, on_terminal
from producers.feeds.passing import Progress as Told
from producers.feeds.passing import no_progress


@contextmanager
def shown_progress() -> Iterator[Told]:
    """Something to tell how far a file is; it draws a bar for each file and what is done with it."""
    console = on_terminal()
    if console is None:
        yield no_progress
        return
    with bars(console) as shown:
        yield lambda name, doing, done, of: shown.tell(f"{doing} {name}", done, of)
