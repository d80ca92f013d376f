"""`relay payroll` as a user meets it, without a broker: exports, the calendar, what is refused, what the check says."""

import asyncio
import csv
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ops.checks.findings import Checklist
from ops.checks.payroll import check_payroll
from ops.commands.relay import app
from ops.composing.payroll import open_reader, run_schedules
from ops.standing.payroll import payroll_status
from producers.payroll.reading import ExportReader
from producers.payroll.run_book import RunOutcome
from runtime.settings import Settings
from schemas.payroll import RunPaid
from store.dead_letters import DeadLetters, Letter
from store.engine import connect
from tests.fakes import FakeClock
from tests.unit.producers.payroll.providers import payroll
from tests.unit.producers.payroll.pulls import Bench, gusto_settings, open_bench

EXPORT = Path(__file__).parents[3] / "data" / "payroll-made" / "adp.csv"
APRIL_END = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database of its own, where commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.commands.running.configure_logs", lambda *_: None)  # it would outlive the test
    monkeypatch.setenv("RELAY_STORE__URL", f"sqlite:///{tmp_path / 'relay.db'}")
    return tmp_path


def relay(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["payroll", *arguments])


@pytest.mark.usefixtures("place")
def test_an_export_is_read_dry_without_broker_or_settings() -> None:
    done = relay("read", str(EXPORT), "--provider", "adp", "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    outcomes = json.loads(done.stdout)
    assert {each["became"] for each in outcomes} == {"told"}
    assert done.stdout.count("version") == len(outcomes)


def test_an_export_with_shifted_columns_is_refused_whole(place: Path) -> None:
    lines = EXPORT.read_text().splitlines()
    (place / "shifted.csv").write_text("\n".join([lines[0], f"extra,{lines[1]}", *lines[2:]]))
    done = relay("read", "shifted.csv", "--provider", "adp", "--dry-run")
    assert done.exit_code == 1
    assert "refused" in done.stdout


def zeros() -> str:
    """The export with its first person's row alone, and no amount in it."""
    rows = list(csv.reader(EXPORT.read_text().splitlines()))[:2]
    rows[1] = [cell if "/" in cell or not re.fullmatch(r"[0-9,]+\.[0-9]{2}", cell) else "0.00" for cell in rows[1]]
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)


def test_a_run_of_nothing_but_zeros_that_was_never_told_is_nothing_to_post(place: Path) -> None:
    (place / "zero.csv").write_text(zeros())
    done = relay("read", "zero.csv", "--provider", "adp", "--dry-run", "--json")
    assert done.exit_code == 0
    assert [(each["became"], each["reason"]) for each in json.loads(done.stdout)] == [("ignored", "zero_run")]


async def test_an_export_that_changed_takes_back_what_was_told_and_tells_it_anew(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        path = bench.folder / "register.csv"
        for content in (EXPORT.read_text(), EXPORT.read_text().replace("2026,800,", "2026,900,"), without_totals()):
            path.write_text(content)
            await take(path, bench)
        first, second = (each for each in bench.broker.data if isinstance(each, RunPaid))
        assert second.replaces is not None
        assert (second.version, second.replaces.fact, second.replaces.lines) == (2, first.fact, first.lines)
        assert second.lines != first.lines


def without_totals() -> str:
    """The export with one person less, and no row of totals."""
    return "\n".join(EXPORT.read_text().splitlines()[:3])


async def test_a_run_that_became_zero_is_refused_with_the_command_that_takes_it_back(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        path = bench.folder / "register.csv"
        path.write_bytes(EXPORT.read_bytes())
        [told] = await take(path, bench)
        path.write_text(zeros())
        [refused] = await take(path, bench)
        assert (refused.became, refused.reason) == ("refused", "zero_run")
        assert f"relay payroll reverse --provider adp --run {told.run}" in str(refused.message)
        assert len(bench.broker.bodies) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pull", "--provider", "gusto", "--period", "2026-04"), "has no table [payroll.gusto]; known: none"),
        (("read", "missing.csv", "--provider", "adp", "--dry-run"), "missing.csv: No such file"),
        ((), "no [payroll.<name>] has a schedule"),
    ],
)
def test_what_is_not_set_is_said_in_a_line(place: Path, arguments: tuple[str, ...], said: str) -> None:
    del place
    done = relay(*arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("period", ["April", "2026-13", "2026-4", "2026-05..2026-04"])
def test_a_period_is_months(place: Path, monkeypatch: pytest.MonkeyPatch, period: str) -> None:
    monkeypatch.setenv("RELAY_PAYROLL", json.dumps(said_of(place)))
    done = relay("pull", "--provider", "gusto", "--period", period)
    assert done.exit_code == 1
    assert "--period" in done.stderr


def said_of(folder: Path, **changes: object) -> dict[str, Any]:
    """The table of an account, as JSON."""
    own = gusto_settings(folder, **changes)
    return {"gusto": json.loads(own.model_dump_json(exclude_none=True))}


def settings_of(bench: Bench, **changes: object) -> Settings:
    own = gusto_settings(bench.folder, **changes)
    return Settings.model_validate({"payroll": {"gusto": own}, "store": {"url": f"sqlite:///{bench.folder}/relay.db"}})


async def periods(bench: Bench, **changes: object) -> list[Mapping[str, Any]]:
    clock = FakeClock(APRIL_END)
    found = await payroll_status(settings_of(bench, **changes), clock, company=None)
    calendar: list[Mapping[str, Any]] = found["calendars"][0]["periods"]
    return calendar


async def test_the_calendar_shows_what_is_expected_open_refused_and_missing(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        spring = {"start_date": "2026-04-16", "end_date": "2026-04-30"}
        late = payroll("run-2", processed=False, check_date="2026-04-30", pay_period=spring)
        wrong = payroll("run-3", totals=None, pay_period={"start_date": "2026-03-16", "end_date": "2026-03-31"})
        bench.gusto.payrolls = [payroll(), late, wrong | {"check_date": "2026-04-02"}]
        await bench.pull()
        found = await periods(bench, frequency="semimonthly", first_period="2026-03-01")
    shown = [(str(each["start"]), each["state"]) for each in found]
    assert shown == [
        ("2026-03-01", "missing"),
        ("2026-03-16", "refused"),
        ("2026-04-01", "pulled"),
        ("2026-04-16", "open"),
        ("2026-05-01", "expected"),
        ("2026-05-16", "expected"),
    ]
    assert [run["state"] for run in found[3]["runs"]] == ["open"]


async def test_a_parked_run_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        [event] = bench.broker.events
        engine = connect(f"sqlite:///{bench.folder}/relay.db")
        await DeadLetters(engine, bench.clock).add(
            Letter(
                id="letter-1",
                queue="relay.payroll.dlq",
                reason="period_closed:2026-04",
                error="closed",
                attempts=1,
                headers={},
                body=bench.broker.bodies[0],
                event_id=event.id,
            )
        )
        await engine.dispose()
        [period] = await periods(bench)
    assert (period["state"], period["runs"][0]["reason"]) == ("parked", "period_closed:2026-04")


async def test_the_check_reads_the_tokens_and_calls_nobody(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        settings = settings_of(bench, schedule="0 7 * * *")
        assert await looked_at(settings) == [
            ("payroll.gusto", True, "1 of 1 entities are this company's; gusto at http://gusto.test"),
        ]
        (bench.folder / "tokens.json").unlink()
        [(what, fine, text)] = await looked_at(settings)
        assert (what, fine) == ("payroll.gusto", False)
        assert "No such file" in text
        assert bench.gusto.seen == []


async def looked_at(settings: Settings) -> list[tuple[str, bool, str]]:
    checklist = Checklist()
    await check_payroll(checklist, settings, FakeClock())
    return [(each.what, each.ok, each.text.partition(", ")[0]) for each in checklist.findings]


async def take(path: Path, bench: Bench, company: str | None = None) -> list[RunOutcome]:
    """Read an export of ADP once."""
    settings = Settings.model_validate({"store": {"url": f"sqlite:///{path.parent}/relay.db"}})
    async with open_reader(settings, "adp", FakeClock(), company=company, dry=True) as (dry, context):
        reader = ExportReader(account=dry.account, runs=bench.runs, teller=bench.teller, clock=bench.clock)
        with path.open("rb") as file:
            return await reader.take(file, path.name, context)


async def test_an_export_that_is_read_twice_is_told_once_and_its_correction_replaces_it(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        path = bench.folder / "register.csv"
        path.write_bytes(EXPORT.read_bytes())
        first = await take(path, bench)
        second = await take(path, bench)
        assert {each.became for each in first} == {"told"}
        assert {each.became for each in second} == {"unchanged"}
        path.write_bytes(b"nothing,of,this\n1,2,3\n")
        [refused] = await take(path, bench)
        assert (refused.became, refused.run) == ("refused", "file:register.csv")
        assert len(bench.broker.raw) == 1
        path.write_bytes(EXPORT.read_bytes())
        await take(path, bench)
        assert [row.state for row in await bench.runs.all(["main"])] == ["told"] * len(first)
        assert len(bench.broker.bodies) == len(first)


async def test_an_export_that_stands_in_the_books_of_another_company_is_not_told_again(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        path = bench.folder / "register.csv"
        path.write_bytes(EXPORT.read_bytes())
        told = await take(path, bench)
        [refused] = await take(path, bench, company="second")
        assert (refused.became, refused.reason) == ("refused", "company_changed")
        assert f"--run {told[0].run} --company main" in (refused.message or "")
        assert len(bench.broker.bodies) == len(told)


def voided(*people: int) -> str:
    """The rows of these persons of the export, as a void takes them back."""
    header, *rows = csv.reader(EXPORT.read_text().splitlines())
    taken = [
        [f"-{cell}" if re.fullmatch(r"[0-9,]+\.[0-9]{2}", cell) else cell for cell in rows[each]] for each in people
    ]
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in (header, *taken))


async def test_a_second_reversal_of_a_run_does_not_undo_the_first(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        path = bench.folder / "voids.csv"
        path.write_text(voided(0))
        [first] = await take(path, bench)
        assert first.run.endswith(":reversal")
        [same] = await take(path, bench)
        assert same.became == "unchanged"
        path.write_text(voided(1))
        [second] = await take(path, bench)
        assert (second.became, second.reason) == ("refused", "second_reversal")
        assert f"--run {first.run}" in (second.message or "")
        assert len(bench.broker.bodies) == 1


async def test_without_a_schedule_there_is_nothing_to_run() -> None:
    async with asyncio.timeout(5):
        await run_schedules(Settings(), FakeClock(), asyncio.Event())
