"""Commands about feeds, with nothing running: dry runs, `relay normalize` on files; what a feed is made of."""

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from ops.commands.relay import app
from ops.composing.feeds import context_of, facts_of, refuse_shared_files, state_folder_of
from ops.desk.origins import origin_of
from producers.sources import SOURCES
from runtime.sections_feeds import FolderFeed
from runtime.settings import ConfigurationError, Settings
from store import migrate
from store.dead_letters import StoredLetter
from store.engine import connect
from store.feeds.names import FeedNames
from tests.fakes import NOON
from tests.unit.ops.feed_folder import OPTIONS, ROWS, folder, settings

__all__ = ["folder"]


def relay(*arguments: str) -> Any:  # noqa: ANN401 - click's result
    return CliRunner().invoke(app, arguments)


def test_a_dry_run_shows_events_writes_and_refusals_and_touches_nothing(folder: Path) -> None:
    done = relay("feed", "--dry-run", "--json")
    assert done.exit_code == 1, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [line["kind"] for line in lines]
    assert (kinds[0], kinds[-1]) == ("event", "refused")
    assert "write" in kinds
    assert (lines[0]["feed"], lines[0]["file"], lines[0]["event"]["data"]["item"]) == ("north", "a.csv", "SKU-1")
    assert (lines[-1]["where"], lines[-1]["text"][:21]) == ("line 3", "quantity: bad_number:")
    assert sorted(path.name for path in folder.rglob("*")) == ["a.csv"]
    assert not (folder.parent / "var").exists()


def test_a_dry_run_for_people_goes_through_a_pipe_too(folder: Path) -> None:
    (folder / "a.csv").write_text(ROWS.replace("many", "2"))
    os.utime(folder / "a.csv", (0, 0))
    done = relay("feed", "--dry-run", "--feed", "north")
    assert done.exit_code == 0, done.output
    assert "inventory.stock.adjusted.v1" in done.stdout


def test_a_dry_run_leaves_a_file_alone_that_is_still_written(folder: Path) -> None:
    (folder / "a.csv").write_text(ROWS)
    done = relay("feed", "--dry-run")
    assert "still being written" in done.output


@pytest.mark.usefixtures("folder")
def test_a_dry_run_of_an_address_moves_no_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        item = {"no": "A-1", "day": "2026-03-02", "sku": "SKU-1", "qty": "-1", "reason": "damage"}
        return httpx2.Response(200, json=[item])

    client = httpx2.AsyncClient
    monkeypatch.setattr(
        httpx2, "AsyncClient", lambda **said: client(**{**said, "transport": httpx2.MockTransport(answer)})
    )
    feed = {"source": "warehouse-json", "url": "http://3pl.example/list", "currency": "USD", "options": OPTIONS}
    monkeypatch.setenv("RELAY_FEEDS", json.dumps({"shop": feed}))
    for _ in range(2):
        done = relay("feed", "--dry-run", "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout.splitlines()[0])["event"]["data"]["item"] == "SKU-1"


def test_one_pass_without_a_broker_says_so_and_puts_the_file_back(folder: Path) -> None:
    done = relay("feed", "--once", "--json")
    assert done.exit_code == 1
    [looked] = json.loads(done.stdout)
    assert "RabbitMQ" in looked["problem"]
    assert (folder / "a.csv").read_text() == ROWS


@pytest.mark.parametrize("arguments", [("--feed", "south"), ("--once", "--feed", "south")])
def test_a_feed_that_is_not_set_is_told(folder: Path, arguments: tuple[str, ...]) -> None:
    assert folder.exists()
    done = relay("feed", *arguments)
    assert done.exit_code == 1
    assert "no feed is called 'south'; there are: north" in done.stderr


def test_normalize_reads_whole_files_with_options_from_a_file(folder: Path) -> None:
    Path("csv.toml").write_text('kind = "adjusted"\n[columns]\nid = "no"\nitem = "sku"\nquantity = "qty"\n')
    done = relay("normalize", "--source", "warehouse-csv", "--options", "csv.toml", str(folder / "a.csv"))
    assert done.exit_code == 1
    assert [json.loads(line)["subject"] for line in done.stdout.splitlines()] == ["SKU-1"]
    assert "a.csv: line 3: " in done.stderr


def test_normalize_says_which_sources_there_are(folder: Path) -> None:
    done = relay("normalize", "--source", "nothing", str(folder / "a.csv"))
    assert done.exit_code == 2
    assert "warehouse-csv" in done.stderr
    assert "stripe" in done.stderr


def test_the_state_of_a_folder_stands_beside_the_store(folder: Path) -> None:
    def where(**store: str) -> Path:
        said = settings(folder).model_copy(update={"store": Settings(store=store).store})
        feed = said.feeds["north"]
        assert isinstance(feed, FolderFeed)
        return state_folder_of("north", feed, said)

    assert where() == Path("var/feeds/north")
    assert where(url="sqlite+aiosqlite:////var/lib/relay/relay.db") == Path("/var/lib/relay/feeds/north")
    assert where(url="postgresql://127.0.0.1/relay") == Path("var/feeds/north")


def test_a_file_that_no_feed_takes_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.csv").rename(folder / "A.CSV")
    feed = {"source": "warehouse-csv", "folder": str(folder), "files": "*.csv", "currency": "USD", "options": OPTIONS}
    monkeypatch.setenv("RELAY_FEEDS", json.dumps({"north": feed}))
    done = relay("feed", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "A.CSV: file: left alone: no feed takes this name" in done.output
    feed = {**feed, "files": "*.CSV"}
    monkeypatch.setenv(
        "RELAY_FEEDS", json.dumps({"north": json.loads(os.environ["RELAY_FEEDS"])["north"], "caps": feed})
    )
    assert "left alone" not in relay("feed", "--dry-run").output, "another feed takes it"


def test_the_currency_is_that_of_the_books_where_it_is_not_set(folder: Path) -> None:
    said = settings(folder, currency=None)
    sample = resources.files("workers.books").joinpath("sample_books.toml").read_text()
    Path("books.toml").write_text('base_currency = "EUR"\n' + sample)
    assert context_of("north", said.feeds["north"], said).currency == "EUR"


def test_options_that_no_source_takes_are_told_before_a_file_is_touched(folder: Path) -> None:
    said = settings(folder, options={**OPTIONS, "colums": {}})
    with pytest.raises(ConfigurationError, match=r"feeds\.north\.options\.colums: there is no such option"):
        context_of("north", said.feeds["north"], said)


async def test_a_feeds_name_is_in_its_facts_unless_something_else_is_said_or_decided(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    names = FeedNames(engine)

    async def named(*, decide: bool = False, **changed: object) -> str:
        said = settings(tmp_path, **changed)
        return await facts_of("north", said.feeds["north"], said, names, decide=decide)

    assert await named(source="shopify") == "", "what also comes by webhook has names of its own"
    assert await named() == "north"
    assert await names.known("main", "north") is None, "looking decides nothing"
    assert await named(decide=True) == "north"
    assert await names.known("main", "north") == "north"
    assert await named(facts_of="south") == "south"
    assert await named(facts_of="") == ""
    await engine.dispose()


def test_two_feeds_never_wait_for_the_same_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELAY_FEEDS")

    def watching(files: str) -> dict[str, Any]:
        return {"source": "warehouse-csv", "currency": "USD", "folder": str(folder), "files": files}

    for name in ("a", "b"):
        with pytest.raises(ConfigurationError, match=r"feeds\.a and feeds\.b watch"):
            refuse_shared_files(name, Settings(feeds={"a": watching("*.csv"), "b": watching("*")}).feeds)
        refuse_shared_files(name, Settings(feeds={"a": watching("*.csv"), "b": watching("*.json")}).feeds)


@pytest.mark.parametrize("source", [name for name, source in SOURCES.items() if source.people])
def test_what_names_people_is_not_polled_as_it_could_lie_in_a_dead_letter_queue(source: str) -> None:
    said = Settings(feeds={"pay": {"source": source, "url": "https://x", "currency": "USD"}})
    with pytest.raises(ConfigurationError, match="names people"):
        context_of("pay", said.feeds["pay"], said)


def letter(source: str, reason: str = "no_sku") -> StoredLetter:
    known: dict[str, Any] = {
        "id": "1",
        "queue": "relay.raw.dlq",
        "error": "",
        "attempts": 1,
        "headers": {},
        "body": b"",
    }
    return StoredLetter(
        **known,
        reason=reason,
        event_source=source,
        stored_at=NOON,
        state="waiting",
        version=1,
    )


def test_raw_input_is_replayed_in_the_context_in_which_it_came(folder: Path) -> None:
    said = settings(folder).model_copy(
        update={"shopify": Settings(shopify={"shops": {"x.myshopify.com": "second"}}).shopify}
    )
    fed = origin_of(letter("/feeds/north/warehouse-csv"), said)
    assert (fed.source, fed.context.currency, fed.context.options) == ("warehouse-csv", "USD", OPTIONS)
    unmapped = letter("/webhooks/shopify", "unmapped:shopify_shop:x.myshopify.com")
    assert origin_of(unmapped, said).context.company == "second"
    charge = origin_of(letter("/webhooks/stripe"), said).context
    assert (charge.company, charge.mode) == ("main", "live"), "a test is not replayed into the books of real money"
    with pytest.raises(ConfigurationError, match="no company is set for the shop y"):
        origin_of(letter("/webhooks/shopify", "unmapped:shopify_shop:y"), said)
    with pytest.raises(ConfigurationError, match=r"not in \[feeds\] any more"):
        origin_of(letter("/feeds/gone/shopify"), said)
