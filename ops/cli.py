"""The `relay` command. Each command is thin: read settings, start what `ops` has, print."""

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from messaging.errors import MessagingError
from runtime.clock import SystemClock
from runtime.lifecycle import stop_on_signals
from runtime.logs import configure_logs
from runtime.settings import ConfigurationError, Settings, load_settings
from solid.errors import SolidError
from store.errors import StoreError

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from ops.desk import Replayed
    from store.cases import Case
    from store.dead_letters import StoredLetter

app = typer.Typer(
    help="Solid Relay: moves business facts into the books of Solid Accounting, each exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
dead = typer.Typer(help="Dead letters: see them, mend the cause, send them again.", no_args_is_help=True)
app.add_typer(dead, name="dead")
cases = typer.Typer(help="Cases: what a person must decide, such as a record found twice.", no_args_is_help=True)
app.add_typer(cases, name="cases")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Result = TypeVar("Result")


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Errors that the user can do something about end in one line and exit code 1, not in a traceback."""
    try:
        yield
    except (ConfigurationError, MessagingError, StoreError, SolidError) as error:
        typer.echo(f"relay: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _run(work: Callable[[Settings], Coroutine[Any, Any, Result]]) -> Result:
    """Read the settings, start the log, run one coroutine."""
    with _told_plainly():
        settings = load_settings()
        configure_logs(settings.log.level, settings.log.format)
        runner = asyncio.Runner(loop_factory=_loop_factory())
        with runner:
            return runner.run(work(settings))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


@app.command()
def up() -> None:
    """The receiver and a worker in one process, for one machine.

    Example: relay up
    """

    async def work(settings: Settings) -> None:
        from ops.roles import open_receiver, open_worker, serve  # noqa: PLC0415 - keeps other commands quick

        clock = SystemClock()
        async with open_receiver(settings, clock) as receiver, open_worker(settings, clock) as worker:
            with stop_on_signals() as stop:
                async with asyncio.TaskGroup() as group:
                    group.create_task(serve(receiver, settings, stop))
                    group.create_task(worker.run(stop))

    _run(lambda settings: _ungrouped(work(settings)))


@app.command()
def receive() -> None:
    """The webhook receiver. Verifies, normalises and publishes, and only then answers 200.

    Example: RELAY_RECEIVER__PORT=8080 relay receive
    """

    async def work(settings: Settings) -> None:
        from ops.roles import open_receiver, serve  # noqa: PLC0415

        async with open_receiver(settings, SystemClock()) as receiver:
            with stop_on_signals() as stop:
                await serve(receiver, settings, stop)

    _run(work)


@app.command()
def work() -> None:
    """A worker: applies events to Solid. Start as many as you like; one works, the others stand by.

    Example: relay work
    """

    async def run(settings: Settings) -> None:
        from ops.roles import open_worker  # noqa: PLC0415

        async with open_worker(settings, SystemClock()) as worker:
            with stop_on_signals() as stop:
                await worker.run(stop)

    _run(run)


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Is the configuration safe? Posts nothing.

    Looks at bucket, books, broker and store, then at Solid: its dialect, key, accounts and known balance.
    Exit code 1 when anything is wrong.

    Example: relay check
    """

    async def run(settings: Settings) -> list[Any]:
        from ops.check import check as look  # noqa: PLC0415

        return await look(settings, SystemClock())

    findings = _run(run)
    from ops.show import show_findings  # noqa: PLC0415

    show_findings(findings, as_json=as_json)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def normalize(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of raw documents.")],
    *,
    source: Annotated[str, typer.Option(help="Where the documents come from, for example stripe.")],
    company: Annotated[str, typer.Option(help="Whose books.")] = "main",
) -> None:
    """Raw documents to events, one JSON line each, on stdout. Offline. Rejected ones on stderr, exit code 1.

    Example: relay normalize --source stripe demo/data/charge.succeeded.json | relay plan
    """
    from ops.offline import normalise_file  # noqa: PLC0415
    from producers.normalising import NormaliseContext  # noqa: PLC0415
    from producers.sources import SOURCES  # noqa: PLC0415

    if source not in SOURCES:
        typer.echo(f"relay: no source is called {source!r}; known: {', '.join(sorted(SOURCES))}", err=True)
        raise typer.Exit(2)
    rejected = False
    for path in files:
        for result in normalise_file(source, path, NormaliseContext(company=company)):
            if isinstance(result, bytes):
                typer.echo(result.decode())
            else:
                rejected = True
                typer.echo(f"rejected: {result}", err=True)
    if rejected:
        raise typer.Exit(1)


@app.command()
def plan(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE|-]", help="Events, one JSON line each.")] = None,
    *,
    books: Annotated[Path | None, typer.Option(help="A books.toml; without it, a built-in sample.")] = None,
) -> None:
    """Events (JSON lines) to the writes they become (JSON lines). Offline.

    An event that cannot be posted yet prints a line of kind "parked". Lines that are no event: stderr, exit code 1.

    Example: relay normalize --source stripe charge.json | relay plan --books books.toml
    """
    from ops.offline import plan_lines  # noqa: PLC0415
    from workers.books import load_books, sample_books  # noqa: PLC0415

    with _told_plainly():
        kept = load_books(books) if books else sample_books()
        lines = sys.stdin.buffer if file is None or str(file) == "-" else _lines(file)
        wrong = False
        for result in plan_lines(lines, kept):
            if isinstance(result, str):
                wrong = True
                typer.echo(f"rejected: {result}", err=True)
            else:
                typer.echo(json.dumps(result, ensure_ascii=False, default=str))
    if wrong:
        raise typer.Exit(1)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise ConfigurationError(msg) from error


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """What waits where, brake, forecast, writes, dead letters.

    Example: relay status --json
    """

    async def run(settings: Settings) -> dict[str, Any]:
        from ops.status import status as look  # noqa: PLC0415

        return await look(settings, SystemClock())

    from ops.show import show_status  # noqa: PLC0415

    show_status(_run(run), as_json=as_json)


@app.command()
def trace(
    text: Annotated[str, typer.Argument(metavar="ID", help="An event, external, Stripe or Solid id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Everything known of one event, write, Stripe id or Solid id.

    Exact ids only. Collects dead letters from the broker first. Exit code 1: nothing is known.

    Example: relay trace ch_3Nxy
    """

    async def run(settings: Settings) -> dict[str, Any]:
        from ops.desk import open_desk  # noqa: PLC0415
        from ops.status import trace as look  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=_actor()) as desk:
            _warn(await desk.collect_if_reachable())
        return await look(settings, SystemClock(), text)

    found = _run(run)
    from ops.show import show_trace  # noqa: PLC0415

    show_trace(found, as_json=as_json)
    if not (found["writes"] or found["dead_letters"]):
        typer.echo(f"relay: nothing is known of {text}", err=True)
        raise typer.Exit(1)


@dead.command("list")
def dead_list(
    *,
    state: Annotated[str, typer.Option(help="waiting, replayed or discarded.")] = "waiting",
    reason: Annotated[str | None, typer.Option(help="Only this reason: period_closed means every month of it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Dead letters, oldest first, with their reasons. Collects them from the broker first.

    Example: relay dead list --reason period_closed
    """
    if state not in ("waiting", "replayed", "discarded"):
        typer.echo("relay: --state is waiting, replayed or discarded", err=True)
        raise typer.Exit(2)

    async def run(settings: Settings) -> "Sequence[StoredLetter]":
        from ops.desk import open_desk  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=_actor()) as desk:
            _warn(await desk.collect_if_reachable())
            return await desk.waiting(reason, state)  # type: ignore[arg-type]

    letters = _run(run)
    from ops.show import show_letters  # noqa: PLC0415

    show_letters(letters, as_json=as_json)


@dead.command("show")
def dead_show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the start of it.")], *, as_json: AsJson = False
) -> None:
    """One dead letter, whole: reason, error, headers and the event.

    Example: relay dead show 3fa9
    """

    async def run(settings: Settings) -> "StoredLetter":
        from ops.desk import open_desk  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=_actor()) as desk:
            _warn(await desk.collect_if_reachable())
            return await desk.letters.get(letter)

    found = _run(run)
    from ops.show import show_letter  # noqa: PLC0415

    show_letter(found, as_json=as_json)


@dead.command("replay")
def dead_replay(
    letters: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Ids, or their starts.")] = None,
    *,
    reason: Annotated[str | None, typer.Option(help="All that died of this reason.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be sent.")] = False,
    waive: Annotated[bool, typer.Option(help="Post it although what must come first is not in the books.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters again. They keep their identity: nothing that is in the books is written twice.

    Example: relay dead replay --reason period_closed --dry-run
    """
    if sum((bool(letters), reason is not None, everything)) != 1:
        typer.echo("relay: say which: ids, or --reason REASON, or --all", err=True)
        raise typer.Exit(2)

    async def run(settings: Settings) -> "list[Replayed]":
        from ops.desk import open_desk, replay_chosen  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=_actor()) as desk:
            await desk.collect()
            return await replay_chosen(desk, settings, ids=letters or [], reason=reason, dry_run=dry_run, waive=waive)

    results = _run(run)
    from ops.show import show_replayed  # noqa: PLC0415

    show_replayed(results, dry_run=dry_run, as_json=as_json)
    if any(result.error for result in results):
        raise typer.Exit(1)


@cases.command("list")
def cases_list(
    *,
    everything: Annotated[bool, typer.Option("--all", help="The closed ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open cases, oldest first: what was found, and which record the relay calls its own.

    Example: relay cases list
    """

    async def run(settings: Settings) -> "Sequence[Case]":
        from ops.roles import open_store  # noqa: PLC0415
        from store.cases import Cases  # noqa: PLC0415

        async with open_store(settings) as engine:
            return await Cases(engine, SystemClock()).list(open_only=not everything)

    found = _run(run)
    from ops.show import show_cases  # noqa: PLC0415

    show_cases(found, as_json=as_json)


@cases.command("close")
def cases_close(
    case: Annotated[int, typer.Argument(metavar="ID", help="Its number in `relay cases list`.")],
    *,
    note: Annotated[str, typer.Option(help="What was decided and done; kept with the case.")],
) -> None:
    """Close a case once it has been settled in Solid. The relay itself changes and deletes nothing there.

    Example: relay cases close 7 --note "voided the second invoice by hand"
    """

    async def run(settings: Settings) -> bool:
        from ops.roles import open_store  # noqa: PLC0415
        from store.audit import AuditTrail  # noqa: PLC0415
        from store.cases import Cases  # noqa: PLC0415

        clock = SystemClock()
        async with open_store(settings) as engine:
            closed = await Cases(engine, clock).close(case, by=_actor(), note=note)
            if closed:
                detail = {"note": note}
                await AuditTrail(engine, clock).append(
                    actor=_actor(), act="case.closed", subject=str(case), detail=detail
                )
            return closed

    if not _run(run):
        typer.echo(f"relay: no open case has the number {case}", err=True)
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def simulator(context: typer.Context) -> None:
    """The stand-in for Solid, for demo and tests; all options are its own (`relay simulator --help`).

    Example: relay simulator --port 21384
    """
    os.execv(sys.executable, [sys.executable, "-m", "simulator", *context.args])  # noqa: S606 - no shell is wanted


def _warn(text: str | None) -> None:
    if text:
        typer.echo(f"relay: {text}", err=True)


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _ungrouped(work: Coroutine[Any, Any, None]) -> None:
    """Raise what a task group wraps as it was, so that it can be told plainly."""
    try:
        await work
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


if __name__ == "__main__":
    app()
