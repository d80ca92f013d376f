"""One company's key, books or dialect stop that company, never the others, and what was mended is picked up."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ops.checks.check import check
from ops.composing import waiting_company
from ops.composing.companies import open_workers, problem_of
from ops.composing.waiting_company import WaitingCompany
from ops.http.metrics import WorkerMetrics
from runtime.clock import SystemClock
from runtime.secret_files import fingerprint
from runtime.settings import ConfigurationError, RabbitSettings, Settings
from workers.books.books import sample_books
from workers.worker import Worker

KEYS = {"north": "n" * 64, "south": "s" * 64, "west": "w" * 64}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RABBITMQ_URL", raising=False)
    sample = Path(sample_books.__code__.co_filename).with_name("sample_books.toml").read_text(encoding="utf-8")
    companies = {}
    for name, key in KEYS.items():
        Path(f"{name}.key").write_text(key)
        Path(f"{name}.key").chmod(0o600)
        Path(f"{name}.toml").write_text(f'base_currency = "USD"\n{sample}')
        companies[name] = {"books": f"{name}.toml", "solid": {"api_key_file": f"{name}.key"}}
    said = {
        "company": "north",
        "companies": companies,
        "solid": {"dialect": {"money": "decimal_string"}},
        "store": {"url": f"sqlite:///{tmp_path / 'relay.db'}"},
    }
    return Settings.model_validate(said)


def unreachable(settings: Settings) -> Settings:
    """The same without a broker."""
    nowhere = {"url": "amqp://127.0.0.1:1/", "connect_timeout_seconds": 1}
    return settings.model_copy(update={"rabbitmq": RabbitSettings.model_validate(nowhere)})


def authority(written: str | None) -> None:
    if written is not None:
        Path("south.pem").write_text(written)


def no_key() -> None:
    Path("south.key").unlink()


def no_books() -> None:
    Path("south.toml").write_text("not toml [")


def share_key() -> None:
    Path("south.key").write_text(KEYS["north"])


def no_keys() -> None:
    for name in KEYS:
        Path(f"{name}.key").unlink()


def two_words() -> None:
    Path("south.key").write_text("two\nkeys")


@pytest.mark.parametrize("harm", [no_key, no_books, two_words])
async def test_the_others_are_served_and_it_is_told(settings: Settings, harm: Callable[[], None]) -> None:
    harm()
    async with open_workers(settings, SystemClock(), metrics=WorkerMetrics()) as workers:
        kinds = {worker.company: type(worker) for worker in workers}
    assert kinds == {"north": Worker, "south": WaitingCompany, "west": Worker}
    own = [settings.of(company) for company in settings.served]
    assert [bool(problem_of(each, own)) for each in own] == [False, True, False]


@pytest.mark.parametrize("written", [None, "no certificate"])
async def test_an_authority_that_cannot_be_used_stops_its_company_alone_and_is_told(
    settings: Settings, written: str | None
) -> None:
    authority(written)
    south = settings.companies["south"]
    theirs = south.model_copy(update={"solid": south.solid.model_copy(update={"ca_file": Path("south.pem")})})
    changed = settings.model_copy(update={"companies": settings.companies | {"south": theirs}})
    async with open_workers(changed, SystemClock(), metrics=WorkerMetrics()) as workers:
        assert [each.company for each in workers if isinstance(each, WaitingCompany)] == ["south"]
    own = [changed.of(company) for company in changed.served]
    assert ["south.pem" in (problem_of(each, own) or "") for each in own] == [False, True, False]
    wrong = [each.what for each in await check(unreachable(changed), SystemClock()) if not each.ok]
    assert [what for what in wrong if what.endswith("ca_file")] == ["south: solid.ca_file"]


async def test_of_two_companies_with_one_key_the_first_works_and_the_other_is_stopped(settings: Settings) -> None:
    share_key()
    async with open_workers(settings, SystemClock(), metrics=WorkerMetrics()) as workers:
        waiting = {each.company: str(each.problem) for each in workers if isinstance(each, WaitingCompany)}
    assert waiting.keys() == {"south"}
    assert "north and south have the same API key" in waiting["south"]
    own = [settings.of(company) for company in settings.served]
    assert [bool(problem_of(each, own)) for each in own] == [False, True, False]
    for company in (None, "south"):
        found = await check(unreachable(settings), SystemClock(), company=company)
        wrong = [each for each in found if "the same API key" in each.text]
        assert [(each.what.endswith("api key"), each.ok) for each in wrong] == [(True, False)]


async def test_where_none_can_be_served_it_is_an_error_at_start(settings: Settings) -> None:
    no_keys()
    with pytest.raises(ConfigurationError, match="api_key_file"):
        async with open_workers(settings, SystemClock(), metrics=WorkerMetrics()):
            pass


async def test_what_was_mended_is_picked_up_and_counted_as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_company, "LOOK_SECONDS", 0.001)
    stop, metrics, mended = asyncio.Event(), WorkerMetrics(), asyncio.Event()

    begun = asyncio.Event()

    class Started:
        async def run(self, stop: asyncio.Event) -> None:
            begun.set()
            await stop.wait()

    async def make(_: AsyncExitStack) -> Worker:
        if not mended.is_set():
            msg = "no key"
            raise ConfigurationError(msg)
        return Started()  # type: ignore[return-value]  # a stand-in with what is used

    served = metrics.served.labels("south")
    waiting = WaitingCompany("south", make, ConfigurationError("no key"), served=served)
    running = asyncio.create_task(waiting.run(stop))
    await asyncio.sleep(0)
    assert served._value.get() == 0
    mended.set()
    async with asyncio.timeout(10):
        await begun.wait()
    assert served._value.get() == 1
    stop.set()
    await running


async def test_check_looks_at_every_company_or_at_the_one_that_is_named(settings: Settings) -> None:
    no_key()
    told = await check(unreachable(settings), SystemClock())
    [north] = [each.text for each in told if each.what == "north: api key"]
    assert fingerprint(KEYS["north"]) in north
    assert not any(key in each.text for each in told for key in KEYS.values()), "a key is told by its fingerprint"
    found = {each.what: each.ok for each in told}
    assert [found[f"{name}: api key"] for name in ("north", "south", "west")] == [True, False, True]
    assert [found[f"{name}: books"] for name in ("north", "south", "west")] == [True, True, True]
    alone = {each.what: each.ok for each in await check(unreachable(settings), SystemClock(), company="south")}
    assert alone["api key"] is False
    assert not any(what.startswith("north") for what in alone)
