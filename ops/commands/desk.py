"""`relay dead` and `relay cases`: what waits for a person."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ops.commands.running import AsJson, actor, run, warn
from ops.showing.terminal import say
from runtime.clock import SystemClock
from runtime.settings import Settings

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from collections.abc import Sequence

    from ops.desk.desk import Replayed
    from store.cases import Case
    from store.dead_letters import ListedLetter, StoredLetter

LetterState = Literal["waiting", "replayed", "discarded"]
"""As `store.dead_letters.LetterState`, which would be slow to import here."""

dead = typer.Typer(help="Dead letters: see them, mend the cause, send them again.", no_args_is_help=True)
cases = typer.Typer(help="Cases: what a person must decide, such as a record found twice.", no_args_is_help=True)


@dead.command("list")
def dead_list(
    *,
    state: Annotated[LetterState, typer.Option(help="What became of them.")] = "waiting",
    reason: Annotated[str | None, typer.Option(help="Only this reason: period_closed means every month of it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Dead letters, oldest first, with their reasons. Collects them from the broker first.

    Example: relay dead list --reason period_closed
    """

    async def ask(settings: Settings) -> "Sequence[ListedLetter]":
        from ops.desk.desk import open_desk  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=actor()) as desk:
            warn(await desk.collect_if_reachable())
            return await desk.waiting(reason, state)

    letters = run(ask)
    from ops.showing.desk import show_letters  # noqa: PLC0415

    show_letters(letters, as_json=as_json)


@dead.command("show")
def dead_show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the start of it.")], *, as_json: AsJson = False
) -> None:
    """One dead letter, whole: reason, error, headers and the event.

    Example: relay dead show 3fa9
    """

    async def ask(settings: Settings) -> "StoredLetter":
        from ops.desk.desk import open_desk  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=actor()) as desk:
            warn(await desk.collect_if_reachable())
            return desk.letters.opened(await desk.letters.get(letter))

    stored = run(ask)
    from ops.showing.desk import show_letter  # noqa: PLC0415

    show_letter(stored, as_json=as_json)


@dead.command("replay")
def dead_replay(  # noqa: PLR0913 - one parameter an option
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
        say("relay: say which: ids, or --reason REASON, or --all", err=True)
        raise typer.Exit(2)

    async def ask(settings: Settings) -> "list[Replayed]":
        from ops.desk.desk import Choice, open_desk, replay_chosen  # noqa: PLC0415

        async with open_desk(settings, clock=SystemClock(), actor=actor()) as desk:
            await desk.collect()
            return await replay_chosen(desk, settings, Choice(letters or (), reason, waive), dry_run=dry_run)

    results = run(ask)
    from ops.showing.desk import show_replayed  # noqa: PLC0415

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

    async def ask(settings: Settings) -> "Sequence[Case]":
        from ops.composing.workers import open_store  # noqa: PLC0415
        from store.cases import Cases  # noqa: PLC0415

        async with open_store(settings) as engine:
            return await Cases(engine, SystemClock()).list(open_only=not everything)

    listed = run(ask)
    from ops.showing.desk import show_cases  # noqa: PLC0415

    show_cases(listed, as_json=as_json)


@cases.command("close")
def cases_close(
    case: Annotated[int, typer.Argument(metavar="ID", help="Its number in `relay cases list`.")],
    *,
    note: Annotated[str, typer.Option(help="What was decided and done; kept with the case.")],
) -> None:
    """Close a case once it has been settled in Solid. The relay itself changes and deletes nothing there.

    Example: relay cases close 7 --note "voided the second invoice by hand"
    """

    async def ask(settings: Settings) -> bool:
        from ops.composing.workers import open_store  # noqa: PLC0415
        from store.audit import AuditTrail  # noqa: PLC0415
        from store.cases import Cases  # noqa: PLC0415

        clock = SystemClock()
        async with open_store(settings) as engine:
            closed = await Cases(engine, clock).close(case, by=actor(), note=note)
            if closed:
                detail = {"note": note}
                await AuditTrail(engine, clock).append(
                    actor=actor(), act="case.closed", subject=str(case), detail=detail
                )
            return closed

    if not run(ask):
        say(f"relay: no open case has the number {case}", err=True)
        raise typer.Exit(1)
