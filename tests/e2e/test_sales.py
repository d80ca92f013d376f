"""Sales by real processes, judged by what the simulator recorded: by webhook, read with a key, in one entry a day.

Stripe's API is stood in for over real HTTP. Roles are killed while they read, record and make entries.
"""

import json
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from staging.broker import Broker
from staging.processes import Process, wait_for
from staging.stripe_api import StripeApiServer
from tests.e2e.driving import Json, Relay, charge_event, open_relay, payment_of, said
from tests.unit.producers.made import charge, refund, stripe_event, transaction
from tests.unit.producers.stripe.api.stand_in import (
    EVENTS,
    PAYOUTS,
    TRANSACTIONS,
    event,
    key_file,
    own_of,
    paid_out,
    stripe,
)
from tests.unit.producers.told import intent, invoice

pytestmark = pytest.mark.e2e

CHARGES = 200
ENTRY = "stripe:summary:2026-01-15"
BY_DAY = '[sales]\nentries = "day"\nclose_after_minutes = 0.05\n'
TODAY = int(time.time()) - 120
"""Of what a first reading finds: it begins an hour before."""

YESTERDAY = TODAY - 86_400
"""Of what is in the entry of a day at once."""

TWENTY, NET, FEE = 2000, 1912, 88
ONE_BY_ONE = {"RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": "[0.1, 0.3]", "RELAY_WORKER__MAX_DEFERRALS": "3"}


def moved(relay: Relay, opening: dict[str, str]) -> dict[str, Decimal]:
    changes = {name: Decimal(amount) - Decimal(opening[name]) for name, amount in relay.judge()["balances"].items()}
    return {name: abs(change) for name, change in changes.items() if change}


def sold(charges: int) -> dict[str, Decimal]:
    return dict.fromkeys(("Sales Income", "Stripe Clearing"), Decimal("20.00") * charges)


def keyed(server: StripeApiServer, folder: Path) -> dict[str, str]:
    """The settings of trial books that read Stripe with a key, again after a second."""
    return {
        "RELAY_STRIPE__TEST_MODE": "true",
        "RELAY_STRIPE__API_KEY_FILE": str(key_file(folder)),
        "RELAY_STRIPE__API_BASE_URL": server.url,
        "RELAY_STRIPE__API_CALLS_PER_MINUTE": "6000",
        "RELAY_STRIPE__READ_EVERY_MINUTES": "0.02",
        "RELAY_WORKER__MAX_DEFERRALS": "200",  # what waits for its settlement waits until it is read
    }


def told_by_webhook(name: str, at: int = TODAY, **fields: object) -> tuple[Json, bytes]:
    """A charge of trial books, and its event: the balance transaction is no more than an id."""
    known = {"id": f"ch_{name}", "balance_transaction": f"txn_{name}", "livemode": False, "created": at}
    sale = charge(**known | fields)
    return sale, stripe_event("charge.succeeded", sale, id=f"evt_{name}", livemode=False, created=at)


def moved_by(source: Json, amount: int, fee: int = 0, **fields: object) -> Json:
    """The balance transaction of a source, in the payout po_1."""
    at = source["created"]
    row = transaction(amount, fee, id=source["balance_transaction"], created=at, available_on=at, source=source)
    return row | {"status": "available", "payout": "po_1"} | fields


@contextmanager
def reading(relay: Relay, name: str) -> Iterator[None]:
    """The role that reads Stripe, for the length of a block."""
    process = relay.stage.start(name, "ops.commands.relay", "feed")
    try:
        yield
    finally:
        assert process.stop() == 0, process.log.read_text()


def read_until_killed(relay: Relay, server: StripeApiServer, name: str, path: str, page: int = 1) -> None:
    """Start the role, and kill it when it asks for a page of a list: before anything is answered."""
    process = relay.stage.start(name, "ops.commands.relay", "feed")
    first = server.pages[path]

    def kill(asked: str, number: int) -> None:
        if (asked, number) == (path, first + page):
            process.signal(signal.SIGKILL)

    server.before = kill
    assert process.popen.wait(60) == -signal.SIGKILL, process.log.read_text()
    server.before = lambda _path, _page: None


def deferred(worker: Process) -> bool:
    return any(line["outcome"] == "Defer" for line in said(worker, "delivery.settled"))


def await_applied(worker: Process, kind: str) -> None:
    """Wait until the worker is done with an event, however often it waited for another."""
    done = {"type": kind, "outcome": "Applied"}
    wait_for(lambda: any(line | done == line for line in said(worker, "delivery.settled")), what=kind)


def proven(relay: Relay) -> bool:
    done = relay.command("payouts", "--json")
    found = json.loads(done.stdout)
    rows = found["payouts"] if isinstance(found, dict) else found
    return [row["state"] for row in rows] == ["proven"] and done.returncode == 0


def test_webhooks_then_the_reading_of_a_killed_role_prove_a_payout_and_empty_clearing(
    broker: Broker, tmp_path: Path
) -> None:
    sales = [told_by_webhook(f"w{number}") for number in range(6)]
    euros = told_by_webhook("eur", amount=5000, amount_captured=5000, currency="eur")
    untold, _ = told_by_webhook("untold")  # its webhook never came
    given_back = refund(1, charge="ch_w0", livemode=False, created=TODAY, object="refund")
    own_fee = transaction(-200, id="txn_own", type="stripe_fee", created=TODAY, source=None, payout="po_1")
    payout = paid_out(1, 7 * NET + 5213 - 500 - 200, at=TODAY)
    with stripe() as server:
        server.add(TRANSACTIONS, *(moved_by(sale, TWENTY, FEE, type="charge") for sale, _ in sales))
        server.add(TRANSACTIONS, moved_by(untold, TWENTY, FEE, type="charge"), own_fee, own_of(payout))
        server.add(TRANSACTIONS, moved_by(euros[0], 5400, 187, type="charge", exchange_rate=1.08))
        server.add(TRANSACTIONS, moved_by(given_back, -500, type="refund"))
        server.add(PAYOUTS, payout)
        server.add(EVENTS)
        company = f"s{secrets.token_hex(4)}"
        with open_relay(tmp_path, broker.url, company, **keyed(server, tmp_path)) as relay, relay.worker() as worker:
            opening = relay.judge()["balances"]
            relay.deliver([body for _, body in [*sales, euros]])
            relay.await_records(*(payment_of(f"w{number}") for number in range(6)))
            wait_for(lambda: deferred(worker), what="the euros to wait")
            assert moved(relay, opening) == sold(6), "no fee is known, and the euros wait"
            read_until_killed(relay, server, "killed_before_events", EVENTS)
            read_until_killed(relay, server, "killed_at_payouts", PAYOUTS)
            with reading(relay, "reader"):
                wait_for(lambda: proven(relay), what="the payout to be proven", within_seconds=60)
            verdict = relay.judge()
            assert verdict["duplicated"] == []
            assert moved(relay, opening) == {
                "Sales Income": Decimal("194.00"),
                "Sales Returns": Decimal("5.00"),
                "Stripe Fees": Decimal("10.03"),
                "Checking": Decimal("178.97"),
            }
            assert Decimal(verdict["balances"]["Stripe Clearing"]) == Decimal("0.00")
            assert relay.dead_letters() == []
            with reading(relay, "again"):
                read = server.pages[PAYOUTS]
                wait_for(lambda: server.pages[PAYOUTS] > read + 1, what="a reading more")
            assert relay.judge()["by_external_id"] == verdict["by_external_id"]
            [row] = relay.asked("payouts")["payouts"]
            assert (row["holds"], row["missing"], Decimal(row["bank_line"])) == (True, [], Decimal("178.97"))


def test_a_role_that_is_killed_between_pages_loses_and_doubles_nothing(broker: Broker, tmp_path: Path) -> None:
    sales = [told_by_webhook(f"p{number}")[0] for number in range(130)]
    with stripe() as server:
        server.add(TRANSACTIONS, *(moved_by(sale, TWENTY, FEE, type="charge") for sale in sales))
        server.add(EVENTS)
        company = f"s{secrets.token_hex(4)}"
        with open_relay(tmp_path, broker.url, company, **keyed(server, tmp_path)) as relay:
            opening = relay.judge()["balances"]
            read_until_killed(relay, server, "killed_at_a_page", TRANSACTIONS, page=2)
            read_until_killed(relay, server, "killed_when_all_is_told", EVENTS)
            with relay.worker(), reading(relay, "reader"):
                booked = {"Sales Income": "2600.00", "Stripe Fees": "114.40", "Stripe Clearing": "2485.60"}
                whole = {name: Decimal(amount) for name, amount in booked.items()}
                wait_for(lambda: moved(relay, opening) == whole, what="each sale with its fee", within_seconds=90)
            assert relay.judge()["duplicated"] == []
            assert relay.dead_letters() == []


@pytest.mark.parametrize("entries", ["each", pytest.param("day", marks=pytest.mark.long)])
def test_a_backfill_tells_what_no_webhook_brought_and_a_second_one_finds_nothing_missing(
    broker: Broker, tmp_path: Path, entries: str
) -> None:
    told, untold = (told_by_webhook(name, at=YESTERDAY) for name in ("told", "missed"))
    with stripe() as server:
        server.add(TRANSACTIONS, *(moved_by(sale, TWENTY, FEE, type="charge") for sale, _ in (told, untold)))
        paid = intent(latest_charge="ch_missed", amount=TWENTY, amount_received=TWENTY)
        untaxed = invoice("acacia", tax=0, total=TWENTY, charge="ch_missed")
        server.add(EVENTS, event(1, "payment_intent.succeeded", paid, at=YESTERDAY))
        server.add(EVENTS, event(2, "invoice.paid", untaxed, at=YESTERDAY))
        company = f"s{secrets.token_hex(4)}"
        with open_relay(tmp_path, broker.url, company, **keyed(server, tmp_path)) as relay:
            relay.books.write_text(relay.books.read_text() + BY_DAY.replace("day", entries))
            opening = relay.judge()["balances"]
            with relay.worker() as worker:
                relay.deliver([told[1]])
                wait_for(lambda: moved(relay, opening) == sold(1), what="what the webhook told")
                since = ("backfill", "stripe", "--since", f"{datetime.fromtimestamp(YESTERDAY, UTC).date()}")
                missing = relay.asked(*since, "--dry-run")["events"]
                assert {kind: (each["count"], each["money"]) for kind, each in missing.items()} == {
                    "sales.payment.succeeded.v1": (2, {"USD": "40.00"}),  # one of them for its fee
                    "sales.payment.expected.v1": (1, {"USD": "20.00"}),
                    "sales.sale.told.v1": (1, {}),
                }
                assert moved(relay, opening) == sold(1)
                published = relay.asked(*since)["events"]  # the invoice may have told of the intent by then
                assert published["sales.payment.succeeded.v1"] == missing["sales.payment.succeeded.v1"]
                whole = {"Sales Income": "40.00", "Stripe Fees": "1.76", "Stripe Clearing": "38.24"}
                booked = {name: Decimal(amount) for name, amount in whole.items()}
                wait_for(lambda: moved(relay, opening) == booked, what="what it did not")
                for kind in published:
                    await_applied(worker, kind)
                assert relay.asked(*since)["events"] == {}
            assert relay.judge()["duplicated"] == []
            assert relay.dead_letters() == []


def test_what_undoes_what_was_never_booked_leaves_no_letter_and_right_books(broker: Broker, tmp_path: Path) -> None:
    def partly(amount_refunded: int) -> Json:
        figures = {"amount": 9000, "amount_captured": 7000, "amount_refunded": amount_refunded}
        return charge(id="ch_partly", **figures)

    def to_bank(status: str) -> Json:
        failed = {"failure_balance_transaction": "txn_failed"} if status == "failed" else {}
        return refund(2, object="refund", amount=4500, charge="ch_bank", status=status, **failed)

    account = {"id": "acct_seller", "type": "v2.core.account", "url": "/v2/core/accounts/acct_seller"}
    thin: Json = {"id": "evt_of_account", "object": "v2.core.event", "type": "v2.core.account[identity].updated"}
    thin |= {"created": "2026-01-15T12:00:01.000Z", "livemode": True, "related_object": account}
    bodies = [
        stripe_event("charge.captured", partly(2000), id="evt_captured"),
        stripe_event("refund.created", refund(1, object="refund", amount=1500, charge="ch_partly"), id="evt_back"),
        stripe_event("charge.refunded", partly(3500), {"amount_refunded": 2000}, id="evt_told_again"),
        charge_event("bank", amount=4500, amount_captured=4500),
        stripe_event("refund.created", to_bank("pending"), id="evt_pending"),
        stripe_event("refund.updated", to_bank("failed"), {"status": "pending"}, id="evt_updated"),
        stripe_event("refund.failed", to_bank("failed"), id="evt_failed"),
        json.dumps(thin).encode(),
    ]
    with open_relay(tmp_path, broker.url, f"s{secrets.token_hex(4)}", **ONE_BY_ONE) as relay, relay.worker() as worker:
        opening = relay.judge()["balances"]
        for body in bodies:
            assert relay.send(body).status_code == 200
        relay.await_records(payment_of("partly"), payment_of("bank"), "stripe:refund:re_1")
        await_applied(worker, "sales.payment.refund_failed.v1")
        assert moved(relay, opening) == {
            "Sales Income": Decimal("115.00"),
            "Sales Returns": Decimal("15.00"),
            "Stripe Clearing": Decimal("100.00"),
        }
        assert relay.judge()["duplicated"] == []
        assert relay.dead_letters() == []
        raw = [relay.asked("dead", "show", each["id"])["body"] for each in relay.asked("dead", "list")]
        assert [body for body in raw if "evt_of_account" in body] == []


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
