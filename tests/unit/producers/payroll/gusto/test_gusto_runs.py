"""Gusto's payrolls: the worked entry, what its totals leave open, and what posts nothing."""

import json
from decimal import Decimal
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Rejected
from producers.payroll.gusto import normalising as gusto
from tests.unit.producers.payroll.made_runs import (
    GUSTO,
    changed,
    lines,
    made,
    normalised,
    only_run,
    paid,
    raw,
    refused,
    sums,
    tried,
)

BECOMES = {
    "company-benefit-list.example": "type_not_used:company_benefit",
    "contractor-payment-object.example": "run_open",
    "contractor-payment-receipt.example": "receipt",
    "earning-type-list.example": "type_not_used:earning_type",
    "employee-benefit-list.example": "type_not_used:employee_benefit",
    "event-list.example": "type_not_used:event",
    "garnishment-list.example": "type_not_used:garnishment",
    "invoice-data-object.example": "type_not_used:invoice_data",
    "pay-period-list.example": "type_not_used:pay_period",
    "pay-schedule-object.example": "type_not_used:pay_schedule",
    "payroll-blocker-list.payroll-blockers": "type_not_used:payroll_blocker",
    "payroll-list.example": "event",
    "payroll-receipt.example": "receipt",
    "payroll-show-object.processed": "event",
    "payroll-show-object.unprocessed": "run_open",
    "schema-payroll-show.success-status": "zero_run",
    "schema-payroll.success-status": "zero_run",
    "webhook-subscription-object.example": "type_not_used:webhook_subscription",
}


def test_the_table_names_every_file() -> None:
    assert {path.stem for path in GUSTO.glob("*.json")} == BECOMES.keys()


@pytest.mark.parametrize(("name", "becomes"), BECOMES.items())
def test_a_real_file_becomes_events_or_says_why_not(name: str, becomes: str) -> None:
    body = (GUSTO / f"{name}.json").read_bytes()
    found = tried("gusto", body)
    if isinstance(found, Rejected):
        assert found.reason == becomes
    else:
        assert (found.ignored or "event") == becomes
        assert len(found.events) == (becomes == "event")


@pytest.mark.parametrize("name", ["payroll-show-object.processed", "payroll-list.example"])
def test_the_worked_payroll_is_exact_and_other_deductions_are_not_subtracted_again(name: str) -> None:
    (event,) = normalised("gusto", (GUSTO / f"{name}.json").read_bytes()).events
    run = paid(event)
    assert lines(run) == {
        ("wages", "gross_pay", None): "130635.89",
        ("employer_tax", "employer_taxes", None): "6917.19",
        ("employee_tax", "employee_taxes", None): "35546.72",
        ("deduction", "employee_benefits_deductions", None): "13336.23",
        ("net_pay", "net_pay", None): "81752.94",
    }
    figures = sums(run)
    assert figures["employer_tax"] + figures["employee_tax"] == Decimal("42463.91")
    assert figures["wages"] + figures["employer_tax"] == Decimal("137553.08")
    assert run.fact == "gusto:run:6bf7807c-a5a0-4f4d-b2e7-3fbb4b2299fb:b50e611d-8f3d-4f24-b001-46675f7b5777:v1"
    assert (str(run.pay_date), str(run.period_start), str(run.period_end)) == ("2021-02-22", "2021-02-01", "2021-02-15")
    assert event.time.isoformat() == "2021-02-22T12:00:00+00:00"
    assert event.partitionkey == event.subject == f"{run.entity}:{run.run}"
    assert event.source == "/payroll/gusto"


def test_names_are_the_categories_where_they_sum_to_the_total() -> None:
    found = lines(only_run("gusto", made("gusto-full")))
    assert found["employee_tax", "Federal Income Tax", None] == "1203.50"
    assert found["employer_tax", "Social Security", None] == "496.50"
    assert found["employer_tax", "MO Compensation Deduction", None] == "-0.60"
    assert found["employer_benefit", "401(k)", None] == "250.00"
    assert found["deduction", "Parking", None] == "100.00"
    assert found["garnishment", "Child Support", None] == "100.00"
    assert found["net_pay", "net_pay", None] == "5700.00"


def test_names_that_do_not_sum_give_way_to_the_total() -> None:
    document = changed(made("gusto-full"), "payroll_taxes.0.amount", "1203.49")
    document = changed(document, "employee_compensations.0.taxes.0.amount", "799.99")
    found = lines(only_run("gusto", document))
    assert found["employee_tax", "employee_taxes", None] == "1700.00"
    assert ("employee_tax", "Social Security", None) not in found


def test_child_support_without_names_is_a_garnishment_of_its_own() -> None:
    document = changed(made("gusto-full"), "employee_compensations", [])
    found = lines(only_run("gusto", document))
    assert found["garnishment", "child_support", None] == "100.00"
    assert found["deduction", "other_deductions", None] == "100.00"
    assert found["deduction", "employee_benefits_deductions", None] == "500.00"


def test_wages_are_split_by_department_when_asked() -> None:
    found = lines(only_run("gusto", made("gusto-full"), split="department"))
    assert found["wages", "gross_pay", "Engineering"] == "5000.00"
    assert found["wages", "gross_pay", "Sales"] == "3000.00"


def test_departments_may_come_from_the_options() -> None:
    document = made("gusto-full")
    for person in document["employee_compensations"]:
        del person["department"]
    found = lines(only_run("gusto", document, split="department", departments={"emp-1": "G&A"}))
    assert found["wages", "gross_pay", "G&A"] == "5000.00"
    assert found["wages", "gross_pay", None] == "3000.00"


def test_a_split_that_does_not_sum_is_refused_with_both_figures() -> None:
    document = changed(made("gusto-full"), "employee_compensations.1.gross_pay", "2999.99")
    rejected = refused("gusto", document, split="department")
    assert rejected.reason == "totals_differ"
    assert "7999.99 USD" in str(rejected)
    assert "8000.00 USD" in str(rejected)


TOTALS: dict[str, Any] = {"gross_pay": "1000.00", "employee_taxes": "100.00", "net_pay": "900.00"}


def _with(**totals: str) -> dict[str, Any]:
    document = changed(made("gusto-full"), "totals", TOTALS | totals)
    return changed(document, "employee_compensations", [])


@pytest.mark.parametrize(
    ("totals", "wages", "net_pay"),
    [
        ({}, "1000", "900"),
        ({"reimbursements": "50.00"}, "1000", "950"),
        ({"reimbursements": "50.00", "net_pay": "950.00"}, "1000", "950"),
        ({"employee_cash_tips": "40.00", "net_pay": "860.00"}, "960", "860"),
        ({"employee_cash_tips": "40.00"}, "1000", "900"),
        ({"imputed_pay": "30.00", "net_pay": "870.00"}, "970", "870"),
        ({"imputed_pay": "30.00"}, "1000", "900"),
        ({"owners_draw": "200.00", "net_pay": "1100.00"}, "1200", "1100"),
        ({"owners_draw": "200.00"}, "1000", "900"),
        ({"employee_paycheck_tips": "25.00"}, "1000", "900"),
        ({"other_deductions": "60.00", "employee_benefits_deductions": "60.00", "net_pay": "840.00"}, "1000", "840"),
        ({"other_deductions": "60.00", "net_pay": "840.00"}, "1000", "840"),
        ({"other_deductions": "60.00", "child_support_debit": "60.00", "net_pay": "840.00"}, "1000", "840"),
        ({"child_support_debit": "60.00", "net_pay": "840.00"}, "1000", "840"),
    ],
)
def test_the_totals_say_what_stands_inside_what(totals: dict[str, str], wages: str, net_pay: str) -> None:
    found = sums(only_run("gusto", _with(**totals)))
    assert found["wages"] == Decimal(wages)
    assert found["net_pay"] == Decimal(net_pay)


def test_draws_and_tips_are_told_apart_from_wages() -> None:
    found = lines(only_run("gusto", _with(owners_draw="200.00", employee_paycheck_tips="25.00")))
    assert found["wages", "owners_draw", None] == "200.00"
    assert found["wages", "employee_paycheck_tips", None] == "25.00"
    assert found["wages", "gross_pay", None] == "775.00"


@pytest.mark.parametrize("debit", [{}, {"tax_debit": "140.00"}])
def test_deferred_taxes_are_a_liability_of_their_own(debit: dict[str, str]) -> None:
    found = lines(only_run("gusto", _with(employer_taxes="70.00", deferred_payroll_taxes="30.00", **debit)))
    assert found["employer_tax", "employer_taxes", None] == "40.00"
    assert found["employer_tax", "deferred_payroll_taxes", None] == "30.00"


def test_deferred_taxes_may_stand_beside_the_others() -> None:
    totals = {"employer_taxes": "70.00", "deferred_payroll_taxes": "30.00", "tax_debit": "170.00"}
    found = lines(only_run("gusto", _with(**totals)))
    assert found["employer_tax", "employer_taxes", None] == "70.00"
    assert found["employer_tax", "deferred_payroll_taxes", None] == "30.00"


def test_two_readings_are_refused() -> None:
    rejected = refused("gusto", _with(other_deductions="50.00", imputed_pay="50.00", net_pay="850.00"))
    assert rejected.reason == "totals_ambiguous"
    assert "other_deductions or imputed_pay" in str(rejected)


@pytest.mark.parametrize(
    ("path", "value", "figures"),
    [
        ("totals.net_pay", "5600.01", ("5600.00 USD", "5600.01 USD")),
        ("totals.gross_pay", "8000.01", ("5600.01 USD", "5600.00 USD")),
        ("totals.company_debit", "8208.41", ("8208.41 USD", "8208.40 USD")),
        ("totals.tax_debit", "2408.41", ("8208.40 USD", "8208.41 USD")),
        ("totals.net_pay_debit", "5600.01", ("8208.40 USD", "8208.41 USD")),
    ],
)
def test_totals_that_disagree_are_refused_with_both_shown(path: str, value: str, figures: tuple[str, str]) -> None:
    rejected = refused("gusto", changed(made("gusto-full"), path, value))
    assert rejected.reason == "totals_differ"
    assert all(figure in str(rejected) for figure in figures)


def test_what_was_paid_out_is_net_pay_give_or_take_reimbursements() -> None:
    paid_out = {"net_pay_debit": "700.00", "check_amount": "250.00"}
    assert only_run("gusto", _with(reimbursements="50.00", **paid_out)).run == "run-1"
    rejected = refused("gusto", _with(reimbursements="49.99", **paid_out))
    assert rejected.reason == "totals_differ"
    assert "net_pay_debit and check_amount 950.00 USD, net_pay 900.00 USD" in str(rejected)


def test_child_support_without_anything_withheld_is_refused() -> None:
    assert refused("gusto", _with(child_support_debit="60.00")).reason == "totals_differ"


def test_a_cent_may_be_rounding_within_the_limit_only() -> None:
    document = _with(net_pay="899.99")
    assert refused("gusto", document).reason == "totals_differ"
    found = lines(only_run("gusto", document, rounding_limit="0.01"))
    assert found["rounding", "rounding", None] == "-0.01"
    assert refused("gusto", _with(net_pay="899.98"), rounding_limit="0.01").reason == "totals_differ"


def test_negative_net_pay_is_refused_without_the_amount() -> None:
    rejected = refused("gusto", changed(made("gusto-full"), "employee_compensations.0.net_pay", "-12.34"))
    assert rejected.reason == "negative_net_pay"
    assert "12.34" not in str(rejected)
    assert "0]" not in str(rejected)


def _mixed(reason: str | None) -> dict[str, Any]:
    """A run that adds up, in which one person owes what another gets."""
    document = changed(made("gusto-full"), "employee_compensations.0.net_pay", "-12.34")
    return document | {"off_cycle": reason is not None, "off_cycle_reason": reason}


@pytest.mark.parametrize("reason", ["Correction", "Wage correction", "Benefit reversal", "Reversal"])
def test_what_gusto_calls_a_correction_is_told_though_one_person_owes(reason: str) -> None:
    assert sums(only_run("gusto", _mixed(reason)))["wages"] == 8000


@pytest.mark.parametrize("reason", [None, "Bonus", "Dismissed employee", "Tax reconciliation"])
def test_a_person_who_owes_in_any_other_run_is_refused(reason: str | None) -> None:
    assert refused("gusto", _mixed(reason)).reason == "negative_net_pay"


def test_a_correction_may_be_negative_as_a_whole_and_an_ordinary_run_may_not() -> None:
    document = _with(gross_pay="0.00", employee_taxes="0.00", net_pay="-50.00", employee_benefits_deductions="50.00")
    assert refused("gusto", document).reason == "negative_net_pay"
    found = lines(only_run("gusto", document | {"off_cycle": True, "off_cycle_reason": "Benefit reversal"}))
    assert found["net_pay", "net_pay", None] == "-50.00"


@pytest.mark.parametrize("where", ["currency", "totals.currency"])
def test_a_payroll_in_another_currency_is_refused(where: str) -> None:
    assert refused("gusto", changed(made("gusto-full"), where, "CAD")).reason == "other_currency"
    assert only_run("gusto", changed(made("gusto-full"), where, "usd")).run == "run-1"


def test_a_payroll_that_does_not_say_whether_it_is_processed_is_not_taken_for_open() -> None:
    assert refused("gusto", made("gusto-full") | {"processed": None}).field == "processed"


def test_a_payroll_without_a_company_is_of_the_only_one_there_is() -> None:
    document = made("gusto-full") | {"company_uuid": None}
    assert only_run("gusto", document).entity == "main"
    with pytest.raises(Rejected) as caught:
        gusto.normalise(raw(document), NormaliseContext(accounts={"com-1": "first", "com-2": "second"}))
    assert (caught.value.reason, caught.value.field) == ("missing_field", "company_uuid")


def test_a_reversal_is_negative_and_names_what_it_takes_back_in_a_list() -> None:
    original = changed(made("gusto-full"), "reversal_payroll_uuids", ["run-2"])
    reversal = changed(made("gusto-full"), "payroll_uuid", "run-2")
    reversal["off_cycle"], reversal["off_cycle_reason"] = True, "Reversal"
    for name, value in reversal["totals"].items():
        reversal["totals"][name] = str(-Decimal(value))
    reversal["employee_compensations"] = []
    first, second = normalised("gusto", [original, reversal]).events
    assert (paid(first).run_type, paid(first).reverses) == ("regular", None)
    assert (paid(second).run_type, paid(second).reverses) == ("reversal", "run-1")
    assert sums(paid(second))["wages"] == -8000


@pytest.mark.parametrize(
    ("reason", "run_type"),
    [
        ("Bonus", "bonus"),
        ("Correction", "correction"),
        ("Tax reconciliation", "year_end"),
        ("Hired employee", "off_cycle"),
    ],
)
def test_the_reason_of_an_off_cycle_run_is_its_type(reason: str, run_type: str) -> None:
    document = made("gusto-full") | {"off_cycle": True, "off_cycle_reason": reason}
    assert only_run("gusto", document).run_type == run_type


def test_a_year_end_adjustment_with_no_net_pay_is_told() -> None:
    document = _with(gross_pay="0.00", net_pay="0.00", employee_taxes="0.00", employer_taxes="12.34")
    document |= {"off_cycle": True, "off_cycle_reason": "Tax reconciliation"}
    assert lines(only_run("gusto", document)) == {
        ("employer_tax", "employer_taxes", None): "12.34",
    }


def test_external_runs_are_ignored_unless_asked_for() -> None:
    document = made("gusto-full") | {"external": True}
    assert normalised("gusto", document).ignored == "external_run"
    assert only_run("gusto", document, external="post").run == "run-1"


def test_another_company_does_not_fall_into_the_first() -> None:
    context = NormaliseContext(accounts={"com-2": "second"})
    with pytest.raises(Rejected) as caught:
        gusto.normalise(raw(made("gusto-full")), context)
    assert caught.value.reason == "unmapped:payroll_company:com-1"
    known = NormaliseContext(accounts={"com-1": "first"})
    assert gusto.normalise(raw(made("gusto-full")), known).events[0].company == "first"


@pytest.mark.parametrize("document", [{}, [], [{}], 7, "x", None, {"payroll": {}}, {"check_date": 1, "pay_period": 2}])
def test_other_shapes_are_refused_or_ignored(document: object) -> None:
    found = tried("gusto", document)
    if isinstance(found, Rejected):
        assert found.reason in {"unknown_shape", "wrong_type"}
    else:
        assert found.ignored in {"empty_list", "run_open"}


def test_the_same_employee_may_stand_several_times() -> None:
    document = made("gusto-full")
    twice = [*document["employee_compensations"][:1], *document["employee_compensations"]]
    halves: list[dict[str, Any]] = json.loads(json.dumps(twice))
    for half in halves[:2]:
        half["gross_pay"] = "2500.00"
    found = lines(only_run("gusto", changed(document, "employee_compensations", halves), split="department"))
    assert found["wages", "gross_pay", "Engineering"] == "5000.00"
