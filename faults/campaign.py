"""One campaign: events are posted, faults done at their moments, and then everything is waited for.

What came of it is judged in `faults.judging`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from demo.story import Story
from faults import acts
from faults.errors import CannotDo
from faults.ground import RELAY, Ground
from faults.posting import Poster
from faults.scale import RETRY_DELAYS_SECONDS, SWEEP_AFTER_SECONDS
from faults.schedule import Fault
from faults.telling import CampaignTeller
from messaging.connection import Link
from messaging.drain import backlog
from messaging.errors import MessagingError
from messaging.topology import UNROUTED, company_queues, retry_queue

QUIET_SECONDS: Final = 3.0
SWEPT_SECONDS: Final = SWEEP_AFTER_SECONDS * 2
"""The sweep has looked up by now what it can."""

STUCK_SECONDS: Final = 40.0
"""Nothing has moved for so long: nothing will."""

AHEAD: Final = 100
"""How many posts may be ahead of the next fault that waits for records."""

PATIENCE_SECONDS: Final = 3.0
LOOK_EVERY_SECONDS: Final = 0.1


@dataclass(slots=True)
class Outcome:
    """What was done, and how it ended."""

    done: list[Fault] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    settled: bool = False
    left: dict[str, int] = field(default_factory=dict)
    doubts: int | None = None


@dataclass(slots=True)
class Campaign:
    """Runs the schedule against the ground while the story is posted."""

    ground: Ground
    story: Story
    schedule: Sequence[Fault]
    poster: Poster
    teller: CampaignTeller
    within_seconds: float
    outcome: Outcome = field(default_factory=Outcome)
    _begun: set[int] = field(default_factory=set)

    async def run(self) -> Outcome:
        """Do it all. Safe to cancel."""
        started = asyncio.get_running_loop().time()
        posting = asyncio.create_task(self.poster.run())
        try:
            async with asyncio.timeout(self.within_seconds):
                self._gate()
                async with asyncio.TaskGroup() as group:
                    for counted in ("posted", "written"):
                        group.create_task(self._track([f for f in self.schedule if f.counted == counted]))
                    group.create_task(self._tell(posting))
                self.teller.say("all events are accepted and all faults done; waiting until all is settled")
                self.outcome.settled = await self._settle()
        except TimeoutError:
            took = asyncio.get_running_loop().time() - started
            self.teller.say(f"not settled after {took:.0f} s: judging what is there")
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
        await self._stop_relay()
        self.outcome.left = await self._backlog() or {}
        self.outcome.doubts = self.ground.watch.doubts()
        return self.outcome

    async def _track(self, faults: Sequence[Fault]) -> None:
        """The faults that wait for one kind of count, one after another."""
        for fault in faults:
            await self._moment(fault)
            self._begun.add(fault.number)
            self._gate()
            self.teller.fault(fault, self.ground.named(fault.target.partition(">")[0]))
            try:
                await acts.do(self.ground, fault)
            except CannotDo as error:
                self.outcome.skipped[f"{fault.kind} {fault.target}"] = str(error)
            else:
                self.outcome.done.append(fault)

    async def _moment(self, fault: Fault) -> None:
        """Wait until it has come. Records that do not come while no more may be posted are not waited for."""
        loop, watch = asyncio.get_running_loop(), self.ground.watch
        seen, since = watch.written, loop.time()
        while (self.poster.posted if fault.counted == "posted" else watch.written) < fault.after:
            if watch.written != seen or not (self.poster.waits or self.poster.finished):
                seen, since = watch.written, loop.time()
            if fault.counted == "written" and loop.time() - since > PATIENCE_SECONDS:
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _gate(self) -> None:
        """Let the poster go as far as the next fault."""
        whole, records = len(self.story.posts), len(self.story.records)
        allowed = whole
        for fault in self.schedule:
            if fault.number not in self._begun:
                at = fault.after if fault.counted == "posted" else fault.after * whole // records + AHEAD
                allowed = min(allowed, at)
        self.poster.allow(allowed)

    async def _tell(self, posting: "asyncio.Task[None]") -> None:
        while not self.poster.finished:
            self._show()
            if posting.done():
                posting.result()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _show(self) -> None:
        self.teller.progress(
            accepted=self.poster.done, records=self.ground.watch.written, faults=len(self.outcome.done)
        )

    async def _settle(self) -> bool:
        """Wait until nothing is left to do. False when something is, and nothing has moved for long."""
        loop = asyncio.get_running_loop()
        seen, since = self._movement(), loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS * 5)
            self._show()
            if self._movement() != seen:
                seen, since = self._movement(), loop.time()
            quiet = loop.time() - since
            if quiet < QUIET_SECONDS:
                continue
            idle = await self._backlog() == {} and not self.ground.watch.late
            if idle and not self.ground.watch.doubts() and (not self.ground.watch.unswept() or quiet > SWEPT_SECONDS):
                return True
            if quiet > STUCK_SECONDS:  # a doubt that is left may belong to a dead letter
                return idle

    def _movement(self) -> tuple[int, int]:
        return self.ground.watch.settled, self.ground.watch.written

    async def _backlog(self) -> dict[str, int] | None:
        """The messages that wait in queues, by queue; None when the broker does not say."""
        names = (
            *company_queues(self.ground.stage.company),
            UNROUTED,
            *(retry_queue(delay) for delay in RETRY_DELAYS_SECONDS),
        )
        link = Link(SecretStr(self.ground.broker.url), name="fault campaign")
        try:
            counts = await backlog(link, names)
        except (MessagingError, OSError, TimeoutError):
            return None
        finally:
            await link.close()
        return {name: count for name, count in counts.items() if count}

    async def _stop_relay(self) -> None:
        """All but Solid's stand-in: what they still held goes back to its queue, and nothing is written any more."""
        keepers = [self.ground.keepers[name] for name in RELAY]
        codes = await asyncio.gather(*(keeper.retire() for keeper in keepers))
        for name, code in zip(RELAY, codes, strict=True):
            if code:
                self.teller.say(f"{name} ended with {code} when it was told to stop")
        await self.ground.watch.look()
