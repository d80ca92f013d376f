"""What `relay check` says of sales that share an entry."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ops.checks.findings import Checklist
from ops.checks.summaries import check_summaries
from ops.composing.workers import open_store
from runtime.settings import Settings
from store.sales.payouts import Payout, PayoutItem, Payouts
from tests.fakes import FakeClock

BOOKS = 'base_currency = "USD"\n[accounts]\nincome = "Sales"\n[sales]\nentries = "{}"\n'


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("RELAY_STORE__URL", f"sqlite:///{tmp_path / 'relay.db'}")
    monkeypatch.setenv("RELAY_BOOKS", str(tmp_path / "books.toml"))
    return Settings()


async def found(settings: Settings, entries: str) -> list[tuple[bool, str]]:
    settings.books.write_text(BOOKS.format(entries))
    checklist = Checklist()
    await check_summaries(checklist, settings, FakeClock())
    return [(finding.note, finding.text) for finding in checklist.findings]


async def test_where_each_sale_is_booked_by_itself_there_is_nothing_to_say(settings: Settings) -> None:
    assert await found(settings, "each") == []


async def test_entries_of_payouts_need_somebody_who_lists_them(settings: Settings) -> None:
    assert await found(settings, "day") == [(False, "one entry a day; 0 lines wait for theirs")]
    [(note, text), (_, said)] = await found(settings, "payout")
    assert note
    assert "stripe.api_key_file" in text
    assert "after 35 days" in text
    assert said == "one entry a payout; 0 lines wait for theirs"
    payout = {"payout": "po_1", "fact": "stripe:payout:po_1", "arrival": date(2026, 3, 2), "status": "paid"}
    figures = {name: Decimal(0) for name in ("gross", "fee", "tax", "net")}
    item = PayoutItem(transaction="txn_1", kind="charge", facts=("stripe:charge:ch_1",), currency="USD", **figures)  # type: ignore[arg-type]  # as named
    async with open_store(settings) as engine:
        kept = Payout(amount=Decimal(1), currency="USD", automatic=True, **payout)  # type: ignore[arg-type]  # as named
        await Payouts(engine, FakeClock()).keep(settings.company, kept, [item])
    assert await found(settings, "payout") == [(False, "one entry a payout; 0 lines wait for theirs")]
