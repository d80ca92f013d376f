"""Many companies in one process: what ails one stops nobody else, and each has its own settings."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.commands.running import run, run_for_all
from ops.composing.companies import run_workers
from ops.composing.workers import mint_on
from ops.http.metrics import WorkerMetrics
from runtime.settings import BucketSettings, Settings
from solid.errors import DialectMismatch
from tests.fakes import FakeClock


@dataclass(slots=True)
class FakeWorker:
    """Runs until it is told to stop, or fails at once."""

    company: str
    failure: Exception | None = None
    ended: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        """See `Worker.run`."""
        if self.failure is not None:
            raise self.failure
        await stop.wait()
        self.ended = True


@pytest.mark.parametrize("failure", [DialectMismatch("no invoices"), KeyError("a defect")], ids=repr)
async def test_a_company_that_cannot_go_on_stops_alone_and_is_told(failure: Exception) -> None:
    well, ill = FakeWorker("well"), FakeWorker("ill", failure)
    stop, metrics = asyncio.Event(), WorkerMetrics()
    running = asyncio.create_task(run_workers([ill, well], stop, metrics=metrics))  # type: ignore[list-item]  # a stand-in with what is used
    for _ in range(5):
        await asyncio.sleep(0)
    assert not running.done()
    text = (await metrics.text()).decode()
    assert 'relay_company_served{company="ill"} 0.0' in text
    assert 'relay_company_served{company="well"} 1.0' in text
    stop.set()
    await running
    assert well.ended


@pytest.mark.parametrize("names", [["only"], ["one", "two"]], ids=str)
async def test_the_process_ends_when_no_company_is_left(names: list[str]) -> None:
    workers = [FakeWorker(name, KeyError("a defect")) for name in names]
    with pytest.raises(KeyError):
        await run_workers(workers, asyncio.Event())  # type: ignore[arg-type]  # a stand-in with what is used


def test_probes_are_never_more_frequent_than_tokens() -> None:
    slow = Settings(bucket=BucketSettings(allowance=15, burst=5, window_seconds=9.75, probe_gap_seconds=0.01))
    brake = mint_on(None, slow, FakeClock())._brake  # type: ignore[arg-type]  # a stand-in with what is used
    assert brake.first_gap == pytest.approx(1.0)
    assert brake.longest_gap == 30


TWO = """
company = "north"
books = "all.toml"
[companies.north]
books = "north.toml"
solid = { base_url = "http://north", api_key_file = "north" }
[companies.south]
solid = { api_key_file = "south" }
[solid]
base_url = "http://all"
"""


@pytest.fixture
def _two_companies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RABBITMQ_URL", raising=False)
    Path("relay.toml").write_text(TWO)


async def _given(settings: Settings) -> Settings:
    return settings


@pytest.mark.usefixtures("_two_companies")
def test_a_worker_of_all_takes_nothing_of_one_company_for_another() -> None:
    south = run_for_all(_given).of("south")
    assert (south.solid.base_url, south.books) == ("http://all", Path("all.toml"))


@pytest.mark.usefixtures("_two_companies")
def test_a_command_is_for_the_company_that_is_named_or_set() -> None:
    assert (run(_given).company, run(_given).books) == ("north", Path("north.toml"))
    south = run(_given, company="south")
    assert (south.company, south.solid.base_url, south.books) == ("south", "http://all", Path("all.toml"))
