"""What the receiver counts, in a registry of its own. It must not use ids or amounts as labels."""

import re
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_WORD: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)


def own_word(reason: str | None) -> str:
    """What a label says of a reason: the relay's own word before the colon, else `other`.

    Behind it stands what came from outside, such as a header that nobody signed: a series for each fills the memory.
    """
    word = str(reason).partition(":")[0]
    return word if _WORD.fullmatch(word) else "other"


class Measures:
    """The receiver's counters. Labels are few: the source, the outcome, the HTTP status, the event type."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=self.registry), partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        of_source = ["source", "reason"]
        asked = "Webhook requests by what came of them."
        self.requests = counter("relay_webhook_requests", asked, ["source", "outcome", "status"])
        published = "Events published, each confirmed by the broker."
        self.events = counter("relay_webhook_events", published, ["source", "type"])
        ignored = "Authentic webhooks that post nothing, by reason."
        self.ignored = counter("relay_webhook_ignored", ignored, of_source)
        kept = "Authentic webhooks that could not be normalised and were kept, by reason."
        self.kept = counter("relay_webhook_kept", kept, of_source)
        refused = "Webhooks refused for their signature, by reason."
        self.bad_signatures = counter("relay_webhook_bad_signatures", refused, of_source)
        seconds = "Seconds from the first byte of a webhook to its answer."
        self.seconds = histogram("relay_webhook_seconds", seconds, ["source"])
        dropped = "Connections that the receiver closed before their time, by reason."
        self.dropped = counter("relay_receiver_dropped", dropped, ["reason"])
        self.connections = gauge("relay_receiver_connections", "Connections that are open.")
        self.body_bytes = gauge("relay_receiver_body_bytes", "Bytes of bodies that are in memory.")

    async def text(self) -> bytes:
        """All of it as it is now."""
        return generate_latest(self.registry)
