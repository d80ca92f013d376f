"""What an administrator of the broker does behind the relay's back: policies and users, by the management API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from staging.broker import Broker
from staging.processes import PLAIN

VHOST = "%2F"


async def asked(broker: Broker, method: str, path: str, body: object = None) -> None:
    async with httpx2.AsyncClient(
        base_url=f"{broker.management_url}/api/", auth=("guest", "guest"), verify=PLAIN
    ) as client:
        (await client.request(method, path, json=body)).raise_for_status()


@asynccontextmanager
async def policy_on(
    broker: Broker,
    name: str,
    *,
    pattern: str = "^relay",
    kind: str = "policies",
    apply_to: str = "queues",
    **definition: Any,  # noqa: ANN401 - any policy
) -> AsyncIterator[None]:
    """Have a policy for the length of a block."""
    defined = {key.replace("_", "-"): value for key, value in definition.items()}
    written = {"pattern": pattern, "apply-to": apply_to, "priority": 1, "definition": defined}
    await asked(broker, "PUT", f"{kind}/{VHOST}/{name}", written)
    try:
        yield
    finally:
        await asked(broker, "DELETE", f"{kind}/{VHOST}/{name}")
