"""The headers of our own on a message. Attempts are counted here: broker counters changed meaning in 3.13 and 4.x."""

from collections.abc import Mapping
from typing import Any

ATTEMPT = "relay-attempt"
DEFERRED = "relay-deferred"
REASON = "relay-reason"
ERROR = "relay-error"
KEY = "relay-routing-key"
PARTITION = "relay-partition"
SOURCE = "relay-source"
COMPANY = "relay-company"
DIED_AT = "relay-died-at"
REPLAY_OF = "relay-replay-of"
WAIVED = "relay-waived"

CONTENT_TYPE = "application/cloudevents+json"


def count(headers: Mapping[str, Any], name: str, default: int) -> int:
    """A counter from a header; the default where it is missing or not a number."""
    value = headers.get(name, default)
    return value if isinstance(value, int) else default


def ours(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that travel on when a message is published again: ours, and none of the broker's."""
    return {key: value for key, value in headers.items() if key.startswith("relay-")}
