"""A worker's parts that do what they are told and say what happens to them. Nothing here is a broker or a store."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from messaging.delivery import Delivery
from runtime.settings import WorkerSettings
from store.errors import StoreUnavailable
from tests.fakes import FakeClock
from tests.unit.solid.openapi_document import DOCUMENT
from tests.unit.solid.support import DIALECT
from workers.books.books import Books
from workers.outcomes import GiveBack, Outcome
from workers.parts import Parts
from workers.worker import Worker

HOLD = 60.0


async def for_ever() -> None:
    await asyncio.Event().wait()


async def nothing() -> None:
    pass


@dataclass(slots=True)
class Said:
    """What happened, in order; `until` waits for it."""

    words: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, word: str) -> None:
        """Note it."""
        self.words.append(word)
        self.more.set()

    async def until(self, word: str, times: int = 1) -> None:
        """Wait for it, but not for ever."""
        async with asyncio.timeout(10):
            while self.words.count(word) < times:
                self.more.clear()
                await self.more.wait()


@dataclass(slots=True)
class FakeConsumer:
    """Stands in for `messaging.consumer.Consumer`: a test delivers by calling `handler`."""

    said: Said
    refusal: Exception | None = None
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    handler: Any = None

    @property
    def tasks(self) -> "FakeConsumer":
        """Its tasks: there are none."""
        return self

    async def open(self, handler: object, **_: object) -> None:
        """See `Consumer.open`."""
        if self.refusal is not None:
            raise self.refusal
        self.handler = handler
        self.said.say("subscribed")

    async def stop(self) -> None:
        """See `Consumer.stop`."""
        self.said.say("takes no more")

    async def finish(self, seconds: float) -> bool:
        """See `KeyedTasks.finish`."""
        self.said.say(f"waited {seconds:g} s at most")
        return True

    async def cancel(self) -> None:
        """See `KeyedTasks.cancel`."""

    async def close(self) -> None:
        """See `Consumer.close`."""
        self.said.say("given back")


@dataclass(slots=True)
class FakeBucket:
    """Stands in for the bucket; `longest_wait` is as a test sets it."""

    said: Said
    longest_wait: float = 0.0

    async def run(self) -> None:
        """Serve nobody."""
        await for_ever()

    def refuse(self) -> None:
        """See `Bucket.refuse`."""
        self.said.say("no tokens")

    def accept(self) -> None:
        """See `Bucket.accept`."""

    def settled(self) -> None:
        """See `Bucket.settled`."""


@dataclass(frozen=True, slots=True)
class FakeDelivery:
    """A delivery of a sale."""

    key: str = "main.sales.payment.succeeded.v1"
    headers: Mapping[str, object] = field(default_factory=dict)


class FakeSolid:
    """Describes itself by a document, and answers every question with nothing."""

    def __init__(self, document: dict[str, object]) -> None:
        self._document = document

    async def openapi(self) -> dict[str, object]:
        """What it describes itself by."""
        return self._document

    async def accounts(self) -> list[object]:
        """No accounts."""
        return []

    async def items(self) -> list[object]:
        """No items."""
        return []


@dataclass(slots=True)
class FakeSweeper:
    """Sweeps until it is stopped, or fails as often as it is told."""

    said: Said
    failures: list[Exception]

    async def run(self) -> None:
        """See `Sweeper.run`."""
        self.said.say("sweeping")
        if self.failures:
            raise self.failures.pop()
        try:
            await for_ever()
        finally:
            self.said.say("swept enough")


@dataclass(slots=True)
class FakeStore:
    """Refuses to be written as often as it is told, then takes writes."""

    said: Said
    refusals: int = 0

    async def check_in(self, _: str) -> None:
        """See `Inbox.check_in`."""
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("the disk is full")
        self.said.say("store answered")


@dataclass(slots=True)
class Stage:
    """A worker's parts and what a test does with them; `consumers` has one a session."""

    said: Said = field(default_factory=Said)
    consumers: list[FakeConsumer] = field(default_factory=list)
    document: dict[str, object] = field(default_factory=lambda: dict(DOCUMENT))
    refusals: list[Exception] = field(default_factory=list)
    unswept: list[Exception] = field(default_factory=list)
    queues: Mapping[str, int] = field(default_factory=dict)
    outcome: Outcome | Exception = field(default_factory=lambda: GiveBack("no_token"))
    mint: Any = field(default_factory=lambda: SimpleNamespace(run=for_ever))
    bucket: FakeBucket = field(init=False)
    store: FakeStore = field(init=False)

    def __post_init__(self) -> None:
        """All parts say what happens to one and the same."""
        self.bucket, self.store = FakeBucket(self.said), FakeStore(self.said)

    def consumer(self, *_: object, queues: Mapping[str, int]) -> FakeConsumer:
        """Stand in for the class `Consumer`."""
        self.queues = queues
        self.consumers.append(FakeConsumer(self.said, self.refusals.pop() if self.refusals else None))
        return self.consumers[-1]

    async def handle(self, _: Delivery) -> Outcome:
        """Stand in for the pipeline."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def worker(self) -> Worker:
        """Put the parts together."""
        made: dict[str, Any] = {
            "bucket": self.bucket,
            "mint": self.mint,
            "solid": FakeSolid(self.document),
            "dialect": DIALECT,
            "inbox": self.store,
            "applier": SimpleNamespace(longest_call=35.0),
            "sweeper": FakeSweeper(self.said, self.unswept),
            "stock": None,
            "sales": None,
            "earlier": SimpleNamespace(renew=nothing),
            "merger": SimpleNamespace(run=for_ever, once=nothing, told=asyncio.Event()),
            "books": Books(accounts={}),
            "settings": WorkerSettings(hold_seconds=HOLD, drain_seconds=20),
            "clock": FakeClock(),
        }
        return Worker(Parts(consuming=None, publisher=None, company="main", retry_delays=(10,), **made))  # type: ignore[arg-type]  # a stand-in with what is used
