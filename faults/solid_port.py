"""Solid's stand-in seen through its control port: switches, counts, the final record. Waits while it is down."""

import asyncio
from typing import Any, Final

import httpx2

from staging.processes import PLAIN

PATIENCE_SECONDS: Final = 30.0


class SolidPort:
    """Asks and switches. The stand-in may be dead or frozen at any time: then it is asked again."""

    def __init__(self, control_port: int) -> None:
        self._url = f"http://127.0.0.1:{control_port}"

    async def state(self) -> dict[str, Any] | None:
        """Its state now; None when it does not answer at once."""
        try:
            state: dict[str, Any] = await self._call("GET", "/state", timeout=1.0)
        except httpx2.HTTPError:
            return None
        return state

    async def switch(self, **switches: object) -> None:
        """Turn switches, as soon as it can be reached.

        Raises:
            httpx2.HTTPError: it cannot be reached for long, or knows no such switch.
        """
        await self._patiently("POST", "/switch", json=switches)

    async def ask(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read something.

        Raises:
            httpx2.HTTPError: it cannot be reached for long.
        """
        return await self._patiently("GET", path, params={key: str(value) for key, value in query.items()})

    async def _patiently(self, method: str, path: str, **call: Any) -> Any:  # noqa: ANN401 - httpx2's and JSON
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                return await self._call(method, path, timeout=10.0, **call)
            except httpx2.TransportError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def _call(self, method: str, path: str, **call: Any) -> Any:  # noqa: ANN401 - httpx2's and JSON
        async with httpx2.AsyncClient(base_url=self._url, trust_env=False, verify=PLAIN) as http:
            answer = await http.request(method, path, **call)
        answer.raise_for_status()
        return answer.json()
