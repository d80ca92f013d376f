"""`relay backfill`: what a source has and was never told."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.running import AsJson, actor, run_for_all, warn
from ops.showing.terminal import Terminal
from runtime.clock import SystemClock
from runtime.lifecycle import stop_on_signals
from runtime.settings import Settings

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from ops.desk.backfill import Backfilled

backfill = Terminal(help="Reads a source again from a day on, and publishes what is missing.", no_args_is_help=True)


@backfill.callback()
def _group() -> None:
    """Reads a source again from a day on, and publishes what is missing."""


@backfill.command("stripe")
def stripe(
    *,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day, in UTC.")],
    company: Annotated[str | None, typer.Option(help="Only what is for the books of this one.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would be published; publish and keep nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Reads Stripe with the key from a day on: balance transactions, payouts, and events of the last 30 days.

    What the books have, or a dead letter waits for, is not published again. Ctrl-C says where it stopped, and how to go
    on. Exit code 1: it did not come to its end.

    Example: relay backfill stripe --since 2026-01-01 --dry-run
    """

    async def work(settings: Settings) -> "Backfilled":
        from ops.desk.backfill import Wanted  # noqa: PLC0415 - keeps others quick
        from ops.desk.backfill import backfill as read  # noqa: PLC0415
        from ops.desk.desk import open_desk  # noqa: PLC0415
        from ops.showing.backfill import shown_progress  # noqa: PLC0415

        clock = SystemClock()
        async with open_desk(settings, clock=clock, actor=actor()) as desk:
            warn(await desk.collect_if_reachable())
        wanted = Wanted(since=since.replace(tzinfo=UTC).date(), company=company, is_dry=dry_run)
        with shown_progress() as progress, stop_on_signals() as stop:
            return await read(settings, clock, wanted, stop=stop, progress=progress)

    done = run_for_all(work)
    from ops.showing.backfill import show_backfilled  # noqa: PLC0415

    show_backfilled(done, company=company, as_json=as_json)
    if not done.ended:
        raise typer.Exit(1)
