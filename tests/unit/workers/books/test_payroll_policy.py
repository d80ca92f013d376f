"""Where categories of pay runs go: exactly as somebody has said, or the whole run before a person."""

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from solid.bodies import encode
from solid.dialect import Dialect
from solid.models import Account
from tests.unit.workers.plans.runs import ANY_BOOKS, NAME, books, entries, line, moved, planned, posted, run
from workers.books.books import ROLES, sample_books
from workers.books.payroll import COST_ROLES, OWED_ROLES, SIDES, PayrollPolicy, known_destinations
from workers.chart import Chart
from workers.plans.payroll_lines import ORDER
from workers.plans.writes import Parked, mirrored
from workers.records import record_of

WAGE = line("wages", "gross_pay", "100.00")
PAID = line("net_pay", "net_pay", "100.00")


def gusto(**places: object) -> dict[str, object]:
    return {"categories": {"gusto": places}}


def test_every_role_of_payroll_is_a_role_of_the_books() -> None:
    assert {*COST_ROLES, *OWED_ROLES, *ORDER} <= ROLES
    assert {role for sides in SIDES.values() for role in sides if role} <= set(ORDER)


def test_every_certain_category_fits_some_kind() -> None:
    for places in known_destinations().values():
        for category, place in places.items():
            assert any(place.targets(kind) for kind in SIDES), category


def test_an_unknown_category_parks_the_whole_run_with_its_total_and_where_to_map_it() -> None:
    odd = line("wages", "Crypto Bonus", "60.00"), line("wages", "Crypto Bonus", "40.00")
    with pytest.raises(Parked) as parked:
        planned(run(*odd, PAID))
    assert parked.value.reason == "unmapped:payroll:Crypto Bonus"
    assert '[payroll.categories.gusto] "Crypto Bonus": wages of 100.00 USD in all' in str(parked.value)


def test_all_that_is_missing_is_told_at_once() -> None:
    odd = line("wages", "Odd", "50.00"), line("wages", "Even", "50.00")
    with pytest.raises(Parked, match=r'"Odd": .* "Even": '):
        planned(run(*odd, PAID))


@pytest.mark.parametrize("category", ["Gross_Pay", "gross_pay ", "futa"])
def test_a_category_is_matched_exactly(category: str) -> None:
    with pytest.raises(Parked) as parked:
        planned(run(line("wages", category, "100.00"), PAID))
    assert parked.value.reason == f"unmapped:payroll:{category}"


def test_a_category_of_another_provider_is_unknown() -> None:
    with pytest.raises(Parked) as parked:
        planned(run(line("wages", "Severance", "100.00"), PAID, provider="adp"))
    assert parked.value.reason == "unmapped:payroll:Severance"


def test_a_category_that_is_mapped_to_what_its_kind_cannot_be_is_not_posted() -> None:
    lines = (WAGE, line("deduction", "Bonus", "10.00"), line("net_pay", "net_pay", "90.00"))
    with pytest.raises(Parked, match="mapped to what a deduction cannot be") as parked:
        planned(run(*lines))
    assert parked.value.reason == "unmapped:payroll:Bonus"


def test_plain_text_is_a_role_or_else_an_account() -> None:
    by = books(**gusto(**{"Futurist Levy": "payroll_tax_payable", "FUTA": "FUTA Payable"}))
    lines = (WAGE, PAID, line("employer_tax", "Futurist Levy", "5.00"), line("employer_tax", "FUTA", "6.00"))
    assert moved(entries(run(*lines), by).values()) == {
        "Wages": Decimal(100),
        "Payroll Tax Expense": Decimal(11),
        "Payroll Tax Payable": Decimal(-5),
        "FUTA Payable": Decimal(-6),
        "Net Pay Payable": Decimal(-100),
    }


def test_a_premium_withheld_and_the_companys_share_become_one_line_of_one_account() -> None:
    health = {"role": "benefits_payable", "account": "Health Payable", "cost": "Health Expense"}
    lines = (
        WAGE,
        line("deduction", "Medical Insurance", "30.00"),
        line("employer_benefit", "Medical Insurance", "70.00"),
        line("net_pay", "net_pay", "70.00"),
    )
    [entry] = entries(run(*lines), books(**gusto(**{"Medical Insurance": health}))).values()
    assert [(each.account, each.debit or each.credit) for each in entry.lines] == [
        ("Wages", Decimal(100)),
        ("Health Expense", Decimal(70)),
        ("Health Payable", Decimal(100)),
        ("Net Pay Payable", Decimal(70)),
    ]


def test_one_word_may_be_earned_and_withheld() -> None:
    by = books(**gusto(other={"role": "deductions_payable", "cost": "wages"}))
    lines = (line("wages", "other", "100.00"), line("deduction", "other", "5.00"), line("net_pay", "net_pay", "95.00"))
    assert moved(entries(run(*lines), by).values())["Deductions Payable"] == Decimal(-5)


def test_wages_are_split_by_department() -> None:
    by = books(departments={"Sales": "Wages - Sales", "": "Wages - G&A"})
    lines = (line("wages", "gross_pay", "60.00", department="Sales"), line("wages", "gross_pay", "40.00"), PAID)
    split = moved(entries(run(*lines), by).values())
    assert (split["Wages - Sales"], split["Wages - G&A"]) == (Decimal(60), Decimal(40))


def test_wages_are_split_by_location() -> None:
    by = books(locations={"Berlin": "Wages - Berlin"})
    lines = (line("wages", "gross_pay", "100.00", department="Sales", location="Berlin"), PAID)
    assert moved(entries(run(*lines), by).values())["Wages - Berlin"] == Decimal(100)


@pytest.mark.parametrize(("department", "missing"), [("Legal", "Legal"), (None, "no department")])
def test_where_departments_are_mapped_another_one_parks_the_run(department: str | None, missing: str) -> None:
    with pytest.raises(Parked) as parked:
        planned(
            run(line("wages", "gross_pay", "100.00", department=department), PAID), books(departments={"Sales": "W"})
        )
    assert parked.value.reason == f"unmapped:payroll:{missing}"
    assert "[payroll.departments]" in str(parked.value)


def test_a_wage_with_an_account_of_its_own_is_not_split() -> None:
    by = books(
        departments={"Sales": "Wages - Sales"}, **gusto(owners_draw={"role": "wages", "account": "Owner's Draw"})
    )
    assert moved(entries(run(line("wages", "owners_draw", "100.00"), PAID), by).values())["Owner's Draw"] == Decimal(
        100
    )


def test_a_line_with_an_account_of_its_own_is_parked_in_another_currency_too() -> None:
    own = {
        "gross_pay": {"role": "wages", "account": "Wages - Berlin"},
        "net_pay": {"role": "net_pay_payable", "account": "Deutsche Bank"},
    }
    lines = (line("wages", "gross_pay", "1", currency="EUR"), line("net_pay", "net_pay", "1", currency="EUR"))
    with pytest.raises(Parked) as parked:
        planned(run(*lines), books(**gusto(**own)))
    assert parked.value.reason == "unmapped:currency:EUR"


ROUNDED = (WAGE, line("rounding", "rounding", "0.02"), line("net_pay", "net_pay", "100.02"))


def test_a_difference_is_posted_within_the_limit_only() -> None:
    with pytest.raises(Parked, match=r"differ by 0\.02 USD") as parked:
        planned(run(*ROUNDED))
    assert parked.value.reason == "over_limit:payroll_rounding"
    assert moved(entries(run(*ROUNDED), books(rounding_limit="0.02")).values())["Payroll Rounding"] == Decimal("0.02")


def test_a_fraction_of_a_cent_is_not_posted() -> None:
    with pytest.raises(Parked) as parked:
        planned(run(line("wages", "gross_pay", "0.005"), line("net_pay", "net_pay", "0.005")))
    assert parked.value.reason == "fraction:payroll"


def test_a_role_without_an_account_parks() -> None:
    without = books().model_copy(update={"accounts": {"bank": "Checking"}})
    with pytest.raises(Parked) as parked:
        planned(run(), without)
    assert parked.value.reason == "unmapped:account:wages"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (gusto(FUTA="payroll_tax_payble"), "no role of payroll; nearest: 'payroll_tax_payable'"),
        (gusto(FUTA={"role": "FUTA Payable"}), "goes under `account`"),
        (gusto(FUTA={"cost": "payroll_tax_payable"}), "no cost"),
        (gusto(FUTA={"colour": "red"}), "colour"),
        (gusto(FUTA=""), "at least 1 character"),
        ({"net_pay": "wages"}, "net_pay"),
        ({"rounding_limit": 0.05}, "a float is not exact"),
        ({"rounding_limit": "-1"}, "greater than or equal"),
        ({"acrual": True}, "acrual"),
    ],
)
def test_a_wrong_policy_is_refused_by_what_is_wrong(policy: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=r"PayrollPolicy") as refused:
        PayrollPolicy.model_validate(policy)
    assert said in str(refused.value)


def test_the_chart_is_asked_for_the_accounts_of_the_policy_too() -> None:
    by = sample_books().model_copy(update={"payroll": PayrollPolicy(departments={"Sales": "Wages - Sales"})})
    chart = Chart([Account(id=name, name=name) for name in by.accounts.values()])
    assert chart.problems(ANY_BOOKS.model_copy(update={"payroll": PayrollPolicy()})) == []
    [problem] = chart.problems(by)
    assert problem.startswith('[payroll.departments].Sales: "Wages - Sales" is not in Solid')


DIALECT = Dialect(money="decimal_string")
CLASS, PLACE = "0b6fc5ab-5d6a-4d5e-9a5c-4b8d4f0c7f11", "b9f1b7a2-24c8-4bb0-8f5d-6a3f5b8f2c10"


def test_wages_may_have_a_class_or_a_location_and_their_reversal_has_the_same() -> None:
    by = books(departments={"Sales": {"class": CLASS}, "": {"account": "Wages - G&A", "location": PLACE}})
    lines = (
        line("wages", "gross_pay", "60.00", department="Sales"),
        line("wages", "gross_pay", "40.00"),
        line("net_pay", "net_pay", "100.00"),
    )
    first = run(*lines)
    found = entries(run(*lines, version=2, replaces=posted(first)), by)
    wages = {(each.account, each.class_id, each.location_id): each.debit for each in found[f"{NAME}:v2"].lines[:2]}
    assert wages == {
        (by.accounts["wages"], CLASS, None): Decimal(60),
        ("Wages - G&A", None, PLACE): Decimal(40),
    }
    assert found[f"{NAME}:v1:reversal"].lines == mirrored(found[f"{NAME}:v2"].lines)
    chart = Chart([Account(id=name, name=name) for name in (*by.accounts.values(), "Wages - G&A")])
    record = record_of(found[f"{NAME}:v2"], {}, chart)
    sent = [(each.get("class_id"), each.get("location_id")) for each in json.loads(encode(record, DIALECT))["lines"]]
    assert sorted(sent, key=str) == sorted([(CLASS, None), (None, PLACE), (None, None)], key=str)
    assert "class_id" not in found[f"{NAME}:v2"].lines[-1].model_dump()


@pytest.mark.parametrize("part", [{}, {"class": "Sales"}, {"klass": CLASS}])
def test_a_part_without_a_meaning_is_refused(part: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        books(departments={"Sales": part})
