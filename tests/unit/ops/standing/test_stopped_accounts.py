"""A payroll account whose files are wrong stops alone and is named; the others are pulled."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ops.composing.payroll import open_puller, open_reader, run_schedules
from ops.standing.stopped import stopped
from runtime.clock import SystemClock
from runtime.settings import ConfigurationError, Settings


def settings_in(folder: Path) -> Settings:
    """Three accounts: without a token, with a token that is none, and one in order, whose provider is away."""
    (folder / "bad").write_text("two words")
    (folder / "good").write_text("0123456789abcdef")

    def account(token: str) -> dict[str, Any]:
        own = {"provider": "finch", "base_url": "http://127.0.0.1:1", "schedule": "* * * * *"}
        return {**own, "token_file": str(folder / token), "entities": {f"entity-{token}": "main"}}

    accounts = {name: account(name) for name in ("missing", "bad", "good")}
    return Settings.model_validate({"payroll": accounts, "store": {"url": f"sqlite:///{folder / 'relay.db'}"}})


@pytest.mark.long
async def test_the_schedules_of_all_go_on_whatever_is_wrong_with_one(tmp_path: Path) -> None:
    settings, stop = settings_in(tmp_path), asyncio.Event()
    with capture_logs() as logs:
        pulling = asyncio.create_task(run_schedules(settings, SystemClock(), stop))
        async with asyncio.timeout(60):
            while {log["account"] for log in logs if log["event"] == "payroll.pull_failed"} != set(settings.payroll):
                assert not pulling.done(), "one account's file ended them all"
                await asyncio.sleep(0.01)
        stop.set()
        await pulling
    said = {log["account"]: log["error"] for log in logs if log["event"] == "payroll.pull_failed"}
    assert "token" in said["missing"]
    assert "token" in said["bad"]
    assert "two words" not in json.dumps(said)


async def test_the_status_names_the_two_that_a_person_must_mend(tmp_path: Path) -> None:
    found = await stopped(settings_in(tmp_path), SystemClock())
    assert found.keys() == {"payroll missing", "payroll bad"}
    assert await stopped(settings_in(tmp_path), SystemClock(), company="other") == {}


async def test_an_account_whose_table_is_wrong_is_named_wherever_somebody_asks_for_it(tmp_path: Path) -> None:
    accounts = {"bad": {"provider": "finch", "entities": {"e": "main"}, "schedule": "every day"}}
    settings = Settings.model_validate({"payroll": accounts, "store": {"url": f"sqlite:///{tmp_path / 'relay.db'}"}})
    problem = settings.wrong_payroll["bad"]
    assert "is no cron expression" in problem
    assert await stopped(settings, SystemClock()) == {"payroll bad": problem}
    for asked in (
        open_puller(settings, "bad", SystemClock(), dry=True),
        open_reader(settings, "bad", SystemClock(), company=None, dry=True),
    ):
        with pytest.raises(ConfigurationError, match="is no cron expression"):
            async with asked:
                pass
