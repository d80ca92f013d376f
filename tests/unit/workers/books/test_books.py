"""The books and Solid's chart: what is missing is named, with the nearest that is there."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from runtime.settings import ConfigurationError
from solid.models import Account
from workers.books.books import ROLES, load_books, sample_books
from workers.chart import Chart
from workers.plans.writes import Parked

MINIMAL = 'base_currency = "USD"\n[accounts]\nbank = "Checking"\n'


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "books.toml"
    path.write_text(text)
    return load_books(path)


def test_the_sample_gives_every_role_an_account() -> None:
    assert sample_books().accounts.keys() == ROLES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL + 'strip_clearing = "X"\n', "'strip_clearing' is no role; nearest: 'stripe_clearing'"),
        ('[accounts]\nbank = "Checking"\n', "base_currency is missing"),
        ('base_currency = "usd"\n[accounts]\n', "base_currency"),
        ('time_zone = "Berlin"\n' + MINIMAL, "'Berlin' is not a time zone"),
        ('time_zone = "../etc/passwd"\n' + MINIMAL, "is not a time zone"),
        ('time_zone = "Europe"\n' + MINIMAL, "'Europe' is not a time zone"),
        ("colour = 1\n" + MINIMAL, "colour"),
        ('late = { sale = "hold" }\n' + MINIMAL, "'sale' is no stream; known: sales, contacts"),
        ('late = { sales = "never" }\n' + MINIMAL, "late.sales"),
        ('base_currency = "USD"\n', "accounts"),
        ("base_currency = \n", "not valid TOML"),
        (MINIMAL + "income = 5\n", "accounts.income"),
    ],
)
def test_a_wrong_books_file_is_refused_by_the_name_of_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"books\.toml") as refused:
        load(tmp_path, text)
    assert said in str(refused.value)


def test_a_missing_books_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: No such file"):
        load_books(tmp_path / "absent.toml")


def test_a_books_file_that_is_no_text_is_refused_plainly(tmp_path: Path) -> None:
    path = tmp_path / "books.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"books\.toml"):
        load_books(path)


def test_a_day_is_that_of_the_companys_time_zone(tmp_path: Path) -> None:
    path = tmp_path / "books.toml"
    path.write_text('time_zone = "Pacific/Auckland"\n' + MINIMAL)
    assert load_books(path).day_of(datetime(2026, 1, 15, 12, 0, tzinfo=UTC)) == date(2026, 1, 16)


CHART = Chart(
    [
        Account(id="1", name="Stripe clearing a/c"),
        Account(id="2", name="Checking"),
        Account(id="3", name="Twice"),
        Account(id="4", name="Twice"),
    ]
)


def test_an_account_is_found_by_its_exact_name() -> None:
    assert CHART.id_of("Checking") == "2"


def test_a_missing_account_is_parked_under_its_name_and_the_nearest_is_shown() -> None:
    with pytest.raises(Parked) as parked:
        CHART.id_of("Stripe Clearing")
    assert parked.value.reason == "unmapped:account:Stripe Clearing"
    assert str(parked.value) == (
        '"Stripe Clearing" is not in Solid\'s chart of accounts; nearest: "Stripe clearing a/c". '
        "Create it or correct books.toml."
    )


def test_an_account_that_stands_twice_is_never_guessed() -> None:
    with pytest.raises(Parked) as parked:
        CHART.id_of("Twice")
    assert parked.value.reason == "ambiguous:account:Twice"
    assert "stands 2 times" in str(parked.value)


def test_an_empty_chart_says_so() -> None:
    with pytest.raises(Parked, match="the chart is empty"):
        Chart([]).id_of("Checking")


def test_every_account_of_the_books_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "books.toml"
    path.write_text(MINIMAL + 'income = "Sales"\nwages = "Twice"\n')
    problems = CHART.problems(load_books(path))
    assert [problem.partition(":")[0] for problem in problems] == ["[accounts].income", "[accounts].wages"]
