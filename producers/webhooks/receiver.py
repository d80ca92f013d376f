"""The webhook receiver: HTTP around `Intake`.

It answers 2xx only after the broker has confirmed. It must not log or answer with anything of a body.

    200 published, ignored, or kept for a person      401 signature refused      413 body too large
    503 with Retry-After: the broker did not confirm, or the webhook cannot be used; nothing is lost, send it again
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messaging.publisher import Publishes
from producers.webhooks.intake import Hook, Intake, Reception, WaitingHook
from producers.webhooks.measures import Measures, own_word
from runtime.clock import Clock

_ANSWERS: Final[Mapping[str, tuple[int, Mapping[str, str]]]] = {
    "published": (200, {"outcome": "published"}),
    "ignored": (200, {"outcome": "ignored"}),
    "kept": (200, {"outcome": "kept"}),
    "refused": (401, {"error": "signature"}),
    "unavailable": (503, {"error": "unavailable"}),
    "too_large": (413, {"error": "too_large"}),
    "gone": (499, {"error": "gone"}),
}
"""Status and content, by what came of a webhook."""

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

    Raises ValueError: no webhook, one without a secret, or no limit; there is no way to switch the checks off.
    """
    if not hooks:
        raise ValueError("a receiver needs at least one webhook")
    if max_body_bytes <= 0:
        raise ValueError("the largest body must be more than zero")

    def route(hook: Hook | WaitingHook) -> Route:
        if isinstance(hook, Hook):
            _refuse_unsigned(hook)
        endpoint = _Endpoint(hook, publisher, clock, measures, max_body_bytes, retry_after_seconds)
        return Route(hook.path, endpoint.receive, methods=["POST"])

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app = Starlette(routes=[*(route(hook) for hook in hooks), Route("/healthz", healthz, methods=["GET"])])
    app.router.redirect_slashes = False  # a redirect would lead to whatever host the caller named
    return app


def _refuse_unsigned(hook: Hook) -> None:
    if not hook.secrets or not all(secret.get_secret_value().strip() for secret in hook.secrets):
        raise ValueError(f"{hook.name}: no signing secret, or an empty one: it is required")


@dataclass(slots=True)
class _Endpoint:
    hook: Hook | WaitingHook
    publisher: Publishes
    clock: Clock
    measures: Measures
    max_body_bytes: int
    retry_after_seconds: int

    async def receive(self, request: Request) -> Response:
        """Answer one webhook; until it can be made, with 503, and no body is read."""
        if isinstance(self.hook, WaitingHook):
            if (made := self.hook.made()) is None:
                self.measures.requests.labels(self.hook.name, "unavailable", "503").inc()
                headers = {"Retry-After": str(self.retry_after_seconds), "Connection": "close"}
                return JSONResponse({"error": "unavailable"}, status_code=503, headers=headers)
            _refuse_unsigned(made)
            self.hook = made
        return await self._taken(request, Intake(self.hook, self.publisher, self.clock))

    async def _taken(self, request: Request, intake: Intake) -> Response:
        """Answer with what came of the body; write one log line."""
        started = self.clock.monotonic()
        try:
            body = await _read(request, self.max_body_bytes)
        except _BodyTooLarge:
            return self._answer("too_large", started=started)
        except ClientDisconnect:
            return self._answer("gone", started=started)
        outcome = await intake.take(body, request.headers)
        self._count(outcome)
        return self._answer(
            outcome.verdict,
            started=started,
            body_bytes=len(body),
            type=outcome.event_type,
            event_id=outcome.event_id,
            reason=outcome.reason,
            events=len(outcome.events),
            secret_index=outcome.secret_index,
        )

    def _answer(self, outcome: str, *, started: float, **details: object) -> Response:
        source, (status, content) = self.hook.name, _ANSWERS[outcome]
        seconds = self.clock.monotonic() - started
        self.measures.requests.labels(source, outcome, str(status)).inc()
        self.measures.seconds.labels(source).observe(seconds)
        figures = {"status": status, "source": source, "outcome": outcome, "duration_seconds": round(seconds, 6)}
        log.info("webhook.received", **figures, **details)
        headers = {"Connection": "close"} if outcome == "too_large" else None
        if outcome == "unavailable":
            headers = {"Retry-After": str(self.retry_after_seconds)}
        return JSONResponse(content, status_code=status, headers=headers)

    def _count(self, outcome: Reception) -> None:
        source = self.hook.name
        for event in outcome.events:
            self.measures.events.labels(source, event.type).inc()
        by_reason = {
            "ignored": self.measures.ignored,
            "kept": self.measures.kept,
            "refused": self.measures.bad_signatures,
        }
        if counter := by_reason.get(outcome.verdict):
            counter.labels(source, own_word(outcome.reason)).inc()


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
