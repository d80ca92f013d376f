"""An account of the wrong kind for its role is refused by check and by the books; an unknown kind is told."""

from pathlib import Path
from typing import Any

import pytest

from runtime.errors import ConfigurationError
from simulator.books.chart import sample
from solid.models import Account
from workers.books.account_kinds import allowed_kinds
from workers.books.books import ROLES, Books, load_books, sample_books
from workers.chart import Chart
from workers.plans.writes import Parked

BOOKS = sample_books()


def accounts(**kinds: str) -> list[Account]:
    """One account a role, of a kind that fits, but for those that are said."""
    fitting = {name: min(allowed_kinds(role) or ()) for role, name in BOOKS.accounts.items()}
    wrong = {BOOKS.accounts[role]: kind for role, kind in kinds.items()}
    return [Account(id=f"id of {name}", name=name, type=kind) for name, kind in (fitting | wrong).items()]


def test_every_role_says_what_may_play_it() -> None:
    assert [role for role in sorted(ROLES) if not allowed_kinds(role)] == []


def test_the_sample_books_fit_a_usual_chart() -> None:
    chart = Chart([Account(id=each.id, name=each.name, type=each.type) for each in sample()], BOOKS)
    assert chart.problems(BOOKS) == []
    assert chart.notes(BOOKS) == []


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("income", "LIABILITY"),
        ("income", "liability"),
        ("receivable", "INCOME"),
        ("wages", "EQUITY"),
        ("payable", "CASH"),
    ],
)
def test_what_needs_it_is_parked_and_the_rest_is_booked(role: str, kind: str) -> None:
    chart = Chart(accounts(**{role: kind}), BOOKS)
    assert any(problem.endswith(f"Correct [accounts].{role}.") for problem in chart.problems(BOOKS))
    name = BOOKS.accounts[role]
    with pytest.raises(Parked) as parked:
        chart.id_of(name)
    assert parked.value.reason == f"wrong_kind:account:{name}"
    assert chart.id_of(BOOKS.accounts["bank"]) == f"id of {BOOKS.accounts['bank']}"


@pytest.mark.parametrize("kind", ["", "OTHER_INCOME"])
def test_a_kind_that_is_not_known_is_told_and_not_refused(kind: str) -> None:
    chart = Chart(accounts(income=kind), BOOKS)
    assert [problem for problem in chart.problems(BOOKS) if "must be one of" in problem] == []
    assert chart.id_of(BOOKS.accounts["income"])
    assert any(note.endswith("fits income is not known") for note in chart.notes(BOOKS))


def usual(**kinds: str) -> list[Account]:
    """The chart of the stand-in for Solid, and more accounts of a kind each."""
    more = [Account(id=name, name=name.replace("_", " "), type=kind) for name, kind in kinds.items()]
    return [*(Account(id=each.id, name=each.name, type=each.type) for each in sample()), *more]


def books_with(payroll: dict[str, Any] | None = None, **roles: str) -> Books:
    return Books(accounts={**BOOKS.accounts, **roles}, payroll=payroll or {})


@pytest.mark.parametrize(
    ("role", "named", "nearest"),
    [
        ("income", "Sales Income Payable", "Sales Income"),
        ("sales_returns", "Savings", "Sales Returns"),
        ("receivable", "Retained Earnings", "Accounts Receivable"),
        ("wages", "Net Pay Payable", "Wages"),
    ],
)
def test_the_nearest_account_of_a_right_kind_is_named(role: str, named: str, nearest: str) -> None:
    books = Books(accounts={role: named})
    [problem] = Chart(usual(Sales_Income_Payable="LIABILITY"), books).wrong(books)
    assert f'nearest of the right kind: "{nearest}". Correct [accounts].{role}.' in problem


def test_of_a_missing_account_too_the_nearest_that_may_be_it_is_named() -> None:
    books = Books(accounts={"income": "Sales Tax"})
    [problem] = Chart(usual(), books).missing(books)
    assert 'nearest: "Sales Returns"' in problem, "and not the liability, whose name is nearer"


def test_where_there_is_none_of_a_right_kind_that_is_said() -> None:
    books = Books(accounts={"income": "Loan"})
    chart = Chart([Account(id="1", name="Loan", type="LIABILITY")], books)
    assert ["Solid has no account of such a kind" in problem for problem in chart.wrong(books)] == [True]


@pytest.mark.parametrize(
    ("payroll", "account", "kind", "place"),
    [
        ({"departments": {"Sales": "Own"}}, "Own", "INCOME", "[payroll.departments].Sales"),
        ({"locations": {"Berlin": "Own"}}, "Own", "LIABILITY", "[payroll.locations].Berlin"),
        ({"categories": {"gusto": {"FUTA": "Own"}}}, "Own", "EXPENSE", "[payroll.categories.gusto].FUTA"),
        ({"categories": {"gusto": {"Bonus": "Own"}}}, "Own", "INCOME", "[payroll.categories.gusto].Bonus"),
        ({"categories": {"gusto": {"Parking": "Own"}}}, "Own", "INCOME", "[payroll.categories.gusto].Parking"),
        (
            {"categories": {"adp": {"Health": {"role": "benefits_payable", "account": "Own"}}}},
            "Own",
            "COGS",
            "[payroll.categories.adp].Health",
        ),
        (
            {"categories": {"adp": {"Health": {"role": "benefits_payable", "cost": "Own"}}}},
            "Own",
            "INCOME",
            "[payroll.categories.adp].Health",
        ),
    ],
)
def test_accounts_of_pay_are_of_a_kind_too(payroll: dict[str, Any], account: str, kind: str, place: str) -> None:
    books = books_with(payroll)
    chart = Chart([*usual(), Account(id="own", name=account, type=kind)], books)
    assert [problem.endswith(f"Correct {place}.") for problem in chart.problems(books)] == [True]
    with pytest.raises(Parked, match=f"is a {kind} account"):
        chart.id_of(account)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ({"role": "wages", "account": "Own"}, "EQUITY"),
        ({"role": "wages", "account": "Own"}, "LIABILITY"),
        ({"role": "deductions_payable", "account": "Own"}, "ASSET"),
        ("Own", "EXPENSE"),
        ("Own", "LT_LIABILITY"),
    ],
)
def test_a_draw_of_the_owner_tips_and_advances_are_what_they_are(category: object, kind: str) -> None:
    books = books_with({"categories": {"gusto": {"Own words": category}}})
    assert Chart([*usual(), Account(id="own", name="Own", type=kind)], books).problems(books) == []


BOTH = {
    "income and what is owed": ('income = "One"\nsales_tax_payable = "One"', "income ([accounts].income) INCOME"),
    "an asset and a cost": ('inventory = "One"\ncogs = "One"', "inventory ([accounts].inventory) ASSET"),
    "clearing and fees": (
        'processing_fees = "One"\n[processors.square]\nclearing = "One"',
        "square_clearing ([processors.square].clearing)",
    ),
    "a department and net pay": (
        'net_pay_payable = "One"\n[payroll.departments]\nSales = "One"',
        "wages ([payroll.departments].Sales) COGS, EXPENSE",
    ),
}


@pytest.mark.parametrize("both", BOTH)
def test_books_that_want_one_account_to_be_two_kinds_are_refused_when_they_are_read(both: str, tmp_path: Path) -> None:
    written, said = BOTH[both]
    (file := tmp_path / "books.toml").write_text(f'base_currency = "USD"\n[accounts]\n{written}\n')
    with pytest.raises(ConfigurationError, match='"One" cannot be both: ') as refused:
        load_books(file)
    assert said in str(refused.value)


def test_one_account_may_play_roles_that_share_a_kind() -> None:
    books = books_with(dispute_fees="Stripe Fees", chargeback_loss="Stripe Fees", input_vat="Sales Tax Payable")
    assert Chart(usual(), books).problems(books) == []
