"""The inbox against a model of what it promises, over random histories of three workers, crashes and lost answers.

The model keeps the truth a worker cannot see: what was really sent, and when. The promises: only one holder at a
time; never Fresh after something may have been sent; the payload that was perhaps sent stays the payload; nothing was
sent after the moment a doubt names; a late holder cannot settle.
"""

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, assert_never

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from store.engine import connect
from store.errors import LeaseLost
from store.inbox import Busy, Conflict, Done, Doubt, Fresh, Inbox, Voided
from tests.contract.store.conftest import LEASE
from tests.contract.store.samples import EVENT, intent
from tests.fakes import FakeClock
from tests.searching import examples, search

T = TypeVar("T")

OWNERS = ("a", "b", "c")
WRITES = ("w1", "w2")
HASHES = ("h1", "h2")


@dataclass
class Holder:
    """A worker's belief that it holds a claim; `sent` is whether it called Solid under it."""

    owner: str
    epoch: int
    until: datetime
    sent: bool = False


@dataclass
class Truth:
    """What is really so of one write."""

    payload: str | None = None
    epoch: int = 0
    holder: Holder | None = None
    perhaps_sent: datetime | None = None  # last moment something may have left, with no answer since
    applied: str | None = None
    void: bool = False


class InboxMachine(RuleBasedStateMachine):
    """Random histories. Time moves only by its rule."""

    url: str

    @initialize()
    def start(self) -> None:
        self.company = secrets.token_hex(8)  # one database serves all histories, each with a company of its own
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.engine = connect(self.url)
        self.inboxes = {owner: self.new_inbox(owner) for owner in OWNERS}
        self.truth = {name: Truth() for name in WRITES}
        self.ghosts: list[tuple[str, Holder]] = []

    def new_inbox(self, owner: str) -> Inbox:
        return Inbox(self.engine, owner=owner, lease=LEASE, clock=self.clock)

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(call)

    @rule(owner=st.sampled_from(OWNERS), name=st.sampled_from(WRITES), payload=st.sampled_from(HASHES))
    def claim(self, owner: str, name: str, payload: str) -> None:
        truth, now = self.truth[name], self.clock.now()
        [answer] = self.run(self.inboxes[owner].claim(self.company, EVENT, [intent(name, payload)]))
        match answer:
            case Fresh():
                assert not truth.void
                assert truth.applied is None
                assert truth.perhaps_sent is None
                assert truth.holder is None
                truth.payload = payload
            case Doubt(since=since):
                assert truth.applied is None
                assert truth.payload == payload
                assert since <= now
                assert truth.perhaps_sent is None or since >= truth.perhaps_sent
                assert truth.holder is None or truth.holder.until <= now or truth.holder.owner == owner
                # whatever the silent holder did, it may have been sending until this moment
                if truth.holder is not None:
                    self.ghosts.append((name, truth.holder))
                truth.perhaps_sent = since
            case Busy(until):
                assert truth.holder is not None
                assert truth.holder.until == until > now
                return
            case Done(solid_id):
                assert (truth.applied, truth.payload) == (solid_id, payload)
                return
            case Conflict(known, _):
                assert known == truth.payload != payload
                assert truth.applied or truth.perhaps_sent or truth.holder or truth.void
                return
            case Voided():
                assert truth.void
                assert truth.payload == payload
                return
            case _ as never:
                assert_never(never)
        assert answer.epoch == truth.epoch + 1
        truth.epoch = answer.epoch
        truth.holder = Holder(owner, answer.epoch, now + LEASE)

    @rule(owner=st.sampled_from(OWNERS), name=st.sampled_from(WRITES), payload=st.sampled_from(HASHES))
    def void(self, owner: str, name: str, payload: str) -> None:
        truth = self.truth[name]
        match self.run(self.inboxes[owner].void(self.company, EVENT, intent(name, payload))):
            case Voided():
                assert truth.applied is None
                assert truth.perhaps_sent is None
                assert truth.holder is None
                assert not truth.void or truth.payload == payload
                truth.epoch += not truth.void
                truth.void, truth.payload = True, payload
            case Done(solid_id):
                assert truth.applied == solid_id
            case Busy():
                assert truth.epoch
                assert not truth.void
            case answer:
                assert isinstance(answer, Conflict)
                assert truth.void
                assert truth.payload != payload

    @rule(name=st.sampled_from(WRITES))
    def send(self, name: str) -> None:
        truth = self.truth[name]
        if truth.holder is not None and truth.applied is None:
            truth.holder.sent = True
            truth.perhaps_sent = self.clock.now()

    @rule(name=st.sampled_from(WRITES))
    def renew(self, name: str) -> None:
        if holder := self.truth[name].holder:
            self.run(self.inboxes[holder.owner].renew(self.company, name, holder.epoch))
            holder.until = self.clock.now() + LEASE

    @rule(name=st.sampled_from(WRITES), ending=st.sampled_from(["applied", "refused", "unknown", "release"]))
    def settle(self, name: str, ending: str) -> None:
        truth = self.truth[name]
        holder = truth.holder
        if holder is None or (ending == "release" and holder.sent):
            return
        self.run(self.settling(name, holder, ending))
        self.run(self.settling(name, holder, ending))  # saying it again must be harmless
        truth.holder = None
        if ending == "applied":
            truth.applied, truth.perhaps_sent = f"{name}-{holder.epoch}", None
        if ending == "refused":
            truth.perhaps_sent = None
        if ending == "unknown":
            truth.perhaps_sent = self.clock.now()

    @rule(index=st.integers(0, 9), ending=st.sampled_from(["applied", "refused", "unknown", "release"]))
    def a_late_holder_settles(self, index: int, ending: str) -> None:
        if self.ghosts:
            name, ghost = self.ghosts[index % len(self.ghosts)]
            with pytest.raises(LeaseLost):
                self.run(self.settling(name, ghost, ending))

    @rule(owner=st.sampled_from(OWNERS))
    def crash_and_restart(self, owner: str) -> None:
        self.inboxes[owner] = self.new_inbox(owner)

    @rule(seconds=st.sampled_from([1, 30, 59, 61]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def the_store_tells_the_truth(self) -> None:
        if not hasattr(self, "truth"):
            return
        states = self.run(self.inboxes["a"].state_of(self.company, WRITES))
        for name, truth in self.truth.items():
            assert (states.get(name) == "applied") == (truth.applied is not None)
            assert (states.get(name) == "refused") <= (truth.perhaps_sent is None and truth.holder is None)

    def settling(self, name: str, holder: Holder, ending: str) -> Coroutine[Any, Any, None]:
        inbox, claim = self.inboxes[holder.owner], (self.company, name, holder.epoch)
        match ending:
            case "applied":
                return inbox.applied(*claim, solid_id=f"{name}-{holder.epoch}")
            case "refused":
                return inbox.refused(*claim, code="422", message="no")
            case "unknown":
                return inbox.unknown(*claim)
        return inbox.release(*claim)

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.engine.dispose())
            self.runner.close()


@search
def test_the_inbox_keeps_its_promises_over_random_histories(database_url: str) -> None:
    class Machine(InboxMachine):
        url = database_url

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=examples(10), stateful_step_count=25, deadline=timedelta(seconds=10))
    )
