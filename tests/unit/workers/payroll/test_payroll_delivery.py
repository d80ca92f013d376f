"""Pay runs through the whole worker on virtual time: one live posting a run, however often and in which order told."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from messaging.headers import WAIVED
from messaging.lanes import current_deadline
from schemas.envelope import encode
from schemas.payroll import RunPaid, RunReversed
from solid.models import Account, NewEntry
from tests.unit.workers.bench import COMPANY, Bench
from tests.unit.workers.plans.runs import BOOKS, GUSTO, NAME, books, cancelled, event, figures, line, posted, run
from tests.unit.workers.test_pipeline import FakeHand
from workers.books.books import Books
from workers.chart import Chart
from workers.outcomes import Applied, DeadLetter, Defer, Outcome
from workers.payroll.run_versions import PayRuns
from workers.pipeline import Pipeline
from workers.retry import RetryPolicy

CHART = Chart([Account(id=name, name=name) for name in BOOKS.accounts.values()])
DEADLINE = datetime(2026, 4, 23, 22, tzinfo=UTC)
FIRST = run(deadline=DEADLINE)
SECOND = run(*GUSTO[:1], *GUSTO[2:], version=2, replaces=posted(FIRST))
THIRD = run(version=3, replaces=posted(SECOND))


async def chart() -> Chart:
    return CHART


async def deliver(bench: Bench, data: RunPaid | RunReversed, by: Books = BOOKS, *, waived: bool = False) -> Outcome:
    pipeline = Pipeline(
        books=by,
        chart=CHART,
        read_chart=chart,
        inbox=bench.inbox(),
        captures=bench.captures(),
        applier=bench.applier(),
        earlier=bench.earlier(),
        completions={"payroll": PayRuns(bench.inbox(), COMPANY)},
        policy=RetryPolicy((10, 60), max_attempts=2, max_deferrals=2),
        settle_seconds=60,
        company=COMPANY,
        clock=bench.clock,
    )
    return await pipeline.handle(FakeHand(encode(event(data)), bench, {WAIVED: True} if waived else {}))


def in_solid(bench: Bench) -> Mapping[str, Decimal]:
    """Account → what all entries in Solid move on it."""
    sums: dict[str, Decimal] = {}
    for _, record in bench.solid.records:
        assert isinstance(record, NewEntry)
        for each in record.lines:
            amount = (each.debit or Decimal(0)) - (each.credit or Decimal(0))
            sums[each.account_id] = sums.get(each.account_id, Decimal(0)) + amount
    return {account: amount for account, amount in sums.items() if amount}


ALONE = figures(
    wages="130635.89",
    payroll_tax_expense="6917.19",
    payroll_tax_payable="-42463.91",
    deductions_payable="-13336.23",
    net_pay_payable="-81752.94",
)


async def test_versions_told_again_and_again_leave_the_last_one_alone(bench: Bench) -> None:
    for data in (FIRST, FIRST, SECOND, FIRST, THIRD, SECOND, THIRD):
        assert isinstance(await deliver(bench, data), Applied)
    assert in_solid(bench) == ALONE
    assert sum(bench.solid.counts.values()) == 5, "three entries and two reversals"


async def test_a_version_waits_for_the_one_it_replaces(bench: Bench) -> None:
    assert isinstance(await deliver(bench, SECOND), Defer)
    assert bench.solid.sent() == []
    await deliver(bench, FIRST)
    assert isinstance(await deliver(bench, SECOND), Applied)


async def test_a_run_that_was_cancelled_leaves_nothing_and_may_be_paid_again(bench: Bench) -> None:
    await deliver(bench, FIRST)
    await deliver(bench, cancelled(FIRST, day=date(2021, 3, 1)))
    assert in_solid(bench) == {}
    await deliver(bench, run(version=3))
    assert in_solid(bench) == ALONE


@pytest.mark.parametrize("name", ["gusto:run:Großhandel:März 2026", "gusto:run:" + "x" * 180, "gusto:run:" + "y" * 400])
async def test_a_name_that_solid_does_not_take_as_it_is_makes_no_difference(bench: Bench, name: str) -> None:
    first = run(fact=f"{name}:v1")
    second = run(*GUSTO[:1], *GUSTO[2:], version=2, fact=f"{name}:v2", replaces=posted(first))
    for data in (first, second, second):
        assert isinstance(await deliver(bench, data), Applied)
    back = RunReversed.model_validate({**cancelled(second, day=date(2021, 3, 1)).model_dump(), "fact": f"{name}:v3"})
    assert isinstance(await deliver(bench, back), Applied)
    assert in_solid(bench) == {}
    assert all(len(record.external_id) <= 200 and record.external_id.isascii() for _, record in bench.solid.records)
    assert bench.solid.records[-1][1].date == date(2021, 3, 1)  # type: ignore[union-attr]  # an entry has a date


async def test_a_mapping_that_changes_between_versions_leaves_nothing_on_the_old_account(bench: Bench) -> None:
    await deliver(bench, FIRST, books(net_pay="bank"))
    await deliver(bench, SECOND)
    await deliver(bench, THIRD)
    assert in_solid(bench) == ALONE


async def test_the_call_is_made_under_the_deadline_of_the_run_and_no_other_is(bench: Bench) -> None:
    seen: list[datetime | None] = []

    async def note() -> None:
        seen.append(current_deadline())

    bench.solid.before_token = note
    await deliver(bench, FIRST)
    await deliver(bench, SECOND)
    assert seen == [DEADLINE, None, None]
    assert current_deadline() is None


async def test_an_unknown_category_comes_before_a_person_and_says_nothing_of_anyone(bench: Bench) -> None:
    odd = run(line("wages", "Odd", "10.00"), line("net_pay", "net_pay", "10.00"))
    outcome = await deliver(bench, odd)
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == "unmapped:payroll:Odd"
    assert bench.solid.sent() == []
    assert await bench.state(f"{NAME}:v1") is None


async def test_a_version_that_was_parked_is_not_posted_once_a_later_one_stands(bench: Bench) -> None:
    assert isinstance(await deliver(bench, SECOND, waived=True), Applied)
    outcome = await deliver(bench, FIRST)
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason == f"superseded:{NAME}:v2"
    assert [record.external_id for _, record in bench.solid.records] == [f"{NAME}:v2"]


async def test_a_later_version_waits_for_the_first_to_be_taken_back_whatever_is_waived(bench: Bench) -> None:
    await deliver(bench, FIRST)
    outcome = await deliver(bench, THIRD, waived=True)
    assert isinstance(outcome, Defer)
    assert outcome.reason == f"prerequisite:{NAME}:v1:reversal"
    await deliver(bench, SECOND)
    assert isinstance(await deliver(bench, THIRD), Applied)
    assert in_solid(bench) == ALONE


async def test_a_run_that_is_paid_again_waits_for_its_cancellation(bench: Bench) -> None:
    await deliver(bench, FIRST)
    again = run(version=3)
    assert isinstance(await deliver(bench, again), Defer)
    await deliver(bench, cancelled(FIRST, day=date(2021, 3, 1)))
    assert isinstance(await deliver(bench, again), Applied)
    assert in_solid(bench) == ALONE


async def test_a_cancellation_of_what_was_never_posted_is_never_done(bench: Bench) -> None:
    back = cancelled(FIRST, day=date(2021, 3, 1))
    assert isinstance(await deliver(bench, back, waived=True), Defer)
    await deliver(bench, FIRST)
    assert isinstance(await deliver(bench, back), Applied)
    assert in_solid(bench) == {}
