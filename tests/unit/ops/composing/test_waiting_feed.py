"""A feed that cannot be used as it is set stops alone, is named, and starts by itself once it is mended."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ops.checks.feeds import check_feeds
from ops.checks.findings import Checklist
from ops.composing import waiting_feed
from ops.composing.feeds import feed_all, look_once, open_feeds
from ops.dry.feeds import dry_run
from ops.standing.feeds import feeds as feeds_in_status
from runtime.clock import SystemClock
from runtime.settings import Settings
from store import migrate
from store.engine import connect

COLUMNS = {"kind": "adjusted", "columns": {"id": "no", "item": "sku", "quantity": "qty"}}
OPTIONS = 'kind = "adjusted"\n[columns]\nid = "no"\nitem = "sku"\nquantity = "qty"\n'
WRONG = {
    "no-source",
    "no-options",
    "bad-options",
    "no-token",
    "bad-token",
    "no-currency",
    "same",
    "same-too",
    "bad-table",
}


def settings_in(folder: Path) -> Settings:
    """One good feed, and one for each thing that can be wrong."""
    for name in (*WRONG, "good"):
        (folder / name).mkdir(exist_ok=True)

    def watching(name: str, **more: object) -> dict[str, Any]:
        own = {"source": "warehouse-csv", "folder": str(folder / name), "currency": "USD", "options": COLUMNS}
        return own | more

    polled = {"source": "warehouse-json", "url": "http://127.0.0.1:1/", "currency": "USD", "options": COLUMNS}
    (folder / "bad-token.txt").write_text("two words")
    feeds = {
        "no-source": watching("no-source", source="warehouse-cvs"),
        "no-options": watching("no-options", options={}, options_file=str(folder / "later.toml")),
        "bad-options": watching("bad-options", options={"kind": 1}),
        "no-token": {**polled, "token_file": str(folder / "nowhere")},
        "bad-token": {**polled, "token_file": str(folder / "bad-token.txt")},
        "no-currency": watching("no-currency", currency=None),
        "same": watching("same"),
        "same-too": watching("same"),
        "bad-table": watching("bad-table", quiet_seconds="soon"),
        "good": watching("good"),
    }
    store = {"url": f"sqlite:///{folder / 'relay.db'}"}
    books = folder / "books.toml"
    return Settings.model_validate({"feeds": feeds, "store": store, "books": books})


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("RABBITMQ_URL", raising=False)
    return settings_in(tmp_path)


async def test_one_pass_goes_over_all_feeds_and_says_of_each_that_is_wrong_what_it_is(settings: Settings) -> None:
    clock = SystemClock()
    async with open_feeds(settings, clock) as feeds:
        looked = {one.feed: one.problem for one in await look_once(feeds, settings, asyncio.Event(), clock)}
    assert {name for name, problem in looked.items() if problem} == WRONG
    assert all(looked[name] is not None and "feeds." in str(looked[name]) for name in WRONG), looked


async def test_status_check_and_dry_run_name_each_that_is_wrong_and_no_other(
    settings: Settings, tmp_path: Path
) -> None:
    migrate.upgrade(settings.store.url.get_secret_value())
    engine = connect(settings.store.url.get_secret_value())
    found = await feeds_in_status(settings, engine, SystemClock())
    await engine.dispose()
    assert {name for name, each in found.items() if each["problem"]} == WRONG
    checklist = Checklist()
    await check_feeds(checklist, settings)
    assert {each.what.removeprefix("feed ") for each in checklist.findings if not each.ok} == WRONG - {"bad-table"}
    lines = await asyncio.to_thread(lambda: list(dry_run(settings, SystemClock(), only=None)))
    assert {line["feed"] for line in lines if line["kind"] == "refused"} == WRONG
    assert (tmp_path / "good").is_dir()


async def test_it_is_told_once_and_goes_on_by_itself_once_its_file_is_there(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_feed, "LOOK_SECONDS", 0.001)
    stop = asyncio.Event()
    with capture_logs() as logs:
        feeding = asyncio.create_task(feed_all(settings, SystemClock(), stop))

        async def seen(event: str) -> None:
            async with asyncio.timeout(30):
                while not any(log["event"] == event and log["feed"] == "no-options" for log in logs):
                    assert not feeding.done(), "one feed's file ended them all"
                    await asyncio.sleep(0.01)

        await seen("feed.interrupted")
        await asyncio.sleep(0.1)
        (tmp_path / "later.toml").write_text(OPTIONS)
        await seen("feed.goes_on")
        stop.set()
        await feeding
    told = [log["feed"] for log in logs if log["event"] == "feed.interrupted"]
    assert sorted(told) == sorted(WRONG), "each once, however often it was tried"
