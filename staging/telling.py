"""What the viewer of a run sees: lines with the time, bars where there is a terminal. It decides nothing."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


class Teller:
    """Tells the run as it goes. `whole` says how much of each there will be in the end.

    Without a terminal a line says how far it is, every so many seconds at most and where that has changed.
    """

    def __init__(self, console: Console, whole: Mapping[str, int], *, line_seconds: float) -> None:
        self.console = console
        self._whole = whole
        self._line_seconds = line_seconds
        self._shown: Mapping[str, int] = dict.fromkeys(whole, 0)
        self._started = self._last_line = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bars = {name: self._progress.add_task(name, total=count) for name, count in whole.items()}

    def __enter__(self) -> Self:
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away."""
        self._progress.stop()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def say(self, text: str) -> None:
        """One line, with the seconds since the start."""
        self._last_line = time.monotonic()
        self.console.print(f"{self.seconds:6.1f} s  {text}", highlight=False, markup=False, soft_wrap=True)

    def progress(self, **counts: int) -> None:
        """How far it is: moves the bars, or says a line now and then."""
        for name, count in counts.items():
            self._progress.update(self._bars[name], completed=count)
        waited = time.monotonic() - self._last_line
        if not self.console.is_terminal and counts != self._shown and waited > self._line_seconds:
            self.say(", ".join(f"{count} of {self._whole[name]} {name}" for name, count in counts.items()))
            self._shown = counts
