"""From the raw body of a webhook to an outcome: verify, normalise, publish, and only then say yes.

It knows nothing of HTTP. An authentic body is never lost: it is published, ignored for a reason, or kept for a person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import structlog
from pydantic import SecretStr

from messaging.errors import MessagingError
from messaging.publisher import Publishes, encoded
from producers.normalising import NormaliseContext, Normalised, Rejected
from producers.source import Arrived, Identify, Signature, Source, Whose, refuse_people
from producers.webhooks.signatures import BadSignature, verify
from runtime.clock import Clock
from runtime.errors import ConfigurationError
from schemas.envelope import Event

log = structlog.get_logger()

NOBODY: Final = ""
"""The company of a body that is kept before it is known whose books it is for."""

Verdict = Literal["published", "ignored", "kept", "refused", "unavailable"]


@dataclass(frozen=True, slots=True)
class Reception:
    """What came of one body. `reason` is a machine word; `event_id` and `event_type` are the sender's."""

    verdict: Verdict
    reason: str | None = None
    events: tuple[Event, ...] = ()
    event_id: str | None = None
    event_type: str | None = None
    secret_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One webhook that is received: where it comes in, how it is signed, how it is read, whose it is.

    `url` is the address as the sender knows it, for signatures over it. Raises ConfigurationError, see `refuse_people`.
    """

    name: str
    path: str
    source: Source
    signature: Signature
    url: str
    secrets: Sequence[SecretStr]
    context: NormaliseContext
    identify: Identify
    whose: Whose

    def __post_init__(self) -> None:
        """What cannot be read is kept in a queue."""
        refuse_people(self.source)


@dataclass(slots=True)
class WaitingHook:
    """A webhook that cannot be used yet, as its file of secrets is missing, say: each request tries to make it.

    `problem` is what was wrong last.
    """

    name: str
    path: str
    make: Callable[[], Hook]
    problem: str = ""

    def made(self) -> Hook | None:
        """The webhook, once it can be made; what keeps it from that is said once, until it is something else."""
        try:
            hook = self.make()
        except ConfigurationError as error:
            if str(error) != self.problem:
                self.problem = str(error)
                log.error("webhook.source_stopped", source=self.name, error=self.problem, waits=True)  # noqa: TRY400 - it says it all
            return None
        if self.problem:
            log.info("webhook.source_started", source=self.name)
        return hook


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes bodies in for one webhook."""

    hook: Hook
    publisher: Publishes
    clock: Clock

    async def take(self, body: bytes, headers: Mapping[str, str]) -> Reception:
        """Verify, normalise and publish one body; `headers` are looked up by lower-case name.

        Safe to repeat: events keep their identity. Safe to cancel: what was confirmed stays, the sender sends again.
        """
        hook, now = self.hook, self.clock.now()
        try:
            index = verify(hook.signature, headers=headers, body=body, url=hook.url, secrets=hook.secrets, now=now)
        except BadSignature as error:
            return Reception("refused", error.reason)
        event_id, event_type = hook.identify(body, headers)
        outcome = await self._deliver(body, headers)
        return replace(outcome, event_id=event_id, event_type=event_type, secret_index=index)

    async def _deliver(self, body: bytes, headers: Mapping[str, str]) -> Reception:
        company, normalised = self._normalise(body, headers)
        try:
            if isinstance(normalised, Rejected):
                await self._keep(body, normalised, company)
                return Reception("kept", normalised.reason)
            for event in normalised.events:
                await self.publisher.publish_all([encoded(event)])
        except MessagingError as error:
            return Reception("unavailable", type(error).__name__)
        if normalised.ignored is not None:
            return Reception("ignored", normalised.ignored)
        return Reception("published", events=normalised.events)

    def _normalise(self, body: bytes, headers: Mapping[str, str]) -> tuple[str, Normalised | Rejected]:
        """Whose books it is for, and what it becomes; nobody's where not even that can be said."""
        company = NOBODY
        try:
            sorted_as = self.hook.whose.arrived(Arrived(body, headers, self.clock.now()), self.hook.context)
            if isinstance(sorted_as, str):
                return company, Normalised((), ignored=sorted_as)
            company = sorted_as.company
            return company, self.hook.source.normalise(body, sorted_as)
        except Rejected as rejected:
            return company, rejected
        except Exception as error:  # noqa: BLE001  (a mistake of ours must not lose an authentic body)
            return company, Rejected.of_mistake(error)

    async def _keep(self, body: bytes, rejected: Rejected, company: str) -> None:
        await self.publisher.keep_raw(
            body, source=self.hook.path, company=company, reason=rejected.reason, error=str(rejected)
        )
