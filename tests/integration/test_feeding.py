"""Feeds as real processes on a real broker: killed in the middle, two at once, and what is in the queue then."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aio_pika
import pytest

from messaging.drain import backlog
from messaging.errors import Unroutable
from messaging.publisher import encoded
from messaging.topology import stream_queue
from schemas.envelope import Event, decode
from staging.processes import Process, Stage, stage, wait_for
from store.engine import connect
from store.feeds.cursors import Cursors
from tests.forking import Forked
from tests.integration.wiring import CLOCK, consuming, linked, paid_out, publisher_on

OPTIONS = {"kind": "adjusted", "columns": {"id": "no", "item": "sku", "quantity": "qty"}}
CSV = {"source": "warehouse-csv", "currency": "USD", "quiet_seconds": 0, "every_seconds": 0.1, "options": OPTIONS}


def rows(name: str, count: int) -> str:
    lines = (f"{name}-{number},2026-03-02,SKU-{number % 97},-1,damage" for number in range(count))
    return "\n".join(("no,day,sku,qty,reason", *lines, ""))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


@pytest.fixture
def on(tmp_path: Path, amqp_url: str, company: str, folder: Path) -> Iterator[Stage]:
    feeds = {"north": {**CSV, "folder": str(folder)}}
    with stage(tmp_path / "stage", amqp_url, Forked, company=company, RELAY_FEEDS=json.dumps(feeds)) as opened:
        yield opened


def state(on: Stage) -> Path:
    """Where the feed keeps what it has in hand, and what it is through with: beside the store."""
    return on.folder / "feeds" / "north"


def queued(on: Stage) -> int:
    async def ask() -> int | None:
        async with linked(on.rabbitmq_url) as link:
            return (await backlog(link, (stream_queue(on.company, "inventory"),)))[
                stream_queue(on.company, "inventory")
            ]

    return asyncio.run(ask()) or 0


def taken(on: Stage) -> list[Event]:
    """Everything that is in the queue."""

    async def ask() -> list[Event]:
        connection = await aio_pika.connect(on.rabbitmq_url)
        async with connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=1000)
            queue = await channel.get_queue(stream_queue(on.company, "inventory"), ensure=False)
            return [event async for event in _events(queue, queued_now)]

    queued_now = queued(on)
    return asyncio.run(ask())


async def _events(queue: aio_pika.abc.AbstractQueue, count: int) -> AsyncIterator[Event]:
    async with queue.iterator() as messages:
        for _ in range(count):
            message = await anext(messages)
            await message.ack()
            yield decode(message.body)


def start(on: Stage, name: str, *options: str) -> Process:
    return on.start(name, "ops.commands.relay", "feed", *options)


def once(on: Stage, name: str = "once") -> None:
    process = start(on, name, "--once")
    assert process.popen.wait(120) == 0, process.log.read_text()


def test_a_feed_killed_in_the_middle_of_a_file_skips_nothing(on: Stage, folder: Path) -> None:
    (folder / "a.csv").write_text(rows("a", 6000))
    process = start(on, "killed")
    wait_for(lambda: queued(on) > 300, what="some events")
    process.kill()
    assert 300 < queued(on) < 6000
    assert [path.name for path in (state(on) / "work").rglob("*.csv")] == ["a.csv"]
    once(on)
    events = taken(on)
    assert len(events) > 6000, "what was published before the kill is there twice"
    assert len({event.data.fact for event in events}) == 6000
    assert len({(event.source, event.id) for event in events}) == 6000, "the same fact has the same identity"
    assert [path.name for path in (state(on) / "done").iterdir()] == ["a.csv"]
    assert list((state(on) / "work").rglob("*.csv")) == []


def test_two_feeders_on_one_folder_take_each_file_once(on: Stage, folder: Path) -> None:
    for number in range(40):
        (folder / f"{number}.csv").write_text(rows(f"f{number}", 25))
    for name in ("first", "second"):
        start(on, name)
    wait_for(lambda: len(list((state(on) / "done").glob("*.csv"))) == 40, what="forty files")
    assert Counter(event.data.fact for event in taken(on)).most_common(1)[0][1] == 1
    assert not any((state(on) / "failed").iterdir())


def test_a_feed_that_is_told_to_stop_puts_its_file_back(on: Stage, folder: Path) -> None:
    (folder / "a.csv").write_text(rows("a", 6000))
    process = start(on, "stopped")
    wait_for(lambda: queued(on) > 0, what="some events")
    assert process.stop() == 0
    assert [path.name for path in folder.glob("*.csv")] == ["a.csv"]
    assert list((state(on) / "work").iterdir()) == []


@contextmanager
def serving(pages: int) -> Iterator[str]:
    """A server of so many pages with a hundred items each; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["0"])[0])
            body = json.dumps({"adjustments": [_item(page, number) for number in range(100)]}).encode()
            self.send_response(200)
            if page + 1 < pages:
                self.send_header("Link", f'<http://{self.headers["Host"]}/adjustments?page={page + 1}>; rel="next"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/adjustments"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _item(page: int, number: int) -> dict[str, Any]:
    stamp = f"2026-03-02T{page // 60:02d}:{page % 60:02d}:00Z"
    return {"no": f"{page}-{number}", "time": stamp, "sku": f"SKU-{number}", "qty": "-1", "reason": "damage"}


def cursor(on: Stage, feed: str) -> str | None:
    async def ask() -> str | None:
        engine = connect(f"sqlite:///{on.folder}/relay.db")
        try:
            return (await Cursors(engine, CLOCK).get(on.company, feed)).value
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def test_a_feed_killed_in_the_middle_of_a_poll_skips_nothing(tmp_path: Path, amqp_url: str, company: str) -> None:
    with serving(pages=40) as url:
        feed = {
            "source": "warehouse-json",
            "url": url,
            "items": "adjustments",
            "currency": "USD",
            "cursor": {"param": "since", "max_of": "time"},
            "calls_per_minute": 1200,
            "options": OPTIONS,
        }
        settings = {"RELAY_FEEDS": json.dumps({"shop": feed})}
        with stage(tmp_path / "stage", amqp_url, Forked, company=company, **settings) as on:
            process = start(on, "killed")
            wait_for(lambda: queued(on) > 300, what="some events")
            process.kill()
            assert 300 < queued(on) < 4000
            assert cursor(on, "shop") is None, "it moves when all is confirmed, and not before"
            once(on)
            assert cursor(on, "shop") == "2026-03-02T00:39:00Z"
            assert len({event.data.fact for event in taken(on)}) == 4000


async def test_many_events_are_published_together_and_arrive_as_single_ones_do(amqp_url: str, company: str) -> None:
    events = [paid_out(company, number) for number in range(300)]
    async with linked(amqp_url) as link:
        publisher = publisher_on(link, company)
        await publisher.publish_all([])
        await publisher.publish_all([encoded(event) for event in events])
        await publisher.publish(events[0])
        name = stream_queue(company, "sales")
        assert (await backlog(link, (name,)))[name] == 301
        async with consuming(link, publisher, company) as (_, deliveries):
            first = await deliveries.get()
            assert decode(first.body) == events[0]
            assert (first.message.message_id, first.message.delivery_mode) == (f"/webhooks/stripe#{events[0].id}", 2)
            assert first.message.content_type == "application/cloudevents+json"
            assert first.headers == {"relay-partition": events[0].partitionkey}


async def test_one_event_among_many_that_no_queue_takes_is_an_error(amqp_url: str, company: str) -> None:
    async with linked(amqp_url) as link:
        publisher = publisher_on(link, company)
        with pytest.raises(Unroutable):
            await publisher.publish_all([encoded(paid_out(company)), encoded(paid_out("nobody"))])
        await publisher.publish_all([encoded(paid_out(company))])
