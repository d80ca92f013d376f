"""The webhook receiver: HTTP around `Intake`.

It answers 2xx only after the broker has confirmed. It must not log or answer with anything of a body.

    200 published, ignored, or kept for a person      401 signature refused      413 body too large
    503 with Retry-After: the broker did not confirm, or the webhook cannot be used; nothing is lost, send it again
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.publisher import Publishes
from producers.webhooks.intake import Hook, Intake, Outcome, Verdict
from producers.webhooks.measures import Measures, own_word
from producers.webhooks.waiting import WaitingHook
from runtime.clock import Clock

_STATUS: Final[Mapping[Verdict, int]] = {
    "published": 200,
    "ignored": 200,
    "kept": 200,
    "refused": 401,
    "unavailable": 503,
}
_TOO_LARGE: Final = 413
_GONE: Final = 499

log = structlog.get_logger()


class _BodyTooLarge(Exception):
    """More bytes came than are allowed."""


def create_app(  # noqa: PLR0913  (one keyword a setting; the composition root passes them all)
    *,
    publisher: Publishes,
    clock: Clock,
    hooks: Sequence[Hook | WaitingHook],
    max_body_bytes: int,
    retry_after_seconds: int,
    measures: Measures,
) -> Starlette:
    """Build the app: POST to the path of each webhook, GET /healthz, and nothing else. It counts in `measures`.

    Raises ValueError when there is no webhook, one has no secret, or a limit is not positive: there is no way to
    switch the checks off.
    """
    _refuse_unsafe(hooks, max_body_bytes=max_body_bytes)

    def endpoint_of(hook: Hook) -> _Endpoint:
        _refuse_unsigned(hook)
        return _Endpoint(
            intake=Intake(hook=hook, publisher=publisher, clock=clock),
            measures=measures,
            clock=clock,
            max_body_bytes=max_body_bytes,
            retry_after_seconds=retry_after_seconds,
        )

    def route(hook: Hook | WaitingHook) -> Route:
        if isinstance(hook, WaitingHook):
            receive = _Waiting(hook, endpoint_of, measures, retry_after_seconds).receive
        else:
            receive = endpoint_of(hook).receive
        return Route(hook.path, receive, methods=["POST"])

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app = Starlette(
        routes=[*(route(hook) for hook in hooks), Route("/healthz", healthz, methods=["GET"])],
    )
    app.router.redirect_slashes = False  # a redirect would lead to whatever host the caller named
    return app


def _refuse_unsafe(hooks: Sequence[Hook | WaitingHook], *, max_body_bytes: int) -> None:
    if not hooks:
        msg = "a receiver needs at least one webhook"
        raise ValueError(msg)
    if max_body_bytes <= 0:
        msg = "the largest body must be more than zero"
        raise ValueError(msg)


def _refuse_unsigned(hook: Hook) -> None:
    if not hook.secrets or not all(secret.get_secret_value().strip() for secret in hook.secrets):
        msg = f"{hook.name}: no signing secret, or an empty one: it is required"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    intake: Intake
    measures: Measures
    clock: Clock
    max_body_bytes: int
    retry_after_seconds: int

    async def receive(self, request: Request) -> Response:
        """Answer one webhook; write one log line."""
        started = self.clock.monotonic()
        try:
            body = await _read(request, self.max_body_bytes)
        except _BodyTooLarge:
            return self._answer(_TOO_LARGE, outcome="too_large", error="too_large", started=started)
        except ClientDisconnect:
            return self._answer(_GONE, outcome="gone", error="gone", started=started)
        outcome = await self.intake.take(body, request.headers)
        self._count(outcome)
        return self._answer(
            _STATUS[outcome.verdict],
            outcome=outcome.verdict,
            error=_ERRORS.get(outcome.verdict),
            started=started,
            body_bytes=len(body),
            **_described(outcome),
        )

    def _answer(self, status: int, *, outcome: str, error: str | None, started: float, **details: object) -> Response:
        source = self.intake.hook.name
        seconds = self.clock.monotonic() - started
        self.measures.requests.labels(source, outcome, str(status)).inc()
        self.measures.seconds.labels(source).observe(seconds)
        log.info(
            "webhook.received",
            status=status,
            source=source,
            outcome=outcome,
            duration_seconds=round(seconds, 6),
            **details,
        )
        content = {"outcome": outcome} if error is None else {"error": error}
        headers = {"Connection": "close"} if outcome == "too_large" else None
        if outcome == "unavailable":
            headers = {"Retry-After": str(self.retry_after_seconds)}
        return JSONResponse(content, status_code=status, headers=headers)

    def _count(self, outcome: Outcome) -> None:
        source = self.intake.hook.name
        match outcome.verdict:
            case "published":
                for event in outcome.events:
                    self.measures.events.labels(source, event.type).inc()
            case "ignored":
                self.measures.ignored.labels(source, own_word(outcome.reason)).inc()
            case "kept":
                self.measures.kept.labels(source, own_word(outcome.reason)).inc()
            case "refused":
                self.measures.bad_signatures.labels(source, own_word(outcome.reason)).inc()
            case "unavailable":
                """The request counter says it all."""


@dataclass(slots=True)
class _Waiting:
    """Answers 503 and reads no body until the webhook can be made; from then on it is its endpoint."""

    hook: WaitingHook
    endpoint_of: Callable[[Hook], _Endpoint]
    measures: Measures
    retry_after_seconds: int
    endpoint: _Endpoint | None = None

    async def receive(self, request: Request) -> Response:
        if self.endpoint is None:
            if (hook := self.hook.made()) is None:
                self.measures.requests.labels(self.hook.name, "unavailable", "503").inc()
                headers = {"Retry-After": str(self.retry_after_seconds), "Connection": "close"}
                return JSONResponse({"error": "unavailable"}, status_code=503, headers=headers)
            self.endpoint = self.endpoint_of(hook)
        return await self.endpoint.receive(request)


_ERRORS: Final[Mapping[Verdict, str]] = {"refused": "signature", "unavailable": "unavailable"}


def _described(outcome: Outcome) -> dict[str, object]:
    return {
        "type": outcome.event_type,
        "event_id": outcome.event_id,
        "reason": outcome.reason,
        "events": len(outcome.events),
        "secret_index": outcome.secret_index,
    }


async def _read(request: Request, limit: int) -> bytes:
    """Read the body, and stop as soon as it is larger than allowed, whatever Content-Length says."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise _BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _BodyTooLarge
    return bytes(body)
