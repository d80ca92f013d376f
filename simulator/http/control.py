"""The control port: sees and sets everything, asks for no key. For tests and the demo only; never exposed.

GET /state, /calls[?since=n], /records[?kind=&external_id=&key=],
/judge[?allowance=&window_seconds=&key=&since=&until=]; POST /switch.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.books.books import Record
from simulator.books.money import text
from simulator.errors import SwitchError
from simulator.http.render import dump
from simulator.service.judge import calls_of, committed_by, judge
from simulator.service.simulation import Simulation
from simulator.switching.switching import ACTS, switch


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
        query = request.query_params
        try:
            found = records_of(
                simulation, kind=query.get("kind"), external_id=query.get("external_id"), key=query.get("key")
            )
        except SwitchError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)
        return Response(dump(found, "decimal_string"), media_type="application/json")

    async def verdict(request: Request) -> Response:
        try:
            return JSONResponse(judge(simulation, **_asked(request.query_params)))
        except SwitchError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)

    return Starlette(
        routes=[
            Route("/state", state),
            Route("/switch", change, methods=["POST"]),
            Route("/calls", calls),
            Route("/records", records),
            Route("/judge", verdict),
        ]
    )


def _asked(query: Mapping[str, str]) -> dict[str, Any]:
    """What `/judge` was asked. Raises SwitchError, naming the parameter."""
    asked: dict[str, Any] = {"key": query["key"]} if "key" in query else {}
    if "allowance" in query:
        asked["allowance"] = _parsed("allowance", query, kind=int, what="a whole number")
    for name in ("window_seconds", "since", "until"):
        if name in query:
            asked[name] = _parsed(name, query, kind=float, what="a number of seconds")
    if asked.get("window_seconds", 1) <= 0:
        msg = "window_seconds: must be a number of seconds above zero"
        raise SwitchError(msg)
    return asked


def _parsed(name: str, query: Mapping[str, str], *, kind: type[int | float], what: str) -> float:
    try:
        value = kind(query[name])
        finite = math.isfinite(value)
    except (ValueError, OverflowError):
        value, finite = 0, False
    if not finite:
        msg = f"{name}: must be {what}"
        raise SwitchError(msg)
    return value


def state_of(simulation: Simulation) -> dict[str, Any]:
    """Every switch and what there is of everything."""
    simulation.settle_strangers()
    return {
        **simulation.switches.as_json(),
        **simulation.limiter.limit.as_json(),
        "strangers": simulation.strangers.active(),
        "keys": sorted(simulation.keys),
        "snapshot": simulation.snapshot,
        "calls": len(simulation.calls),
        "records": len(simulation.books.log),
        "writes": sum(not record.seed for record in simulation.books.log),
        "pending_late_commits": len(simulation.late),
    }


def records_of(
    simulation: Simulation, *, kind: str | None = None, external_id: str | None = None, key: str | None = None
) -> list[dict[str, object]]:
    """All records, seeded ones too, in the order of their commits; `lines` are what each posted.

    With `key`, a short name, those that its calls made. Raises SwitchError when no call and no key has it.
    """
    made = None if key is None else committed_by(calls_of(simulation, key=key))
    return [
        _shown(record)
        for record in simulation.books.log
        if kind in (None, record.draft.kind)
        and external_id in (None, record.draft.external_id)
        and (made is None or record.id in made)
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
