"""`relay payroll`: pull pay runs, read exports, see their calendar, say what was cancelled; alone, pull on schedule."""

import asyncio
import re
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.commands.running import AsJson, Company, actor, run_for_all, ungrouped, warn
from ops.showing.terminal import bars, on_terminal, say
from runtime.clock import SystemClock
from runtime.lifecycle import stop_on_signals
from runtime.settings import ConfigurationError, Settings

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from collections.abc import Iterator, Sequence

    from producers.payroll.provider import Span
    from producers.payroll.pulling import Progress
    from producers.payroll.run_book import RunOutcome
    from store.payroll_runs import RunRow

payroll = typer.Typer(help="Pay runs: alone, pull on schedule; or pull, read exports, see the calendar.")

ProviderName = Annotated[str, typer.Option("--provider", help="The name of its table: gusto for [payroll.gusto].")]
DryRun = Annotated[bool, typer.Option(help="Only say what would be told; store and publish nothing.")]
_NEEDS_A_PERSON = ("refused", "missing")


@payroll.callback(invoke_without_command=True)
def schedule(context: typer.Context) -> None:
    """Pay runs. Without a command: pull on the schedules of the settings, and catch up with what was missed.

    Example: relay payroll
    """
    if context.invoked_subcommand is not None:
        return

    async def work(settings: Settings) -> None:
        from ops.composing.payroll import run_schedules  # noqa: PLC0415
        from ops.http.serving import serve_metrics  # noqa: PLC0415

        if not any(own.schedule for own in settings.payroll.values()):
            msg = "no [payroll.<name>] has a schedule; docs/payroll.md tells how to set one."
            raise ConfigurationError("; ".join([*settings.wrong_payroll.values(), msg]))
        with stop_on_signals() as stop:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve_metrics(settings, stop))
                group.create_task(run_schedules(settings, SystemClock(), stop))

    run_for_all(lambda settings: ungrouped(work(settings)))


@payroll.command()
def pull(
    *,
    provider: ProviderName,
    period: Annotated[str, typer.Option(help="Months of pay dates: 2026-04, or 2026-01..2026-04.")],
    company: Annotated[str | None, typer.Option(help="Only this company's entities.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Pull the pay runs that are paid in a month, and tell what is new or changed. Safe to repeat and to stop.

    Exit code 1: a run was refused, or is missing.

    Example: relay payroll pull --provider gusto --period 2026-04
    """

    async def work(settings: Settings) -> "list[RunOutcome]":
        from ops.composing.payroll import account_settings, entities_of, open_puller  # noqa: PLC0415

        entities = entities_of(account_settings(settings, provider), company)
        with _bar() as progress:
            async with open_puller(settings, provider, SystemClock(), dry=dry_run, progress=progress) as puller:
                return await puller.pull(_span(period), entities)

    _finish(run_for_all(work), dry_run=dry_run, as_json=as_json)


@payroll.command()
def read(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exports of pay runs, as CSV.")],
    *,
    provider: Annotated[
        str, typer.Option(help="A table with provider csv, or adp, gusto, onpay, paychex, quickbooks.")
    ],
    company: Company = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read exports of pay runs, and tell what is new or changed. A file is used whole, or not at all.

    Exit code 1: a file was refused.

    Example: relay payroll read register.csv --provider adp --dry-run
    """

    async def work(settings: Settings) -> "list[RunOutcome]":
        from ops.composing.payroll import open_reader  # noqa: PLC0415

        outcomes: list[RunOutcome] = []
        async with open_reader(settings, provider, SystemClock(), company=company, dry=dry_run) as (reader, context):
            for path in files:
                try:
                    file = path.open("rb")
                except OSError as error:
                    msg = f"{path}: {error.strerror}"
                    raise ConfigurationError(msg) from error
                with file:
                    outcomes += await reader.take(file, path.name, context)
        return outcomes

    _finish(run_for_all(work), dry_run=dry_run, as_json=as_json)


@payroll.command()
def status(*, company: Company = None, as_json: AsJson = False) -> None:
    """The calendar of pay periods: expected, open, pulled, posted, reversed, parked, refused, missing.

    Collects dead letters from the broker first.

    Example: relay payroll status --json
    """

    async def ask(settings: Settings) -> dict[str, Any]:
        from ops.desk.desk import open_desk  # noqa: PLC0415
        from ops.standing.payroll import payroll_status  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=actor()) as desk:
            warn(await desk.collect_if_reachable())
        return await payroll_status(settings, SystemClock(), company=company)

    calendars = run_for_all(ask)
    from ops.showing.payroll import show_calendar  # noqa: PLC0415

    show_calendar(calendars, as_json=as_json)


@payroll.command()
def reverse(  # noqa: PLR0913 - one parameter an option
    *,
    provider: ProviderName,
    run: Annotated[str, typer.Option("--run", help="The provider's id of the run, as status shows it.")],
    undo: Annotated[bool, typer.Option("--undo", help="It was not cancelled after all: tell it again.")] = False,
    company: Annotated[str | None, typer.Option(help="Whose run, where several have one of this id.")] = None,
    entity: Annotated[str | None, typer.Option(help="The provider's id of the company, likewise.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """You know that a run was cancelled, and its provider does not tell: take its entry back. Shows the run first.

    It stays taken back as long as the provider says the same of it. Exports: --provider is that of their runs.

    Example: relay payroll reverse --provider finch --run 4c6a2f0e
    """

    async def find(settings: Settings) -> "Sequence[RunRow]":
        from ops.desk.cancelling import find_run, must_follow  # noqa: PLC0415

        versions = await find_run(settings, SystemClock(), provider=provider, run=run, company=company, entity=entity)
        must_follow(versions, undo=undo)
        return versions

    async def work(settings: Settings) -> "RunRow":
        from ops.desk.cancelling import Word, say, today  # noqa: PLC0415

        word = Word(actor=actor(), day=today(settings, SystemClock(), versions[-1]), undo=undo)
        return await say(settings, SystemClock(), versions, word)

    versions = run_for_all(find)
    from ops.showing.payroll import show_run, show_word  # noqa: PLC0415

    if as_json and not yes:
        say("relay: --json asks nobody: say --yes too", err=True)
        raise typer.Exit(2)
    if not as_json:
        show_run(versions[-1])
    if not yes:
        typer.confirm("Tell it again?" if undo else "Take its entry back?", abort=True)
    show_word(versions[-1], run_for_all(work), as_json=as_json)


def _finish(outcomes: "Sequence[RunOutcome]", *, dry_run: bool, as_json: bool) -> None:
    from ops.showing.payroll import show_outcomes  # noqa: PLC0415

    show_outcomes(outcomes, dry_run=dry_run, as_json=as_json)
    if any(outcome.became in _NEEDS_A_PERSON for outcome in outcomes):
        raise typer.Exit(1)


def _span(period: str) -> "Span":
    from producers.payroll.provider import Span  # noqa: PLC0415
    from producers.payroll.scheduling import month  # noqa: PLC0415

    first, _, last = period.partition("..")
    months = [_month(text) for text in (first, last or first)]
    if months[0] > months[1]:
        msg = f"--period {period}: the first month comes after the last"
        raise ConfigurationError(msg)
    return Span(months[0], month(months[1]).last)


def _month(text: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}", text):
            raise ValueError
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        msg = f"--period wants months such as 2026-04 or 2026-01..2026-04, not {text!r}"
        raise ConfigurationError(msg) from None


@contextmanager
def _bar() -> "Iterator[Progress]":
    """A progress bar on stderr where that is a terminal."""
    console = on_terminal()
    if console is None:
        yield lambda _done, _total: None
        return
    with bars(console) as shown:
        yield lambda done, total: shown.tell("pay runs", done, total)
