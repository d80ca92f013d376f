"""`relay feed`: watched folders and polled addresses."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from ops.commands.running import AsJson, run_for_all, told_plainly, ungrouped, warn
from ops.showing.terminal import say, say_json, show_json
from runtime.clock import SystemClock
from runtime.lifecycle import stop_on_signals
from runtime.logs import configure_logs
from runtime.settings import Settings, load_settings

if TYPE_CHECKING:  # these take a while to import, and not every command needs them
    from ops.composing.feeds import Looked


def feed(
    *,
    only: Annotated[str | None, typer.Option("--feed", help="Only this one of [feeds].")] = None,
    once: Annotated[bool, typer.Option("--once", help="One pass; exit code 1 if anything was refused.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Print events and writes; send, move and claim nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Reads the folders and addresses of [feeds] and publishes what is in them, until it is stopped.

    Example: relay feed --once --feed north-3pl
    """
    if dry_run:
        _dry_run(only, as_json=as_json)
        return
    if once:
        _once(only, as_json=as_json)
        return

    async def work(settings: Settings) -> None:
        from ops.composing.feeds import open_feeds, run_feeds  # noqa: PLC0415 - keeps others quick
        from ops.http.serving import serve_metrics  # noqa: PLC0415

        clock = SystemClock()
        async with open_feeds(settings, clock, only=only) as feeds:
            with stop_on_signals() as stop:
                async with asyncio.TaskGroup() as group:
                    group.create_task(serve_metrics(settings, stop))
                    group.create_task(run_feeds(feeds, stop, clock))

    run_for_all(lambda settings: ungrouped(work(settings)))


def _once(only: str | None, *, as_json: bool) -> None:
    async def work(settings: Settings) -> "list[Looked]":
        from ops.composing.feeds import look_once, open_feeds  # noqa: PLC0415
        from ops.showing.feed_progress import shown_progress  # noqa: PLC0415

        clock = SystemClock()
        with shown_progress() as progress, stop_on_signals() as stop:
            async with open_feeds(settings, clock, only=only, progress=progress) as feeds:
                return await look_once(feeds, settings, stop, clock)

    looked = run_for_all(work)
    if as_json:
        show_json([one.as_json() for one in looked])
    for one in looked:
        found = one.found
        if not as_json:
            figures = f"{found.files:,} read, {found.rows:,} rows, {found.events:,} events, {found.rejects:,} rejected"
            say(f"{one.feed}: {figures}")
        if found.refused:
            warn(f"{one.feed}: {found.refused:,} of them refused in whole or in part: see the reports in failed/")
        if found.unfinished:
            warn(f"{one.feed}: still being written: {', '.join(found.unfinished)}")
        if found.odd:
            warn(
                f"{one.feed}: left alone, as they are links, pipes, or files with a second name: {', '.join(found.odd)}"
            )
        warn(one.problem)
    if not all(one.good for one in looked):
        raise typer.Exit(1)


def _dry_run(only: str | None, *, as_json: bool) -> None:
    from ops.dry.feeds import dry_run  # noqa: PLC0415 - keeps others quick

    good = True
    with told_plainly():
        settings = load_settings()
        configure_logs(settings.log.level, settings.log.format)
        for line in dry_run(settings, SystemClock(), only=only):
            good = good and line["kind"] != "refused"
            if as_json or line["kind"] == "write":
                say_json(json.dumps(line if as_json else line["write"], ensure_ascii=False, default=str))
            else:
                where = f"{line['feed']}: {line['file']}: {line['where']}"
                say(f"{where}: {line['text']}", err=line["kind"] != "event")
    if not good:
        raise typer.Exit(1)
