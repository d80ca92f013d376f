"""One balanced entry a pay run: the worked examples to the cent, versions that leave the last alone, accruals."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.payroll import RunLine, RunPaid, RunReversed
from tests.payroll_strategies import run_lines, runs_paid, runs_reversed
from tests.searching import examples, search
from tests.unit.workers.plans.runs import (
    ANY_BOOKS,
    BOOKS,
    GUSTO,
    NAME,
    PAY_DATE,
    books,
    by_month,
    cancelled,
    entries,
    figures,
    line,
    moved,
    planned,
    posted,
    run,
)
from workers.books.books import Books
from workers.plans.writes import EntryWrite, Line, Parked, Prerequisite, mirrored


def test_the_worked_entry_of_gusto() -> None:
    [entry] = entries(run()).values()
    assert (entry.external_id, entry.date) == (f"{NAME}:v1", PAY_DATE)
    assert [(each.account, each.debit, each.credit) for each in entry.lines] == [
        ("Wages", Decimal("130635.89"), None),
        ("Payroll Tax Expense", Decimal("6917.19"), None),
        ("Payroll Tax Payable", None, Decimal("42463.91")),
        ("Deductions Payable", None, Decimal("13336.23")),
        ("Net Pay Payable", None, Decimal("81752.94")),
    ]


def test_the_worked_entry_of_xero_in_australia() -> None:
    lines = (
        line("wages", "Wages", "205.40", currency="AUD"),
        line("reimbursement", "Reimbursement", "77.00", currency="AUD"),
        line("deduction", "Deductions", "37.00", currency="AUD"),
        line("net_pay", "NetPay", "245.40", currency="AUD"),
    )
    [entry] = entries(run(*lines, provider="xero-payroll"), ANY_BOOKS).values()
    assert moved([entry]) == {
        "Wages": Decimal("205.40"),
        "Reimbursed Expenses": Decimal("77.00"),
        "Deductions Payable": Decimal("-37.00"),
        "Net Pay Payable": Decimal("-245.40"),
    }


def test_what_is_cost_and_owed_at_once_stands_on_both_sides() -> None:
    lines = (
        line("wages", "gross_pay", "1000.00"),
        line("employer_tax", "FUTA", "6.00"),
        line("employer_benefit", "401K", "50.00"),
        line("deduction", "401K", "100.00"),
        line("garnishment", "child_support", "40.00"),
        line("net_pay", "net_pay", "860.00"),
    )
    assert moved(entries(run(*lines)).values()) == figures(
        wages="1000",
        payroll_tax_expense="6",
        benefits_expense="50",
        payroll_tax_payable="-6",
        benefits_payable="-150",
        garnishments_payable="-40",
        net_pay_payable="-860",
    )


def test_net_pay_goes_to_the_bank_by_setting() -> None:
    [entry] = entries(run(), books(net_pay="bank")).values()
    assert moved([entry])["Checking"] == Decimal("-81752.94")


def test_a_sum_below_zero_stands_on_the_other_side() -> None:
    lines = (*GUSTO[:1], line("employer_tax", "NY MCTMT", "-0.92"), *GUSTO[2:])
    [entry] = entries(run(*lines)).values()
    assert Line(role="payroll_tax_expense", account="Payroll Tax Expense", credit=Decimal("0.92")) in entry.lines
    assert moved([entry])["Payroll Tax Payable"] == Decimal("-35545.80")


def test_a_run_without_any_amount_posts_nothing() -> None:
    assert planned(run(line("wages", "gross_pay", "0"), line("net_pay", "net_pay", "0"))).writes == ()


def test_a_year_end_adjustment_without_net_pay_is_an_entry() -> None:
    lines = (line("employer_benefit", "Group Term Life", "12.00"), line("net_pay", "net_pay", "0"))
    assert moved(entries(run(*lines, run_type="year_end")).values()) == figures(
        benefits_expense="12", benefits_payable="-12"
    )


def test_two_thousand_people_are_one_entry_of_a_few_dozen_lines() -> None:
    departments = {f"D{number}": f"Wages - D{number}" for number in range(12)}
    lines: list[RunLine] = []
    for number in range(2000):
        lines += (
            line("wages", "gross_pay", "1000.10", department=f"D{number % 12}"),
            line("employee_tax", "Federal Income Tax", "200.05"),
            line("employer_tax", "Medicare", "14.50"),
            line("deduction", "401K", "50.00"),
            line("net_pay", "net_pay", "750.05"),
        )
    [entry] = entries(run(*lines), books(departments=departments)).values()
    assert len(entry.lines) == 16
    assert entry.amount == 2000 * Decimal("1014.60")


# versions


def test_a_changed_run_takes_back_the_old_entry_and_posts_the_new_one_both_named_in_the_memos() -> None:
    first = run()
    second = run(*GUSTO[:1], *GUSTO[2:], version=2, replaces=posted(first))
    found = entries(second)
    assert list(found) == [f"{NAME}:v1:reversal", f"{NAME}:v2"]
    back, new = found.values()
    [old] = entries(first).values()
    assert back.lines == mirrored(old.lines)
    assert (back.date, new.date, back.reverses) == (PAY_DATE, PAY_DATE, f"{NAME}:v1")
    assert all(f"{NAME}:v1" in each.memo and f"{NAME}:v2" in each.memo for each in (back, new))
    assert planned(second).requires == (Prerequisite(external_id=f"{NAME}:v1"),)


def test_a_version_paid_on_another_day_takes_back_the_old_one_on_its_own_day() -> None:
    later = date(2021, 3, 1)
    found = entries(run(version=2, pay_date=later, replaces=posted(run())))
    assert {name: entry.date for name, entry in found.items()} == {f"{NAME}:v1:reversal": PAY_DATE, f"{NAME}:v2": later}


def test_a_version_that_replaces_nothing_but_zeros_takes_nothing_back_and_waits_for_nothing() -> None:
    nothing = run(line("net_pay", "net_pay", "0"))
    second = run(version=2, replaces=posted(nothing))
    assert list(entries(second)) == [f"{NAME}:v2"]
    assert planned(second).requires == ()


@pytest.mark.parametrize(
    ("told", "taken_back"),
    [(date(2021, 3, 4), date(2021, 3, 4)), (date(2021, 1, 29), PAY_DATE)],
    ids=["after it was paid", "before it was to be paid"],
)
def test_a_cancelled_run_is_taken_back_on_the_day_but_never_before_it_was_paid(told: date, taken_back: date) -> None:
    found = entries(cancelled(run(), day=told))
    assert list(found) == [f"{NAME}:v1:reversal"]
    [back] = found.values()
    [old] = entries(run()).values()
    assert (back.lines, back.date) == (mirrored(old.lines), taken_back)
    assert planned(cancelled(run(), day=told)).requires == (Prerequisite(external_id=f"{NAME}:v1"),)


def test_a_partial_reversal_is_a_run_of_its_own_with_the_sides_changed() -> None:
    part = (line("wages", "gross_pay", "-100.00"), line("net_pay", "net_pay", "-100.00"))
    found = entries(run(*part, run_type="reversal", reverses="run-7", fact="gusto:run:company:run-8:v1"))
    [entry] = found.values()
    assert moved([entry]) == figures(wages="-100", net_pay_payable="100")
    assert "run-7" in entry.memo


def test_a_mixed_correction_balances_with_each_sum_on_its_side() -> None:
    lines = (
        line("wages", "gross_pay", "-200.00"),
        line("reimbursement", "reimbursements", "50.00"),
        line("employer_tax", "employer_taxes", "-15.30"),
        line("employee_tax", "employee_taxes", "30.00"),
        line("net_pay", "net_pay", "-180.00"),
    )
    [entry] = entries(run(*lines, run_type="correction")).values()
    assert moved([entry]) == figures(
        wages="-200.00",
        reimbursement_expense="50.00",
        payroll_tax_expense="-15.30",
        payroll_tax_payable="-14.70",
        net_pay_payable="180.00",
    )


def test_another_mapping_is_not_another_fact() -> None:
    [entry], [to_bank] = entries(run()).values(), entries(run(), books(net_pay="bank")).values()
    assert entry.payload_hash == to_bank.payload_hash
    [other] = entries(run(line("wages", "gross_pay", "1"), line("net_pay", "net_pay", "1"))).values()
    assert other.payload_hash != entry.payload_hash


# accrual

MARCH: dict[str, Any] = {
    "period_start": date(2026, 3, 16),
    "period_end": date(2026, 3, 31),
    "pay_date": date(2026, 4, 3),
}
ACCRUED = books(accrual=True)


def test_a_period_that_ends_in_an_earlier_month_is_accrued_there_and_released_on_the_pay_date() -> None:
    found = entries(run(**MARCH), ACCRUED)
    assert {name: str(entry.date) for name, entry in found.items()} == {
        f"{NAME}:v1:accrual": "2026-03-31",
        f"{NAME}:v1:release": "2026-04-03",
        f"{NAME}:v1": "2026-04-03",
    }
    accrual, release, entry = found.values()
    costs = figures(wages="130635.89", payroll_tax_expense="6917.19", accrued_payroll="-137553.08")
    assert moved([accrual]) == costs
    assert release.lines == mirrored(accrual.lines)
    assert moved(found.values()) == moved(entries(run()).values()), "the pair is nothing in the end"
    assert moved([entry]) == moved(entries(run()).values())


def test_an_accrual_over_the_year_end_leaves_each_year_what_is_its_own() -> None:
    days: dict[str, Any] = {
        "period_start": date(2026, 12, 16),
        "period_end": date(2026, 12, 31),
        "pay_date": date(2027, 1, 5),
    }
    first = run(**days)
    second = run(*GUSTO[:1], *GUSTO[2:], version=2, replaces=posted(first), **days)
    told = by_month([*entries(first, ACCRUED).values(), *entries(second, ACCRUED).values()])
    wages, accrued = (BOOKS.accounts[role] for role in ("wages", "accrued_payroll"))
    assert told[2026, 12, wages] == Decimal("130635.89")
    assert told[2026, 12, accrued] == -told[2027, 1, accrued]
    assert (2027, 1, wages) not in told


@pytest.mark.parametrize(
    "days",
    [
        {"period_end": date(2026, 4, 2), "pay_date": date(2026, 4, 3)},
        {"period_end": date(2026, 4, 30), "pay_date": date(2026, 3, 27)},
        {"period_end": None, "pay_date": date(2026, 4, 3)},
    ],
    ids=["same month", "paid in advance", "no period"],
)
def test_without_a_month_between_there_is_nothing_to_accrue(days: dict[str, Any]) -> None:
    assert list(entries(run(**days), ACCRUED)) == [f"{NAME}:v1"]


def test_without_the_setting_only_the_pay_date_counts() -> None:
    assert list(entries(run(**MARCH))) == [f"{NAME}:v1"]


def test_a_rounding_difference_belongs_to_the_pay_date_and_is_not_accrued() -> None:
    lines = (
        line("wages", "gross_pay", "100.00"),
        line("rounding", "rounding", "0.01"),
        line("net_pay", "net_pay", "100.01"),
    )
    accrual = entries(run(*lines, **MARCH), books(accrual=True, rounding_limit="0.01"))[f"{NAME}:v1:accrual"]
    assert moved([accrual]) == figures(wages="100.00", accrued_payroll="-100.00")


def test_a_changed_run_is_taken_back_with_its_accrual_month_by_month() -> None:
    first = run(**MARCH)
    second = run(*GUSTO[:1], *GUSTO[2:], version=2, replaces=posted(first), **MARCH)
    told = [*entries(first, ACCRUED).values(), *entries(second, ACCRUED).values()]
    alone = entries(run(*GUSTO[:1], *GUSTO[2:], **MARCH), ACCRUED)
    assert by_month(told) == by_month(alone.values())
    dates = [entry.date for entry in entries(second, ACCRUED).values()]
    assert dates == sorted(dates), "a closed month stops all before anything is posted"


def test_a_cancelled_run_takes_its_accrual_back_on_its_own_days() -> None:
    found = entries(cancelled(run(**MARCH), day=date(2026, 5, 2)), ACCRUED)
    assert {name: str(entry.date) for name, entry in found.items()} == {
        f"{NAME}:v1:accrual:reversal": "2026-03-31",
        f"{NAME}:v1:release:reversal": "2026-04-03",
        f"{NAME}:v1:reversal": "2026-05-02",
    }


# closed periods


def closed(by: Books, **late: str) -> Books:
    return Books.model_validate({**by.model_dump(), "open_from": date(2026, 4, 1), "late": late})


def test_one_write_in_a_closed_month_parks_the_whole_run() -> None:
    with pytest.raises(Parked) as parked:
        planned(run(**MARCH), closed(ACCRUED))
    assert parked.value.reason == "period_closed:2026-03"
    assert list(entries(run(**MARCH), closed(BOOKS))) == [f"{NAME}:v1"], "without an accrual nothing lies in March"


def test_by_setting_what_lies_in_a_closed_month_is_posted_on_the_first_open_day_with_its_true_date() -> None:
    found = entries(run(**MARCH), closed(ACCRUED, payroll="first_open_day"))
    accrual = found[f"{NAME}:v1:accrual"]
    assert (accrual.date, accrual.true_date) == (date(2026, 4, 1), date(2026, 3, 31))
    assert "2026-03-31" in accrual.memo
    assert [entry.date for entry in found.values()] == [date(2026, 4, 1), date(2026, 4, 3), date(2026, 4, 3)]


def test_a_reversal_into_a_closed_month_is_held_or_moved_as_well() -> None:
    first = run(pay_date=date(2026, 3, 27))
    second = run(version=2, pay_date=date(2026, 4, 2), replaces=posted(first))
    with pytest.raises(Parked, match="2026-03-27"):
        planned(second, closed(BOOKS))
    back = entries(second, closed(BOOKS, payroll="first_open_day"))[f"{NAME}:v1:reversal"]
    assert (back.date, back.true_date) == (date(2026, 4, 1), date(2026, 3, 27))


def test_the_setting_of_another_stream_moves_no_pay_run() -> None:
    with pytest.raises(Parked):
        planned(run(pay_date=date(2026, 3, 27)), closed(BOOKS, sales="first_open_day", inventory="first_open_day"))


def test_another_currency_is_parked() -> None:
    lines = (line("wages", "gross_pay", "1", currency="EUR"), line("net_pay", "net_pay", "1", currency="EUR"))
    with pytest.raises(Parked) as parked:
        planned(run(*lines))
    assert parked.value.reason == "unmapped:currency:EUR"


# properties


@search
@settings(max_examples=examples(25))
@given(runs_paid(), st.booleans(), st.sampled_from(["bank", "net_pay_payable"]))
def test_every_run_balances_and_is_planned_alike_twice(
    data: RunPaid,
    accrual: bool,  # noqa: FBT001 - given by hypothesis
    net_pay: str,
) -> None:
    by = Books.model_validate({**ANY_BOOKS.model_dump(), "payroll": {"accrual": accrual, "net_pay": net_pay}})
    found = entries(data, by)
    assert found == entries(data, by)
    for entry in found.values():
        assert sum(each.debit or 0 for each in entry.lines) == sum(each.credit or 0 for each in entry.lines) > 0
    dates = [entry.date for entry in found.values()]
    assert dates == sorted(dates)


@search
@settings(max_examples=examples(25))
@given(runs_reversed())
def test_a_reversal_is_the_exact_mirror(data: RunReversed) -> None:
    paid = RunPaid.model_validate({**data.model_dump(), **data.taken_back.model_dump()})
    first, back = entries(paid, ANY_BOOKS), entries(data, ANY_BOOKS)
    assert [mirrored(entry.lines) for entry in first.values()] == [entry.lines for entry in back.values()]
    assert moved([*first.values(), *back.values()]) == {}


@search
@settings(max_examples=examples(25))
@given(st.lists(run_lines(), min_size=1, max_size=6), st.booleans())
def test_however_often_a_run_changes_the_last_version_alone_is_live(
    versions: list[tuple[RunLine, ...]],
    accrual: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    by = books(accrual=accrual)
    told: list[EntryWrite] = []
    before: RunPaid | None = None
    for number, lines in enumerate(versions, start=1):
        before = run(*lines, version=number, replaces=posted(before) if before else None, **MARCH)
        told += entries(before, by).values()
    assert len({entry.external_id for entry in told}) == len(told)
    assert by_month(told) == by_month(entries(run(*versions[-1], **MARCH), by).values())
