"""`[payroll.<name>]`: what is refused, with what to do; and the page that tells of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from runtime.sections_payroll import PayrollSettings
from runtime.settings import Settings

GUSTO = {
    "provider": "gusto",
    "entities": {"e1": "main"},
    "token_file": "tokens.json",
    "client_id": "c",
    "client_secret_file": "secret",
}
PAGE = Path(__file__).parents[3] / "docs" / "payroll.md"


def settings(**changes: Any) -> PayrollSettings:  # noqa: ANN401 - as from TOML
    return PayrollSettings.model_validate(GUSTO | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedule": "every day"}, "is no cron expression"),
        ({"schedule": "0 25 * * *"}, "is no cron expression"),
        ({"time_zone": "New York"}, "is not a time zone; use an IANA name"),
        ({"frequency": "weekly"}, "first_period is missing"),
        ({"provider": "csv", "schedule": "0 7 * * *"}, "cannot be pulled on a schedule"),
        ({"base_url": "ftp://gusto"}, "http:// or https://"),
        ({"base_url": "https://me:pass@gusto"}, "must not hold a user or password"),
        ({"entities": {}}, "at least 1"),
        ({"entities": {"e1": "Not A Name"}}, "pattern"),
        ({"client_secret": "s"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused_at_start(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        settings(**changes)


def test_an_entity_is_in_one_account_only_or_neither_is_pulled() -> None:
    other = GUSTO | {"entities": {"e2": "main"}}
    found = Settings.model_validate({"payroll": {"one": GUSTO, "two": GUSTO, "three": other}})
    assert set(found.payroll) == {"three"}
    said = "e1 of gusto is in the entities of both payroll.one and payroll.two: leave it in one of them"
    assert found.wrong_payroll == {"one": said, "two": said}


def test_a_mistake_in_one_account_stops_that_account_alone() -> None:
    wrong = GUSTO | {"entities": {"e2": "main"}, "time_zone": "New York"}
    found = Settings.model_validate({"payroll": {"one": GUSTO, "two": wrong}})
    assert set(found.payroll) == {"one"}
    assert "payroll.two" in found.wrong_payroll["two"]
    assert "IANA" in found.wrong_payroll["two"]


def test_an_account_of_a_company_that_nobody_serves_stops_alone() -> None:
    companies = {"main": {"solid": {"api_key_file": "key"}}}
    strange = GUSTO | {"entities": {"e2": "nobody"}}
    found = Settings.model_validate({"companies": companies, "payroll": {"one": GUSTO, "two": strange}})
    assert set(found.payroll) == {"one"}
    assert "[companies.nobody] is missing" in found.wrong_payroll["two"]


def test_the_page_has_every_key_in_the_order_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8").partition("### Gusto")[0], re.MULTILINE)
    assert rows == list(PayrollSettings.model_fields)
