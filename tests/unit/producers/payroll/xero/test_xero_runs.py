"""Xero Payroll: the Australian examples, and made runs of New Zealand and the United Kingdom."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.producers.payroll.made_runs import (
    XERO_AU,
    changed,
    lines,
    made,
    normalised,
    only_run,
    refused,
    sums,
)

BECOMES = {
    "payitems": "type_not_used:PayItems",
    "payrollcalendars": "type_not_used:PayrollCalendars",
    "payrollcalendars-payrollcalendarid": "type_not_used:PayrollCalendars",
    "payruns": None,
    "payruns-payrunid": None,
    "payslip-payslipid": "payslip_alone",
    "settings": "type_not_used:Settings",
    "superfunds": "type_not_used:SuperFunds",
    "superfunds-superfundid": "type_not_used:SuperFunds",
    "timesheets": "type_not_used:Timesheets",
    "timesheets-timesheetid": "type_not_used:Timesheet",
}


def au() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((XERO_AU / "payruns-payrunid.json").read_text(), parse_float=str)
    return found


def test_the_table_names_every_file() -> None:
    assert {path.stem for path in XERO_AU.glob("*.json")} == BECOMES.keys()


@pytest.mark.parametrize(("name", "ignored"), BECOMES.items())
def test_a_real_file_becomes_events_or_says_why_not(name: str, ignored: str | None) -> None:
    found = normalised("xero-payroll", (XERO_AU / f"{name}.json").read_bytes())
    assert found.ignored == ignored
    assert len(found.events) == (ignored is None)


def test_the_worked_run_is_exact_and_reimbursements_stand_beside_net_pay() -> None:
    run = only_run("xero-payroll", (XERO_AU / "payruns-payrunid.json").read_bytes(), entity="org-1")
    assert lines(run) == {
        ("wages", "Wages", None): "205.40",
        ("reimbursement", "Reimbursement", None): "77.00",
        ("deduction", "Deductions", None): "37.00",
        ("net_pay", "NetPay", None): "245.40",
    }
    assert run.fact == "xero-payroll:run:org-1:21d6317b-5319-4b3d-8d78-48904db6b665:v1"
    assert {line.amount.currency for line in run.lines} == {"AUD"}
    assert (str(run.pay_date), str(run.period_start), str(run.period_end)) == ("2019-11-08", "2019-11-01", "2019-11-07")


def test_superannuation_is_a_benefit_that_the_company_pays() -> None:
    document = changed(au(), "PayRuns.0.Super", "19.51")
    document = changed(document, "PayRuns.0.Payslips.1.Super", "19.51")
    assert lines(only_run("xero-payroll", document))["employer_benefit", "Super", None] == "19.51"


@pytest.mark.parametrize("name", ["Wages", "Deductions", "Tax", "Super", "Reimbursements", "NetPay"])
def test_slips_that_do_not_sum_to_the_run_are_refused_with_both_shown(name: str) -> None:
    document = au()
    slip = document["PayRuns"][0]["Payslips"][1]
    slip[name] = str(Decimal(slip[name]) + Decimal("0.01"))
    rejected = refused("xero-payroll", document)
    assert rejected.reason == "totals_differ"
    total = Decimal(document["PayRuns"][0][name.removesuffix("s") if name == "Reimbursements" else name])
    assert f"{total:.2f} AUD" in str(rejected)
    assert f"{total + Decimal('0.01'):.2f} AUD" in str(rejected)


def test_a_run_that_does_not_add_up_is_refused() -> None:
    document = changed(au(), "PayRuns.0.NetPay", "168.41")
    del document["PayRuns"][0]["Payslips"]
    rejected = refused("xero-payroll", document)
    assert rejected.reason == "totals_differ"
    assert "168.40 AUD" in str(rejected)
    assert "168.41 AUD" in str(rejected)


@pytest.mark.parametrize("status", ["DRAFT", "OPEN", None])
def test_a_run_that_is_not_posted_is_open(status: str | None) -> None:
    assert normalised("xero-payroll", changed(au(), "PayRuns.0.PayRunStatus", status)).ignored == "run_open"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("/Date(1573171200000+0000)/", "2019-11-08"),
        ("/Date(1573171200000)/", "2019-11-08"),
        ("/Date(1573131600000+1100)/", "2019-11-08"),
        ("2019-11-08T00:00:00", "2019-11-08"),
    ],
)
def test_days_are_read_in_each_form(written: str, day: str) -> None:
    assert str(only_run("xero-payroll", changed(au(), "PayRuns.0.PaymentDate", written)).pay_date) == day


@pytest.mark.parametrize("written", ["08/11/2019", "/Date(x)/", "2019-13-01", "/Date(99999999999999)/", 1573171200000])
def test_other_days_are_refused(written: object) -> None:
    assert refused("xero-payroll", changed(au(), "PayRuns.0.PaymentDate", written)).reason == "bad_date"


def test_groups_are_departments_when_asked() -> None:
    found = lines(only_run("xero-payroll", au(), split="department"))
    assert found["wages", "Wages", "foo"] == "5.40"
    assert found["wages", "Wages", None] == "200.00"


def test_a_new_zealand_run_is_added_up_from_its_slips() -> None:
    run = only_run("xero-payroll", made("xero-nz"), names={"d-kiwi": "KiwiSaver", "sd-loan": "Student Loan"})
    assert lines(run) == {
        ("wages", "earnings", None): "6000.00",
        ("reimbursement", "reimbursements", None): "90.00",
        ("employer_tax", "ESCT", None): "60.00",
        ("employer_benefit", "KiwiSaver", None): "180.00",
        ("employee_tax", "PAYE", None): "1230.00",
        ("deduction", "KiwiSaver", None): "180.00",
        ("deduction", "Student Loan", None): "120.00",
        ("net_pay", "net_pay", None): "4560.00",
    }
    assert {line.amount.currency for line in run.lines} == {"NZD"}


NZ_SLIP = {
    "totalEarnings": 648.0,
    "totalPay": 525.0,
    "totalEmployerTaxes": 3.32,
    "totalEmployeeTaxes": 103.56,
    "totalStatutoryDeductions": 19.44,
    "totalSuperannuation": 19.44,
    "superannuationLines": [{"displayName": "KiwiSaver", "amount": 19.44}],
}
"""The figures of a slip in the public tests of Xero's SDK for Java."""


@pytest.mark.parametrize(
    ("cost", "reimbursed", "kiwisaver"),
    [("667.44", "0.00", "16.12"), (None, "0.00", "16.12"), ("670.76", "0.00", "19.44"), ("697.44", "30.00", "16.12")],
)
def test_the_tax_on_contributions_is_taken_out_of_them_unless_the_cost_says_on_top(
    cost: str | None, reimbursed: str, kiwisaver: str
) -> None:
    run = made("xero-nz")["payRun"] | {"totalCost": cost, "totalPay": None, "paySlips": [NZ_SLIP]}
    run["paySlips"] = [NZ_SLIP | {"totalReimbursements": reimbursed}]
    found = lines(only_run("xero-payroll", {"payRun": run}))
    assert found["employer_benefit", "KiwiSaver", None] == kiwisaver
    assert found["employer_tax", "employer_taxes", None] == "3.32"


def test_a_cost_that_means_two_things_is_refused() -> None:
    slip = NZ_SLIP | {"totalReimbursements": "3.32"}
    run = made("xero-nz")["payRun"] | {"totalCost": "670.76", "totalPay": None, "paySlips": [slip]}
    assert refused("xero-payroll", {"payRun": run}).reason == "totals_ambiguous"


def test_a_british_run_is_added_up_from_its_slips() -> None:
    run = only_run("xero-payroll", made("xero-uk"), names={"d-pension": "Pension", "c-1": "Court order"})
    assert lines(run) == {
        ("wages", "earnings", None): "3500.00",
        ("employer_tax", "Employer NI", None): "371.45",
        ("employer_benefit", "Pension", None): "105.00",
        ("employee_tax", "PAYE", None): "490.50",
        ("employee_tax", "NI", None): "159.00",
        ("deduction", "Pension", None): "75.00",
        ("garnishment", "Court order", None): "100.00",
        ("net_pay", "net_pay", None): "2675.50",
    }
    assert {line.amount.currency for line in run.lines} == {"GBP"}


def test_employers_taxes_may_stand_marked_among_the_employees() -> None:
    document = made("xero-uk")
    slip = document["payRun"]["paySlips"][0]
    slip["employeeTaxLines"] += slip.pop("employerTaxLines")
    found = lines(only_run("xero-payroll", document))
    assert found["employer_tax", "Employer NI", None] == "371.45"
    assert found["employee_tax", "NI", None] == "159.00"


@pytest.mark.parametrize("name", ["xero-nz", "xero-uk"])
@pytest.mark.parametrize("total", ["totalPay", "totalCost"])
def test_a_total_of_the_run_that_the_slips_do_not_make_is_refused(name: str, total: str) -> None:
    rejected = refused("xero-payroll", changed(made(name), f"payRun.{total}", "1.23"))
    assert rejected.reason == "totals_differ"
    assert "1.23" in str(rejected)


def test_a_run_without_its_slips_is_refused_with_what_to_do() -> None:
    document = made("xero-nz")
    del document["payRun"]["paySlips"]
    rejected = refused("xero-payroll", document)
    assert (rejected.reason, rejected.field) == ("missing_field", "payRun.paySlips")


def test_lines_that_do_not_sum_give_way_to_the_total() -> None:
    document = changed(made("xero-uk"), "payRun.paySlips.0.employeeTaxLines.0.amount", "490.49")
    found = lines(only_run("xero-payroll", document))
    assert found["employee_tax", "employee_taxes", None] == "649.50"
    assert ("employee_tax", "PAYE", None) not in found


def test_a_draft_and_an_earlier_year_update() -> None:
    assert normalised("xero-payroll", changed(made("xero-uk"), "payRun.payRunStatus", "Draft")).ignored == "run_open"
    update = changed(made("xero-uk"), "payRun.payRunType", "EarlierYearUpdate")
    assert only_run("xero-payroll", update).run_type == "year_end"


def test_the_option_must_be_of_the_documents_shape() -> None:
    assert refused("xero-payroll", made("xero-nz"), product="au").reason == "bad_options"
    assert refused("xero-payroll", au(), product="uk").reason == "bad_options"
    document = made("xero-nz")
    for slip in document["payRun"]["paySlips"]:
        for name in ("totalSuperannuation", "totalStatutoryDeductions", "superannuationLines"):
            slip.pop(name, None)
    assert refused("xero-payroll", document).reason == "product_unknown"


def test_a_negative_net_pay_is_refused_without_the_amount() -> None:
    rejected = refused("xero-payroll", changed(made("xero-nz"), "payRun.paySlips.1.totalPay", "-43.21"))
    assert rejected.reason == "negative_net_pay"
    assert "43.21" not in str(rejected)


def test_an_update_of_an_earlier_year_may_take_from_a_person() -> None:
    slip = {"totalEarnings": 0, "totalPay": -20, "totalEmployeeTaxes": 20, "totalCourtOrders": 0}
    run = made("xero-uk")["payRun"] | {"totalCost": 0, "totalPay": -20, "paySlips": [slip]}
    assert refused("xero-payroll", {"payRun": run}).reason == "negative_net_pay"
    told = only_run("xero-payroll", {"payRun": run | {"payRunType": "EarlierYearUpdate"}})
    assert told.run_type == "year_end"
    assert sums(told) == {"employee_tax": Decimal(20), "net_pay": Decimal(-20)}


def test_a_run_of_slips_that_is_negative_as_a_whole_is_a_reversal() -> None:
    slip = {"totalEarnings": -500, "totalPay": -400, "totalEmployeeTaxes": -100, "totalCourtOrders": 0}
    changes = {"totalCost": -500, "totalPay": -400, "paySlips": [slip], "payRunType": "Unscheduled"}
    told = only_run("xero-payroll", {"payRun": made("xero-uk")["payRun"] | changes})
    assert told.run_type == "reversal"
    assert sums(told)["wages"] == -500


@pytest.mark.parametrize("status", ["POSTED", "Posted"])
@pytest.mark.parametrize("wrap", [lambda run: run, lambda run: {"PayRun": run}, lambda run: {"PayRuns": [run]}])
def test_a_pay_run_is_read_however_it_is_wrapped(status: str, wrap: Callable[[dict[str, Any]], object]) -> None:
    run = au()["PayRuns"][0] | {"PayRunStatus": status}
    assert only_run("xero-payroll", wrap(run)).run == run["PayRunID"]


def test_a_british_pay_run_may_stand_alone() -> None:
    assert only_run("xero-payroll", made("xero-uk")["payRun"]).run == "uk-run-1"


def test_an_unknown_body_is_refused() -> None:
    assert refused("xero-payroll", {"Invoices": []}).reason == "unknown_shape"


def test_net_pay_may_hold_the_reimbursements() -> None:
    assert sums(only_run("xero-payroll", made("xero-nz")))["net_pay"] == 4560
