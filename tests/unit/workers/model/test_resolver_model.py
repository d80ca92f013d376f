"""The resolver against models of the store and of Solid, over random histories in which anything dies at any await.

Two workers are stepped one await at a time, so that they meet everywhere, die anywhere, and time passes in between.
At every moment there is at most one record a write; in the end there is exactly one, nothing is unknown,
and the books are as the plans say. `MODEL_EXAMPLES=20000` plays that many histories (`make nightly`).
"""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
import structlog
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.searching import examples, search
from tests.unit.workers.model.model_relay import (
    AHEAD,
    BOOKED,
    CHAPTERS,
    DATED_ANEW,
    IN_CONFLICT,
    LATE_FACT,
    MOST_WRONG,
    RERUN,
    STORIES,
    TIMING,
    Relay,
    Told,
    Worker,
    chapters_of,
    names_of,
)
from tests.unit.workers.model.model_solid import CREATE_TROUBLE, SOLID_TROUBLE
from tests.unit.workers.model.model_store import COMMITS, STORE_TROUBLE, Tables
from tests.unit.workers.model.order import SolidInMemory
from tests.unit.workers.model.stepping import Task
from workers.errors import Conflicting

SLOTS = st.integers(0, 1)
WHICH = st.integers(0, 11)
PLACES = ("token", "create", "look up", "contacts", "everything", "read", *COMMITS)
POINTS = st.sampled_from(
    [
        "",
        "",
        "",
        "token",
        "token",
        "create",
        "create",
        *PLACES,
        *(f"{place} heard" for place in PLACES if place != "token"),
    ]
)
SECONDS = st.sampled_from([1, 14, 16, 29, 31, 59, 61, 76, 76, 200])
TROUBLE = st.sampled_from(CREATE_TROUBLE) | st.sampled_from(SOLID_TROUBLE) | st.sampled_from(STORE_TROUBLE)
LANDS = st.lists(st.booleans(), max_size=4)
SILENCE = 76
MOST_AT_ONCE = 3
MOST_ROUNDS = 9


class ResolverMachine(RuleBasedStateMachine):
    """Random histories of one story. Nothing moves but by a rule."""

    @initialize(story=st.sampled_from(STORIES))
    def begin(self, story: Sequence[Told]) -> None:
        self.relay = Relay()
        self.story = story
        self.chapters = chapters_of(story)
        self.told: set[int] = set()
        self.backup = Tables()
        self.births = 0
        self.workers = [self.born(slot) for slot in (0, 1)]

    def born(self, slot: int) -> Worker:
        self.births += 1
        return self.relay.begin(f"process-{self.births}", slot)

    @rule(slot=SLOTS, which=WHICH, point=POINTS)
    def an_event_is_delivered(self, slot: int, which: int, point: str) -> None:
        """The process goes on until a task stands at this point; at none of that name: to its end."""
        self.deliver(self.workers[slot], which)
        self.comes_to(self.workers[slot], point)

    @rule(slot=SLOTS, which=WHICH, trouble=TROUBLE, seconds=SECONDS, point=POINTS)
    def something_goes_wrong_and_the_event_comes_again(
        self, slot: int, which: int, trouble: tuple[str, str], seconds: int, point: str
    ) -> None:
        self.deliver(self.workers[slot], which)
        self.something_goes_wrong(slot, trouble)
        self.comes_to(self.workers[slot], "")
        self.relay.pass_time(seconds, [True, False])
        self.an_event_is_delivered(1 - slot, which, point)

    @rule(slot=SLOTS, which=WHICH, point=POINTS, others=POINTS)
    def a_holder_wakes_up_when_another_has_taken_over(self, slot: int, which: int, point: str, others: str) -> None:
        self.an_event_is_delivered(slot, which, point)
        for until in ("", others):  # the first time it hears that the doubt has to settle
            self.relay.pass_time(SILENCE, [True, False])
            self.an_event_is_delivered(1 - slot, which, until)
        self.comes_to(self.workers[slot], "")

    @rule(slot=SLOTS, trouble=TROUBLE)
    def something_goes_wrong(self, slot: int, trouble: tuple[str, str]) -> None:
        worker, (point, bad) = self.workers[slot], trouble
        task = self.comes_to(worker, point)
        if task is not None:
            self.relay.step(worker, task, bad)

    @rule(slot=SLOTS, which=WHICH)
    def one_task_goes_one_await_further(self, slot: int, which: int) -> None:
        worker = self.workers[slot]
        ready = worker.process.ready()
        if ready:
            self.relay.step(worker, ready[which % len(ready)])

    @rule(slot=SLOTS, point=POINTS)
    def a_process_goes_on(self, slot: int, point: str) -> None:
        """To the next task that stands at this point: those that stand there now go on."""
        worker = self.workers[slot]
        for task in worker.process.ready():
            if task.at == point:
                self.relay.step(worker, task)
        self.comes_to(worker, point)

    @rule(slot=SLOTS, under_its_name=st.booleans())
    def a_process_dies_where_it_stands(self, slot: int, *, under_its_name: bool) -> None:
        died = self.workers[slot].process
        died.crash()
        self.workers[slot] = self.relay.begin(died.owner, slot) if under_its_name else self.born(slot)

    @rule(seconds=SECONDS, lands=LANDS)
    def time_passes(self, seconds: int, lands: list[bool]) -> None:
        self.relay.pass_time(seconds, lands)

    @rule(slot=SLOTS, seconds=st.sampled_from([-MOST_WRONG, -600, 0, 600, MOST_WRONG]))
    def the_wall_clock_of_a_host_is_set(self, slot: int, seconds: float) -> None:
        self.relay.set_clock(slot, seconds)

    @precondition(lambda self: self.relay.solid.in_flight)
    @rule(which=WHICH)
    def a_call_lands(self, which: int) -> None:
        in_flight = self.relay.solid.in_flight
        self.relay.solid.land(in_flight[which % len(in_flight)])
        self.relay.check()

    @precondition(lambda self: self.relay.solid.in_flight)
    @rule(lands=LANDS)
    def solid_restarts(self, lands: list[bool]) -> None:
        self.relay.restart_solid(lands)

    @precondition(lambda self: self.relay.solid.records)
    @rule()
    def the_store_is_lost_and_begins_anew(self) -> None:
        self.all_die()
        self.relay.lose_store()
        self.workers = [self.born(slot) for slot in (0, 1)]

    @rule()
    def the_store_is_backed_up(self) -> None:
        self.backup = self.relay.tables.copy()

    @precondition(lambda self: self.backup.rows)
    @rule()
    def the_store_is_restored_from_the_backup(self) -> None:
        self.all_die()
        self.relay.restore_store(self.backup)
        self.workers = [self.born(slot) for slot in (0, 1)]

    @precondition(lambda self: self.relay.in_doubt() and not self.relay.clock_was_set)
    @rule(which=WHICH)
    def a_person_decides(self, which: int) -> None:
        doubts = self.relay.in_doubt()
        self.relay.say(doubts[which % len(doubts)])

    def deliver(self, worker: Worker, which: int) -> None:
        if len(worker.process.tasks) < MOST_AT_ONCE:
            chapter, event = which % CHAPTERS, which // CHAPTERS % len(self.story)
            self.told.add(chapter)
            worker.process.start(worker.handle(self.chapters[chapter][event]))

    def comes_to(self, worker: Worker, point: str) -> Task | None:
        return worker.process.run(lambda task: self.relay.step(worker, task), until=point)

    def all_die(self) -> None:
        for worker in self.workers:
            worker.process.crash()

    def teardown(self) -> None:
        self.all_die()
        told_how_far()
        if sys.exc_info()[0] is None:  # else the history itself has failed already
            self.relay.pass_time(TIMING.settle + TIMING.unasked, [True])
            self.everything_is_booked_once()

    def everything_is_booked_once(self) -> None:
        relay, story = self.relay, [told for chapter in sorted(self.told) for told in self.chapters[chapter]]
        errors: dict[str, BaseException] = {}
        worker = relay.begin("the last one")
        for _ in range(MOST_ROUNDS):
            errors = {told.name: error for told, error in relay.deliver_all(worker, story) if error is not None}
            if all(isinstance(error, Conflicting) for error in errors.values()):
                break
        assert not errors or self.story in IN_CONFLICT, errors
        assert all(isinstance(error, Conflicting) for error in errors.values()), errors
        assert relay.solid.counts == dict.fromkeys(names_of(story), 1)
        open_still = {told.plan.writes[0].external_id for told in story if told.name not in errors}
        for row in relay.tables.rows.values():  # a doubt of which no version is what Solid has stays one
            assert row.state == "applied" or (self.story in IN_CONFLICT and row.external_id not in open_still)
        assert relay.sweep() == []
        booked = SolidInMemory(list(relay.solid.records.values())).balances()
        assert booked == SolidInMemory(relay.expected(story)).balances()
        assert sum(booked.values()) == 0


def told_how_far(played: Iterator[int] = count(1)) -> None:  # noqa: B008 - one count for all histories
    """Where many histories are played, say every 500 how many they are."""
    number = next(played)
    if "MODEL_EXAMPLES" in os.environ and number % 500 == 0:
        sys.stderr.write(f"model: {number} histories\n")


@search
def test_whatever_happens_at_whatever_await_each_write_is_booked_once() -> None:
    histories = int(os.environ.get("MODEL_EXAMPLES", examples(40)))
    with structlog.testing.capture_logs():
        run_state_machine_as_test(
            ResolverMachine,
            settings=settings(max_examples=histories, stateful_step_count=30, deadline=None),
        )


@pytest.mark.parametrize("trouble", [None, ("everything", "inconclusive")])
def test_a_call_in_flight_when_the_store_is_lost_is_waited_for(trouble: tuple[str, str] | None) -> None:
    """The event comes again at once: that the young inbox intends its writes is no proof that it sent them."""
    history = ResolverMachine()
    history.begin((LATE_FACT,))
    history.an_event_is_delivered(0, 0, "create")
    history.a_process_goes_on(0, "create")  # the second of its entries is under way
    history.the_store_is_lost_and_begins_anew()
    history.deliver(history.workers[0], 0)
    if trouble is not None:
        history.something_goes_wrong(0, trouble)
    history.comes_to(history.workers[0], "")
    history.teardown()


@pytest.mark.parametrize("claimed_by", [0, 1], ids=["the process dies", "the process stands still"])
@pytest.mark.parametrize(
    ("story", "first", "again"), [(DATED_ANEW, 1, 0), (DATED_ANEW, 0, 1), (RERUN, 0, 1), (AHEAD, 0, 1)]
)
def test_a_claim_left_before_the_earlier_store_was_asked_leaves_a_doubt_that_asks_it(
    story: Sequence[Told], first: int, again: int, claimed_by: int
) -> None:
    """The store is lost, the fact comes again, and whoever claims it gets no further."""
    history = told_before_the_store_was_lost(story, first)
    history.an_event_is_delivered(claimed_by, CHAPTERS * again, "claim heard")
    history.relay.step(history.workers[claimed_by], history.workers[claimed_by].process.ready()[0])
    if claimed_by == 0:
        history.a_process_dies_where_it_stands(0, under_its_name=False)
    for _ in range(2):
        history.relay.pass_time(SILENCE, [True])
        history.an_event_is_delivered(0, CHAPTERS * again, "")
    history.comes_to(history.workers[1], "")
    history.teardown()


def test_what_was_refused_before_a_backup_and_applied_after_it_is_found_once_the_backup_is_restored() -> None:
    history = ResolverMachine()
    history.begin((BOOKED,))
    history.deliver(history.workers[0], 0)
    history.something_goes_wrong(0, ("create", "refused"))
    history.comes_to(history.workers[0], "")
    history.the_store_is_backed_up()
    history.an_event_is_delivered(0, 0, "")
    history.the_store_is_restored_from_the_backup()
    for _ in range(2):
        history.relay.pass_time(SILENCE, [True])
        history.an_event_is_delivered(0, 0, "")
    history.the_store_is_lost_and_begins_anew()
    history.teardown()


def test_a_call_in_flight_when_a_backup_is_restored_is_waited_for() -> None:
    """All that Solid shows is of the backup: nothing there tells that the inbox went on."""
    history = ResolverMachine()
    history.begin((BOOKED,))
    history.an_event_is_delivered(0, 0, "")
    history.relay.pass_time(1, [])
    history.the_store_is_backed_up()
    history.an_event_is_delivered(0, 1, "create")
    history.relay.pass_time(1, [])
    history.the_store_is_restored_from_the_backup()
    history.an_event_is_delivered(0, 1, "")
    history.relay.pass_time(SILENCE, [True])
    history.an_event_is_delivered(0, 1, "")
    history.teardown()


@pytest.mark.parametrize(("first", "again"), [(1, 0), (0, 1)])
def test_where_the_list_cannot_be_read_a_fact_is_looked_up_on_every_day_that_it_may_have(
    first: int, again: int
) -> None:
    """The list is only taken for unreadable once the inbox's beginning has settled: till then the write waits."""
    history = told_before_the_store_was_lost(DATED_ANEW, first)
    for _ in range(2):
        history.deliver(history.workers[0], CHAPTERS * again)
        history.something_goes_wrong(0, ("everything", "inconclusive"))
        history.comes_to(history.workers[0], "")
        history.relay.pass_time(SILENCE, [True])
    history.teardown()


@pytest.mark.parametrize("bad", ["lands late", "503 lands late"])
@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_that_is_set_while_a_doubt_settles_makes_it_neither_shorter_nor_longer(seconds: int, bad: str) -> None:
    history = ResolverMachine()
    history.begin((BOOKED,))
    history.deliver(history.workers[0], 0)
    history.something_goes_wrong(0, ("create", bad))
    history.comes_to(history.workers[0], "")
    history.the_wall_clock_of_a_host_is_set(0, seconds)
    history.an_event_is_delivered(0, 0, "")
    assert history.relay.solid.counts == {}, "not sent again: the first call may still land"
    history.relay.pass_time(TIMING.settle, [True])
    history.an_event_is_delivered(0, 0, "")
    assert [row.state for row in history.relay.tables.rows.values()] == ["applied"]
    history.teardown()


def test_a_host_whose_clock_is_ahead_takes_a_claim_over_and_waits_for_what_its_holder_still_sends() -> None:
    """The holder's fence does not ask for so young a claim: its call leaves after it was taken over."""
    history = ResolverMachine()
    history.begin((BOOKED,))
    history.the_wall_clock_of_a_host_is_set(1, 600)
    history.an_event_is_delivered(0, 0, "token")
    history.an_event_is_delivered(1, 0, "")
    history.relay.pass_time(TIMING.unasked - 1, [])
    history.comes_to(history.workers[0], "create")
    assert history.relay.solid.in_flight, "it does leave"
    history.relay.pass_time(TIMING.settle - TIMING.unasked + 1, [])
    history.an_event_is_delivered(1, 0, "")
    history.teardown()


def told_before_the_store_was_lost(story: Sequence[Told], first: int) -> ResolverMachine:
    """One event of the story is in Solid, of a store that is no more."""
    history = ResolverMachine()
    history.begin(story)
    history.an_event_is_delivered(0, CHAPTERS * first, "")
    history.the_store_is_lost_and_begins_anew()
    history.relay.pass_time(SILENCE, [True])
    return history
