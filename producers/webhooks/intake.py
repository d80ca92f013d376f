"""From the raw body of a webhook to an outcome: verify, normalise, publish, and only then say yes.

It knows nothing of HTTP. An authentic body is never lost: it is published, ignored for a reason, or kept
for a person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from pydantic import SecretStr

from messaging.errors import MessagingError
from producers.normalising import NormaliseContext, Normalised, Normaliser, Rejected
from producers.webhooks.signatures import BadSignature, Scheme, verify
from runtime.clock import Clock
from schemas.envelope import Event


class Publisher(Protocol):
    """Where events go. Both calls return once the broker has confirmed, and else raise PublishFailed."""

    async def publish(self, event: Event) -> None:
        """Publish one event. Publishing it again is harmless: it keeps its identity."""
        ...

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        """Keep an authentic body that could not be normalised, with why, for a person to see and replay."""
        ...


Identify = Callable[[bytes], tuple[str | None, str | None]]
"""Gives the sender's event id and type for logs. Never raises."""

Verdict = Literal["published", "ignored", "kept", "refused", "unavailable"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one body. `reason` is a machine word; `event_id` and `event_type` are the sender's."""

    verdict: Verdict
    reason: str | None = None
    events: tuple[Event, ...] = ()
    event_id: str | None = None
    event_type: str | None = None
    secret_index: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of webhook: where it comes from, how it is signed, how it is read."""

    name: str
    path: str
    scheme: Scheme
    secrets: Sequence[SecretStr]
    tolerance: timedelta
    normalise: Normaliser
    context: NormaliseContext
    identify: Identify


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes bodies in for one source."""

    source: Source
    publisher: Publisher
    clock: Clock

    async def take(self, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Verify, normalise and publish one body; `headers` are looked up by lower-case name.

        Safe to repeat: events keep their identity. Safe to cancel: what was confirmed stays, the sender
        sends again.
        """
        try:
            secret_index = self._verify(body, headers)
        except BadSignature as error:
            return Outcome("refused", reason=error.reason)
        event_id, event_type = self.source.identify(body)
        verdict, reason, events = await self._deliver(body)
        return Outcome(
            verdict,
            reason=reason,
            events=events,
            event_id=event_id,
            event_type=event_type,
            secret_index=secret_index,
        )

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> int:
        return verify(
            self.source.scheme,
            headers=headers,
            body=body,
            secrets=self.source.secrets,
            now=self.clock.now(),
            tolerance=self.source.tolerance,
        )

    async def _deliver(self, body: bytes) -> tuple[Verdict, str | None, tuple[Event, ...]]:
        normalised = self._normalise(body)
        try:
            if isinstance(normalised, Rejected):
                await self._keep(body, normalised)
                return "kept", normalised.reason, ()
            for event in normalised.events:
                await self.publisher.publish(event)
        except MessagingError as error:
            return "unavailable", type(error).__name__, ()
        if normalised.ignored is not None:
            return "ignored", normalised.ignored, ()
        return "published", None, normalised.events

    def _normalise(self, body: bytes) -> Normalised | Rejected:
        try:
            return self.source.normalise(body, self.source.context)
        except Rejected as rejected:
            return rejected
        except Exception as error:  # noqa: BLE001  (a mistake of ours must not lose an authentic body)
            return Rejected(reason="normaliser_failed", message=f"{type(error).__name__} at {_place(error)}")

    async def _keep(self, body: bytes, rejected: Rejected) -> None:
        await self.publisher.keep_raw(
            body,
            source=self.source.path,
            company=self.source.context.company,
            reason=rejected.reason,
            error=str(rejected),
        )


def _place(error: Exception) -> str:
    """Where it was raised, without any value: the message of an unknown error may hold the payload."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "unknown place" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
