"""The control port: sees and sets everything, asks for no key. For tests and the demo only; never exposed.

GET /state, /calls[?since=n], /records[?kind=&external_id=], /judge[?allowance=&window_seconds=]; POST
/switch.
"""

import json
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.books import Record
from simulator.errors import SwitchError
from simulator.judge import judge
from simulator.money import text
from simulator.render import dump
from simulator.simulation import Simulation
from simulator.switching import ACTS, switch


def control_app(simulation: Simulation) -> Starlette:
    """The ASGI app of the control port."""

    async def state(_request: Request) -> Response:
        return JSONResponse(state_of(simulation))

    async def change(request: Request) -> Response:
        try:
            await switch(simulation, _object(await request.body()))
        except SwitchError as exc:
            return JSONResponse({"error": str(exc), "switches": list(ACTS)}, status_code=400)
        return JSONResponse(state_of(simulation))

    async def calls(request: Request) -> Response:
        since = request.query_params.get("since", "0")
        start = int(since) if since.isdecimal() else 0
        return JSONResponse([call.as_json() for call in simulation.calls[start:]])

    async def records(request: Request) -> Response:
        kind, external_id = request.query_params.get("kind"), request.query_params.get("external_id")
        found = records_of(simulation, kind=kind, external_id=external_id)
        return Response(dump(found, "decimal_string"), media_type="application/json")

    async def verdict(request: Request) -> Response:
        query = request.query_params
        try:
            allowance = int(query["allowance"]) if "allowance" in query else None
            window = float(query["window_seconds"]) if "window_seconds" in query else None
        except ValueError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)
        return JSONResponse(judge(simulation, allowance=allowance, window_seconds=window))

    return Starlette(
        routes=[
            Route("/state", state),
            Route("/switch", change, methods=["POST"]),
            Route("/calls", calls),
            Route("/records", records),
            Route("/judge", verdict),
        ]
    )


def state_of(simulation: Simulation) -> dict[str, Any]:
    """Every switch and what there is of everything."""
    return {
        **simulation.switches.as_json(),
        "allowance": simulation.limiter.allowance,
        "window_seconds": simulation.limiter.window_seconds,
        "keys": sorted(simulation.keys),
        "snapshot": simulation.snapshot,
        "calls": len(simulation.calls),
        "records": len(simulation.books.log),
        "writes": sum(not record.seed for record in simulation.books.log),
        "pending_late_commits": len(simulation.late),
    }


def records_of(
    simulation: Simulation, *, kind: str | None = None, external_id: str | None = None
) -> list[dict[str, object]]:
    """All records, seeded ones too, in the order of their commits; `lines` are what each posted."""
    return [
        _shown(record)
        for record in simulation.books.log
        if kind in (None, record.draft.kind) and external_id in (None, record.draft.external_id)
    ]


def _shown(record: Record) -> dict[str, object]:
    draft = record.draft
    return {
        "id": record.id,
        "seq": record.seq,
        "kind": draft.kind,
        "external_id": draft.external_id,
        "date": draft.date,
        "total": None if draft.total is None else text(draft.total),
        "seed": record.seed,
        "created_at": record.created_at,
        "lines": [asdict(leg) for leg in draft.legs],
        "fields": draft.fields,
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as exc:
        msg = "the body must be JSON"
        raise SwitchError(msg) from exc
    if not isinstance(value, dict):
        msg = "the body must be a JSON object"
        raise SwitchError(msg)
    return value
