"""Settling a delivery, where the order of things and the broker's own counters are at stake."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from messaging import headers as h
from messaging.delivery import Delivery
from messaging.errors import PublishFailed

Settle = Callable[[Delivery], Awaitable[None]]


@dataclass(slots=True)
class FakeBroker:
    """A message and the publisher beside it; `log` has what was done, in order."""

    headers: dict[str, Any] = field(default_factory=dict)
    lost: bool = False
    log: list[str] = field(default_factory=list)
    published: dict[str, Any] = field(default_factory=dict)
    body: bytes = b"{}"
    routing_key: str = "main.sales.payout.paid.v1"
    message_id: str = "/webhooks/stripe#evt_1"

    async def ack(self) -> None:
        """See `AbstractIncomingMessage.ack`."""
        self.log.append("ack")

    async def retry(self, _: bytes, **parts: object) -> None:
        """See `Publisher.retry`."""
        self._confirm("retry", parts)

    async def dead_letter(self, _: bytes, **parts: object) -> None:
        """See `Publisher.dead_letter`."""
        self._confirm("dead_letter", parts)

    def _confirm(self, what: str, parts: dict[str, Any]) -> None:
        if self.lost:
            raise PublishFailed
        self.log.append(f"{what} confirmed")
        self.published = parts

    def delivery(self) -> Delivery:
        """Hand the message over."""
        return Delivery(cast("Any", self), cast("Any", self))


async def retried(delivery: Delivery) -> None:
    await delivery.redeliver(after_seconds=10, counts=True)


async def died(delivery: Delivery) -> None:
    await delivery.dead_letter(reason="held", error="cannot tell")


COPIES: list[tuple[Settle, str]] = [(retried, "retry"), (died, "dead_letter")]


@pytest.mark.parametrize(("settle", "copy"), COPIES)
async def test_a_copy_is_confirmed_before_the_original_is_acknowledged(settle: Settle, copy: str) -> None:
    broker = FakeBroker()
    await settle(broker.delivery())
    assert broker.log == [f"{copy} confirmed", "ack"]


@pytest.mark.parametrize("settle", [retried, died])
async def test_without_a_confirm_the_original_stays_with_the_broker(settle: Settle) -> None:
    broker = FakeBroker(lost=True)
    delivery = broker.delivery()
    with pytest.raises(PublishFailed):
        await settle(delivery)
    assert (broker.log, delivery.settled) == ([], None)


async def test_attempts_are_ours_whatever_the_broker_counts() -> None:
    counted_by_broker = {"x-delivery-count": 7, "x-acquired-count": 8, "x-death": [{"count": 9}]}
    first = FakeBroker(dict(counted_by_broker))
    assert first.delivery().attempt == 1
    await first.delivery().redeliver(after_seconds=10, counts=True)
    assert first.published["headers"] == {h.ATTEMPT: 2}, "and the broker's counters do not travel on"
    second = FakeBroker({h.ATTEMPT: 2, **counted_by_broker})
    assert second.delivery().attempt == 2


@pytest.mark.parametrize("again", [Delivery.ack, retried, died])
async def test_a_second_settlement_is_refused(again: Settle) -> None:
    delivery = FakeBroker().delivery()
    await delivery.ack()
    with pytest.raises(RuntimeError, match="is ack already"):
        await again(delivery)
