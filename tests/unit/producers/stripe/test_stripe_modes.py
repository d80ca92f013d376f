"""A test of Stripe posts nothing in the books of real money, whichever way it comes, and real money does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from messaging.publisher import Encoded
from messaging.topology import RAW_DLQ
from ops.commands.relay import app as commands
from ops.composing.feeds import context_of
from ops.composing.webhooks import webhooks_of
from ops.desk.origins import origin_of
from ops.dry.feeds import dry_run
from producers.feeds.folder import WatchedFolder
from producers.feeds.passing import Turn
from producers.feeds.polling import PolledAddress
from producers.feeds.reading import normalise_document
from producers.webhooks.intake import Hook, Intake
from runtime.sections_feeds import FolderFeed, PollingFeed
from runtime.settings import Settings
from store.dead_letters import StoredLetter
from store.feeds.cursors import Cursor
from tests.fakes import FakeClock
from tests.unit.producers.receiving import FakePublisher, signed

SECRET = "whsec_0123456789abcdef"
CHARGE = json.loads(Path("demo/data/charge.succeeded.json").read_bytes())


def document(*, live: bool) -> bytes:
    return json.dumps(CHARGE | {"livemode": live}).encode()


class Broker:
    """Keeps the bodies of a feed."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def publish_all(self, messages: Sequence[Encoded]) -> None:
        self.bodies += [message.body for message in messages]

    async def keep_raw(self, body: bytes, *, source: str, company: str, reason: str, error: str) -> None:
        raise AssertionError((body, source, company, reason, error))


class Cursors:
    async def get(self, company: str, feed: str) -> Cursor:
        del company, feed
        return Cursor()

    async def move(self, company: str, feed: str, to: Cursor) -> None:
        """It is not asked again."""


def settings_in(folder: Path, **stripe: object) -> Settings:
    watching = {"source": "stripe", "folder": str(folder / "in"), "currency": "USD", "quiet_seconds": 0}
    feeds = {
        "small": watching,
        "large": {**watching, "folder": str(folder / "in-large"), "child_above_bytes": 0},
        "polled": {"source": "stripe", "url": "http://stripe.example/", "currency": "USD", "etag": False},
    }
    store = {"url": f"sqlite:///{folder / 'relay.db'}"}
    return Settings.model_validate({"stripe": {"secrets": [SECRET], **stripe}, "feeds": feeds, "store": store})


async def by_webhook(settings: Settings, body: bytes, _: Path) -> int:
    publisher = FakePublisher()
    [hook] = webhooks_of(settings)
    headers = {name.lower(): value for name, value in signed(body, secret=SECRET).items()}
    await Intake(hook=hook, publisher=publisher, clock=FakeClock()).take(body, headers)  # type: ignore[arg-type]  # a stand-in with what is used
    return len(publisher.events)


def by_file(name: str) -> Callable[[Settings, bytes, Path], Awaitable[int]]:
    async def take(settings: Settings, body: bytes, folder: Path) -> int:
        feed, broker = settings.feeds[name], Broker()
        assert isinstance(feed, FolderFeed)
        await asyncio.to_thread((feed.folder / "a.json").write_bytes, body)
        watched = WatchedFolder(name, feed, folder / "state", context_of(name, feed, settings), broker, FakeClock())
        done = await watched.look(Turn(asyncio.Event(), FakeClock()))
        await watched.close()
        assert (done.files, done.rows, done.rejects) == (1, 1, 0)
        return len(broker.bodies)

    return take


async def by_polling(settings: Settings, body: bytes, _: Path) -> int:
    feed, broker = settings.feeds["polled"], Broker()
    assert isinstance(feed, PollingFeed)
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, content=b"[" + body + b"]"))
    context = context_of("polled", feed, settings)
    polled = PolledAddress("polled", feed, context, broker, Cursors(), FakeClock(), transport=answers)
    await polled.look(Turn(asyncio.Event(), FakeClock()))
    await polled.close()
    return len(broker.bodies)


async def by_dry_run(settings: Settings, body: bytes, folder: Path) -> int:
    await asyncio.to_thread((folder / "in" / "a.json").write_bytes, body)
    lines = await asyncio.to_thread(lambda: list(dry_run(settings, FakeClock(), only="small")))
    return sum(line["kind"] == "event" for line in lines)


def by_replay(source: str) -> Callable[[Settings, bytes, Path], Awaitable[int]]:
    async def replay(settings: Settings, body: bytes, _: Path) -> int:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        said: dict[str, Any] = dict.fromkeys(StoredLetter.__dataclass_fields__)
        said |= {"id": "1", "queue": RAW_DLQ, "reason": "unknown_currency", "event_source": source, "body": body}
        letter = StoredLetter(**{**said, "died_at": at, "stored_at": at})
        return len(normalise_document("stripe", body, origin_of(letter, settings).context).events)

    return replay


async def by_normalize(settings: Settings, body: bytes, folder: Path) -> int:
    mode = "test" if settings.stripe.test_mode else "live"
    await asyncio.to_thread((folder / "a.json").write_bytes, body)
    arguments = ["normalize", "--source", "stripe", "--mode", mode, str(folder / "a.json")]
    done = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
    assert done.exit_code == 0, done.output
    return len(done.stdout.splitlines())


WAYS: Mapping[str, Callable[[Settings, bytes, Path], Awaitable[int]]] = {
    "webhook": by_webhook,
    "file": by_file("small"),
    "large file, read in a child": by_file("large"),
    "polled": by_polling,
    "dry run": by_dry_run,
    "replay of a webhook": by_replay("/webhooks/stripe"),
    "replay of a polled item": by_replay("/feeds/polled/stripe"),
    "normalize": by_normalize,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in-large").mkdir()
    (tmp_path / "state").mkdir()
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
async def test_a_test_posts_nothing_in_live_books_by_any_way_and_real_money_does(folder: Path, way: str) -> None:
    settings = settings_in(folder)
    assert await WAYS[way](settings, document(live=True), folder) == 1
    assert await WAYS[way](settings, document(live=False), folder) == 0


@pytest.mark.parametrize("way", WAYS)
async def test_trial_books_take_a_test_by_any_way(folder: Path, way: str) -> None:
    assert await WAYS[way](settings_in(folder, test_mode=True), document(live=False), folder) == 1


@pytest.mark.parametrize(
    ("webhooks", "modes"),
    [
        ({}, {"north": "live", "south": "live"}),
        ({"us": {"company": "north", "test_mode": True}}, {"north": "test", "south": "live"}),
        ({"us": {"accounts": {"acct_1": "south"}, "test_mode": True}}, {"south": "test"}),
        ({"stripe": {"test_mode": True}}, {"north": "test", "south": "test"}),
        ({"stripe": {"test_mode": True}, "us": {"company": "south"}}, {"north": "test", "south": "live"}),
        ({"stock": {"source": "shopify", "company": "north", "test_mode": True}}, {"north": "live"}),
    ],
)
def test_a_feed_takes_what_any_webhook_of_its_source_takes_for_its_company(
    webhooks: dict[str, dict[str, object]], modes: dict[str, str]
) -> None:
    key = {"solid": {"api_key_file": "key"}}
    feed = {"source": "stripe", "url": "http://stripe.example/", "currency": "USD"}
    said = Settings.model_validate(
        {
            "company": "north",
            "companies": {"north": key, "south": key},
            "stripe": webhooks.pop("stripe", {}),
            "webhooks": {name: {"source": "stripe", **table} for name, table in webhooks.items()},
            "feeds": {company: {**feed, "company": company} for company in ("north", "south")},
        }
    )
    assert {name: context_of(name, said.feeds[name], said).mode for name in modes} == modes


@pytest.mark.parametrize("way", ["file", "large file, read in a child", "polled"])
async def test_a_feed_counts_what_it_left_out(folder: Path, way: str) -> None:
    with capture_logs() as logs:
        await WAYS[way](settings_in(folder), document(live=False), folder)
    assert [log["ignored"] for log in logs if log["event"] == "feed.settled"] == [{"test_mode": 1}]


def test_what_moves_money_and_is_not_booked_is_passed_over_by_one_setting_whichever_way_it_comes(
    tmp_path: Path,
) -> None:
    for said, wanted in (({}, "hold"), ({"outside": "ignore"}, "ignore")):
        settings = settings_in(tmp_path, **said)
        [hook] = webhooks_of(settings)
        assert isinstance(hook, Hook)
        feeds = [context_of(name, feed, settings).outside for name, feed in settings.feeds.items()]
        assert {hook.context.outside, *feeds} == {wanted}
