"""Gusto's payments to contractors: funded ones are runs of their own, and no figure of one payment is shown."""

from decimal import Decimal

from tests.unit.producers.payroll.made_runs import changed, lines, normalised, only_run, paid, refused, sums

PAYMENT = {
    "uuid": "cp-1",
    "contractor_uuid": "ctr-1",
    "bonus": "20.0",
    "date": "2026-04-17",
    "hours": "40.0",
    "payment_method": "Direct Deposit",
    "reimbursement": "100.0",
    "status": "Funded",
    "hourly_rate": "18.0",
    "wage": "0.0",
    "wage_type": "Hourly",
    "wage_total": "740.00",
}


def test_a_funded_contractor_payment_is_a_run_of_contractors() -> None:
    run = only_run("gusto", PAYMENT, entity="com-1")
    assert run.run_type == "contractor"
    assert lines(run) == {
        ("contractor", "contractor_wages", None): "740.00",
        ("reimbursement", "reimbursements", None): "100.00",
        ("net_pay", "net_pay", None): "840.00",
    }


def test_what_was_paid_elsewhere_is_not_paid_again_unless_asked_for() -> None:
    historical = PAYMENT | {"payment_method": "Historical Payment"}
    assert normalised("gusto", historical).ignored == "external_run"
    assert sums(only_run("gusto", historical, external="post"))["net_pay"] == 840
    group = {"uuid": "g", "company_uuid": "com-1", "check_date": "2026-04-17", "status": "Funded"}
    mixed = group | {"contractor_payments": [PAYMENT, historical | {"uuid": "cp-2"}]}
    assert sums(only_run("gusto", mixed))["net_pay"] == 840


def test_contractor_payments_that_do_not_add_up_are_refused_without_a_figure() -> None:
    rejected = refused("gusto", PAYMENT | {"wage_total": "741.77"})
    assert rejected.reason == "totals_differ"
    assert "74" not in str(rejected)


def test_hours_at_their_rate_may_be_rounded_up_at_half_a_cent_and_have_more_decimals_than_cents() -> None:
    half = PAYMENT | {"bonus": "0.0", "hours": "1.5", "hourly_rate": "18.75", "wage_total": "28.13"}
    assert sums(only_run("gusto", half))["contractor"] == Decimal("28.13")
    thirds = half | {"hours": "7.333", "hourly_rate": "30.00", "wage_total": "219.99"}
    assert sums(only_run("gusto", thirds))["contractor"] == Decimal("219.99")
    assert refused("gusto", thirds | {"wage_total": "220.00"}).reason == "totals_differ"
    assert refused("gusto", thirds | {"hours": "many"}).reason == "bad_amount"


def test_a_list_of_contractor_payments_gives_the_funded_ones() -> None:
    listed = {"contractor_payments": [{"payments": [PAYMENT, PAYMENT | {"uuid": "cp-2", "status": "Unfunded"}]}]}
    assert [paid(event).run for event in normalised("gusto", listed).events] == ["cp-1"]


def test_a_group_of_contractor_payments_is_one_run() -> None:
    group = {
        "uuid": "grp-1",
        "company_uuid": "com-1",
        "check_date": "2026-04-17",
        "status": "Funded",
        "totals": {"wage_amount": "1480.00", "reimbursement_amount": "200.00"},
        "contractor_payments": [PAYMENT, PAYMENT | {"uuid": "cp-2"}],
    }
    assert sums(only_run("gusto", group))["net_pay"] == 1680
    rejected = refused("gusto", changed(group, "totals.wage_amount", "1480.01"))
    assert "1480.01 USD" in str(rejected)
