"""How time is scaled, so that a minute takes six seconds, and a time-out of half a minute takes two."""

import json
from typing import Final

ALLOWANCE: Final = 300
WINDOW_SECONDS: Final = 6.0

CALL_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 3.0
LEASE_SECONDS: Final = 5.0
SWEEP_AFTER_SECONDS: Final = 6.0
HEARTBEAT_SECONDS: Final = 3
RETRY_DELAYS_SECONDS: Final = (1, 2, 4, 8)

SETTINGS: Final = {
    "RELAY_STRIPE__TEST_MODE": "true",  # the examples of Stripe are of its test mode
    "RELAY_BUCKET__ALLOWANCE": str(ALLOWANCE),
    "RELAY_BUCKET__WINDOW_SECONDS": str(WINDOW_SECONDS),
    "RELAY_BUCKET__BURST": "20",
    "RELAY_BUCKET__JITTER_SECONDS": "1",  # as in the demo: the machine is busy, and a call may come late
    "RELAY_BUCKET__PROBE_GAP_SECONDS": "0.3",
    "RELAY_BUCKET__LONGEST_PROBE_GAP_SECONDS": "1",
    "RELAY_RABBITMQ__HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
    "RELAY_RABBITMQ__CONNECT_TIMEOUT_SECONDS": "2",
    "RELAY_RABBITMQ__PUBLISH_TIMEOUT_SECONDS": "3",
    "RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": json.dumps(RETRY_DELAYS_SECONDS),
    "RELAY_RECEIVER__RETRY_AFTER_SECONDS": "1",
    "RELAY_SOLID__CONNECT_TIMEOUT_SECONDS": "1",
    "RELAY_SOLID__TIMEOUT_SECONDS": str(CALL_SECONDS),
    "RELAY_WORKER__SETTLE_SECONDS": str(SETTLE_SECONDS),
    "RELAY_WORKER__SWEEP_AFTER_SECONDS": str(SWEEP_AFTER_SECONDS),
    "RELAY_WORKER__LEASE_SECONDS": str(LEASE_SECONDS),
    "RELAY_WORKER__HOLD_SECONDS": "5",
    "RELAY_WORKER__DRAIN_SECONDS": "3",
    "RELAY_WORKER__MAX_DEFERRALS": "20",  # eight are hours in earnest, and here they would be 47 s
}
"""The relay's settings for a campaign; everything else is as in earnest."""
