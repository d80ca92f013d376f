"""A polled address before a server that answers what a test gives it, and all that is around it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from producers.feeds.passing import Turn
from producers.feeds.polling import PolledAddress
from producers.normalising import NormaliseContext, Normalised, Rejected
from runtime.sections_feeds import PollingFeed
from store.feeds.cursors import Cursor
from tests.fakes import FakeClock
from tests.unit.producers.feeds.feeding import FakeBroker, FakeRuns, adjusted

URL = "https://shop.example/levels.json?limit=2"
CURSOR = {"param": "updated_at_min", "max_of": "updated_at"}
Handler = Callable[[httpx2.Request], httpx2.Response]


def item_event(document: bytes, context: NormaliseContext) -> Normalised:
    """An item `{"sku": …}` is an event of that SKU; one without is rejected."""
    said = json.loads(document)
    if "sku" not in said:
        raise Rejected("no_sku", "an item has a SKU", field="sku")
    return Normalised((adjusted(said["sku"], context.company),))


@dataclass
class FakeCursors:
    """Keeps one cursor, and notes what the broker had when it moved."""

    broker: FakeBroker
    cursor: Cursor = field(default_factory=Cursor)
    moves: list[tuple[str | None, int]] = field(default_factory=list)

    async def get(self, company: str, feed: str) -> Cursor:
        """See `Cursors`."""
        assert (company, feed) == ("main", "shop")
        return self.cursor

    async def move(self, company: str, feed: str, to: Cursor) -> None:
        """See `Cursors`."""
        assert (company, feed) == ("main", "shop")
        self.cursor = to
        self.moves.append((to.value, len(self.broker.items)))


@dataclass
class Polled:
    """An address that is polled, and everything around it."""

    handler: Handler | None = None
    requests: list[httpx2.Request] = field(default_factory=list)
    broker: FakeBroker = field(default_factory=FakeBroker)
    runs: FakeRuns = field(default_factory=FakeRuns)
    clock: FakeClock = field(default_factory=FakeClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    cursors: FakeCursors = field(init=False)

    def __post_init__(self) -> None:
        self.cursors = FakeCursors(self.broker)

    def feed(self, *answers: httpx2.Response, **settings: Any) -> PolledAddress:  # noqa: ANN401 - settings of any kind
        """The feed, as set, before a server that gives these answers, one after the other."""
        rest = list(answers)

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return rest.pop(0)

        said = {"source": "items", "url": URL, "items": "levels", "calls_per_minute": 1_000_000, **settings}
        return PolledAddress(
            "shop",
            PollingFeed.model_validate(said),
            NormaliseContext(),
            self.broker,
            self.cursors,
            self.clock,
            self.runs,
            transport=httpx2.MockTransport(answer),
        )

    def turn(self) -> Turn:
        """How a pass is made."""
        return Turn(self.stop, self.clock, patient=False)

    def asked(self, name: str) -> list[str | None]:
        """What each request said for a parameter."""
        return [request.url.params.get(name) for request in self.requests]


def page(*items: object, link: str | None = None, etag: str | None = None, **more: object) -> httpx2.Response:
    headers = {"ETag": etag} if etag else {}
    if link:
        headers["Link"] = f'<{link}>; rel="next"'
    return httpx2.Response(200, headers=headers, json={"levels": items, **more})


def level(sku: str, at: str = "2026-01-15T10:00:00Z") -> dict[str, str]:
    return {"sku": sku, "updated_at": at}
