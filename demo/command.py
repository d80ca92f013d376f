"""The command behind `python -m demo` (described there): what it starts, in which order, and how it ends."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
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
from demo.telling import Teller
from staging.broker import BrokerError, find_broker
from staging.processes import STRIPE_SECRET, NotReady, Simulator, Stage, stage

FOLDER: Final = Path(__file__).resolve().parents[1] / "var" / "demo"
BOOKS: Final = Path(__file__).with_name("books.toml")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Stopped(BaseException):
    """A signal asked for the end. Not an Exception, so that nothing on the way catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


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
        with _stopped_by_signals(), _alone(folder):
            _clear(folder)
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
        Teller(console, whole=len(story.records)) as teller,
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


def _clear(folder: Path) -> None:
    """Empty the folder, if it is ours to empty.

    Raises:
        NotReady: something is in it that no demo has left.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "books.toml").exists():
        msg = f"{folder} holds something else than an earlier demo. Name an empty folder with --folder."
        raise NotReady(msg)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, so that a second demo does not clear the logs of one that runs.

    Raises:
        NotReady: another demo holds it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"another demo is running in {folder}. Wait for it, or name another folder with --folder."
            raise NotReady(msg) from None
        yield


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP raises `Stopped`; those that follow leave the clearing up alone."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        numbers.append(signal.SIGHUP)

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(number)

    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
