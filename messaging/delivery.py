"""A delivery: one hand-over of a message to a worker. It is settled exactly once, or the broker hands it over again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from messaging import headers as h
from messaging.publisher import Publisher


@dataclass(slots=True)
class Delivery:
    """One message in a worker's hands.

    `redeliver` and `dead_letter` publish first and acknowledge only after the confirm: a crash between the two
    leaves two copies, never none, and the inbox makes the second one cost nothing.
    A cancelled worker settles nothing.
    """

    message: AbstractIncomingMessage
    publisher: Publisher
    settled: str | None = field(default=None, init=False)

    @property
    def body(self) -> bytes:
        """The bytes of the event."""
        return self.message.body

    @property
    def headers(self) -> Mapping[str, Any]:
        """All headers, ours and the broker's."""
        return self.message.headers

    @property
    def key(self) -> str:
        """The routing key under which the event was first published."""
        return self.message.routing_key or ""

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return h.count(self.headers, h.ATTEMPT, 1)

    @property
    def deferred(self) -> int:
        """How often the event has been deferred so far."""
        return h.count(self.headers, h.DEFERRED, 0)

    async def ack(self) -> None:
        """Done with: the broker forgets the message."""
        self._settle("ack")
        await self.message.ack()

    async def redeliver(self, *, after_seconds: float, counts: bool) -> None:
        """Have it handed over again after a while: `counts` uses an attempt (a retry), otherwise it is a defer.

        Raises:
            PublishFailed: nothing is settled; the broker will redeliver.
        """
        counter = {h.ATTEMPT: self.attempt + 1} if counts else {h.DEFERRED: self.deferred + 1}
        await self.publisher.retry(
            self.body,
            key=self.key,
            message_id=self.message.message_id,
            headers={**h.ours(self.headers), **counter},
            after_seconds=after_seconds,
        )
        self._settle("redeliver")
        await self.message.ack()

    async def dead_letter(self, *, reason: str, error: str) -> None:
        """Put it before a person, with the reason.

        Raises:
            PublishFailed: nothing is settled; the broker will redeliver.
        """
        await self.publisher.dead_letter(
            self.body,
            key=self.key,
            message_id=self.message.message_id,
            headers={**h.ours(self.headers), h.ATTEMPT: self.attempt},
            reason=reason,
            error=error,
        )
        self._settle("dead_letter")
        await self.message.ack()

    def _settle(self, how: str) -> None:
        if self.settled is not None:
            msg = f"a delivery is settled once: it is {self.settled} already, then {how}"
            raise RuntimeError(msg)
        self.settled = how
