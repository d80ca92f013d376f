"""Consuming a company's streams: one task a delivery, those of one partition key one after another.

The single active consumer of each queue is elected by the broker; the others stand by. Order is a convenience
only: correctness comes from the inbox.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from messaging import headers as h
from messaging.connection import BROKEN, Link, within
from messaging.delivery import Delivery
from messaging.publisher import Publisher
from messaging.topology import declared_channel

Handler = Callable[[Delivery], Awaitable[None]]


class KeyedTasks:
    """Runs coroutines at the same time, but those of one key in the order they came."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Task[None]] = {}
        self._all: set[asyncio.Task[None]] = set()

    def start(self, key: str, job: Callable[[], Awaitable[None]]) -> None:
        """Start the job once the one before it with the same key has ended, however it ended."""
        task = asyncio.create_task(self._after(self._last.get(key), job))
        self._last[key] = task
        self._all.add(task)
        task.add_done_callback(lambda done: self._forget(key, done))

    async def finish(self, within_seconds: float) -> bool:
        """Wait for all that runs; True when all ended in time."""
        if not self._all:
            return True
        _, pending = await asyncio.wait(self._all, timeout=within_seconds)
        return not pending

    async def cancel(self) -> None:
        """Cancel what still runs, and wait for it."""
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        self._all.discard(task)
        if self._last.get(key) is task:
            del self._last[key]

    async def _after(self, previous: asyncio.Task[None] | None, job: Callable[[], Awaitable[None]]) -> None:
        if previous is not None:
            await asyncio.wait({previous})
        await job()


class Consumer:
    """The subscriptions of one worker for as long as one channel lives."""

    def __init__(self, link: Link, publisher: Publisher, *, queues: Mapping[str, int]) -> None:
        """`queues`: name → its prefetch."""
        self._link = link
        self._publisher = publisher
        self._queues = queues
        self._channel: AbstractChannel | None = None
        self._tags: dict[str, str] = {}
        self.tasks = KeyedTasks()
        self.lost = asyncio.Event()

    async def open(self, handler: Handler, *, companies: Sequence[str], retry_delays: Sequence[float]) -> None:
        """Subscribe to all queues on one channel; each has its own prefetch, and all share the order of a key.

        Raises:
            BrokerUnreachable, UnsafeTopology: see there.
        """

        async def on_message(message: AbstractIncomingMessage) -> None:
            delivery = Delivery(message, self._publisher)
            key = str(delivery.headers.get(h.PARTITION) or message.delivery_tag)
            self.tasks.start(key, lambda: handler(delivery))

        channel = self._channel = await declared_channel(self._link, companies, retry_delays)
        channel.close_callbacks.add(lambda *_: self.lost.set())
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda *_: self.lost.set())
        for name, prefetch in self._queues.items():
            await within(10, channel.set_qos(prefetch_count=prefetch))  # of the consumers that come after it
            queue = await channel.get_queue(name, ensure=False)
            self._tags[name] = await within(10, queue.consume(on_message))

    async def stop(self) -> None:
        """Take no more deliveries; those in hand go on."""
        channel, tags = self._channel, self._tags
        self._tags = {}
        for name, tag in tags.items():
            with contextlib.suppress(*BROKEN):
                assert channel is not None  # noqa: S101 - there are tags
                queue = await channel.get_queue(name, ensure=False)
                await within(5, queue.cancel(tag))

    async def close(self) -> None:
        """Close the channel: whatever is not settled goes back to its queue, once."""
        channel, self._channel = self._channel, None
        if channel is not None:
            with contextlib.suppress(*BROKEN):
                async with asyncio.timeout(5):
                    await channel.close()
