"""Brings a relay of an older commit into mid-flow, and writes down what it left: see SOURCE beside this file.

Run in a tree of that commit, with its own .venv. It must use only what that commit has.
"""

import asyncio
import base64
import contextlib
import json
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from pydantic import SecretStr

from benchmarks.stock_events import adjustments, opening_receipt, sku, stock_event
from messaging.connection import Link
from messaging.publisher import Publisher
from runtime.clock import SystemClock
from schemas.envelope import encode
from schemas.inventory import ReceiptLine, ReceiptPosted
from schemas.money import Money
from staging.broker import MANAGEMENT, find_own_broker
from staging.processes import stage, wait_for
from store.cases import Cases
from store.engine import connect
from store.feeds.cursors import Cursor, Cursors
from tests.e2e.driving import QUICK, Relay, books_text, charge_event, payment_of
from tests.e2e.test_payroll import served
from tests.unit.producers.payroll.providers import ENTITY, FakeGusto, payroll

COMPANY = "upgraded"
SETTINGS = {**QUICK, "RELAY_RABBITMQ__RETRY_DELAYS_SECONDS": "[1.1, 7]", "RELAY_WORKER__SWEEP_AFTER_SECONDS": "1"}
ITEMS = 5
PUBLISHED = (
    "SELECT count(*) FROM stock_facts AS f JOIN stock_batches AS b ON b.fact = f.batch WHERE b.published_at IS NOT NULL"
)


async def publish(relay: Relay, events: list[Any]) -> None:
    link = Link(SecretStr(relay.stage.rabbitmq_url), name="make")
    publisher = Publisher(link, clock=SystemClock(), companies=[COMPANY], retry_delays=[1.1, 7], timeout=60)
    try:
        for each in events:
            await publisher.publish_raw(encode(each), key=f"{COMPANY}.{each.type}", message_id=each.id, headers={})
    finally:
        await link.close()


async def remember(folder: Path) -> None:
    """What the sweep and a polled address leave in the store, put there by their own stores."""
    engine = connect(f"sqlite:///{folder / 'relay.db'}")
    clock = SystemClock()
    await Cases(engine, clock).open(COMPANY, "duplicate_record", payment_of("settled_0"), {"kept": "1", "other": "2"})
    await Cursors(engine, clock).move(COMPANY, "stock", Cursor(value="page-7"))
    await engine.dispose()


def rows(folder: Path, query: str) -> int:
    with contextlib.closing(sqlite3.connect(folder / "relay.db")) as database:
        return int(database.execute(query).fetchone()[0])


Messages = dict[str, list[dict[str, Any]]]


def play(relay: Relay, gusto: FakeGusto) -> Messages:
    """From an empty store to mid-flow; the worker is killed at the end. Gives what lay in the retry queues then."""
    folder, solid = relay.stage.folder, relay.simulator
    solid.switch(items=[sku(number) for number in range(ITEMS)])
    receipt, movements = opening_receipt(COMPANY, ITEMS), adjustments(COMPANY, 30, items=ITEMS, seed=5)
    unknown = ReceiptPosted(
        fact="receipt:mug",
        receipt="R",
        lines=(ReceiptLine(item="MUG", quantity=Decimal(2), unit_cost=Money.of("4.00", "USD")),),
    )
    gusto.payrolls = [payroll()]
    worker = relay.stage.start_worker("old")
    relay.deliver([charge_event(f"settled_{number}") for number in range(4)])
    asyncio.run(publish(relay, [receipt, *movements[:10]]))
    pull(relay)
    settled = [payment_of(f"settled_{number}") for number in range(4)]
    relay.await_records(*settled, "receipt:all", f"gusto:run:{ENTITY}:run-1:v1")
    wait_for(lambda: any(each.startswith("stock:merged:") for each in relay.judge()["by_external_id"]), what="stock")
    # dead letters: one that a person has seen, and then one in its queue, and raw input in its own
    relay.deliver([charge_event("euro", currency="eur")])
    asyncio.run(publish(relay, [stock_event(unknown, COMPANY, subject="R", minutes=0)]))
    wait_for(lambda: len(relay.dead_letters()) >= 2, what="dead letters")
    relay.deliver([charge_event("kroner", currency="dkk")])
    asyncio.run(remember(folder))
    # doubts: committed and not answered; failed and not answered; refused by a proxy; a claim in hand
    solid.switch(lose_answers=1, only="POST /payments")
    relay.deliver([charge_event("unanswered")])
    wait_for(lambda: relay.records(payment_of("unanswered")), what="the payment without an answer")
    solid.switch(errors=1000, status=503, only="POST")
    asyncio.run(publish(relay, movements[10:20]))
    gusto.payrolls = [payroll(net="2900.00"), payroll("run-2", net="2500.00")]
    pull(relay)
    wait_for(lambda: rows(folder, PUBLISHED) >= 20, what="merged entries to wait")
    relay.deliver([charge_event(f"failed_{number}") for number in range(3)])
    wait_for(
        lambda: rows(folder, "SELECT count(*) FROM writes WHERE state = 'unknown'") >= 2,
        what="doubts",
        within_seconds=120,
    )
    solid.switch(clear_faults=True)
    solid.switch(hold_answers=1, only="POST /invoices", delay_seconds=60)
    relay.deliver([charge_event("in_hand")])
    wait_for(lambda: relay.records("stripe:charge:ch_in_hand:invoice"), what="a claim in hand", within_seconds=120)
    # adjustments that are recorded, and not merged yet
    asyncio.run(publish(relay, movements[20:25]))
    with contextlib.suppress(Exception):
        wait_for(
            lambda: rows(folder, "SELECT count(*) FROM stock_facts WHERE state = 'pending'"),
            what="pending",
            within_seconds=3,
        )
    worker.kill()
    retrying = asyncio.run(messages(relay.stage.rabbitmq_url, ["relay.retry.1.1s", "relay.retry.7s"]))
    solid.switch(clear_faults=True)
    # what nobody has taken yet
    asyncio.run(publish(relay, movements[25:]))
    relay.deliver([charge_event(f"waiting_{number}") for number in range(3)])
    return retrying


def pull(relay: Relay) -> None:
    done = relay.command("payroll", "pull", "--provider", "gusto", "--period", "2026-04", "--json")
    assert done.returncode == 0, done.stderr


async def messages(url: str, names: list[str]) -> Messages:
    """Take everything out of the queues, those first that let messages go after a while."""
    found: Messages = {}
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for name in sorted(names, key=lambda name: (not name.startswith("relay.retry."), name)):
            taken: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            queue = await channel.get_queue(name, ensure=False)
            tag = await queue.consume(taken.put, no_ack=True)
            with contextlib.suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(0.5):
                        found.setdefault(name, []).append(said_of(await taken.get()))
            await queue.cancel(tag)
    return found


def said_of(message: AbstractIncomingMessage) -> dict[str, Any]:
    said = {
        "exchange": message.exchange,
        "key": message.routing_key,
        "body": base64.b64encode(message.body).decode(),
        "headers": json.loads(json.dumps(dict(message.headers), default=str)),
        "content_type": message.content_type,
        "message_id": message.message_id,
        "type": message.type,
        "reply_to": message.reply_to,
        "persistent": message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT,
    }
    return {key: value for key, value in said.items() if value is not None}


def dump(relay: Relay, url: str, management: str, *, retrying: Messages, into: Path) -> None:
    request = Request(f"{management}/api/definitions")  # noqa: S310 - our own broker
    request.add_header("Authorization", "Basic " + base64.b64encode(b"guest:guest").decode())
    with urlopen(request) as answer:  # noqa: S310 - the same
        said = json.load(answer)
    taken = asyncio.run(messages(url, sorted(each["name"] for each in said["queues"] if each["durable"])))
    broker = {key: said[key] for key in ("queues", "exchanges", "bindings")} | {
        "messages": {**taken, **{name: [*retrying.get(name, []), *taken.get(name, [])] for name in retrying}}
    }
    (into / "broker.json").write_text(json.dumps(broker, indent=1) + "\n")
    with contextlib.closing(sqlite3.connect(relay.stage.folder / "relay.db")) as database:
        (into / "store.sql").write_text("\n".join(database.iterdump()) + "\n")
    (into / "solid.jsonl").write_bytes((relay.stage.folder / "solid.jsonl").read_bytes())


def main(folder: Path, into: Path) -> None:
    gusto = FakeGusto()
    with find_own_broker(plugins=[MANAGEMENT]) as broker, served(gusto) as address:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokens.json").write_text('{"access_token": "access-1", "refresh_token": "refresh-1"}')
        (folder / "secret").write_text("made-up-secret\n")
        account = {
            "provider": "gusto",
            "base_url": address,
            "entities": {ENTITY: COMPANY},
            "client_id": "relay",
            "client_secret_file": str(folder / "secret"),
            "token_file": str(folder / "tokens.json"),
        }
        settings = {**SETTINGS, "RELAY_PAYROLL": json.dumps({"gusto": account})}
        with stage(folder, broker.url, company=COMPANY, **settings) as opened:
            (opened.folder / "books.toml").write_text(books_text().replace("# merge_seconds = 5", "merge_seconds = 2"))
            solid = opened.start_simulator("--allowance", "3000", "--window-seconds", "6", "--journal", "solid.jsonl")
            relay = Relay(opened, solid, opened.start_receiver())
            opening = relay.judge()["balances"]
            retrying = play(relay, gusto)
            dump(relay, broker.url, str(broker.management_url), retrying=retrying, into=into)
            said = relay.judge()
            left = {"opening": opening, "by_external_id": said["by_external_id"], "duplicated": said["duplicated"]}
            (into / "solid.json").write_text(json.dumps(left, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
