"""`relay trace` and `relay summaries` on a real store: from a charge to the line of the entry that holds it."""

from pathlib import Path

import pytest

from ops.composing.workers import open_store
from ops.standing.status import trace
from ops.standing.summaries import summaries
from runtime.settings import Settings
from tests.fakes import FakeClock
from tests.unit.workers.bench import Bench
from tests.unit.workers.sales.stage import Stage
from tests.unit.workers.sales.told import charge, refund

ENTRY = "stripe:summary:2026-01-15:1"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("RELAY_STORE__URL", f"sqlite:///{tmp_path / 'relay.db'}")
    monkeypatch.setenv("RELAY_BOOKS", str(tmp_path / "books.toml"))
    (tmp_path / "books.toml").write_text('base_currency = "USD"\n[accounts]\n[sales]\nentries = "day"\n')
    return Settings()


async def test_a_charge_is_traced_to_its_entry_in_solid_and_to_the_lines_of_it(settings: Settings) -> None:
    clock = FakeClock()
    async with open_store(settings) as engine:
        stage = await Stage(Bench(engine, clock), "day").open()
        await stage.tell(charge(1), charge(2))
        await stage.close()
        await stage.tell(refund(1, of=1))
    traced = await trace(settings, clock, "ch_1")
    assert [(row["external_id"], row["state"], row["solid_id"]) for row in traced["writes"]] == [
        (ENTRY, "applied", "solid-1")
    ]
    lines = {row["external_id"]: row for row in traced["summaries"]}
    assert {name: (row["summary"], row["number"]) for name, row in lines.items()} == {
        f"stripe:charge:ch_1:{part}": (ENTRY, 1) for part in ("invoice", "payment", "fee")
    }
    invoice = [(body["role"], body["amount"], body["line"]) for body in lines["stripe:charge:ch_1:invoice"]["lines"]]
    assert invoice == [("stripe_clearing", "20.00", 2), ("income", "20.00", 3)]
    fee = [(body["role"], body["amount"], body["line"]) for body in lines["stripe:charge:ch_1:fee"]["lines"]]
    assert fee == [("processing_fees", "0.88", 1), ("stripe_clearing", "0.88", 4)]
    [waiting] = (await trace(settings, clock, "re_1"))["summaries"]
    assert (waiting["summary"], waiting["number"]) == (None, None)
    assert len((await trace(settings, clock, ENTRY))["summaries"]) == 6


async def test_what_waits_and_what_was_made_are_told_with_their_totals(settings: Settings) -> None:
    clock = FakeClock()
    async with open_store(settings) as engine:
        stage = await Stage(Bench(engine, clock), "day").open()
        await stage.tell(charge(1), charge(2))
        await stage.close()
        await stage.tell(refund(1, of=1, day=1))
    found = await summaries(settings, clock)
    assert found["entries"] == "day"
    assert [(row["bucket"], row["facts"], row["listed"]) for row in found["open"]] == [("2026-01-16", 1, False)]
    assert [(row["external_id"], row["facts"], row["total"], row["state"]) for row in found["closed"]] == [
        (ENTRY, 2, "41.76", "applied")
    ]
