"""What the receiver counts, in a registry of its own. It must not use ids or amounts as labels."""

import re
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_WORD: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)


def own_word(reason: str | None) -> str:
    """What a label says of a reason: the relay's own word before the colon; else `other`.

    Behind the colon stands what came from outside, such as a header that nobody signed: a series for each would fill
    the memory.
    """
    word = str(reason).partition(":")[0]
    return word if _WORD.fullmatch(word) else "other"


class Measures:
    """The receiver's counters. Labels are few: the source, the outcome, the HTTP status, the event type."""

    def __init__(self) -> None:
        """Start at zero in a new registry."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "relay_webhook_requests",
            "Webhook requests by what came of them.",
            ["source", "outcome", "status"],
            registry=self.registry,
        )
        self.events = Counter(
            "relay_webhook_events",
            "Events published, each confirmed by the broker.",
            ["source", "type"],
            registry=self.registry,
        )
        self.ignored = Counter(
            "relay_webhook_ignored",
            "Authentic webhooks that post nothing, by reason.",
            ["source", "reason"],
            registry=self.registry,
        )
        self.kept = Counter(
            "relay_webhook_kept",
            "Authentic webhooks that could not be normalised and were kept, by reason.",
            ["source", "reason"],
            registry=self.registry,
        )
        self.bad_signatures = Counter(
            "relay_webhook_bad_signatures",
            "Webhooks refused for their signature, by reason.",
            ["source", "reason"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "relay_webhook_seconds",
            "Seconds from the first byte of a webhook to its answer.",
            ["source"],
            registry=self.registry,
        )
        self.dropped = Counter(
            "relay_receiver_dropped",
            "Connections that the receiver closed before their time, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.connections = Gauge("relay_receiver_connections", "Connections that are open.", registry=self.registry)
        self.body_bytes = Gauge(
            "relay_receiver_body_bytes", "Bytes of bodies that are in memory.", registry=self.registry
        )

    async def text(self) -> bytes:
        """All of it as it is now."""
        return generate_latest(self.registry)
