"""What `relay check` says of feeds: of their options, folders, states and tokens."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from ops.checks.feeds import check_feeds
from ops.checks.findings import Checklist
from runtime.settings import Settings
from tests.unit.ops.feed_folder import OPTIONS, ROWS, folder, settings
from tests.unit.producers.feeds.feeding import give_away

__all__ = ["folder"]


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


async def test_the_check_is_content_with_a_good_feed_and_leaves_nothing_behind(folder: Path) -> None:
    checklist = Checklist()
    await check_feeds(checklist, settings(folder))
    assert [(finding.what, finding.ok) for finding in checklist.findings] == [("feed north", True)]
    assert os.listdir(folder) == ["a.csv"]  # noqa: PTH208 - pathlib is refused in coroutines


async def test_the_check_says_what_options_of_before_are_called_now(folder: Path) -> None:
    checklist = Checklist()
    await check_feeds(checklist, settings(folder, options={**OPTIONS, "ignore_columns": ["x"]}))
    assert "ignore_columns is called ignored now; both work" in str(checklist.findings)


async def test_the_check_looks_at_the_token() -> None:
    feed = {"source": "shopify", "url": "https://x", "token_file": "nowhere", "currency": "USD"}
    checklist = Checklist()
    await check_feeds(checklist, Settings(feeds={"shop": feed}))
    assert [(finding.what, finding.ok) for finding in checklist.findings] == [("feed shop", False)]
