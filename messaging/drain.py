"""Taking dead letters out of their queues, and looking at queues without touching them. Used by ops only."""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from messaging import headers as h
from messaging.connection import Link, within
from messaging.topology import UNROUTED, dead_letter_queues, mint_state_queue

LETTERS = uuid.UUID("5b0f3c1e-6a0c-4d0b-9d67-9a1d0c1f0a57")
"""The namespace of dead letters' ids: the same message always gets the same id."""


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """A message as it lay in a dead-letter queue."""

    id: str
    queue: str
    body: bytes
    headers: Mapping[str, Any]
    content_type: str | None
    key: str | None
    reason: str
    error: str
    attempts: int
    died_at: str | None


async def drain_dead_letters(link: Link, keep: Callable[[DeadMessage], Awaitable[None]]) -> int:
    """Hand every dead letter to `keep`, and acknowledge it after `keep` returned; returns how many.

    A crash between the two hands the same message out again, with the same id.
    """
    taken = 0
    channel = await link.channel()
    try:
        for name in dead_letter_queues():
            queue = await channel.get_queue(name, ensure=False)
            while (message := await queue.get(fail=False, timeout=10)) is not None:
                await keep(_dead(name, message))
                await message.ack()
                taken += 1
    except ChannelNotFoundEntity:
        return taken
    finally:
        if not channel.is_closed:
            await channel.close()
    return taken


async def backlog(link: Link, names: tuple[str, ...]) -> dict[str, int | None]:
    """Messages waiting in each queue; None for a queue that does not exist."""
    counts: dict[str, int | None] = {}
    channel = await link.channel()
    try:
        for name in names:
            try:
                queue = await within(10, channel.declare_queue(name, passive=True))
                counts[name] = queue.declaration_result.message_count
            except ChannelNotFoundEntity:  # which closes the channel
                counts[name] = None
                channel = await link.channel()
    finally:
        if not channel.is_closed:
            await channel.close()
    return counts


async def mint_report(link: Link, company: str) -> dict[str, Any] | None:
    """The mint's latest report; None when no mint has reported within its expiry. The report stays where it is."""
    channel = await link.channel()
    try:
        queue = await channel.get_queue(mint_state_queue(company), ensure=False)
        message = await queue.get(fail=False, timeout=10)
        if message is None:
            return None
        await message.nack(requeue=True)
        report: dict[str, Any] = json.loads(message.body)
    except ChannelNotFoundEntity:
        return None
    else:
        return report
    finally:
        if not channel.is_closed:
            await channel.close()


def death_of(queue: str, message: AbstractIncomingMessage) -> dict[str, str]:
    """Our headers that tell how a message died, also where the broker itself has put it there."""
    dead = _dead(queue, message)
    headers = {h.REASON: dead.reason, h.ERROR: dead.error, h.KEY: dead.key, h.DIED_AT: dead.died_at}
    return {name: text for name, text in headers.items() if text is not None}


def _dead(queue: str, message: AbstractIncomingMessage) -> DeadMessage:
    headers: dict[str, Any] = dict(message.headers)
    deaths = headers.get("x-death")
    death: Mapping[str, Any] = deaths[0] if isinstance(deaths, list) and deaths else {}
    keys = death.get("routing-keys") or [None]
    reason, died_at = headers.get(h.REASON), headers.get(h.DIED_AT) or death.get("time")
    error = headers.get(h.ERROR) or "given back too often without a settlement: does the worker die on it?"
    if queue == UNROUTED:
        reason, keys = "unrouted", [message.routing_key]
        error = "it came back from a retry, and there is no stream for its key: is its company served?"
    name = f"{queue}\0{message.message_id}\0{died_at}\0{headers.get(h.ATTEMPT)}\0{message.body.hex()}"
    return DeadMessage(
        id=uuid.uuid5(LETTERS, name).hex,
        queue=queue,
        body=message.body,
        headers=h.ours(headers),
        content_type=message.content_type,
        key=headers.get(h.KEY) or keys[0],
        reason=str(reason or f"broker:{death.get('reason', 'unknown')}"),
        error=str(error),
        attempts=h.count(headers, h.ATTEMPT, 1),
        died_at=str(died_at) if died_at else None,
    )
