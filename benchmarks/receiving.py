"""The receiver: webhooks a second, each answered only after RabbitMQ has confirmed its event, and how long one takes.

The client is a bare socket that speaks just enough HTTP: a whole client would cost more than the receiver does.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from itertools import count
from statistics import quantiles
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.staging import Setting
from staging.processes import STRIPE_SECRET

AT_A_TIME: Final = (1, 16, 64)


def measure(setting: Setting, *, webhooks: int) -> dict[str, dict[str, float]]:
    """Start a receiver and post to it: figures by how many at a time."""
    url = setting.stage.start_receiver()
    numbers = count()
    asyncio.run(_post(url, _requests(url, numbers, AT_A_TIME[-1]), AT_A_TIME[-1]))  # connections, first imports
    return {str(clients): asyncio.run(_post(url, _requests(url, numbers, webhooks), clients)) for clients in AT_A_TIME}


def _requests(url: str, numbers: Iterator[int], webhooks: int) -> list[bytes]:
    return [_request(url, next(numbers)) for _ in range(webhooks)]


def _request(url: str, number: int) -> bytes:
    """A signed `charge.succeeded`, as it goes over the wire."""
    body = json.dumps(_charge(number)).encode()
    at = int(time.time())
    mac = hmac.new(STRIPE_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /webhooks/stripe HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: application/json\r\n"
        f"Stripe-Signature: t={at},v1={mac}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _charge(number: int) -> dict[str, Any]:
    charge = {
        "id": f"ch_bench_{number}",
        "object": "charge",
        "amount": 2000,
        "amount_captured": 2000,
        "captured": True,
        "currency": "usd",
        "status": "succeeded",
        "description": "x" * 1500,  # a real one has about two kilobytes
    }
    envelope = {
        "id": f"evt_bench_{number}",
        "object": "event",
        "type": "charge.succeeded",
        "created": 1_768_478_400,
        "livemode": False,
    }
    return {**envelope, "data": {"object": charge}}


async def _post(url: str, requests: list[bytes], clients: int) -> dict[str, float]:
    """Post them all over so many connections."""
    rest = iter(requests)
    parts = urlsplit(url)

    async def client() -> list[float]:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        took: list[float] = []
        for request in rest:
            started = time.perf_counter()
            writer.write(request)
            await _accepted(reader)
            took.append(time.perf_counter() - started)
        writer.close()
        return took

    started = time.perf_counter()
    took = [seconds for some in await asyncio.gather(*(client() for _ in range(clients))) for seconds in some]
    whole = time.perf_counter() - started
    cuts = quantiles(took, n=100)
    return {
        "webhooks_per_second": round(len(took) / whole, 1),
        "p50_ms": round(1000 * cuts[49], 2),
        "p99_ms": round(1000 * cuts[98], 2),
    }


async def _accepted(reader: asyncio.StreamReader) -> None:
    """Read one answer, which must be a 200."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if not head.startswith("http/1.1 200 "):
        msg = f"the receiver answered {head.splitlines()[0]}"
        raise RuntimeError(msg)
    length = next(line.partition(":")[2] for line in head.splitlines() if line.startswith("content-length:"))
    await reader.readexactly(int(length))
