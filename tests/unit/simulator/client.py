"""Speaks to a simulated Solid as a test would say it: no sockets, and a clock that the test moves."""

from typing import Any

import httpx2

from simulator.http.api import ApiApp
from simulator.http.control import control_app
from simulator.service.simulation import DEMO_KEY, Clock, Simulation

Json = Any  # what a test reads out of an answer
HEADERS = {"X-API-Key": DEMO_KEY}


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def clock(self) -> Clock:
        return Clock(wall=lambda: 1_700_000_000.0 + self.seconds, monotonic=lambda: self.seconds)


class Client:
    """Calls the API and the control port; `data` is the payload of an answer that must be a success."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(ApiApp(simulation)), base_url="http://solid", headers=HEADERS
        )
        self.control = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(control_app(simulation)), base_url="http://control"
        )

    async def get(self, path: str, **query: object) -> httpx2.Response:
        return await self.http.get(f"/api/v1{path}", params={k: str(v) for k, v in query.items()})

    async def post(self, path: str, body: object) -> httpx2.Response:
        return await self.http.post(f"/api/v1{path}", json=body)

    async def data(self, path: str, **query: object) -> Json:
        reply = await self.get(path, **query)
        assert reply.status_code == 200, reply.text
        return reply.json()["data"]

    async def made(self, path: str, body: object) -> Json:
        reply = await self.post(path, body)
        assert reply.status_code == 201, reply.text
        return reply.json()["data"]

    async def error(self, path: str, body: object) -> tuple[int, str]:
        reply = await self.post(path, body)
        assert reply.json()["success"] is False
        return reply.status_code, reply.json()["error"]["code"]

    async def switch(self, **changes: object) -> Json:
        reply = await self.control.post("/switch", json=changes)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def judge(self, **query: float | str) -> Json:
        return (await self.control.get("/judge", params=query)).json()

    async def account(self, name: str) -> str:
        rows = await self.data("/accounts", per_page=100)
        return str(next(row["id"] for row in rows if row["name"] == name))

    async def customer(self, name: str = "Ada") -> str:
        return str((await self.made("/contacts", {"display_name": name, "external_id": "c"}))["id"])

    async def entry(self, **changes: object) -> dict[str, Json]:
        lines = [
            {"account_id": await self.account("Stripe Fees"), "debit": "1.50"},
            {"account_id": await self.account("Stripe Clearing"), "credit": "1.50"},
        ]
        return {"date": "2026-03-05", "external_id": "e-1", "lines": lines, **changes}

    async def invoice(self, **changes: object) -> dict[str, Json]:
        line = {"account_id": await self.account("Sales Income"), "description": "work", "amount": "100.00"}
        return {"customer_id": "", "date": "2026-03-05", "external_id": "i-1", "lines": [line], **changes}
