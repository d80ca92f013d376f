"""Commands about feeds, with nothing running: dry runs, `relay normalize` on files, the check, the status."""

import asyncio
import json
import os
import threading
from importlib import resources
from pathlib import Path
from typing import Any

import httpx2
import pytest
from rich.console import Console
from typer.testing import CliRunner

from ops.checks.feeds import check_feeds
from ops.checks.findings import Checklist
from ops.commands.relay import app
from ops.composing.feeds import OF_PEOPLE, context_of, facts_of, refuse_shared_files, state_folder_of
from ops.desk.raw_contexts import context_for
from ops.showing.feed_progress import shown_progress
from ops.showing.status import show_status
from ops.standing import feeds as feed_status
from ops.standing.feeds import feeds as feeds_of
from producers.feeds.places import Place
from producers.feeds.reading import known_sources
from runtime.clock import SystemClock
from runtime.sections_feeds import FolderFeed
from runtime.settings import ConfigurationError, Settings
from store import migrate
from store.engine import connect
from store.feeds.feed_names import FeedNames
from store.feeds.feed_runs import FeedRun, FeedRuns
from store.letters.dead_letters import StoredLetter
from tests.fakes import NOON, FakeClock
from tests.unit.ops.showing.test_show_status import FOUND
from tests.unit.producers.feeds.feeding import give_away

OPTIONS: dict[str, Any] = {"kind": "adjusted", "columns": {"id": "no", "item": "sku", "quantity": "qty"}}
ROWS = "no,day,sku,qty,reason\nA-1,2026-03-02,SKU-1,-1,damage\nA-2,2026-03-02,SKU-2,many,damage\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that has been quiet for an hour, watched by the settings of this place."""
    monkeypatch.chdir(tmp_path)
    for name in ("RABBITMQ_URL", "RELAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    made = tmp_path / "in"
    made.mkdir()
    file = made / "a.csv"
    file.write_text(ROWS)
    then = file.stat().st_mtime - 3600
    os.utime(file, (then, then))
    feed = {"source": "warehouse-csv", "folder": str(made), "currency": "USD", "options": OPTIONS}
    monkeypatch.setenv("RELAY_FEEDS", json.dumps({"north": feed}))
    monkeypatch.setenv("RELAY_RABBITMQ__URL", "amqp://127.0.0.1:1/")
    return made


def settings(watched: Path, **changed: object) -> Settings:
    feed = {"source": "warehouse-csv", "folder": str(watched), "currency": "USD", "options": OPTIONS, **changed}
    return Settings(feeds={"north": feed})


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


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"source": "warehouse-cvs"}, "no source is called 'warehouse-cvs'"),
        ({"folder": "nowhere"}, "is no folder"),
        ({"options_file": "nowhere.toml"}, "nowhere.toml"),
        ({"currency": None}, "currency is not set"),
    ],
)
async def test_the_check_names_what_is_wrong_with_a_feed(folder: Path, changed: dict[str, Any], said: str) -> None:
    checklist = Checklist()
    await check_feeds(checklist, settings(folder, **changed))
    [finding] = checklist.findings
    assert not finding.ok
    assert said in finding.text


def test_the_state_of_a_folder_stands_beside_the_store(folder: Path) -> None:
    def where(**store: str) -> Path:
        said = settings(folder).model_copy(update={"store": Settings(store=store).store})
        feed = said.feeds["north"]
        assert isinstance(feed, FolderFeed)
        return state_folder_of("north", feed, said)

    assert where() == Path("var/feeds/north")
    assert where(url="sqlite+aiosqlite:////var/lib/relay/relay.db") == Path("/var/lib/relay/feeds/north")
    assert where(url="postgresql://127.0.0.1/relay") == Path("var/feeds/north")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("in", "others may write"),
        ("in/state", "others may write"),
        ("link", "a link, or no folder"),
        ("strange", "belongs to user"),
        ("good/failed is a link", "a link, or no folder"),
    ],
)
def test_the_check_refuses_a_state_that_others_may_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch, state: str, said: str
) -> None:
    folder.chmod(0o777)
    Path("link").symlink_to(folder)
    Path("strange").mkdir()
    if state == "strange":
        give_away(Path("strange"), monkeypatch)
    Path("good").mkdir()
    if state.startswith("good"):
        Path("good/failed").symlink_to(folder)
    checklist = Checklist()
    asyncio.run(check_feeds(checklist, settings(folder, state_folder=state.partition(" ")[0].removesuffix("/failed"))))
    [finding] = [each for each in checklist.findings if not each.ok]
    assert said in finding.text


def test_the_check_names_who_else_may_write_a_folder_and_what_is_left_alone(folder: Path) -> None:
    partner = folder.with_name("partner")
    partner.mkdir()
    watched = folder.rename(partner / "in")
    partner.chmod(0o757)
    watched.chmod(0o757)
    (watched / "b.csv").symlink_to("a.csv")
    (watched / "C.CSV").write_text(ROWS)
    checklist = Checklist()
    asyncio.run(check_feeds(checklist, settings(watched, files="*.csv")))
    assert all(finding.ok for finding in checklist.findings)
    notes = "\n".join(finding.text for finding in checklist.findings if finding.note)
    assert f"{watched} can be written by anybody" in notes
    assert f"may write {partner} (anybody) may put another folder there" in notes
    assert "b.csv is left alone: a link" in notes
    assert "C.CSV is left alone: no feed takes this name" in notes


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


async def test_the_check_is_content_with_a_good_feed_and_leaves_nothing_behind(folder: Path) -> None:
    checklist = Checklist()
    await check_feeds(checklist, settings(folder))
    assert [(finding.what, finding.ok) for finding in checklist.findings] == [("feed north", True)]
    assert os.listdir(folder) == ["a.csv"]  # noqa: PTH208 - pathlib is refused in coroutines


async def test_the_check_looks_at_the_token() -> None:
    feed = {"source": "shopify", "url": "https://x", "token_file": "nowhere", "currency": "USD"}
    checklist = Checklist()
    await check_feeds(checklist, Settings(feeds={"shop": feed}))
    assert [(finding.what, finding.ok) for finding in checklist.findings] == [("feed shop", False)]


async def test_the_status_has_the_last_file_and_how_long_the_oldest_waits(folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    run = FeedRun(company="main", feed="north", name="b.csv", state="done", rows=3, started_at=NOON, ended_at=NOON)
    await FeedRuns(engine).add(run)
    (folder / "c.csv").symlink_to("a.csv")
    found = await feeds_of(settings(folder), engine, SystemClock(), company="main")
    await engine.dispose()
    assert (found["north"]["last"]["name"], found["north"]["last"]["rows"]) == ("b.csv", 3)
    assert (found["north"]["waiting"], found["north"]["lag_seconds"]) == (1, pytest.approx(3600, abs=600))
    assert found["north"]["left_alone"] == {"c.csv": "a link"}


async def test_a_folder_that_hangs_is_a_problem_in_the_status(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(Place, "names", lambda _: over.wait(60))
    monkeypatch.setattr(feed_status, "_PATIENCE_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    found = await feeds_of(settings(folder), engine, SystemClock(), company="main")
    over.set()
    await engine.dispose()
    assert "does the file system hang" in found["north"]["problem"]


async def test_a_folder_that_is_away_is_a_problem_in_the_status_and_no_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/relay.db"
    migrate.upgrade(url)
    engine = connect(url)
    found = await feeds_of(settings(tmp_path / "away"), engine, FakeClock())
    await engine.dispose()
    assert found["north"]["lag_seconds"] is None
    assert "No such file" in found["north"]["problem"]


def test_the_status_shows_a_line_for_each_feed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    last = {"name": "b.csv", "state": "failed", "rows": 3000, "events": 2999, "rejects": 1, "error": "line 2: x"}
    north = {
        "left_alone": {"c.csv": "a link"},
        "last": last,
        "lag_seconds": 7200.0,
        "failed": 1,
        "waiting": 1,
        "problem": None,
    }
    shop = {"last": {**last, "state": "interrupted", "error": "answered 401"}, "lag_seconds": None}
    new = {"last": None, "lag_seconds": 0.0}
    show_status({**FOUND, "feeds": {"north": north, "shop": shop, "new": new}}, as_json=False)
    text = capsys.readouterr().out
    assert "b.csv, failed" in text
    assert "2 h 0 min" in text
    assert "answered 401" in text
    assert "1 files in failed/" in text
    assert "left alone: c.csv: a link" in text
    assert "nothing yet" in text
    assert all(len(line) <= 80 for line in text.splitlines())


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


@pytest.mark.parametrize("source", sorted(OF_PEOPLE))
def test_what_names_people_is_not_polled_as_it_could_lie_in_a_dead_letter_queue(source: str) -> None:
    assert source in known_sources()
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
    fed = context_for(letter("/feeds/north/warehouse-csv"), said)
    assert (fed.currency, fed.options) == ("USD", OPTIONS)
    assert context_for(letter("/webhooks/shopify", "unmapped:shopify_shop:x.myshopify.com"), said).company == "second"
    charge = context_for(letter("/webhooks/stripe"), said)
    assert (charge.company, charge.mode) == ("main", "live"), "a test is not replayed into the books of real money"
    with pytest.raises(ConfigurationError, match="no company is set for the shop y"):
        context_for(letter("/webhooks/shopify", "unmapped:shopify_shop:y"), said)
    with pytest.raises(ConfigurationError, match=r"not in \[feeds\] any more"):
        context_for(letter("/feeds/gone/shopify"), said)


def test_where_nobody_looks_no_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as tell:
        tell("a.csv", "reading", 1, 2)
    assert capsys.readouterr().err == ""


def test_a_bar_is_drawn_on_a_terminal_whatever_the_file_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=80, record=True)
    monkeypatch.setattr("ops.showing.feed_progress.on_terminal", lambda: console)
    with shown_progress() as tell:
        tell("a[/x]\x1b[2J.csv", "reading", 1, 2)
        tell("a[/x]\x1b[2J.csv", "reading", 2, 2)
        tell("shop", "polling", 5, 0)
