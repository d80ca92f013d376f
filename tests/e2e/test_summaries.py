"""Sales in one entry a day, by real processes, judged by what the simulator recorded.

Workers are killed while they record and while they make entries, webhooks come twice, and the mode is switched.
"""

import secrets
from decimal import Decimal
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import wait_for
from tests.e2e.driving import Relay, charge_event, open_relay, payment_of

pytestmark = pytest.mark.e2e

CHARGES = 200
ENTRY = "stripe:summary:2026-01-15"
BY_DAY = '[sales]\nentries = "day"\nclose_after_minutes = 0.05\n'


def moved(relay: Relay, opening: dict[str, str]) -> dict[str, Decimal]:
    changes = {name: Decimal(amount) - Decimal(opening[name]) for name, amount in relay.judge()["balances"].items()}
    return {name: abs(change) for name, change in changes.items() if change}


def sold(charges: int) -> dict[str, Decimal]:
    return dict.fromkeys(("Sales Income", "Stripe Clearing"), Decimal("20.00") * charges)


@pytest.mark.long
def test_killed_workers_repeated_webhooks_and_a_switched_mode_book_every_charge_once(
    broker: Broker, tmp_path: Path
) -> None:
    bodies = [charge_event(f"{number:03d}") for number in range(CHARGES)]
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}") as relay:
        each = relay.books.read_text()
        relay.books.write_text(each + BY_DAY)
        opening = relay.judge()["balances"]
        with relay.worker("first") as first:
            relay.deliver(bodies[:120])
            wait_for(lambda: relay.asked("summaries")["open"], what="lines that wait", within_seconds=60)
            first.kill()
        with relay.worker("second") as second:
            relay.deliver(bodies[60:160])
            wait_for(lambda: relay.asked("summaries")["closed"], what="an entry", within_seconds=90)
            second.kill()
        with relay.worker("third"):
            wait_for(lambda: moved(relay, opening) == sold(160), what="all of it in the books", within_seconds=120)
        calls = relay.judge()["calls"]
        relay.books.write_text(each)
        with relay.worker("fourth"):
            relay.deliver(bodies)
            relay.await_records(*(payment_of(f"{number:03d}") for number in range(160, CHARGES)))
            wait_for(lambda: moved(relay, opening) == sold(CHARGES), what="all the rest, once", within_seconds=60)
        verdict = relay.judge()
        assert verdict["duplicated"] == []
        assert calls <= 20, "some entries, and what each worker asks when it starts"
        assert relay.dead_letters() == []
        traced = relay.asked("trace", "ch_007")
        assert [row["external_id"].rpartition(":")[0] for row in traced["writes"]] == [ENTRY]
        [line] = [row for row in traced["summaries"] if row["external_id"].endswith(":invoice")]
        assert [body["amount"] for body in line["lines"]] == ["20.00", "20.00"]
