"""What the viewer sees: lines with the time, bars where there is a terminal. It decides nothing."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from faults.schedule import Fault

BETWEEN_LINES_SECONDS: Final = 5.0


class Teller:
    """Tells the campaign as it goes. The numbers are how much there will be in the end."""

    def __init__(self, console: Console, *, posts: int, records: int, faults: int) -> None:
        self.console = console
        self._started = self._last_line = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        whole = {"accepted": posts, "records": records, "faults": faults}
        self._whole = whole
        self._tasks: dict[str, TaskID] = {name: self._progress.add_task(name, total=n) for name, n in whole.items()}

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

    def schedule(self, faults: Sequence[Fault]) -> None:
        """The whole list, before anything happens."""
        for fault in faults:
            self.console.print(f"  {fault.number:4d}: {fault}", highlight=False, markup=False, soft_wrap=True)

    def fault(self, fault: Fault, who: str) -> None:
        """One fault begins."""
        hit = "" if who in fault.target else f" [{who}]"
        self.say(f"fault {fault.number}: {str(fault).strip()}{hit}")

    def progress(self, *, posted: int, written: int, faults: int) -> None:
        """How far it is: moves the bars, or says a line now and then."""
        now = {"accepted": posted, "records": written, "faults": faults}
        for name, count in now.items():
            self._progress.update(self._tasks[name], completed=count)
        if not self.console.is_terminal and time.monotonic() - self._last_line > BETWEEN_LINES_SECONDS:
            self.say(", ".join(f"{count} of {self._whole[name]} {name}" for name, count in now.items()))
