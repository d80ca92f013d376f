"""Sends Stripe's webhooks as Stripe does: signed, and again when no 2xx comes back."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import httpx2

from demo.story import Post
from staging.signing import signature

TRIES = 5
PAUSE_SECONDS = 0.5


class Poster:
    """Posts to one receiver; `accepted` collects the ids of the events that were answered with 2xx."""

    def __init__(self, url: str, secret: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = httpx2.Client(base_url=url, timeout=15, trust_env=False)
        self._secret = secret
        self._pause = pause
        self.accepted: set[str] = set()

    def __enter__(self) -> Self:
        """Ready as it is."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, post: Post) -> int:
        """Send until it is accepted, or a few times in vain; returns the last status (0: no answer)."""
        status = 0
        for attempt in range(TRIES):
            if attempt:
                self._pause(PAUSE_SECONDS)
            status = self._once(post.body, self._secret)
            if status // 100 == 2:  # noqa: PLR2004 - the class of statuses that mean yes
                self.accepted.add(post.event)
                break
        return status

    def send_forged(self, post: Post) -> int:
        """Send once with a signature that is not Stripe's; returns the status."""
        return self._once(post.body, "whsec_not_stripes")

    def _once(self, body: bytes, secret: str) -> int:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body, secret, int(time.time()))}
        try:
            return self._client.post("/webhooks/stripe", content=body, headers=headers).status_code
        except httpx2.TransportError:
            return 0
