"""How time is scaled, so that a night takes seconds. The pace is Solid's own: 100 calls in 10 s are 600 a minute."""

import json
from typing import Final

ALLOWANCE: Final = 100
WINDOW_SECONDS: Final = 10.0

SETTINGS: Final = {
    "RELAY_STRIPE__TEST_MODE": "true",  # the examples of Stripe are of its test mode
    "RELAY_BUCKET__ALLOWANCE": str(ALLOWANCE),
    "RELAY_BUCKET__WINDOW_SECONDS": str(WINDOW_SECONDS),
    "RELAY_BUCKET__JITTER_SECONDS": "1",  # a machine that is busy with seven processes wakes up late
    "RELAY_BUCKET__PROBE_GAP_SECONDS": "0.3",
    "RELAY_BUCKET__LONGEST_PROBE_GAP_SECONDS": "1",
    "RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": json.dumps([0.5, 1, 2, 4]),
    "RELAY_SOLID__CONNECT_TIMEOUT_SECONDS": "1",
    "RELAY_SOLID__TIMEOUT_SECONDS": "2",
    "RELAY_WORKER__SETTLE_SECONDS": "2",
    "RELAY_WORKER__LEASE_SECONDS": "4",
    "RELAY_WORKER__HOLD_SECONDS": "5",
    "RELAY_WORKER__DRAIN_SECONDS": "2",
    "RELAY_WORKER__MAX_DEFERRALS": "40",
}
"""The relay's settings for the run; everything else is as in earnest."""
