"""A receiver to post to: a fake of its publisher port, its settings, and a sender that signs."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette

from messaging.errors import MessagingError
from messaging.publisher import Encoded
from ops.composing.webhooks import hook_of
from producers.webhooks.intake import Hook
from producers.webhooks.measures import Measures
from producers.webhooks.receiver import create_app
from runtime.settings import Settings
from schemas.envelope import Event, decode
from tests.fakes import NOON, FakeClock

SECRET, OLD_SECRET = "whsec_new0123456789abcdef", "whsec_old0123456789abcdef"
LIMIT = 10_000


@dataclass
class FakePublisher:
    """Keeps what it is given; fails from the given call on."""

    events: list[Event] = field(default_factory=list)
    kept: list[dict[str, Any]] = field(default_factory=list)
    failure: MessagingError | None = None
    good_calls: int = 0

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        self._maybe_fail()
        self.events += [decode(message.body) for message in messages]

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        self._maybe_fail()
        self.kept.append({"body": body, "source": source, "company": company, "reason": reason, "error": error})

    def _maybe_fail(self) -> None:
        if self.failure is not None:
            if self.good_calls == 0:
                raise self.failure
            self.good_calls -= 1


def stripe_hook(**said: object) -> Hook:
    """Stripe's webhook, with what is set otherwise."""
    own = {"secrets": [SECRET, OLD_SECRET], "accounts": {"acct_1": "second"}, **said}
    return hook_of("stripe", Settings.model_validate({"stripe": own}))


def app_with(publisher: FakePublisher, clock: FakeClock, *hooks: Hook, **changed: Any) -> Starlette:  # noqa: ANN401 - of any kind
    """A receiver of these webhooks, or of Stripe's; what is changed is a setting of the app."""
    app: dict[str, Any] = {"max_body_bytes": LIMIT, "retry_after_seconds": 30, "measures": Measures()}
    return create_app(publisher=publisher, clock=clock, hooks=hooks or [stripe_hook()], **(app | changed))


def signed(body: bytes, secret: str = SECRET, seconds: int = int(NOON.timestamp())) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={seconds},v1={digest}"}
