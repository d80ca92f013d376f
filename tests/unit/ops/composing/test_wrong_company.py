"""A wrong value in the table of one company stops that company, is told with its name, and the others are served."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.checks.check import check
from ops.composing.companies import open_workers, problem_of
from ops.composing.feeds import context_of
from ops.composing.waiting_company import WaitingCompany
from ops.composing.workers import open_solid
from ops.http.metrics import WorkerMetrics
from runtime.clock import SystemClock
from runtime.settings import ConfigurationError, Settings, load_settings
from tests.unit.solid.support import WritingLimiter
from workers.books.books import sample_books
from workers.worker import Worker

RELAY = """
company = "north"
[rabbitmq]
connect_timeout_seconds = 1
[worker]
settle_seconds = 40
[solid.dialect]
money = "decimal_string"
[companies.north]
books = "north.toml"
[companies.north.solid]
api_key_file = "north.key"
[companies.west.solid]
api_key_file = "west.key"
[feeds.shop]
source = "shopify"
company = "south"
folder = "in"
[companies.south]
"""
KEY = 'api_key_file = "south.key"\n'
WRONG = {
    "a number that is text": (f"[companies.south.solid]\n{KEY}timeout_seconds = 'soon'", "solid.timeout_seconds"),
    "a number out of its range": (f"[companies.south.solid]\n{KEY}timeout_seconds = -5", "-5 was said"),
    "a number that is none": (f"[companies.south.solid]\n{KEY}timeout_seconds = nan", "solid.timeout_seconds"),
    "a lease that does not outlive a call": (f"[companies.south.solid]\n{KEY}timeout_seconds = 200", "lease_seconds"),
    "a settle time that is too short": (f"[companies.south.solid]\n{KEY}timeout_seconds = 50", "settle_seconds"),
    "a key that nobody knows": (f"[companies.south.solid]\n{KEY}tiemout = 5", "solid.tiemout"),
    "a table that nobody knows": (f"[companies.south.solid]\n{KEY}[companies.south.receiver]\nport = 1", "receiver"),
    "a wrong address": (f"[companies.south.solid]\n{KEY}base_url = 'ftp://solid'", "base_url: must be an address"),
    "a port that is none": (f"[companies.south.solid]\n{KEY}base_url = 'http://solid:x'", "base_url: must be an"),
    "a wrong proxy": (f"[companies.south.solid]\n{KEY}proxy = 'ftp://u:hidden@proxy'", "solid.proxy"),
    "a bucket that leaves no rate": (f"bucket.burst = 4000\n[companies.south.solid]\n{KEY}", "leaves no rate"),
    "a bucket that is no table": (f"bucket = 5\n[companies.south.solid]\n{KEY}", "companies.south.bucket"),
    "books that are no path": (f"books = 5\n[companies.south.solid]\n{KEY}", "companies.south.books"),
    "no key": ("books = 'south.toml'", "solid.api_key_file is missing"),
    "a key in the file of settings": ("[companies.south.solid]\napi_key = 'hidden'", "solid.api_key is a secret"),
    "a balance that is no amount": (f"[companies.south.solid]\n{KEY}known_balance = {{ bank = 'x' }}", "known_balance"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RABBITMQ_URL", "RELAY_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RELAY_RABBITMQ__URL", "amqp://127.0.0.1:1/")
    sample = Path(sample_books.__code__.co_filename).with_name("sample_books.toml").read_text(encoding="utf-8")
    for name in ("north", "south", "west"):
        Path(f"{name}.key").write_text(name[0] * 64)
        Path(f"{name}.toml").write_text(f'base_currency = "USD"\n{sample}')
    Path("books.toml").write_text(f'base_currency = "EUR"\n{sample}')


def settings_with(south: str) -> Settings:
    Path("relay.toml").write_text(RELAY + south)
    return load_settings()


@pytest.mark.parametrize("wrong", WRONG)
async def test_it_waits_with_the_text_of_the_error_and_the_others_are_served(wrong: str) -> None:
    written, said = WRONG[wrong]
    settings = settings_with(written)
    async with open_workers(settings, SystemClock(), metrics=WorkerMetrics()) as workers:
        kinds = {each.company: type(each) for each in workers}
        [problem] = [str(each.problem) for each in workers if isinstance(each, WaitingCompany)]
    assert kinds == {"north": Worker, "south": WaitingCompany, "west": Worker}
    assert said in problem
    assert "companies.south" in problem
    assert "hidden" not in problem
    own = [settings.of(company) for company in settings.served]
    assert [problem_of(each, own) for each in own] == [None, problem, None]


async def test_check_names_it_and_looks_at_the_others_as_ever() -> None:
    settings = settings_with(WRONG["a number that is text"][0])
    for company, what in ((None, "south: settings"), ("south", "settings")):
        found = {each.what: each for each in await check(settings, SystemClock(), company=company)}
        assert (found[what].ok, "solid.timeout_seconds" in found[what].text) == (False, True)
    everywhere = {each.what: each.ok for each in await check(settings, SystemClock())}
    assert (everywhere["north: api key"], everywhere["west: books"]) == (True, True)


async def test_nothing_of_its_own_is_taken_from_the_tables_of_all() -> None:
    """Its books may be kept in another currency, and its Solid is another."""
    settings = settings_with("books = 'south.toml'\nsolid.timeout_seconds = 'soon'")
    with pytest.raises(ConfigurationError, match=r"companies\.south\.solid"):
        context_of("shop", settings.feeds["shop"], settings)
    with pytest.raises(ConfigurationError, match=r"companies\.south\.solid"):
        async with open_solid(settings.of("south"), WritingLimiter(), SystemClock()):
            pass


@pytest.mark.parametrize("variable", ["TIMEOUT_SECONDS", "TIEMOUT", "BASE_URL"])
def test_the_environment_is_told_apart_too(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"RELAY_COMPANIES__SOUTH__SOLID__{variable}", "wrong")
    settings = settings_with(f"[companies.south.solid]\n{KEY}")
    own = [settings.of(company) for company in settings.served]
    assert [bool(problem_of(each, own)) for each in own] == [False, True, False]


async def test_check_names_a_feed_and_an_account_whose_table_is_wrong_once_for_all_companies() -> None:
    pulled = "provider = 'finch'\nentities = { e = 'nobody' }\ntoken_file = 'token'"
    settings = settings_with(f"[companies.south.solid]\n{KEY}[feeds.bad]\nsource = 5\n[payroll.bad]\n{pulled}")
    found = [each for each in await check(settings, SystemClock()) if each.what in ("feed bad", "payroll.bad")]
    assert [(each.what, each.ok) for each in found] == [("feed bad", False), ("payroll.bad", False)]
    assert "feeds.bad" in found[0].text
    assert "[companies.nobody] is missing" in found[1].text


NOT_ONE_COMPANY_S: Mapping[str, str] = {
    "a name that no queue could have": '[companies."South_1".solid]\napi_key_file = "south.key"',
    "a setting of all": "[bucket]\nburst = -1",
}


@pytest.mark.parametrize("wrong", NOT_ONE_COMPANY_S)
def test_what_is_not_one_companys_is_refused_as_ever(wrong: str) -> None:
    with pytest.raises(ConfigurationError):
        settings_with(f"[companies.south.solid]\n{KEY}{NOT_ONE_COMPANY_S[wrong]}")
