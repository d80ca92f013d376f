"""The memory of a worker while many events wait in its queue: it holds what it has in hand, and no more."""

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel

from benchmarks.events import payouts
from benchmarks.staging import Setting, await_said, pause, publish
from messaging import headers as h
from messaging.topology import EVENTS_EXCHANGE, routing_key, stream_queue
from schemas.envelope import encode
from staging.processes import Process

BUSY_SECONDS: Final = 15.0
LIMIT_MB: Final = 150


def measure(setting: Setting, *, queued: int) -> dict[str, Any]:
    """Queue so many events and let a worker work at them for a while."""
    started = time.monotonic()
    asyncio.run(_fill(setting, queued))
    took = time.monotonic() - started
    worker = setting.stage.start_worker()
    await_said(worker, "worker.consuming")
    await_said(worker, "delivery.settled")
    early = _megabytes(worker, "VmRSS")
    pause(BUSY_SECONDS)
    found = {
        "queued": queued,
        "published_per_second": round(queued / took, 1),
        "rss_mb_at_start": early,
        "rss_mb": _megabytes(worker, "VmRSS"),
        "peak_mb": _megabytes(worker, "VmHWM"),
        "limit_mb": LIMIT_MB,
    }
    worker.kill()
    return found


async def _fill(setting: Setting, queued: int) -> None:
    """Fill the queue with copies of one event under names of their own: no confirm each, but counted at the end."""
    await publish(setting.stage.rabbitmq_url, setting.company, payouts(setting.company, "0", 1))
    [event] = payouts(setting.company, "queued", 1)
    body, key = encode(event), routing_key(event.company, event.type)
    async with await aio_pika.connect(setting.stage.rabbitmq_url) as connection:
        channel = await connection.channel(publisher_confirms=False)
        exchange = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
        for number in range(1, queued):
            name = f"queued_{number}"
            message = aio_pika.Message(
                body.replace(b"queued_0", name.encode()),
                content_type=h.CONTENT_TYPE,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=f"/webhooks/stripe#evt_po_{name}",
                headers={h.PARTITION: f"po_{name}"},
            )
            await exchange.publish(message, key)
        while await _waiting(channel, setting.company) < queued:  # noqa: ASYNC110 - the broker is asked
            await asyncio.sleep(0.5)


async def _waiting(channel: AbstractChannel, company: str) -> int:
    queue = await channel.declare_queue(stream_queue(company, "sales"), passive=True)
    return queue.declaration_result.message_count or 0


def _megabytes(process: Process, name: str) -> float:
    """A figure of the kernel's about a process (Linux only)."""
    lines = Path(f"/proc/{process.popen.pid}/status").read_text().splitlines()
    [kilobytes] = [int(line.split()[1]) for line in lines if line.startswith(f"{name}:")]
    return round(kilobytes / 1024, 1)
