"""What an administrator of the broker takes away behind the relay's back, by the management API, while facts flow.

Only what leaves the messages that wait where they are: a queue that is deleted takes what is in it along.
"""

import asyncio
from typing import Any, Final

import httpx2

from faults.errors import CannotDo
from faults.ground import Ground
from faults.scale import RETRY_DELAYS_SECONDS
from faults.schedule import Fault
from messaging.topology import EVENTS_EXCHANGE, STREAMS, mint_queue, retry_queue, stream_queue
from staging.processes import PLAIN

VHOST: Final = "%2F"
GONE: Final = 404
_WITHIN_SECONDS: Final = 20.0


async def unbind_stream(ground: Ground, fault: Fault) -> None:
    """Nothing leads to a stream's queue any more."""
    queue = stream_queue(ground.stage.company, STREAMS[int(str(fault.details["stream"]))])
    await _unbind(ground, queue)
    await asyncio.sleep(fault.seconds)


async def unbind_retry(ground: Ground, fault: Fault) -> None:
    """Nothing leads to a retry queue any more."""
    await _unbind(ground, retry_queue(RETRY_DELAYS_SECONDS[int(str(fault.details["delay"]))]))
    await asyncio.sleep(fault.seconds)


async def delete_exchange(ground: Ground, fault: Fault) -> None:
    """The exchange of all events is gone, and every binding with it."""
    await _ask(ground, "DELETE", f"exchanges/{VHOST}/{EVENTS_EXCHANGE}")
    await asyncio.sleep(fault.seconds)


async def purge_mint(ground: Ground, fault: Fault) -> None:
    """What lies in the mint's queue is thrown away."""
    await _ask(ground, "DELETE", f"queues/{VHOST}/{mint_queue(ground.stage.company)}/contents")
    await asyncio.sleep(fault.seconds)


async def mint_policy(ground: Ground, fault: Fault) -> None:
    """A policy lets messages of the mint's queue end early, or drops them."""
    policy = {
        "pattern": f"^{mint_queue(ground.stage.company)}$".replace(".", r"\."),
        "apply-to": "queues",
        "definition": fault.details["definition"],
    }
    await _ask(ground, "PUT", f"policies/{VHOST}/campaign", policy)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await _ask(ground, "DELETE", f"policies/{VHOST}/campaign")


async def _unbind(ground: Ground, queue: str) -> None:
    for binding in await _ask(ground, "GET", f"queues/{VHOST}/{queue}/bindings") or ():
        if binding["source"]:
            way = f"bindings/{VHOST}/e/{binding['source']}/q/{queue}/{binding['properties_key']}"
            await _ask(ground, "DELETE", way)


async def _ask(ground: Ground, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Ask the broker's API, again while the broker is down. What is gone already is gone.

    Raises:
        CannotDo: the broker has no API here, or does not answer.
    """
    if ground.broker.management_url is None:
        raise CannotDo("the broker has no management API")
    deadline = asyncio.get_running_loop().time() + _WITHIN_SECONDS
    async with httpx2.AsyncClient(
        base_url=f"{ground.broker.management_url}/api/",
        auth=("guest", "guest"),
        trust_env=False,
        timeout=5,
        verify=PLAIN,
    ) as client:
        while True:
            try:
                async with ground.broker_lock:
                    answer = await client.request(method, path, json=body)
                if answer.status_code != GONE:
                    answer.raise_for_status()
                return answer.json() if answer.is_success and answer.content else None
            except httpx2.HTTPError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise CannotDo(f"the management API does not answer: {error!r}") from None
                await asyncio.sleep(0.3)
