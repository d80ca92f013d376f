"""The API port: an ASGI app that stamps and records every call, then refuses, breaks or answers it.

What is answered is decided in `routes`, what breaks in `switches`; this module carries both out. Under
`server` a call can cut its connection; without one (in-process transports) a cut is a ConnectionResetError.
"""

import asyncio
from dataclasses import replace
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulator.books.dialect import PREFIX
from simulator.errors import ApiError, not_found
from simulator.http.openapi import DOCS_PAGE, document
from simulator.http.render import dump
from simulator.http.routes import Answer, Ask, answer, refused
from simulator.service.calls import Call
from simulator.service.simulation import Simulation
from simulator.service.switches import Fault

MAX_BODY_BYTES: Final = 10_000_000
_PROXY_PAGE: Final = b"<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"


class ApiApp:
    """The ASGI app of the API port."""

    def __init__(self, simulation: Simulation) -> None:
        """Serve this simulation."""
        self._simulation = simulation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one HTTP request; other scopes are not served."""
        if scope["type"] != "http":
            return
        simulation = self._simulation
        if not simulation.switches.open:
            await _cut(scope, receive, ConnectionRefusedError)
            return
        call = simulation.arrive(scope["method"], scope["path"], scope.get("query_string", b"").decode("latin-1"))
        request = Request(scope, receive)
        try:
            reply = await self._reply(call, request)
        except ClientDisconnect:
            call.fault = call.fault or "client_gone"
            reply = None
        call.status = reply.status if reply is not None else None
        simulation.finish(call)
        if reply is None:
            await _cut(scope, receive, ConnectionResetError)
            return
        await _response(reply)(scope, receive, send)

    async def _reply(self, call: Call, request: Request) -> Answer | None:
        """The answer to send, or None to cut the connection."""
        refusal = self._gate(call, request)
        if refusal is not None:
            return refused(refusal)
        path = call.path.removeprefix(PREFIX)
        fault = self._simulation.switches.take(call.method, path)
        body = await _body(request)
        if body is None:
            return refused(ApiError(413, "PAYLOAD_TOO_LARGE", f"a body has at most {MAX_BODY_BYTES} bytes"))
        ask = Ask(call.method, call.path, dict(request.query_params), body)
        if fault is None:
            return self._do(call, ask)
        call.fault = fault.kind
        return await self._break(call, ask, request, fault)

    def _gate(self, call: Call, request: Request) -> ApiError | None:
        simulation = self._simulation
        is_open = simulation.switches.dialect.openapi == "open"
        if is_open and call.path in _ROOT and "x-api-key" not in request.headers:
            simulation.let_in(call, None)
            return None
        return simulation.let_in(call, request.headers.get("x-api-key"))

    def _do(self, call: Call, ask: Ask) -> Answer:
        """Carry the call out now, twice where a fault says so."""
        reply = self._root(ask) if ask.path in _ROOT else self._in_prefix(ask)
        call.committed, call.external_id = reply.committed, reply.external_id
        if call.fault == "twice":
            call.committed = (*call.committed, *self._in_prefix(ask).committed)
        return reply

    def _root(self, ask: Ask) -> Answer:
        if ask.path == "/docs":
            return Answer(200, DOCS_PAGE, media_type="text/html")
        return Answer(200, dump(document(self._simulation.switches.dialect), "decimal_string"))

    def _in_prefix(self, ask: Ask) -> Answer:
        if not ask.path.startswith(f"{PREFIX}/"):
            return refused(not_found(ask.path))
        inside = Ask(ask.method, ask.path.removeprefix(PREFIX), ask.query, ask.body)
        return answer(self._simulation, inside)

    async def _break(self, call: Call, ask: Ask, request: Request, fault: Fault) -> Answer | None:
        closing = self._simulation.closing
        match fault.kind:
            case "slow" | "twice":
                return None if await _closed_within(closing, fault.seconds) else self._do(call, ask)
            case "answer_held":
                reply = self._do(call, ask)
                return None if await _closed_within(closing, fault.seconds) else reply
            case "answer_lost":
                self._do(call, ask)
                return None
            case "late_commit":
                self._commit_later(call, ask, fault.seconds)
                if fault.hangs:
                    await _client_gone(request.receive)
                return None
            case "error":
                if fault.commit:
                    self._do(call, ask)
                return _broken(fault)
            case "hang":
                await _client_gone(request.receive)
                return None

    def _commit_later(self, call: Call, ask: Ask, seconds: float) -> None:
        async def land() -> None:
            await asyncio.sleep(seconds)
            self._do(call, ask)
            self._simulation.finish(call)

        task = asyncio.create_task(land())
        self._simulation.late.add(task)
        task.add_done_callback(self._simulation.late.discard)


_REDIRECTS: Final = range(300, 400)
_ROOT: Final = ("/openapi.json", "/docs")


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is too large."""
    whole = bytearray()
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > MAX_BODY_BYTES:
            return None
    return bytes(whole)


def _broken(fault: Fault) -> Answer:
    if fault.html:
        return Answer(fault.status, _PROXY_PAGE, media_type="text/html")
    location = "/elsewhere" if fault.status in _REDIRECTS else None
    if not fault.envelope:
        return Answer(fault.status, b'{"detail": "something went wrong"}', location=location)
    return replace(refused(ApiError(fault.status, fault.code, "something went wrong")), location=location)


def _response(reply: Answer) -> Response:
    told = {"Retry-After": reply.retry_after, "Location": reply.location}
    headers = {name: str(value) for name, value in told.items() if value is not None}
    return Response(reply.body, status_code=reply.status, media_type=reply.media_type, headers=headers)


async def _closed_within(closing: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(closing.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive, error: type[ConnectionError]) -> None:
    """Drop the connection without an answer."""
    cut = scope.get("state", {}).get("cut")
    if cut is None:
        message = "the simulated Solid dropped the connection"
        raise error(message)
    cut()
    await _client_gone(receive)
