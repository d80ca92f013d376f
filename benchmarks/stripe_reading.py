"""Reading Stripe with a key: 10,000 balance transactions told by `relay backfill stripe`, its calls, time and memory.

The stand-in for Stripe answers at once, and the limiter is out of the way: what is measured is the relay's own work.
"""

import json
import os
import time
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.staging import Setting
from staging.stripe_api import KEY, Row, StripeApiServer

PATH: Final = "/v1/balance_transactions"
LIMIT_MB: Final = 250
MOST_CALLS_A_PAGE: Final = 2
PAGE: Final = 100


def measure(setting: Setting, *, transactions: int) -> dict[str, Any]:
    """Fill the stand-in, run one backfill, and look at what it took: calls, seconds, peak megabytes."""
    key = setting.stage.folder / "stripe_key"
    key.write_text(f"{KEY}\n")
    key.chmod(0o600)
    now = datetime.now(UTC)
    start = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) - 86_400
    server = StripeApiServer()
    times = (start + 86_000 - number * 80_000 // transactions for number in range(transactions))
    server.rows[PATH] = [_sale(number, at) for number, at in enumerate(times)]
    with server.running():
        setting.stage.overrides |= {
            "RELAY_STRIPE__API_KEY_FILE": str(key),
            "RELAY_STRIPE__API_BASE_URL": server.url,
            "RELAY_STRIPE__API_CALLS_PER_MINUTE": "600000",
            "RELAY_STRIPE__TEST_MODE": "true",
        }
        since = datetime.fromtimestamp(start, UTC).date().isoformat()
        started = time.monotonic()
        arguments = ("backfill", "stripe", "--since", since, "--json")
        process = setting.stage.start("backfill", "ops.commands.relay", *arguments)
        _, status, used = os.wait4(process.popen.pid, 0)
        took = time.monotonic() - started
    process.popen.returncode = os.waitstatus_to_exitcode(status)
    said = process.log.read_text()
    if process.popen.returncode:
        raise SystemExit(f"bench: the backfill failed: {said[-2000:]}")
    found = json.JSONDecoder().raw_decode(said[said.index('{\n  "since"') :])[0]
    return {
        "transactions": transactions,
        "published": sum(each["count"] for each in found["events"].values()),
        "calls": len(server.calls),
        "calls_of_transactions": server.calls.count(PATH),
        "seconds": round(took, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "transactions_per_second": round(transactions / took, 1),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "limit_mb": LIMIT_MB,
    }


def _sale(number: int, at: int) -> Row:
    """A balance transaction with its charge, as large as real ones are."""
    name, charge = f"txn_{number:06d}", f"ch_{number:06d}"
    return {
        "id": name,
        "object": "balance_transaction",
        "type": "charge",
        "amount": 2000,
        "currency": "usd",
        "fee": 88,
        "fee_details": [{"amount": 88, "currency": "usd", "type": "stripe_fee"}],
        "net": 1912,
        "created": at,
        "available_on": at,
        "source": {
            "id": charge,
            "object": "charge",
            "amount": 2000,
            "amount_captured": 2000,
            "captured": True,
            "currency": "usd",
            "status": "succeeded",
            "livemode": False,
            "balance_transaction": name,
            "description": "x" * 1500,
        },
    }
