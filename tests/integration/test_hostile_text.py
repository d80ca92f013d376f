"""Hostile text in the store, the broker, files and arguments, and every command there is: none breaks, none is moved.

A command without a line here fails the first test: say what feeds it text from outside, and what it must show.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import typer
from sqlalchemy import JSON, BigInteger, Boolean, Date, Float, Integer, LargeBinary, create_engine, insert
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from ops.commands.relay import app
from schemas.envelope import encode
from staging.broker.handshake import free_ports
from store.databases.columns import DecimalText, UtcDateTime
from store.migrate import upgrade
from store.schema import METADATA
from tests.hostile import HOSTILE, SHOWN, hidden_in, shows, squeezed, too_wide
from tests.integration.wiring import linked, paid_out, publisher_on

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LETTER = "ab" * 16
FILE = "CAP[red]\x1b[2J\u202e\n2026.csv"
GOLDEN = Path(__file__).parents[1] / "contract" / "golden" / "payroll.run.paid.v1.json"
EXPORT = Path(__file__).parents[1] / "data" / "payroll-made" / "adp.csv"
OPTIONS = {"kind": "adjusted", "columns": {"id": "no", "item": "sku", "quantity": "qty", "reason": "why"}}


@dataclass(frozen=True)
class Case:
    """How a command is fed: its arguments, its exit code, and which text must be seen whole on its outputs."""

    arguments: tuple[str, ...] = ()
    exit_code: int = 0
    seen: tuple[str, ...] = (SHOWN,)
    json: bool = True
    table: bool = True


@dataclass(frozen=True)
class OnlyLogs:
    """It prints nothing of its own; what it logs is in tests/unit/runtime/test_outside_text.py."""

    why: str = field(default="a process that runs until it is stopped")


FOLDER = "no\n[/x]folder"
SHOWN_FOLDER = r"no\n[/x]folder"
SHOWN_FILE = r"CAP[red]\x1b[2J\u202e\n2026.csv"
CASES: Mapping[tuple[str, ...], Case | OnlyLogs] = {
    ("up",): OnlyLogs(),
    ("receive",): OnlyLogs(),
    ("work",): OnlyLogs(),
    ("simulator",): OnlyLogs("the stand-in for Solid, with a command line of its own"),
    ("dead", "list"): Case(),
    ("dead", "show"): Case((LETTER,)),
    ("dead", "replay"): Case((LETTER,), exit_code=1, seen=()),
    ("dead", "erase"): Case(("--days", "1"), seen=(), json=False),
    ("forget",): Case(("CAP",), exit_code=1, seen=()),
    ("cases", "list"): Case(),
    ("cases", "close"): Case(("1", "--note", HOSTILE), seen=(), json=False),
    ("doubts", "list"): Case(),
    ("doubts", "found"): Case((HOSTILE, HOSTILE), json=False, table=False),
    ("doubts", "absent"): Case((HOSTILE,), json=False, table=False),
    ("restored",): Case(seen=(), json=False, table=False),
    ("trace",): Case((HOSTILE,)),
    ("status",): Case(seen=(SHOWN_FILE,)),
    ("check",): Case(exit_code=1, seen=(SHOWN_FOLDER,)),
    ("backfill", "stripe"): Case(("--since", "2026-03-01"), exit_code=1, seen=(SHOWN_FOLDER,)),
    ("payouts",): Case((HOSTILE,), exit_code=1),
    ("feed",): Case(("--once", "--feed", "odd"), exit_code=1, seen=(), json=False, table=False),
    ("normalize",): Case(
        ("--source", "warehouse-csv", "--options", "options.toml", FILE, HOSTILE), exit_code=1, json=False, table=False
    ),
    ("plan",): Case(("events.jsonl",), exit_code=1, seen=(), json=False, table=False),
    ("payroll", "pull"): Case(
        ("--provider", "gusto", "--period", "2026-03", "--dry-run"),
        exit_code=1,
        seen=(SHOWN_FOLDER,),
        json=False,
        table=False,
    ),
    ("payroll", "read"): Case((FILE.replace("2026", "run"), "--provider", "adp", "--dry-run"), exit_code=1, seen=()),
    ("payroll", "status"): Case(),
    ("payroll", "reverse"): Case(("--provider", "gusto", "--run", HOSTILE, "--yes"), json=False, table=False),
}


def commands_of(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - click's
    """Every command that can be typed."""
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield path
        return
    for name, each in subcommands.items():
        yield from commands_of(each, (*path, name))


def test_every_command_is_fed_hostile_text() -> None:
    assert set(commands_of(typer.main.get_command(app))) == set(CASES)


def filled(company: str) -> Mapping[str, Mapping[str, Any]]:
    """What the columns of tables hold where hostile text would not be a row: keys, states and documents."""
    run = json.loads(GOLDEN.read_text())
    run["company"], run["data"]["run"], run["data"]["entity"] = company, HOSTILE, "entity"
    posting = {"pair": ["inventory", "shrinkage"], "amount": "1.00", "currency": "USD", "item": HOSTILE}
    return {
        "writes": {"state": "unknown", "epoch": 1, "currency": "USD", "about": {"date": HOSTILE}},
        "dead_letters": {
            "id": LETTER,
            "state": "waiting",
            "version": 1,
            "attempts": 1,
            "body": HOSTILE.encode(),
            "body_key": None,
        },
        "cases": {"id": 1, "closed_at": None, "closed_by": None, "note": None, "detail": {"found": HOSTILE}},
        "stock_facts": {"state": "own", "batch": None, "postings": [posting]},
        "feed_runs": {"feed": "north", "state": "interrupted", "name": FILE},
        "audit": {"subject": LETTER},
        "outbox": {"id": 1, "stream": "payroll", "body": json.dumps(run).encode()},
        "payouts": {"amount": Decimal("9.00"), "fee": Decimal(0), "automatic": True, "read_at": NOON},
        "payout_items": {
            "facts": [HOSTILE],
            "ignored": None,
            "gross": Decimal("9.00"),
            "fee": Decimal(0),
            "tax": Decimal(0),
            "net": Decimal("8.00"),
        },
        "payroll_runs": {
            "provider": "gusto",
            "entity": "entity",
            "version": 2,
            "outbox": 1,
            "state": None,
            "live": True,
            "run_type": "regular",
            "fact": run["data"]["fact"],
        },
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: quicker to copy than to make."""
    path = tmp_path_factory.mktemp("hostile") / "relay.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, company: str, amqp_url: str, migrated: Path
) -> Iterator[None]:
    """A folder with settings, files and a store that are full of hostile text, where commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.commands.running.configure_logs", lambda *_: None)  # it would outlive the test
    monkeypatch.setattr("ops.commands.feed.configure_logs", lambda *_: None)
    for name in [name for name in os.environ if name.startswith(("RELAY_", "RABBITMQ_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LOGNAME", HOSTILE)  # who acts is in the audit trail
    feeds = {
        "odd": {"source": "warehouse-csv", "folder": "in", "currency": "USD", "options": OPTIONS, "quiet_seconds": 0},
        "north": {"source": "warehouse-csv", "folder": FOLDER, "currency": "USD", "options": OPTIONS},
    }
    (tmp_path / "token").write_text(json.dumps({"access_token": "t", "refresh_token": "r"}))
    pulled = {"provider": "gusto", "entities": {"entity": company}, "base_url": f"http://127.0.0.1:{free_ports(1)[0]}"}
    pulled |= {"client_id": "c", "client_secret_file": "token", "token_file": FOLDER}
    settings = {
        "COMPANY": company,
        "STORE__URL": f"sqlite:///{tmp_path / 'relay.db'}",
        "RABBITMQ__URL": amqp_url,
        "FEEDS": json.dumps(feeds),
        "PAYROLL": json.dumps({"gusto": pulled}),
        "STRIPE": json.dumps({"api_key_file": FOLDER, "api_base_url": pulled["base_url"]}),
        "SOLID__DIALECT": '{"money": "decimal_string"}',
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"RELAY_{name}", value)
    copyfile(migrated, tmp_path / "relay.db")
    fill_store(settings["STORE__URL"], company)
    fill_files(tmp_path, company)
    asyncio.run(declare(amqp_url, company))
    with capture_logs():  # unconfigured, it would go to stdout
        yield


def fill_store(url: str, company: str) -> None:
    """Put a row into every table, hostile in every column of text."""
    own = filled(company)
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            if table.name in own:
                row = {column.name: value_for(column) for column in table.columns} | dict(own[table.name])
                connection.execute(insert(table), row | ({"company": company} if "company" in table.columns else {}))
    engine.dispose()


def value_for(column: Any) -> object:  # noqa: ANN401 - SQLAlchemy's
    """Hostile text where text can stand, and else something small."""
    empty = None if column.nullable else NOON
    small: Mapping[type, object] = {
        UtcDateTime: empty,
        Date: NOON.date(),
        DecimalText: None,
        Integer: 0,
        BigInteger: 0,
        Boolean: False,
        Float: None,
        LargeBinary: HOSTILE.encode(),
        JSON: {HOSTILE: HOSTILE},
    }
    return small.get(type(column.type), HOSTILE)


def fill_files(place: Path, company: str) -> None:
    """Write what commands read: odd names, hostile cells, an event and a line that is none."""
    rows = f'no,day,sku,qty,why\nA-1,2026-03-02,"{HOSTILE}",-1,damage\nA-2,2026-03-02,S,"{HOSTILE}",damage\n'
    (place / "in").mkdir()
    for path in (place / FILE, place / "in" / FILE):
        path.write_text(rows)
        os.utime(path, (0, 0))
    options = "".join(f'{name} = "{column}"\n' for name, column in OPTIONS["columns"].items())  # type: ignore[attr-defined]  # a table
    (place / "options.toml").write_text(f'kind = "adjusted"\n[columns]\n{options}')
    event = paid_out(company).model_copy(update={"id": HOSTILE, "subject": HOSTILE})
    (place / "events.jsonl").write_bytes(encode(event) + b"\n{" + HOSTILE.replace("\n", "").encode() + b"\n")
    export = EXPORT.read_text().replace("Engineering", HOSTILE.replace("\n", " ")).replace("ABC1,", "AB,C1,")
    (place / FILE.replace("2026", "run")).write_text(export)


async def declare(url: str, company: str) -> None:
    """Make the company's queues."""
    async with linked(url) as link:
        await publisher_on(link, company).publish(paid_out(company))


def relay(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


FED = [pytest.param(path, case, id=" ".join(path)) for path, case in CASES.items() if isinstance(case, Case)]


@pytest.mark.parametrize(("path", "case"), FED)
@pytest.mark.usefixtures("place")
def test_a_command_shows_hostile_text_as_text(path: tuple[str, ...], case: Case) -> None:
    done = relay(*path, *case.arguments)
    assert isinstance(done.exception, SystemExit | None), done.exception
    assert done.exit_code == case.exit_code, done.output
    assert hidden_in(done.output) == set(), done.output
    for wanted in case.seen:
        assert shows(done.output, wanted) or folded_within(done.output, wanted), done.output
    if case.table:
        assert too_wide(done.stdout) == []
    if case.json:
        for_scripts_it_is_the_text_itself(relay(*path, *case.arguments, "--json"), case)


def for_scripts_it_is_the_text_itself(done: Result, case: Case) -> None:
    assert isinstance(done.exception, SystemExit | None), done.exception
    assert done.exit_code == case.exit_code, done.output
    assert hidden_in(done.output) == set(), done.output
    found = texts(json.loads(done.stdout))
    originals = {SHOWN: HOSTILE, SHOWN_FILE: FILE, SHOWN_FOLDER: FOLDER}
    for wanted in case.seen:
        assert any(originals[wanted] in text for text in found), found


def texts(value: object) -> set[str]:
    """Every text in a document."""
    gather: Mapping[type, Callable[[Any], set[str]]] = {
        str: lambda text: {text},
        dict: lambda table: set().union(*map(texts, table), *map(texts, table.values())),
        list: lambda items: set().union(*map(texts, items)),
    }
    return gather.get(type(value), lambda _: set())(value)


def folded_within(output: str, wanted: str) -> bool:
    """Whether a column of a table shows it, folded: its letters stand in order in one band of columns."""
    lines = output.splitlines()
    letters = squeezed(wanted)
    for row, line in enumerate(lines):
        for start in [at for at in range(len(line)) if line.startswith(letters[:3], at)]:
            band = "".join(column_at(each, start) for each in lines[row:])
            if squeezed(band).startswith(letters):
                return True
    return False


def column_at(line: str, start: int) -> str:
    """What stands in one column of a table's line: up to the gap after it."""
    if start and line[start - 1 : start].strip():
        return ""
    return line[start:].split(" ", 1)[0] if line[start:] else ""
