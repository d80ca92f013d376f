"""`relay forget` and `relay dead erase`: what is kept of people ends."""

from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.running import AsJson, actor, run_for_all, warn
from ops.showing.terminal import say
from runtime.clock import SystemClock
from runtime.settings import Settings

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from store.erasing import Held


def forget(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="A name, an e-mail address, or a customer's id.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Erase it; without this it is only said.")] = False,
    as_json: AsJson = False,
) -> None:
    """What the relay holds of a person; with --yes, erase it. Ids of writes stay, so that nothing is posted twice.

    Run it for each name, address and id of the person. Exit code 1: something must be settled first.

    Example: relay forget jenny@example.org
    """

    async def work(settings: Settings) -> "tuple[list[Held], str | None]":
        from ops.desk.desk import open_desk  # noqa: PLC0415 - keeps others quick
        from ops.desk.retention import forget as erase  # noqa: PLC0415

        clock = SystemClock()
        async with open_desk(settings, clock=clock, actor=actor()) as desk:
            missed = await desk.collect_if_reachable()
        return await erase(settings, clock, customer, actor=actor(), dry=not yes), missed

    held, missed = run_for_all(work)
    warn(missed)
    from ops.showing.desk import show_held  # noqa: PLC0415

    show_held(held, done=yes, as_json=as_json)
    if any(kind.becomes.startswith("stay") for kind in held):
        raise typer.Exit(1)


def dead_erase(
    *,
    days: Annotated[
        float | None, typer.Option(help="Settled so long ago; else the setting store.settled_days.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say of how many.")] = False,
) -> None:
    """Remove bodies, headers and errors of settled dead letters. The relay does so by itself; ids and reasons stay.

    Example: relay dead erase --days 30 --dry-run
    """

    async def work(settings: Settings) -> int:
        from ops.desk.retention import erase_settled  # noqa: PLC0415 - keeps others quick

        return await erase_settled(settings, SystemClock(), days=days, dry=dry_run)

    count = run_for_all(work)
    say(f"{count:,} letters {'would be' if dry_run else 'were'} erased")
