"""The command behind `python -m demo` (described there): what it starts, in which order, and how it ends."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import httpx2
import typer
from rich.console import Console

from demo import relay, telling
from demo.judging import Evidence, Verdict, judge
from demo.playing import Cast, play, start
from demo.posting import Poster
from demo.scale import ALLOWANCE, SETTINGS, WINDOW_SECONDS
from demo.story import Story, tell
from staging.broker import BrokerError, find_broker
from staging.folder import alone, clear
from staging.processes import STRIPE_SECRET, NotReady, Simulator, Stage, stage
from staging.stopping import Stopped, stopped_by_signals
from staging.telling import Teller

FOLDER: Final = Path(__file__).resolve().parents[1] / "var" / "demo"
BOOKS: Final = Path(__file__).with_name("books.toml")
BETWEEN_LINES_SECONDS: Final = 3.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def main(
    *,
    company: Annotated[
        str, typer.Option(envvar="RELAY_COMPANY", help="Whose queues to use, on a broker that others use too.")
    ] = "demo",
    folder: Annotated[
        Path, typer.Option(help="For logs and database; what an earlier demo left there is removed.")
    ] = FOLDER,
) -> None:
    """Real Stripe events in, balanced books out, with three failures on the way. Takes under 90 seconds."""
    console = Console()
    try:
        with alone(folder, what="demo"), stopped_by_signals():
            clear(folder, what="demo")
            verdict = _run(company, folder, console)
    except Stopped as stopped:
        console.print(f"demo: stopped. Everything it had started has ended; the logs are in {folder}", soft_wrap=True)
        raise typer.Exit(128 + stopped.number) from None
    except (NotReady, BrokerError, httpx2.HTTPError, OSError) as error:
        console.print(f"demo: {error}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"demo: the logs are in {folder}", soft_wrap=True)
        raise typer.Exit(1) from None
    for wrong in verdict.wrongs:
        console.print(f"WRONG: {wrong}", markup=False, highlight=False, soft_wrap=True)
    sys.stdout.write(json.dumps(verdict.as_json()) + "\n")
    raise typer.Exit(1 if verdict.wrongs else 0)


def _run(company: str, folder: Path, console: Console) -> Verdict:
    story = tell()
    shutil.copyfile(BOOKS, folder / "books.toml")
    with (
        Teller(console, {"records": len(story.records)}, line_seconds=BETWEEN_LINES_SECONDS) as teller,
        find_broker(say=lambda line: teller.say(f"broker: {line}")) as broker,
        stage(folder, broker.url, company=company, **SETTINGS) as standing,
    ):
        if os.environ.get("RABBITMQ_URL"):
            _must_be_empty(standing)
        return _perform(standing, story, teller)


def _perform(standing: Stage, story: Story, teller: Teller) -> Verdict:
    simulator, workers, url = start(standing, teller)
    with Poster(url, STRIPE_SECRET) as poster:
        cast = Cast(standing, simulator, workers, poster, story, teller)
        play(cast)
    _stop_the_relay(standing, simulator)
    teller.say("the relay has stopped; counting what Solid's stand-in holds")
    report = simulator.ask("/judge", allowance=ALLOWANCE, window_seconds=WINDOW_SECONDS)
    records, letters = simulator.ask("/records"), relay.dead_letters(standing)
    for table in (
        telling.trial_balance(report),
        telling.clearing(story, records),
        telling.dead_letters(story, letters),
    ):
        teller.console.print()
        teller.console.print(table)
    teller.console.print()
    seen = Evidence(frozenset(poster.accepted), records, report, letters, len(cast.faults), ALLOWANCE)
    return judge(story, seen)


def _stop_the_relay(standing: Stage, simulator: Simulator) -> None:
    """All but the witness: nothing is written any more."""
    relay_processes = [process for process in standing.processes if process is not simulator.process]
    for process in relay_processes:
        if process.popen.poll() is None:
            process.signal(signal.SIGTERM)
    for process in relay_processes:
        process.stop()


def _must_be_empty(standing: Stage) -> None:
    """On somebody's broker: carry nobody's dead letters off, and take nobody's events.

    Raises:
        NotReady: messages of others are there.
    """
    waiting = {name: count for name, count in relay.backlog(standing).items() if count}
    held = ", ".join(f"{count} in {name}" for name, count in waiting.items())
    if any(relay.is_dead_letter_queue(name) for name in waiting):
        msg = (
            f"the broker of RABBITMQ_URL holds dead letters that the demo would carry off ({held}). "
            "Collect them first with `relay dead list`, or unset RABBITMQ_URL."
        )
        raise NotReady(msg)
    if any(name.startswith(f"relay.{standing.company}.") for name in waiting):
        msg = f"the broker of RABBITMQ_URL holds events of {standing.company} ({held}). Name another with --company."
        raise NotReady(msg)
