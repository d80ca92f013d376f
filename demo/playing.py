"""The run: processes up, events in, three things broken on the way, and waiting until all is settled.

It breaks and waits; what came of it is counted in `demo.judging`.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from demo import relay
from demo.posting import Poster
from demo.scale import ALLOWANCE, WINDOW_SECONDS
from demo.story import Post, Story, forge
from staging.processes import NotReady, Process, Simulator, Stage
from staging.telling import Teller

LOOK_EVERY_SECONDS: Final = 0.25
START_SECONDS: Final = 40
ACT_SECONDS: Final = 30
END_SECONDS: Final = 45
QUIET_SECONDS: Final = 1.5

CLOSED_SECONDS: Final = 3.0
SLOW_SECONDS: Final = 1.5
"""Shorter than the HTTP time-out and the settle time: this is Solid's slowest answer."""

FIRST_ACT, SECOND_ACT = 0.4, 0.75
"""Which part of the events has been sent by the end of each act."""


@dataclass(slots=True)
class Cast:
    """All that runs, and what was done to it. `faults` are sentences, one for each thing that was broken."""

    stage: Stage
    simulator: Simulator
    workers: list[Process]
    poster: Poster
    story: Story
    teller: Teller
    faults: list[str] = field(default_factory=list)
    killed: list[Process] = field(default_factory=list)


def start(stage: Stage, teller: Teller) -> tuple[Simulator, list[Process], str]:
    """Start Solid's stand-in, two workers and the receiver; returns when all are ready, with the receiver's URL.

    Raises:
        NotReady: one did not start; the message names its log.
    """
    simulator = stage.start_simulator("--allowance", str(ALLOWANCE), "--window-seconds", str(WINDOW_SECONDS))
    teller.say(f"Solid's stand-in is open: {ALLOWANCE} calls in {WINDOW_SECONDS:g} s, as 600 in a minute")
    workers = [stage.start_worker("worker-1"), stage.start_worker("worker-2")]
    url = stage.start_receiver()
    for worker in workers:
        _wait(partial(_lines, worker.log, "worker.consuming"), stage, f"{worker.name} to be ready")
    teller.say(f"the receiver listens on {url}, two workers are ready")
    return simulator, workers, url


def play(cast: Cast) -> None:
    """Send everything, break three things on the way, and return when nothing is left to do (or time is up).

    Raises:
        NotReady: something ended that should run, or did not happen in time.
    """
    posts, count = cast.story.posts, len(cast.story.posts)
    first, second = int(count * FIRST_ACT), int(count * SECOND_ACT)
    _drop_one_answer(cast)
    _send(cast, posts[:first])
    _send_forged(cast, posts)
    until(cast, lambda: _written(cast) >= len(cast.story.records) // 6, "the first records to be in the books")
    _close_solid(cast, meanwhile=posts[first:second])
    reopened = _written(cast)
    until(cast, lambda: _written(cast) >= reopened + 3, "records after Solid opened again")
    _send(cast, posts[second:])
    _kill_at_work(cast)
    _settle(cast)


def until(cast: Cast, look: Callable[[], Any], what: str, *, within_seconds: float = ACT_SECONDS) -> None:
    """Wait for something, showing how many records there are.

    Raises:
        NotReady: it did not come in time, or a process ended that should run.
    """

    def shown() -> object:
        cast.teller.progress(records=_written(cast))
        return look()

    _wait(shown, cast.stage, what, within_seconds=within_seconds, ended_well=cast.killed)


def _drop_one_answer(cast: Cast) -> None:
    cast.simulator.switch(lose_answers=1, only="POST /invoices")
    cast.faults.append("one answer lost after Solid had committed")
    cast.teller.say("fault 1: the answer to the first invoice will be lost after Solid has committed it")


def _send(cast: Cast, posts: Iterable[Post]) -> None:
    started, statuses = len(cast.poster.accepted), [cast.poster.send(post) for post in posts]
    refused = sum(status // 100 != 2 for status in statuses)  # noqa: PLR2004 - the class of statuses that mean yes
    new = len(cast.poster.accepted) - started
    text = f"sent {len(statuses)} webhooks ({new} events, {len(statuses) - new} of them for the second time)"
    cast.teller.say(text + (f"; {refused} were not accepted" if refused else ""))


def _send_forged(cast: Cast, posts: Iterable[Post]) -> None:
    charge = next(post for post in posts if post.type == "charge.succeeded")
    status = cast.poster.send_forged(forge(charge))
    cast.teller.say(f"sent one with a forged signature: answered {status}")
    if status != 401:  # noqa: PLR2004 - what the receiver promises
        msg = f"the receiver answered {status} to a forged signature instead of 401: see {cast.stage.folder}"
        raise NotReady(msg)


def _close_solid(cast: Cast, *, meanwhile: Iterable[Post]) -> None:
    cast.simulator.switch(close_for_seconds=CLOSED_SECONDS)
    cast.faults.append(f"Solid closed for {CLOSED_SECONDS:g} s")
    cast.teller.say("fault 2: somebody closes the Solid app; events go on coming in")
    _send(cast, meanwhile)
    until(cast, lambda: cast.simulator.ask("/state")["open"], "the Solid app to open again")
    cast.teller.say("the Solid app is open again")


def _kill_at_work(cast: Cast) -> None:
    """SIGKILL while a call of the worker is on its way in: Solid commits it, and nobody is there to hear."""
    cast.simulator.switch(slow_seconds=SLOW_SECONDS, count=1, only="POST /payments")
    until(cast, lambda: not _armed(cast.simulator, "slow"), "a payment on its way")
    active = max(cast.workers, key=_last_settled)
    standby = next(worker for worker in cast.workers if worker is not active)
    cast.killed.append(active)
    active.kill()
    cast.faults.append(f"{active.name} killed with a call under way")
    cast.teller.say(f"fault 3: {active.name} is killed (SIGKILL) with a payment on its way to Solid")
    at = time.monotonic()
    before = len(_lines(standby.log, "delivery.settled"))
    until(cast, lambda: len(_lines(standby.log, "delivery.settled")) > before, f"{standby.name} to take over")
    cast.teller.say(f"{standby.name} works in its place after {time.monotonic() - at:.1f} s")


def _settle(cast: Cast) -> None:
    """Wait until every record is there, every queue is empty and nothing moves any more; not for ever."""
    deadline = time.monotonic() + END_SECONDS
    wanted = {external_id for _, external_id in cast.story.records}
    try:
        until(cast, lambda: wanted <= _external_ids(cast.simulator), "all records", within_seconds=END_SECONDS)
        until(
            cast,
            lambda: _is_quiet(cast) and _is_empty(cast.stage),
            "all queues to be empty",
            within_seconds=max(deadline - time.monotonic(), 0),
        )
        adopted = sum(len(_lines(worker.log, "write.adopted")) for worker in cast.workers)
        cast.teller.say(f"all is settled; {adopted} records in doubt were looked up and found in the books")
    except NotReady as error:
        cast.teller.say(f"{error}: counting what is there")


def _is_empty(stage: Stage) -> bool:
    waiting = relay.backlog(stage)
    return not any(count for name, count in waiting.items() if not relay.is_dead_letter_queue(name))


def _is_quiet(cast: Cast) -> bool:
    """No call and no settlement for a while."""
    calls, settled = cast.simulator.ask("/state")["calls"], _settled_in_all(cast)
    time.sleep(QUIET_SECONDS)
    return (calls, settled) == (cast.simulator.ask("/state")["calls"], _settled_in_all(cast))


def _settled_in_all(cast: Cast) -> int:
    return sum(len(_lines(worker.log, "delivery.settled")) for worker in cast.workers)


def _written(cast: Cast) -> int:
    return int(cast.simulator.ask("/state")["writes"])


def _external_ids(simulator: Simulator) -> set[str]:
    return set(simulator.ask("/judge")["by_external_id"])


def _armed(simulator: Simulator, kind: str) -> bool:
    return any(fault["kind"] == kind for fault in simulator.ask("/state")["faults"])


def _last_settled(worker: Process) -> str:
    """When this worker settled its last delivery: one is active, the other stands by."""
    lines = _lines(worker.log, "delivery.settled")
    return str(lines[-1]["timestamp"]) if lines else ""


def _lines(log: Path, event: str) -> list[dict[str, Any]]:
    """The lines of a log that tell of this; a last line that is not whole yet is left out."""
    whole = log.read_text().rpartition("\n")[0].splitlines()
    return [json.loads(line) for line in whole if line.startswith("{") and f'"{event}"' in line]


def _wait(
    look: Callable[[], object],
    stage: Stage,
    what: str,
    *,
    within_seconds: float = START_SECONDS,
    ended_well: Iterable[Process] = (),
) -> None:
    deadline = time.monotonic() + within_seconds
    while not look():
        _all_run(stage, ended_well)
        if time.monotonic() > deadline:
            msg = f"waited {within_seconds:.0f} s for {what}: see the logs in {stage.folder}"
            raise NotReady(msg)
        time.sleep(LOOK_EVERY_SECONDS)


def _all_run(stage: Stage, ended_well: Iterable[Process]) -> None:
    """Raise NotReady when a process has ended with an error that was not killed here."""
    for process in stage.processes:
        if process.popen.poll() and process not in ended_well:
            msg = f"{process.name} ended with {process.popen.returncode}: see {process.log}"
            raise NotReady(msg)
