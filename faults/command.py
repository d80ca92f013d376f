"""The command behind `python -m faults` (described there): what it starts, in which order, and how it ends."""

import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import httpx2
import typer
from rich.console import Console

from demo.judging import Evidence
from demo.story import Story
from faults.campaign import Campaign, Outcome
from faults.clocks import NoFakeTime, find_library
from faults.ground import Ground, open_ground
from faults.judging import Ending, Verdict, as_json, judge
from faults.letters import collect_letters
from faults.posting import Poster
from faults.scale import ALLOWANCE, SETTINGS, WINDOW_SECONDS
from faults.schedule import Fault, draw_schedule
from faults.small_disk import NoSmallDisk, SmallDisk, mount_small_disk
from faults.telling import CampaignTeller
from faults.traffic import write_traffic
from staging.broker import MANAGEMENT, Broker, BrokerError, find_own_broker
from staging.folder import alone, clear
from staging.processes import STRIPE_SECRET, NotReady, Stage, stage
from staging.stopping import Stopped, Stopper, stopped_by_signals

VAR: Final = Path(__file__).resolve().parents[1] / "var"
EVENTS_PER_FAULT: Final = 20
FEWEST_FAULTS: Final = 12
EVENTS_PER_MEGABYTE: Final = 50
SMALLEST_DISK_MEGABYTES: Final = 32
BETWEEN_LINES_SECONDS: Final = 5.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to do, all of it drawn from the seed."""

    events: int
    seed: int
    story: Story
    schedule: list[Fault]
    within_seconds: float


@dataclass(frozen=True, slots=True)
class Means:
    """What this machine offers. `missing` says what it does not, in sentences."""

    disk: SmallDisk | None
    clock_library: Path | None
    missing: tuple[str, ...]


@app.command()
def main(  # noqa: PLR0913 - one parameter an option
    *,
    events: Annotated[int, typer.Option(min=20, help="Stripe events, before any is sent twice.")] = 2_000,
    seed: Annotated[int, typer.Option(help="The same events and seed give the same faults.")] = 1,
    faults: Annotated[int | None, typer.Option(min=0, help="Without it one fault to 20 events, at least 12.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only faults of this kind; may be said again.")] = None,
    within: Annotated[float | None, typer.Option(help="Seconds after which what is there is judged.")] = None,
    folder: Annotated[Path, typer.Option(help="For logs and database; emptied first.")] = VAR / "faults",
    download: Annotated[bool, typer.Option(help="Fetch Debian's libfaketime if it is not here.")] = True,
) -> None:
    """Real processes, broken at random while events flow, and judged by what is in Solid's books."""
    console = Console()
    count = max(events // EVENTS_PER_FAULT, FEWEST_FAULTS) if faults is None else faults
    story = write_traffic(events, seed)
    try:
        schedule = draw_schedule(count, seed, posts=len(story.posts), records=len(story.records), kinds=only or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    plan = Plan(events, seed, story, schedule, _within(events, schedule) if within is None else within)
    try:
        with alone(folder, what="campaign"), stopped_by_signals() as stopper:
            clear(folder, what="campaign")
            summary, wrongs = _run(plan, folder, console, download=download, stopper=stopper)
    except Stopped as stopped:
        console.print(f"faults: stopped. Everything it had started has ended; the logs are in {folder}", soft_wrap=True)
        raise typer.Exit(128 + stopped.number) from None
    except (NotReady, BrokerError, httpx2.HTTPError, OSError) as error:
        console.print(f"faults: {error}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"faults: the logs are in {folder}", soft_wrap=True)
        raise typer.Exit(1) from None
    sys.stdout.write(json.dumps(summary) + "\n")
    raise typer.Exit(1 if wrongs else 0)


def _within(events: int, schedule: list[Fault]) -> float:
    """Seconds that are enough."""
    return 90 + events * 0.15 + len(schedule) * 2


def _run(
    plan: Plan, folder: Path, console: Console, *, download: bool, stopper: Stopper
) -> tuple[dict[str, Any], tuple[str, ...]]:
    means = _means(folder, plan.events, download=download)
    whole = {"accepted": len(plan.story.posts), "records": len(plan.story.records), "faults": len(plan.schedule)}
    with CampaignTeller(console, whole, line_seconds=BETWEEN_LINES_SECONDS) as teller:
        teller.say(
            f"seed {plan.seed}: {plan.events} events in {whole['accepted']} posts, {whole['records']} records to be "
            f"written, {whole['faults']} faults, {ALLOWANCE} calls in {WINDOW_SECONDS:g} s"
        )
        teller.schedule(plan.schedule)
        for sentence in means.missing:
            teller.say(sentence)
        with (
            find_own_broker(say=lambda line: teller.say(f"broker: {line}"), plugins=[MANAGEMENT]) as broker,
            stage(folder, broker.url, **SETTINGS) as standing,
        ):
            outcome, verdict = stopper.run(_perform(plan, means, standing, broker, teller))
    for sentence in (*means.missing, *verdict.notes):
        console.print(f"note: {sentence}", markup=False, highlight=False, soft_wrap=True)
    for sentence in verdict.wrongs:
        console.print(f"WRONG: {sentence}", markup=False, highlight=False, soft_wrap=True)
    skipped = dict(sorted(outcome.skipped.items()))
    seconds = round(teller.seconds)
    return as_json(verdict, seed=plan.seed, events=plan.events, seconds=seconds, skipped=skipped), verdict.wrongs


async def _perform(
    plan: Plan, means: Means, standing: Stage, broker: Broker, teller: CampaignTeller
) -> tuple[Outcome, Verdict]:
    async with open_ground(standing, broker, disk=means.disk, clock_library=means.clock_library) as ground:
        teller.say("a receiver, two workers and Solid's stand-in are ready")
        poster = Poster(ground.receiver_url, STRIPE_SECRET, plan.story.posts)
        outcome = await Campaign(ground, plan.story, plan.schedule, poster, teller, plan.within_seconds).run()
        teller.say("the relay has stopped; counting what Solid's stand-in holds")
        seen = Evidence(
            accepted=frozenset(poster.accepted),
            records=await ground.solid.ask("/records"),
            report=await ground.solid.ask("/judge", allowance=ALLOWANCE, window_seconds=WINDOW_SECONDS),
            letters=collect_letters(standing, ground.watch.store),
            faults=len(outcome.done),
            allowance=ALLOWANCE,
        )
        verdict = judge(plan.story, seen, _ending(ground, outcome))
        _tell_what_happened(ground, poster, outcome, teller)
        if means.disk is not None:
            shutil.copytree(means.disk.folder, standing.folder / "store-at-the-end")
    return outcome, verdict


def _ending(ground: Ground, outcome: Outcome) -> Ending:
    return Ending(
        settled=outcome.settled,
        left=outcome.left,
        doubts=outcome.doubts,
        found_twice=ground.watch.found_twice,
        cases=ground.watch.cases,
        ended={name: keeper.ended for name, keeper in ground.keepers.items()},
    )


def _tell_what_happened(ground: Ground, poster: Poster, outcome: Outcome, teller: CampaignTeller) -> None:
    """Figures that are no judgement: how the faults felt from within."""
    kinds = Counter(fault.kind for fault in outcome.done)
    teller.say("faults done: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    for what, why in sorted(outcome.skipped.items()):
        teller.say(f"SKIPPED {what}: {why}")
    answers = ", ".join(f"{count} x {status or 'no answer'}" for status, count in sorted(poster.statuses.items()))
    teller.say(f"the receiver answered {answers}")
    said = ", ".join(f"{count} {event}" for event, count in sorted(ground.watch.said.items()))
    teller.say(f"the relay said {said}")


def _means(folder: Path, events: int, *, download: bool) -> Means:
    """Find out what can be broken here. The disk comes first: all that is started later must see it."""
    disk, library, missing = None, None, []
    try:
        megabytes = max(SMALLEST_DISK_MEGABYTES, events // EVENTS_PER_MEGABYTE)
        disk = mount_small_disk(folder / "store", megabytes=megabytes)
    except NoSmallDisk as error:
        missing.append(f"the store's disk will not be filled: {error}")
    try:
        library = find_library(VAR / "libfaketime", download=download)
    except NoFakeTime as error:
        missing.append(f"no clock will be set: {error}")
    return Means(disk, library, tuple(missing))
