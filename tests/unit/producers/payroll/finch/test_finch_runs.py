"""Finch: made payments and statements (its API description is public, no real document is at hand)."""

from typing import Any

import pytest

from producers.normalising import NormaliseContext
from producers.payroll.finch import normalising as finch
from tests.unit.producers.payroll.made_runs import changed, lines, made, normalised, only_run, paid, raw, refused, sums


def test_a_payment_with_its_statements_is_one_run_by_name() -> None:
    run = only_run("finch", made("finch-run"), entity="conn-1")
    assert lines(run) == {
        ("wages", "Salary", None): "4800.00",
        ("wages", "Bonus", None): "200.00",
        ("wages", "Regular", None): "3000.00",
        ("reimbursement", "Travel", None): "50.00",
        ("employer_tax", "FUTA", None): "48.00",
        ("employer_tax", "Social Security", None): "496.00",
        ("employer_benefit", "401k", None): "150.00",
        ("employee_tax", "Federal Income Tax", None): "1300.00",
        ("employee_tax", "Social Security", None): "496.00",
        ("deduction", "401k", None): "290.00",
        ("garnishment", "Child Support", None): "100.00",
        ("net_pay", "net_pay", None): "5864.00",
    }
    assert run.fact == "finch:run:conn-1:pay-2026-04-15:v1"
    assert str(run.pay_date) == "2026-04-17"
    assert only_run("finch", made("finch-run") | {"entity_id": "ent-1"}, entity="conn-1").entity == "ent-1"


def test_the_answer_of_the_statements_may_be_handed_as_it_came() -> None:
    document = made("finch-run")
    statements = document.pop("pay_statements")
    document["responses"] = [
        {"payment_id": document["payment"]["id"], "code": 200, "body": {"pay_statements": statements[:1]}},
        {"payment_id": document["payment"]["id"], "code": 200, "body": {"pay_statements": statements[1:]}},
        {"payment_id": "another", "code": 500, "body": None},
    ]
    assert only_run("finch", document) == only_run("finch", made("finch-run"))


@pytest.mark.parametrize("name", ["gross_pay", "net_pay", "employee_taxes", "employer_taxes"])
def test_each_total_of_the_payment_is_checked_against_the_statements(name: str) -> None:
    rejected = refused("finch", changed(made("finch-run"), f"payment.{name}.amount", 123456))
    assert rejected.reason == "totals_differ"
    assert "1234.56 USD" in str(rejected)


def test_a_person_without_a_statement_is_missing() -> None:
    document = made("finch-run")
    del document["pay_statements"][1]
    rejected = refused("finch", document)
    assert rejected.reason == "statements_incomplete"
    assert "1 of the 2 people" in str(rejected)
    assert "ind-" not in str(rejected)


@pytest.mark.parametrize("ids", ["ind-1", [[]], 7])
def test_the_people_of_a_payment_are_a_list_of_ids(ids: object) -> None:
    rejected = refused("finch", changed(made("finch-run"), "payment.individual_ids", ids))
    assert (rejected.reason, rejected.field) == ("wrong_type", "payment.individual_ids")


def test_a_payment_alone_is_used_when_it_adds_up() -> None:
    payment = made("finch-run")["payment"]
    assert refused("finch", payment).reason == "totals_differ"
    found = lines(only_run("finch", changed(payment, "net_pay.amount", 620400)))
    assert found["net_pay", "net_pay", None] == "6204.00"
    assert found["employer_tax", "employer_taxes", None] == "544.00"


def test_statements_alone_are_refused_with_what_is_missing() -> None:
    rejected = refused("finch", {"pay_statements": made("finch-run")["pay_statements"]})
    assert (rejected.reason, rejected.field) == ("missing_field", "payment")


def test_a_list_of_payments_gives_a_run_each() -> None:
    payment = changed(made("finch-run")["payment"], "net_pay.amount", 620400)
    found = normalised("finch", [payment, payment | {"id": "pay-2"}])
    assert [paid(event).run for event in found.events] == ["pay-2026-04-15", "pay-2"]


def test_currencies_are_not_mixed_and_the_one_that_stands_there_is_kept() -> None:
    mixed = changed(made("finch-run"), "pay_statements.0.earnings.0.currency", "cad")
    assert refused("finch", mixed).reason == "mixed_currencies"
    text = raw(made("finch-run")).replace(b'"usd"', b'"cad"')
    (event,) = finch.normalise(text, NormaliseContext(currency="USD")).events
    assert {line.amount.currency for line in paid(event).lines} == {"CAD"}
    (unnamed,) = finch.normalise(text.replace(b'"cad"', b"null"), NormaliseContext(currency="CHF")).events
    assert {line.amount.currency for line in paid(unnamed).lines} == {"CHF"}


@pytest.mark.parametrize("amount", ["100", 10.5, True])
def test_amounts_are_whole_cents(amount: object) -> None:
    rejected = refused("finch", changed(made("finch-run"), "pay_statements.0.earnings.0.amount", amount))
    assert rejected.reason == "bad_amount"


def test_a_tax_of_nobody_is_refused() -> None:
    rejected = refused("finch", changed(made("finch-run"), "pay_statements.0.taxes.0.employer", None))
    assert rejected.field == "pay_statements[].taxes[].employer"


def test_a_negative_net_pay_is_refused_without_the_amount() -> None:
    rejected = refused("finch", changed(made("finch-run"), "pay_statements.0.net_pay.amount", -4321))
    assert rejected.reason == "negative_net_pay"
    assert "43" not in str(rejected)


def test_a_name_that_cannot_be_told_takes_its_type_for_all_of_it() -> None:
    document = changed(made("finch-run"), "pay_statements.0.employee_deductions.0.name", None)
    document["pay_statements"][1]["employee_deductions"] = []
    assert lines(only_run("finch", document))["deduction", "401k", None] == "290.00"
    document = changed(made("finch-run"), "pay_statements.0.taxes.1.name", None)
    found = lines(only_run("finch", document))
    assert found["employee_tax", "fica", None] == "496.00"
    assert found["employer_tax", "Social Security", None] == "496.00"


def test_contractors_and_off_cycle_payments_are_told() -> None:
    document = made("finch-run")
    for statement in document["pay_statements"]:
        statement["type"] = "off_cycle_payroll"
    assert only_run("finch", document).run_type == "off_cycle"
    payment = changed(document, "payment.employee_taxes.amount", 0)
    payment = changed(payment, "payment.employer_taxes.amount", 0)
    payment = changed(payment, "payment.net_pay.amount", 800000)
    for statement in payment["pay_statements"]:
        gross = statement["gross_pay"]
        statement |= {"net_pay": gross, "taxes": [], "employee_deductions": [], "employer_contributions": []}
        statement["earnings"] = [{"type": "1099", "name": "Consulting", **gross}]
    run = only_run("finch", payment)
    assert run.run_type == "contractor"
    assert lines(run)["contractor", "Consulting", None] == "8000.00"


def test_wages_are_split_by_what_the_puller_added() -> None:
    found = lines(only_run("finch", made("finch-run"), split="department"))
    assert found["wages", "Salary", "Engineering"] == "4800.00"
    assert found["wages", "Regular", "Sales"] == "3000.00"


def test_wages_are_split_by_the_departments_of_the_options() -> None:
    document = made("finch-run")
    for statement in document["pay_statements"]:
        statement.pop("department", None)
    of = {statement["individual_id"]: "Kitchen" for statement in document["pay_statements"]}
    found = lines(only_run("finch", document, split="department", departments=of))
    assert {department for kind, _, department in found if kind == "wages"} == {"Kitchen"}


@pytest.mark.parametrize("named", ["Zyxwina Marked", "Bonus Zyxwina"])
def test_an_earning_that_was_typed_for_one_person_takes_its_type(named: str) -> None:
    document = made("finch-run")
    document["pay_statements"][0]["earnings"][0] |= {"type": "other", "name": named}
    found = lines(only_run("finch", document))
    assert ("wages", "other", None) in found
    assert not any("Zyxwina" in category for _, category, _ in found)


def test_no_statement_at_all_is_not_a_payment_that_stands_alone() -> None:
    payment: dict[str, Any] = {
        "gross_pay": money(1000),
        "net_pay": money(800),
        "employee_taxes": money(200),
        "employer_taxes": money(0),
    }
    payment |= {"id": "p-1", "pay_date": "2026-04-17"}
    assert refused("finch", {"payment": payment, "pay_statements": []}).reason == "statements_incomplete"
    assert sums(only_run("finch", {"payment": payment}))["wages"] == 10


def test_statements_that_are_still_fetched_or_missing_are_told_so() -> None:
    whole = made("finch-run")
    answer = {"payment_id": whole["payment"]["id"], "code": 202, "body": {"message": "soon"}}
    assert refused("finch", {"payment": whole["payment"], "responses": [answer]}).reason == "not_ready"
    body = {"paging": {"count": 9, "offset": 0}, "pay_statements": whole["pay_statements"]}
    cut = {"payment": whole["payment"], "responses": [answer | {"code": 200, "body": body}]}
    assert refused("finch", cut).reason == "statements_incomplete"


def test_child_support_is_a_garnishment_by_its_type_too() -> None:
    document = made("finch-run")
    kept = document["pay_statements"][0]["employee_deductions"][0]
    kept |= {"name": None, "type": "child_support"}
    assert ("garnishment", "child_support", None) in lines(only_run("finch", document))


def money(cents: int) -> dict[str, Any]:
    return {"amount": cents, "currency": "usd"}


def test_a_payment_without_a_pay_date_is_refused() -> None:
    rejected = refused("finch", changed(made("finch-run"), "payment.pay_date", None))
    assert (rejected.reason, rejected.field) == ("missing_field", "payment.pay_date")
