"""What a reversal takes back is what was posted, whatever the books have been told since."""

from datetime import date
from typing import Any

import pytest

from solid.models import Account
from tests.unit.workers.bench import COMPANY, NEWS, Bench, event
from tests.unit.workers.plans.runs import BOOKS, NAME, books, cancelled, entries, planned, posted, run
from workers.books.books import Books
from workers.chart import Chart
from workers.occasion import Occasion
from workers.payroll.mirroring import as_posted
from workers.plans.writes import EntryWrite, Parked, Plan, mirrored
from workers.prerequisites import PrerequisiteMissing

CHART = Chart([Account(id=name, name=name) for name in BOOKS.accounts.values()])
MARCH: dict[str, Any] = {"period_end": date(2026, 3, 31), "pay_date": date(2026, 4, 3)}
FIRST = run(**MARCH)
SECOND = run(version=2, replaces=posted(FIRST), **MARCH)
TO_BANK = books(net_pay="bank")
ACCRUED = books(accrual=True)


async def post(bench: Bench, plan: Plan, *, chart: Chart = CHART) -> int:
    return await bench.applier().apply(Occasion(event(), NEWS, chart), plan)


async def resolved(bench: Bench, by: Books = BOOKS, data: object = SECOND) -> dict[str, EntryWrite]:
    plan = await as_posted(bench.inbox(), COMPANY, planned(data, by))  # type: ignore[arg-type]  # a plan that asks no inbox, or one of parameters
    return {write.external_id: write for write in plan.writes if isinstance(write, EntryWrite)}


async def test_the_reversal_mirrors_the_accounts_of_then_and_the_new_entry_has_those_of_now(bench: Bench) -> None:
    await post(bench, planned(FIRST, TO_BANK))
    found = await resolved(bench)
    assert found[f"{NAME}:v1:reversal"].lines == mirrored(entries(FIRST, TO_BANK)[f"{NAME}:v1"].lines)
    assert found[f"{NAME}:v2"] == entries(SECOND)[f"{NAME}:v2"]


async def test_an_accrual_that_was_never_posted_is_not_taken_back(bench: Bench) -> None:
    await post(bench, planned(FIRST))
    taken_back = [name for name in await resolved(bench, ACCRUED) if name.endswith(":reversal")]
    assert taken_back == [f"{NAME}:v1:reversal"]


async def test_an_accrual_that_was_posted_is_taken_back(bench: Bench) -> None:
    await post(bench, planned(FIRST, ACCRUED))
    taken_back = [name for name in await resolved(bench, ACCRUED) if name.endswith(":reversal")]
    assert taken_back == [f"{NAME}:v1:{part}" for part in ("accrual:reversal", "release:reversal", "reversal")]


async def test_the_same_run_told_again_under_another_mapping_is_done_and_not_a_conflict(bench: Bench) -> None:
    await post(bench, planned(FIRST, TO_BANK))
    await post(bench, planned(FIRST))
    assert bench.solid.sent() == [f"create {NAME}:v1"]


async def test_an_entry_in_doubt_is_known_as_it_was_first_sent(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(Exception, match="waiting"):
        await post(bench, planned(FIRST, TO_BANK))
    bench.clock.advance(600)
    await post(bench, planned(FIRST))
    found = await resolved(bench)
    assert found[f"{NAME}:v1:reversal"].lines == mirrored(entries(FIRST, TO_BANK)[f"{NAME}:v1"].lines)


async def test_where_a_person_waives_the_first_version_nothing_is_taken_back_that_was_never_posted(
    bench: Bench,
) -> None:
    assert list(await resolved(bench)) == [f"{NAME}:v2"]
    assert await resolved(bench, data=cancelled(FIRST, day=date(2026, 4, 9))) == {}


async def test_a_first_version_that_was_parked_counts_as_never_posted(bench: Bench) -> None:
    with pytest.raises(Parked):
        await post(bench, planned(FIRST), chart=Chart([]))
    assert await bench.state(f"{NAME}:v1") == "intended"
    assert list(await resolved(bench)) == [f"{NAME}:v2"]


async def test_a_first_version_in_doubt_is_waited_for(bench: Bench) -> None:
    bench.solid.faults.append("answer_lost")
    with pytest.raises(Exception, match="waiting"):
        await post(bench, planned(FIRST))
    with pytest.raises(PrerequisiteMissing) as missing:
        await resolved(bench)
    assert missing.value.reason == f"prerequisite:{NAME}:v1"


async def test_a_plan_without_a_reversal_asks_the_inbox_nothing() -> None:
    plan = planned(FIRST)
    assert await as_posted(None, COMPANY, plan) is plan  # type: ignore[arg-type]  # a plan that asks no inbox, or one of parameters
