"""Exports as they really come: dates above the header, pages, notes, several rows a person, totals without a word."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.producers.payroll.made_runs import MADE, csv_refused, csv_runs, lines, sums

ADP = list(csv.reader(io.StringIO((MADE / "adp.csv").read_text())))
HEADER, PEOPLE, TOTALS = ADP[0], ADP[1:4], ADP[4]
DATED = ["", "", "ABC1", "2026-08", "", "", "04/17/2026", "04/01/2026", "04/15/2026"]
"""What stands before the amounts of a row of ADP."""
JOURNAL = (MADE / "gusto-journal.csv").read_text()


def dumped(*rows: list[str], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode(encoding)


def adp(*rows: list[str]) -> dict[str, Any]:
    (run,) = csv_runs(dumped(*rows), provider="adp")
    return {kind: str(amount) for kind, amount in sums(run).items()}


def with_cell(row: list[str], header: str, cell: str) -> list[str]:
    return [cell if name == header else before for name, before in zip(HEADER, row, strict=True)]


WHOLE = adp(*ADP)
JOURNAL_RUNS = csv_runs(JOURNAL.encode(), provider="gusto")


@pytest.mark.parametrize(
    "rows",
    [
        [["ACME Inc"], ["Payroll Register", "", "Page 1"], [], *ADP],
        [*ADP, [], ["Report made on 20 April by somebody"]],
        [HEADER, PEOPLE[0], ["Page 2 of 2"], HEADER, *PEOPLE[1:], TOTALS],
        [["ACME"], HEADER, PEOPLE[0], ["ACME"], HEADER, *PEOPLE[1:], TOTALS],
        [HEADER, ["Engineering"], PEOPLE[0], ["Sales"], *PEOPLE[1:], TOTALS],
        [[name.upper() for name in HEADER], *ADP[1:]],
        [[name.replace(" ", "\n", 1) for name in HEADER], *ADP[1:]],
        [["", *row] for row in ADP],
        [[*row, "Cost Centre" if row is HEADER else "0.00"] for row in ADP],
        [[*row, "Regular Hours" if row is HEADER else "8", "Regular Hours" if row is HEADER else "9"] for row in ADP],
        [HEADER, *(with_cell(row, "Pay Date", "2026-04-17") for row in PEOPLE)],
        [HEADER, *(with_cell(row, "Pay Date", "4/17/2026") for row in PEOPLE)],
        [HEADER, with_cell(PEOPLE[0], "Employee Name", "Quenby,\nOttilie"), *PEOPLE[1:]],
        [HEADER, *([*row[:9], row[9], *(f"${cell}" for cell in row[10:])] for row in PEOPLE)],
        [HEADER, *PEOPLE, ["", *TOTALS[1:]]],
        [HEADER, *PEOPLE, ["ACME Inc", *TOTALS[1:]]],
        [HEADER, *PEOPLE, ["3 people"]],
        [HEADER, *([*row[:9], *("$ -   " if cell == "0.00" else cell for cell in row[9:])] for row in PEOPLE)],
    ],
)
def test_what_stands_around_the_people_changes_nothing(rows: list[list[str]]) -> None:
    assert adp(*rows) == WHOLE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_says_itself_that_it_is_utf_16(encoding: str) -> None:
    (run,) = csv_runs(dumped(*ADP, encoding=encoding), provider="adp")
    assert sums(run)["wages"] == 11000


def test_another_delimiter_is_named_and_not_guessed() -> None:
    rejected = csv_refused(dumped(*ADP, delimiter=";"), provider="adp")
    assert rejected.reason == "missing_columns"
    assert "';'" in str(rejected)


@pytest.mark.parametrize(
    "rows",
    [
        [HEADER, *PEOPLE, [*DATED, *TOTALS[9:]]],
        [HEADER, PEOPLE[0], *PEOPLE[1:], [*DATED, *TOTALS[9:]], TOTALS],
        [HEADER, [*DATED, *TOTALS[9:]], *PEOPLE],
    ],
)
def test_a_total_without_a_word_for_it_is_refused_with_its_figures_and_never_counted(rows: list[list[str]]) -> None:
    named = [["ACME Inc", *row[1:]] if row[:9] == DATED else row for row in rows]
    rejected = csv_refused(dumped(*named), provider="adp")
    assert rejected.reason == "total_or_person"
    assert "Net Pay 8188.00 USD" in str(rejected)
    assert rejected.field in {"line 2", "line 5"}


def test_a_person_who_earns_as_much_as_all_others_is_one_where_the_mapping_says_so() -> None:
    rows = ["Who,Paid,Gross,Tax,Net", *(f"P{n},2026-04-17,10,2,8" for n in range(2)), "Ann,2026-04-17,20,4,16"]
    amounts = {"Gross": "wages", "Tax": "employee_tax", "Net": "net_pay"}
    mapping: dict[str, Any] = {
        "provider": "made",
        "pay_date": "Paid",
        "people": "Who",
        "amounts": {name: {"kind": kind, "category": name} for name, kind in amounts.items()},
    }
    content = "\n".join(rows).encode()
    assert csv_refused(content, mapping=mapping).reason == "total_or_person"
    (run,) = csv_runs(content, mapping=mapping | {"unlabelled_totals": "people"})
    assert sums(run)["wages"] == 40


def _total(word: str, *rows: list[str]) -> list[str]:
    columns = zip(*(row[10:] for row in rows), strict=True)
    return [word, *[""] * 9, *(str(sum(Decimal(cell.replace(",", "")) for cell in cells)) for cells in columns)]


def test_totals_may_stand_within_totals() -> None:
    (a, b, c) = PEOPLE
    d, e, f = (["Doe, Ann", *row[1:]] for row in PEOPLE)
    shops = [_total("Location Total", a, b), _total("Location Total", c, d, e, f)]
    rows = [a, _total("Department Total", a), b, _total("Department Total", b), shops[0]]
    rows += [c, d, _total("Department Total", c, d), e, f, _total("Department Total", e, f), shops[1]]
    whole = _total("Company Total", a, b, c, d, e, f)
    twice = {kind: str(2 * Decimal(amount)) for kind, amount in WHOLE.items()}
    assert adp(HEADER, *rows, whole) == twice
    wrong = [*rows[:-1], _total("Location Total", a, c, d, e, f)]
    assert csv_refused(dumped(HEADER, *wrong, whole), provider="adp").reason == "totals_differ"


def test_two_people_alike_are_two_people() -> None:
    (run,) = csv_runs(dumped(HEADER, PEOPLE[0], ["Doe, Ann", *PEOPLE[0][1:]]), provider="adp")
    assert sums(run)["wages"] == 2 * 5200


def test_a_file_that_was_put_together_twice_is_refused() -> None:
    assert csv_refused(dumped(*ADP, *PEOPLE), provider="adp").reason == "rows_twice"
    assert csv_refused(dumped(HEADER, PEOPLE[0], PEOPLE[0]), provider="adp").reason == "rows_twice"


def test_a_row_that_fell_into_one_cell_is_not_passed_over() -> None:
    content = dumped(*ADP[:3]) + b'"' + ";".join(cell.replace(",", "") for cell in PEOPLE[2]).encode() + b'"\n'
    assert csv_refused(content, provider="adp").reason == "shifted_columns"


def test_columns_of_codes_have_their_code_as_category_and_say_what_is_not_known() -> None:
    header = [name.replace("Other Deductions", "VOLUNTARY DEDUCTION : 75-SUPPORT") for name in HEADER]
    (run,) = csv_runs(dumped(header, *ADP[1:]), provider="adp")
    assert lines(run)["deduction", "75-SUPPORT", None] == "30.00"
    named = [name.replace("Other Deductions", "Voluntary Deduction : 078-05-1120") for name in HEADER]
    assert csv_refused(dumped(named, *ADP[1:]), provider="adp").reason == f"unmapped_column:(column {1 + 25})"


def test_a_code_that_holds_the_name_of_a_person_is_no_category() -> None:
    header = [*HEADER, "Voluntary Deduction : Loan Quenby"]
    rows = [header, *([*row, "0.00"] for row in PEOPLE)]
    found = csv_refused(dumped(*rows), provider="adp")
    assert (found.reason, found.field) == ("names_a_person", "line 2")
    assert "quenby" not in repr(found).lower()
    header[-1] = "Voluntary Deduction : Loan"
    assert adp(*rows) == WHOLE


def test_what_adp_calls_its_columns_is_known() -> None:
    names = {
        "Co Code": "COMPANY CODE",
        "File #": "FILE NUMBER",
        "Employee Name": "PAYROLL NAME",
        "Federal Income Tax": "FEDERAL INCOME - EMPLOYEE TAX",
        "State Income Tax": "WORKED IN STATE - EMPLOYEE TAX",
        "Social Security - Employer": "SOCIAL SECURITY - EMPLOYER TAX",
        "Federal Unemployment - Employer": "FUTA - EMPLOYER TAX",
        "State Unemployment - Employer": "SUI/SDI - EMPLOYER TAX",
    }
    assert adp([names.get(name, name) for name in HEADER], *ADP[1:]) == WHOLE


def test_the_journal_of_gusto_has_its_dates_above_and_a_row_for_each_kind_of_pay() -> None:
    (run,) = csv_runs(JOURNAL.encode(), provider="gusto", split="department")
    assert [str(day) for day in (run.pay_date, run.period_start, run.period_end)] == [
        "2026-04-17",
        "2026-04-01",
        "2026-04-15",
    ]
    assert lines(run)["wages", "Regular", "Front"] == "500.00"
    assert lines(run)["wages", "Bonus", "Front"] == "25.00"
    assert lines(run)["wages", "employee_paycheck_tips", "Front"] == "75.00"
    assert lines(run)["net_pay", "Net pay", None] == "2172.50"
    assert sums(run)["employer_tax"] * 10 == 2224


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"Regular","50.00","10.00","500.0"', '"Regular","50.00","10.00","501.0"', "totals_differ"),
        ('"Bonus","","","25.0"', '"Bonus","","","26.0"', "totals_differ"),
        ('"Bonus","","","25.0"', '"","","","25.0"', "bad_amount"),
        ('"Payroll Totals"', '"Payroll Sums"', "total_or_person"),
        ('"Pay day"," 04/17/2026"', '"Paid"," 04/17/2026"', "missing_columns"),
        ('" 04/01/2026 - 04/15/2026"', '" 04/01/2026"', "bad_date"),
    ],
)
def test_a_journal_that_is_wrong_is_refused(old: str, new: str, reason: str) -> None:
    found = csv_refused(JOURNAL.replace(old, new, 1).encode(), provider="gusto")
    assert found.reason == reason
    for name in ("Quenby", "Okonjo", "1649", "523"):
        assert name not in repr(found)


def test_the_words_of_a_journal_are_compared_as_headers_are() -> None:
    for old, new in (('"Regular","40.00"', '"regular","40.00"'), ('"Bonus"', '" BONUS"'), ('"Gross"', '"gross"')):
        assert old in JOURNAL
        assert csv_runs(JOURNAL.replace(old, new).encode(), provider="gusto") == JOURNAL_RUNS


def test_two_runs_below_each_other_have_their_own_dates() -> None:
    second = JOURNAL[JOURNAL.index('"Payroll period"') :].replace("04/17/2026", "05/01/2026")
    second = second.replace("04/01/2026 - 04/15/2026", "04/16/2026 - 04/30/2026")
    first, later = csv_runs((JOURNAL + second).encode(), provider="gusto")
    assert (str(first.pay_date), str(later.pay_date)) == ("2026-04-17", "2026-05-01")
    assert sums(first) == sums(later)


@pytest.mark.parametrize("dash", [" - ", "-", "\u2013", " to "])
@pytest.mark.parametrize(("first", "last"), [("04/01/2026", "04/15/2026"), ("2026-04-01", "2026-04-15")])
def test_a_period_may_stand_in_one_column(first: str, last: str, dash: str) -> None:
    content = (MADE / "paychex.csv").read_text().replace("Period Begin,Period End", "Pay Period,SSN ", 1)
    content = content.replace("04/01/2026,04/15/2026", f"{first}{dash}{last},").replace("SSN ,SSN", "Rate,SSN")
    (run,) = csv_runs(content.encode(), provider="paychex")
    assert (str(run.period_start), str(run.period_end)) == ("2026-04-01", "2026-04-15")


CORRECTION = "Doe,Ann,,,04/17/2026,04/01/2026,04/15/2026,{type},1"
TYPED = (
    "Last name,First name,Department,Work location,Check date,Pay period start,Pay period end,Payroll type,Employee ID"
)


def _typed(kind: str) -> bytes:
    rows = [TYPED + ",Regular earnings,Federal income tax,Net pay"]
    rows.append(CORRECTION.format(type=kind) + ",500.00,100.00,400.00")
    rows.append(CORRECTION.replace("Ann", "Bob").format(type=kind) + ",0.00,30.00,-30.00")
    return "\n".join(rows).encode()


def test_in_a_correction_one_person_may_owe_the_company_and_in_an_ordinary_run_nobody() -> None:
    (run,) = csv_runs(_typed("Correction"), provider="gusto")
    assert run.run_type == "correction"
    assert {kind: str(amount) for kind, amount in sums(run).items()} == {
        "wages": "500.00",
        "employee_tax": "130.00",
        "net_pay": "370.00",
    }
    assert csv_refused(_typed("Regular"), provider="gusto").reason == "negative_net_pay"


def test_rows_below_a_name_that_stands_alone_are_not_the_persons_above() -> None:
    lone = '"Nobody"' + ',""' * 26 + "\n"
    moved = JOURNAL.replace(
        '"","","","","","","","Bonus","","","25.0"', lone + '"","","","","","","","Bonus","","","25.0"', 1
    )
    (run,) = csv_runs(moved.encode(), provider="gusto", split="department")
    assert lines(run)["wages", "Regular", "Front"] == "500.00"
    assert lines(run)["wages", "Bonus", None] == "25.00"


DETAILS = """Example Company
Payroll details report

"From Apr 01, 2026 to Apr 30, 2026"
Name,Pay date,Time period,Hours - total,Hours - Regular,Gross pay - total,Gross pay - Regular,Gross pay - Bonus,\
Pretax deductions - total,Pretax deductions - 401(k),Adjusted gross,Employee taxes - total,Employee taxes - FIT,\
Employee taxes - SS,Employee taxes - CA Income Tax,Employee Aftertax deductions - total,\
Employee Aftertax deductions - Parking,Net pay,Employer taxes - total,Employer taxes - SS,\
Employer taxes - FUTA Employer,Company contributions - total,Company contributions - 401(k),Total payroll cost
"Quenby, Ottilie",04/17/2026,04/01/2026 - 04/15/2026,80,80,"2,100.00","2,000.00",100.00,-105.00,-105.00,"1,995.00",\
-400.00,-200.00,-130.20,-69.80,-20.00,-20.00,"1,575.00",142.80,130.20,12.60,63.00,63.00,"2,305.80"
"*Okonjo, Sefu",04/17/2026,04/01/2026 - 04/15/2026,40,40,800.00,800.00,0.00,0.00,0.00,800.00,\
-140.00,-60.00,-49.60,-30.40,0.00,0.00,660.00,54.40,49.60,4.80,0.00,0.00,854.40
Total,,,120,120,"2,900.00","2,800.00",100.00,-105.00,-105.00,"2,795.00",\
-540.00,-260.00,-179.80,-100.20,-20.00,-20.00,"2,235.00",197.20,179.80,17.40,63.00,63.00,"3,160.20"
"""
"""Made, with the columns of QuickBooks' Payroll Details."""


def test_the_details_of_quickbooks_have_their_items_as_categories() -> None:
    (run,) = csv_runs(DETAILS.encode(), provider="quickbooks")
    assert run.run == "2026-04-01:2026-04-15:2026-04-17"
    assert lines(run) == {
        ("wages", "Bonus", None): "100.00",
        ("wages", "Regular", None): "2800.00",
        ("employer_tax", "FUTA", None): "17.40",
        ("employer_tax", "Social Security", None): "179.80",
        ("employer_benefit", "401(k)", None): "63.00",
        ("employee_tax", "CA Income Tax", None): "100.20",
        ("employee_tax", "Federal Income Tax", None): "260.00",
        ("employee_tax", "Social Security", None): "179.80",
        ("deduction", "401(k)", None): "105.00",
        ("deduction", "Parking", None): "20.00",
        ("net_pay", "Net Pay", None): "2235.00",
    }
    wrong = DETAILS.replace("-69.80", "-69.90").replace("-100.20", "-100.30")
    assert csv_refused(wrong.encode(), provider="quickbooks").reason == "totals_differ"
