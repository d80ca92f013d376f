"""The `relay` command. Each command is thin: read settings, start what `ops` has, print."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.commands.backfill import backfill
from ops.commands.desk import cases, dead
from ops.commands.doubts import doubts, restored
from ops.commands.feed import feed
from ops.commands.forget import dead_erase, forget
from ops.commands.normalize import normalize
from ops.commands.payouts import payouts
from ops.commands.payroll import payroll
from ops.commands.running import AsJson, Company, actor, run, run_for_all, told_plainly, ungrouped, warn
from ops.showing.terminal import Terminal, say, say_json
from runtime.clock import SystemClock
from runtime.environment import passed_on
from runtime.lifecycle import stop_on_signals
from runtime.settings import ConfigurationError, Settings

app = Terminal(
    help="Solid Relay: moves business facts into the books of Solid Accounting, each exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
PRIVATE_UMASK = 0o077
"""What a process of the relay makes, nobody else reads."""


@app.callback()
def private(context: typer.Context) -> None:
    """Runs before every command: from here on, new files are the relay's own."""
    before = os.umask(PRIVATE_UMASK)
    context.call_on_close(lambda: os.umask(before))


app.add_typer(dead, name="dead")
app.add_typer(cases, name="cases")
app.add_typer(doubts, name="doubts")
app.add_typer(payroll, name="payroll")
app.add_typer(backfill, name="backfill")
app.command()(restored)
app.command()(forget)
dead.command("erase")(dead_erase)
app.command()(feed)
app.command()(payouts)
app.command()(normalize)


@app.command()
def up() -> None:
    """The receiver, the feeds, the pulls and a worker in one process, for one machine.

    Without a secret for any webhook, but with feeds or pay runs to pull, there is no receiver.

    Example: relay up
    """

    async def work(settings: Settings) -> None:
        from ops.composing.companies import open_workers, run_workers  # noqa: PLC0415
        from ops.composing.feeds import feed_all  # noqa: PLC0415 - keeps others quick
        from ops.composing.payroll import run_schedules  # noqa: PLC0415
        from ops.composing.webhooks import webhooks_wanted  # noqa: PLC0415
        from ops.composing.workers import open_receiver  # noqa: PLC0415
        from ops.desk.retention import keep_erasing  # noqa: PLC0415
        from ops.http.metrics import WorkerMetrics  # noqa: PLC0415
        from ops.http.serving import serve, serve_metrics  # noqa: PLC0415
        from producers.webhooks.measures import Measures  # noqa: PLC0415

        clock, metrics, measures = SystemClock(), WorkerMetrics(), Measures()
        async with AsyncExitStack() as roles:
            receiver = None
            if webhooks_wanted(settings):
                receiver = await roles.enter_async_context(open_receiver(settings, clock, measures=measures))
            workers = await roles.enter_async_context(open_workers(settings, clock, metrics=metrics))
            with stop_on_signals() as stop:
                async with asyncio.TaskGroup() as group:
                    if receiver is not None:
                        group.create_task(serve(receiver, settings, stop, measures=measures))
                    group.create_task(feed_all(settings, clock, stop))
                    group.create_task(run_schedules(settings, clock, stop))
                    group.create_task(serve_metrics(settings, stop, measures.text, metrics.text))
                    group.create_task(keep_erasing(settings, SystemClock(), stop))
                    group.create_task(run_workers(workers, stop, metrics=metrics))

    run_for_all(lambda settings: ungrouped(work(settings)))


@app.command()
def receive() -> None:
    """The webhook receiver. Verifies, normalises and publishes, and only then answers 200.

    Example: RELAY_RECEIVER__PORT=8080 relay receive
    """

    async def work(settings: Settings) -> None:
        from ops.composing.workers import open_receiver  # noqa: PLC0415
        from ops.http.serving import serve, serve_metrics  # noqa: PLC0415
        from producers.webhooks.measures import Measures  # noqa: PLC0415

        measures = Measures()
        async with open_receiver(settings, SystemClock(), measures=measures) as receiver:
            with stop_on_signals() as stop:
                async with asyncio.TaskGroup() as group:
                    group.create_task(serve_metrics(settings, stop, measures.text))
                    group.create_task(serve(receiver, settings, stop, measures=measures))

    run_for_all(lambda settings: ungrouped(work(settings)))


@app.command()
def work() -> None:
    """A worker: applies events to Solid. Start as many as you like; one works, the others stand by.

    Example: relay work
    """

    async def ask(settings: Settings) -> None:
        from ops.composing.companies import open_workers, run_workers  # noqa: PLC0415
        from ops.desk.retention import keep_erasing  # noqa: PLC0415
        from ops.http.metrics import WorkerMetrics  # noqa: PLC0415
        from ops.http.serving import serve_metrics  # noqa: PLC0415

        metrics = WorkerMetrics()
        async with open_workers(settings, SystemClock(), metrics=metrics) as workers:
            with stop_on_signals() as stop:
                async with asyncio.TaskGroup() as group:
                    group.create_task(serve_metrics(settings, stop, metrics.text))
                    group.create_task(keep_erasing(settings, SystemClock(), stop))
                    group.create_task(run_workers(workers, stop, metrics=metrics))

    run_for_all(lambda settings: ungrouped(ask(settings)))


@app.command()
def check(*, company: Company = None, as_json: AsJson = False) -> None:
    """Is the configuration safe? Posts nothing.

    Looks at broker and store, and for each company (or the one that is named) at bucket, books, and Solid: its
    dialect, key, accounts and known balance. What it meets brakes nobody who works.
    Exit code 1 when anything is wrong.

    Example: relay check
    """

    async def ask(settings: Settings) -> list[Any]:
        from ops.checks.check import check as look  # noqa: PLC0415

        return await look(settings, SystemClock(), company=company)

    findings = run_for_all(ask)
    from ops.showing.desk import show_findings  # noqa: PLC0415

    show_findings(findings, as_json=as_json)
    if not all(finding.ok for finding in findings):
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
    from ops.dry.offline import plan_lines  # noqa: PLC0415
    from workers.books.books import load_books, sample_books  # noqa: PLC0415

    with told_plainly():
        kept = load_books(books) if books else sample_books()
        lines = sys.stdin.buffer if file is None or str(file) == "-" else _lines(file)
        wrong = False
        for result in plan_lines(lines, kept):
            if isinstance(result, str):
                wrong = True
                say(f"rejected: {result}", err=True)
            else:
                say_json(json.dumps(result, ensure_ascii=False, default=str))
    if wrong:
        raise typer.Exit(1)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise ConfigurationError(msg) from error


@app.command()
def status(*, company: Company = None, as_json: AsJson = False) -> None:
    """What waits where, the allowance lane by lane, brake, forecast, writes, dead letters.

    Where there are several companies and none is named: a line for each.

    Example: relay status --company north
    """

    async def ask(settings: Settings) -> dict[str, Any]:
        from ops.standing.status import overview  # noqa: PLC0415
        from ops.standing.status import status as look  # noqa: PLC0415

        if settings.companies and company is None:
            return await overview(settings, SystemClock())
        return await look(settings.of(company or settings.company), SystemClock())

    figures = run_for_all(ask)
    from ops.showing.status import show_overview, show_status  # noqa: PLC0415

    (show_overview if "companies" in figures else show_status)(figures, as_json=as_json)


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

    async def ask(settings: Settings) -> dict[str, Any]:
        from ops.desk.desk import open_desk  # noqa: PLC0415
        from ops.standing.status import trace as look  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=actor()) as desk:
            warn(await desk.collect_if_reachable())
        return await look(settings, SystemClock(), text)

    traced = run(ask)
    from ops.showing.desk import show_trace  # noqa: PLC0415

    show_trace(traced, as_json=as_json)
    if not (traced["writes"] or traced["stock"] or traced["dead_letters"]):
        say(f"relay: nothing is known of {text}", err=True)
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def simulator(context: typer.Context) -> None:
    """The stand-in for Solid, for demo and tests; all options are its own (`relay simulator --help`).

    Example: relay simulator --port 21384
    """
    command = [sys.executable, "-m", "simulator", *context.args]
    os.execve(sys.executable, command, dict(passed_on()))  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    app()
