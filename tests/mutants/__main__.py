"""`make mutants`: the relay's safety measures broken one at a time, each in a copy of the project, and who notices.

First the tests that should notice are run where nothing is broken. Then a mutant is broken into a copy and they are
run again: the first that fails has caught it. Where they all pass the rest of the suite is asked. MUTANTS="name name"
tries some only. When all were tried and caught, the table in docs/mutants.md is written anew.

Exits with 0 when each was caught, with 1 when one survived, no longer fits the code or could not be judged, and with
128 + the signal after Ctrl-C or SIGTERM, which leave no copy behind.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from tests.mutants import telling
from tests.mutants.judging import NotGreen, Verdict, judge_all, prove_green
from tests.mutants.mutant import DoesNotFit, Mutant
from tests.mutants.table import MUTANTS

ROOT: Final = Path(__file__).resolve().parents[2]
WIDE: Final = 140
"""Columns where there is no terminal: a log's lines may be long."""

PAGE: Final = ROOT / "docs" / "mutants.md"


class Stopped(Exception):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help="Mutants to try; all, where none is named.")] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verdicts as JSON, nothing else on stdout.")
    ] = False,
) -> None:
    """Break the relay's safety measures one at a time, and show which test notices."""
    chosen = _chosen(names or [])
    console = Console(stderr=as_json, width=None if sys.stdout.isatty() else WIDE)
    try:
        verdicts = asyncio.run(_try(chosen, console))
    except (NotGreen, DoesNotFit) as error:
        console.print(f"mutants: {error}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except Stopped as stopped:
        console.print("mutants: stopped; the copies are gone")
        raise typer.Exit(128 + stopped.number) from None
    if as_json:
        sys.stdout.write(json.dumps(telling.as_json(verdicts), indent=2) + "\n")
    else:
        console.print(telling.table(verdicts))
    raise typer.Exit(_told(verdicts, console))


def _chosen(names: Sequence[str]) -> tuple[Mutant, ...]:
    known = {mutant.name: mutant for mutant in MUTANTS}
    unknown = [name for name in names if name not in known]
    if unknown:
        msg = f"no mutant is called {', '.join(unknown)}. There are: {', '.join(known)}"
        raise typer.BadParameter(msg)
    return tuple(known[name] for name in names) or MUTANTS


async def _try(mutants: Sequence[Mutant], console: Console) -> list[Verdict]:
    """Judge them, telling of each. Raises NotGreen, DoesNotFit, Stopped."""
    for mutant in mutants:
        mutant.broken((ROOT / mutant.file).read_text(encoding="utf-8"))
    told: list[Verdict] = []

    def tell(verdict: Verdict) -> None:
        told.append(verdict)
        text = telling.line(verdict, len(told), len(mutants))
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    with _stopped_by_signals():
        started = time.monotonic()
        count = await prove_green(ROOT, mutants)
        seconds = time.monotonic() - started
        console.print(f"{count} tests pass where nothing is broken ({seconds:.1f} s)", highlight=False)
        return await judge_all(ROOT, mutants, tell)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Cancel what runs in the block when a signal comes, so that it cleans up, and say so with Stopped."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    came: list[int] = []

    def stop(number: int) -> None:
        came.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    except asyncio.CancelledError:
        if came:
            raise Stopped(came[0]) from None
        raise


def _told(verdicts: Sequence[Verdict], console: Console) -> int:
    """Say what it comes to, keep the page when it is whole, and give the exit code."""
    survivors = [verdict for verdict in verdicts if verdict.survived]
    for verdict in survivors:
        what = verdict.trouble or "SURVIVED: no test notices that this promise is broken. Write the test that does."
        console.print(f"{verdict.mutant.name}: {what}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants were caught", highlight=False)
    if not survivors and len(verdicts) == len(MUTANTS):
        PAGE.write_text(telling.page(PAGE.read_text(encoding="utf-8"), verdicts), encoding="utf-8")
    return 1 if survivors else 0


if __name__ == "__main__":
    app(prog_name="python -m tests.mutants")
