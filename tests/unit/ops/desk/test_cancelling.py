"""A person's word that a run was cancelled, of which its provider tells nothing, and that it was not."""

import asyncio
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.commands.relay import app
from ops.desk.cancelling import Word, find_run, tell_word, totals_of
from ops.showing.payroll import show_calendar
from runtime.settings import ConfigurationError
from schemas.payroll import RunPaid, RunReversed
from store.audit import AuditTrail
from store.engine import connect
from store.payroll_runs import RunRow
from tests.unit.ops.commands.test_payroll_commands import said_of, settings_of
from tests.unit.producers.payroll.providers import ENTITY, payroll
from tests.unit.producers.payroll.pulls import Bench, open_bench, standing

DAY = date(2026, 4, 20)


async def found(
    bench: Bench, run: str = "run-1", *, provider: str = "gusto", entity: str | None = None
) -> list[RunRow]:
    settings = settings_of(bench)
    return await find_run(settings, bench.clock, provider=provider, run=run, company=None, entity=entity)


async def say(bench: Bench, versions: Sequence[RunRow], *, undo: bool = False) -> RunRow:
    engine = connect(f"sqlite:///{bench.folder}/relay.db")
    try:
        teller, trail = bench.teller, AuditTrail(engine, bench.clock)
        word = Word("ada", DAY, undo)
        return await tell_word(versions, word, runs=bench.runs, teller=teller, trail=trail)
    finally:
        await engine.dispose()


async def test_a_run_that_a_person_says_was_cancelled_is_taken_back_exactly(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        told = await say(bench, await found(bench))
        first, second = bench.broker.data
        assert isinstance(first, RunPaid)
        assert isinstance(second, RunReversed)
        assert (second.taken_back.fact, second.day, second.taken_back.lines) == (first.fact, DAY, first.lines)
        assert (told.version, told.live, told.state) == (2, False, "pending")
        assert [row.state for row in await found(bench)] == ["told", "told"]
        assert totals_of(told)["wages"] == "4000.00 USD"
        engine = connect(f"sqlite:///{bench.folder}/relay.db")
        [line] = await AuditTrail(engine, bench.clock).list()
        await engine.dispose()
        assert (line.actor, line.act, line.subject) == ("ada", "payroll.reversed", f"gusto:run:{ENTITY}:run-1:v2")


async def test_the_word_holds_until_the_provider_says_something_else(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        await say(bench, await found(bench))
        [again] = await bench.pull()
        assert again.became == "unchanged"
        bench.gusto.payrolls = [payroll(net="2900.00")]
        [changed] = await bench.pull()
        assert (changed.became, changed.version) == ("told", 3)
        assert standing(bench.broker.data) == {"run-1": [3]}


async def test_the_word_holds_though_the_same_amounts_have_other_names(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        await say(bench, await found(bench))
        taxes = [{"name": "Federal Income Tax", "employer": False, "amount": 1000}]
        bench.gusto.payrolls = [payroll(payroll_taxes=taxes)]
        [again] = await bench.pull()
        assert again.became == "unchanged"
        assert standing(bench.broker.data) == {"run-1": []}
        await say(bench, await found(bench), undo=True)
        [named] = await bench.pull()
        assert (named.became, named.version) == ("told", 4)
        assert standing(bench.broker.data) == {"run-1": [4]}


async def test_a_missing_run_is_not_missing_any_more_once_a_person_has_decided(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        bench.gusto.payrolls = []
        [gone] = await bench.pull()
        assert "relay payroll reverse --provider gusto --run run-1" in (gone.message or "")
        await say(bench, await found(bench))
        assert await bench.pull() == []
        assert standing(bench.broker.data) == {"run-1": []}


async def test_the_word_can_be_taken_back(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()
        with pytest.raises(ConfigurationError, match="no word to take back"):
            await say(bench, await found(bench), undo=True)
        await say(bench, await found(bench))
        told = await say(bench, await found(bench), undo=True)
        first, _, third = bench.broker.data
        assert isinstance(first, RunPaid)
        assert isinstance(third, RunPaid)
        assert (third.lines, third.replaces, third.version) == (first.lines, None, 3)
        assert standing(bench.broker.data) == {"run-1": [3]}
        assert told.live
        [again] = await bench.pull()
        assert again.became == "unchanged"


async def test_what_is_reversed_already_or_unknown_is_refused(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.gusto.payrolls = [payroll(), payroll("run-2", processed=False)]
        await bench.pull()
        versions = await found(bench)
        await say(bench, versions)
        with pytest.raises(ConfigurationError, match="reversed already, by its version 2"):
            await say(bench, await found(bench))
        with pytest.raises(ConfigurationError, match="another version of run run-1 has come meanwhile"):
            await say(bench, versions)
        with pytest.raises(ConfigurationError, match=r"never told \(open: run_open\)"):
            await found(bench, "run-2")
        with pytest.raises(ConfigurationError, match="no run run-9 of gusto is known"):
            await found(bench, "run-9")
        with pytest.raises(ConfigurationError, match="no run run-1 of gusto is known"):
            await found(bench, entity="another")
        assert len(bench.broker.data) == 2


async def _pulled(folder: Path) -> None:
    async with open_bench(folder) as bench:
        bench.gusto.payrolls = [payroll()]
        await bench.pull()


def test_a_missing_run_is_shown_with_what_a_person_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("run", "type", "version", "pay_date", "state", "reason", "field", "fact", "deadline")
    run = dict.fromkeys(names) | {"run": "run-1", "state": "missing", "reason": "not_listed"}
    period = {"start": None, "end": None, "state": "missing", "runs": [run, run | {"run": "run-2", "state": "posted"}]}
    calendar = {"company": "main", "provider": "finch", "entity": "e", "last_pull": None, "periods": [period]}
    show_calendar({"calendars": [calendar]}, as_json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "relay payroll reverse --provider finch --run run-1" in said
    assert "--run run-2" not in said


def test_the_command_shows_the_figures_and_tells_nothing_without_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_pulled(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.commands.running.configure_logs", lambda *_: None)  # it would outlive the test
    monkeypatch.setenv("RELAY_STORE__URL", f"sqlite:///{tmp_path / 'relay.db'}")
    monkeypatch.setenv("RELAY_PAYROLL", json.dumps(said_of(tmp_path)))
    asked = ["payroll", "reverse", "--provider", "gusto", "--run", "run-1"]
    done = CliRunner().invoke(app, asked, input="n\n")
    assert done.exit_code == 1
    assert "4000.00 USD" in done.stdout
    silent = CliRunner().invoke(app, [*asked, "--json"])
    assert silent.exit_code == 2
    assert "say --yes too" in silent.stderr
    unknown = CliRunner().invoke(app, [*asked[:-1], "run-9"])
    assert unknown.exit_code == 1
    assert "run-1 (paid 2026-04-15)" in unknown.stderr
