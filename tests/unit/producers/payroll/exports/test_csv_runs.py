"""Payroll exports as CSV: five mappings, totals checked and never added, and every way in which a file is wrong."""

import csv
import io
import os
import tomllib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from producers.normalising import NormaliseContext, Rejected, Taken
from producers.payroll.exports.mapping import PROVIDERS, load, renamed_in
from producers.sources import SOURCES
from tests.unit.producers.payroll.made_runs import MADE, ROOT, csv_refused, csv_runs, lines, sums

MAPPING: dict[str, Any] = {
    "provider": "made",
    "dates": "%d.%m.%Y",
    "decimal": ",",
    "thousands": ".",
    "signs": "€",
    "currency": "EUR",
    "delimiter": ";",
    "pay_date": "Paid",
    "run": ["Run"],
    "department": "Team",
    "people": ["Who"],
    "ignored": ["Hours"],
    "type": "Type",
    "types": {"Bonus": "bonus"},
    "amounts": {
        "Gross": {"kind": "wages", "category": "Gross"},
        "Tax": {"kind": "employee_tax", "category": "Tax"},
        "Net": {"kind": "net_pay", "category": "Net"},
    },
    "checks": {"Cost": ["wages"], "Difference": ["wages", "-employee_tax"]},
}
HEADER = "Who;Team;Run;Paid;Gross;Tax;Net"
ROWS = ("Ann;A;r1;17.04.2026;1.000,50;200,25;800,25", "Bob;B;r1;17.04.2026;€ 2.000,00;400,00;1.600,00")


def made_csv(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def own(content: bytes, **options: object) -> list[Any]:
    return csv_runs(content, mapping=MAPPING, **options)


def own_refused(content: bytes, **changes: object) -> Rejected:
    return csv_refused(content, mapping=MAPPING | changes)


OLD: dict[str, Any] = {
    **{name: value for name, value in MAPPING.items() if name not in {"signs", "dates"}},
    "symbol": "€",
    "date_format": "%d.%m.%Y",
    "total_words": ["Summe"],
}


def test_a_mapping_of_before_reads_the_same_and_says_what_its_settings_are_called_now() -> None:
    rows = (*ROWS, "Summe;;r1;17.04.2026;3.000,50;600,25;2.400,25")
    assert csv_runs(made_csv(*rows), mapping=OLD) == own(made_csv(*ROWS))
    assert renamed_in(NormaliseContext(options={"mapping": OLD})) == [
        "symbol is called signs now; both work",
        "date_format is called dates now; both work",
        "total_words is called totals now; both work",
    ]


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({"symbol": "", "date_format": "%d.%m.%Y"}, "17.04.2026"),
        ({"symbol": "€", "date_format": "%Y/%m/%d"}, "2026-04-17"),
        ({"symbol": "€"}, "2026-4-17"),
        ({"signs": "€", "encoding": "cp1253"}, "2026-04-17"),
        ({"signs": "€", "encoding": "ascii"}, "2026-04-17"),
    ],
)
def test_what_a_mapping_could_say_before_it_still_can(changes: dict[str, Any], day: str) -> None:
    mapping = {name: value for name, value in MAPPING.items() if name not in {"signs", "dates"}} | changes
    (run,) = csv_runs(made_csv(f"Ann;A;r1;{day};1.000,50;\u2212;1.000,50".replace("\u2212", "-")), mapping=mapping)
    assert str(run.pay_date) == "2026-04-17"


def test_the_mark_of_utf_16_is_believed_whatever_is_declared() -> None:
    assert csv_runs(made_csv(*ROWS).decode().encode("utf-16"), mapping=MAPPING | {"encoding": "cp1252"}) == own(
        made_csv(*ROWS)
    )


def test_a_dash_of_any_kind_is_nothing() -> None:
    (run,) = own(made_csv("Ann;A;r1;17.04.2026;1.000,50;\u2212;1.000,50"))
    assert str(sums(run)["wages"]) == "1000.50"


def test_an_export_is_read_from_a_pipe() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a number, no path
        os.write(writing, made_csv(*ROWS))
        os.close(writing)
        [taken] = SOURCES["payroll-csv"].pieces(pipe, NormaliseContext(options={"mapping": MAPPING}))
    assert isinstance(taken, Taken)
    assert taken.events


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_export_becomes_one_run_of_totals(provider: str) -> None:
    (run,) = csv_runs((MADE / f"{provider}.csv").read_bytes(), provider=provider)
    found = sums(run)
    assert found["wages"] + found["reimbursement"] == (
        found["employee_tax"] + found["deduction"] + found["garnishment"] + found["net_pay"]
    )
    assert found["reimbursement"] == 150
    assert found["garnishment"] == 30
    assert (str(run.pay_date), str(run.period_start)) == ("2026-04-17", "2026-04-01")
    assert len(run.lines) < 30


def test_the_adp_run_is_named_and_split() -> None:
    (run,) = csv_runs((MADE / "adp.csv").read_bytes(), provider="adp", split="department")
    assert run.fact == "adp:run:ABC1:2026-08:v1"
    assert lines(run)["wages", "Regular", "Sales"] == "5400.00"
    assert lines(run)["net_pay", "Net Pay", None] == "8188.00"


def test_what_was_withheld_may_be_written_as_negative() -> None:
    (run,) = csv_runs((MADE / "quickbooks.csv").read_bytes(), provider="quickbooks")
    assert lines(run)["employee_tax", "Federal Income Tax", None] == "1300.00"


def test_commas_for_decimals_and_own_dates_are_read_as_the_mapping_says() -> None:
    (run,) = own(made_csv(*ROWS))
    assert lines(run) == {
        ("wages", "Gross", None): "3000.50",
        ("employee_tax", "Tax", None): "600.25",
        ("net_pay", "Net", None): "2400.25",
    }
    assert {line.amount.currency for line in run.lines} == {"EUR"}
    assert run.run == "r1"


def test_several_runs_in_a_file_are_several_events() -> None:
    found = SOURCES["payroll-csv"].pieces(
        BytesIO(made_csv(*ROWS, "Ann;A;r2;30.04.2026;10,00;2,00;8,00")),
        NormaliseContext(options={"mapping": MAPPING}),
    )
    assert [one.where for one in found if isinstance(one, Taken)] == ["run r1", "run r2"]


def test_two_thousand_people_are_a_few_lines() -> None:
    rows = [f"P {n};Team {n % 12};r1;17.04.2026;1.000,00;200,00;800,00" for n in range(2000)]
    (run,) = own(made_csv(*rows), split="department")
    assert len(run.lines) == 14
    assert sums(run)["wages"] == 2_000_000


def test_a_person_may_stand_several_times() -> None:
    (run,) = own(made_csv(*ROWS, "Ann;A;r1;17.04.2026;100,00;0,00;0,00", "Ann;A;r1;17.04.2026;0;0;100,00"))
    assert sums(run)["wages"] == sums(run)["employee_tax"] + sums(run)["net_pay"]


TOTAL = "Total;;;;3.000,50;600,25;2.400,25"


@pytest.mark.parametrize(
    "rows",
    [
        (*ROWS, TOTAL),
        (*ROWS, TOTAL.replace("Total", "Grand Total:")),
        (*ROWS, TOTAL.replace("Total;", "TOTALS FOR r1;").replace("TOTALS FOR", "Total for")),
        (*ROWS, ";Total" + TOTAL.removeprefix("Total;")),
        (ROWS[0], "Total;A;;;1.000,50;200,25;800,25", ROWS[1], "Total;B;;;2.000,00;400,00;1.600,00", TOTAL),
        (ROWS[0], "Total;A;;;1.000,50;;", ROWS[1]),
        (*ROWS, HEADER, TOTAL, ";;;;;;"),
        (*ROWS, TOTAL.replace("Total;;;", "A Team Total (2);A;r1;17.04.2026")),
    ],
)
def test_rows_of_totals_are_checked_and_never_added(rows: tuple[str, ...]) -> None:
    (run,) = own(made_csv(*rows))
    assert sums(run)["wages"] * 2 == 6001


def test_a_total_in_the_middle_that_disagrees_is_refused_with_both_shown() -> None:
    rejected = own_refused(made_csv(*ROWS, TOTAL.replace("600,25", "600,26"), ROWS[1]))
    assert rejected.reason == "totals_differ"
    assert "line 4: the total of Tax 600.26 EUR" in str(rejected)
    assert "600.25 EUR" in str(rejected)


def test_a_total_of_one_person_that_disagrees_shows_no_figure() -> None:
    rejected = own_refused(made_csv(ROWS[0], "Total;A;;;1.000,51;200,25;800,25", ROWS[1]))
    assert rejected.reason == "totals_differ"
    assert "1000" not in str(rejected)


def test_a_row_without_a_person_is_not_added() -> None:
    assert own_refused(made_csv(*ROWS, ";;;;1,00;0,00;1,00")).reason == "row_without_person"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (made_csv(ROWS[0] + ";7"), "shifted_columns"),
        (made_csv(ROWS[0].removesuffix(";800,25")), "shifted_columns"),
        (made_csv("Ann;A;r1;17.04.2026;Gross;200,25;800,25"), "shifted_columns"),
        (made_csv("Ann;A;r1;17.04.2026;1,000.50;200,25;800,25"), "bad_amount"),
        (made_csv("Ann;A;r1;17.04.2026;1000,505;200,25;800,25"), "bad_amount"),
        (made_csv("Ann;A;r1;04/17/2026;1.000,50;200,25;800,25"), "bad_date"),
        (made_csv("Ann;A;Ann Doe;17.04.2026;1.000,50;200,25;800,25"), "bad_id"),
        (made_csv("Ann;A;123-45-6789;17.04.2026;1.000,50;200,25;800,25"), "bad_id"),
        (made_csv("Ann;A;r1;17.04.2026;1.000,50;200,25;800,26"), "totals_differ"),
        (made_csv("Ann;A;r1;17.04.2026;100,00;200,00;-100,00"), "negative_net_pay"),
        (made_csv(*ROWS, "Eve;A;r1;18.04.2026;1,00;0;1,00"), "run_twice"),
        (made_csv(ROWS[0], header=HEADER.replace("Net", "Netto")), "missing_columns"),
        (made_csv(ROWS[0] + ";x", header=HEADER + ";Bonus"), "unmapped_column:Bonus"),
        (made_csv(ROWS[0] + ";x", header=HEADER + ";123-45-6789"), "unmapped_column:(column 8)"),
        (made_csv(ROWS[0] + ";1", header=HEADER + ";Tax"), "column_twice:Tax"),
        (made_csv(ROWS[0] + ";x", header=HEADER + ";Type"), "unknown_run_type"),
        (made_csv(ROWS[0] + ";1.000,51", header=HEADER + ";Cost"), "totals_differ"),
        (made_csv('"Ann;A'), "not_csv"),
        (b"", "missing_columns"),
        ("Who;Team;Run;Paid;Gross;Tax;Net\nAnn Müller".encode("latin-1"), "wrong_encoding"),
        (made_csv(*ROWS).decode().encode("utf-16-le"), "wrong_encoding"),
        (made_csv("Ann;A;r1;17.04.2026;(1.000,50;200,25;800,25"), "bad_amount"),
        (made_csv("Ann;A;r1;17.04.2026;-1.000,50-;200,25;800,25"), "bad_amount"),
    ],
)
def test_a_file_that_is_wrong_is_refused_as_a_whole(content: bytes, reason: str) -> None:
    rejected = own_refused(content)
    assert rejected.reason == reason
    assert rejected.__context__ is None
    assert rejected.__cause__ is None
    for text in ("Ann", "Müller", "6789", "Doe"):
        assert text not in f"{rejected!r} {rejected.field}"
    assert ("1000.50 EUR" in str(rejected)) == (reason == "totals_differ")


def test_a_refusal_names_the_line_and_the_column() -> None:
    rejected = own_refused(made_csv(*ROWS, "Eve;A;r1;17.04.2026;1,00;oops;1,00"))
    assert rejected.field == "line 4, column Tax"


def test_columns_that_the_file_adds_up_are_checked() -> None:
    (run,) = own(made_csv(ROWS[0] + ";1.000,50;800,25", header=HEADER + ";Cost;Difference"))
    assert sums(run)["wages"] * 2 == 2001


def test_a_bonus_run_and_one_that_takes_back() -> None:
    (bonus,) = own(made_csv(ROWS[0] + ";Bonus", header=HEADER + ";Type"))
    assert bonus.run_type == "bonus"
    (reversal,) = own(made_csv("Ann;A;r1;17.04.2026;-1.000,50;(200,25);800,25-"))
    assert reversal.run_type == "reversal"
    assert sums(reversal)["net_pay"] * 4 == -3201


DATED = {name: value for name, value in MAPPING.items() if name != "run"} | {"ignored": ["Hours", "Run"]}


def test_a_bonus_and_a_reversal_of_the_same_day_are_runs_of_their_own_where_the_file_has_no_run() -> None:
    (regular,) = csv_runs(made_csv(*ROWS), mapping=DATED)
    (bonus,) = csv_runs(made_csv(ROWS[0] + ";Bonus", header=HEADER + ";Type"), mapping=DATED)
    (back,) = csv_runs(made_csv("Ann;A;r1;17.04.2026;-1.000,50;(200,25);800,25-"), mapping=DATED)
    assert [regular.run, bonus.run, back.run] == ["2026-04-17", "2026-04-17:bonus", "2026-04-17:reversal"]


def test_what_takes_back_is_never_a_version_of_the_run_that_it_takes_back() -> None:
    types = MAPPING | {"types": {"Void": "reversal"}}
    (by_sign,) = own(made_csv("Ann;A;r1;17.04.2026;-1.000,50;(200,25);800,25-"))
    void = "Ann;A;r1;17.04.2026;-1.000,50;-200,25;-800,25;Void"
    (by_word,) = csv_runs(made_csv(void, header=HEADER + ";Type"), mapping=types)
    assert [by_sign.run, by_word.run] == ["r1:reversal", "r1:reversal"]


def test_a_reversal_that_is_written_as_positive_is_not_posted_as_pay() -> None:
    types = MAPPING | {"types": {"Void": "reversal"}}
    rejected = csv_refused(made_csv(ROWS[0] + ";Void", header=HEADER + ";Type"), mapping=types)
    assert rejected.reason == "reversal_not_negative"


def _with_code(code: str) -> bytes:
    return (MADE / "adp.csv").read_bytes().replace(b",ABC1,", f",{code},".encode())


def test_a_second_company_does_not_fall_into_the_books_of_the_first() -> None:
    content = _with_code("ABC1").replace(b"1002,ABC1", b"1002,XYZ2").replace(b"Totals", b"Total")
    assert csv_refused(content, provider="adp").reason == "several_companies"
    context = NormaliseContext(accounts={"ABC1": "main"}, options={"provider": "adp"})
    with pytest.raises(Rejected, match="XYZ2") as refused:
        list(SOURCES["payroll-csv"].pieces(BytesIO(content), context))
    assert refused.value.reason == "unmapped:payroll_company:XYZ2"


def test_a_code_of_letters_alone_is_a_company_where_it_is_set() -> None:
    assert csv_refused(_with_code("ABC"), provider="adp").reason == "bad_id"
    context = NormaliseContext(accounts={"ABC": "main"}, options={"provider": "adp"})
    (taken,) = SOURCES["payroll-csv"].pieces(BytesIO(_with_code("ABC")), context)
    assert isinstance(taken, Taken)
    assert [event.subject for event in taken.events] == ["ABC:2026-08"]


def test_all_zero_is_ignored() -> None:
    found = list(
        SOURCES["payroll-csv"].pieces(
            BytesIO(made_csv("Ann;A;r1;17.04.2026;0,00;;-")), NormaliseContext(options={"mapping": MAPPING})
        )
    )
    assert [one.ignored for one in found if isinstance(one, Taken)] == ["zero_run"]


def test_a_column_of_persons_taken_for_departments_is_refused() -> None:
    rows = [f"P {n};Ann {n};r1;17.04.2026;1.000,00;200,00;800,00" for n in range(500)]
    assert csv_refused(made_csv(*rows), mapping=MAPPING, split="department").reason == "too_many_lines"


def test_a_mapping_may_be_a_file(tmp_path: Path) -> None:
    edited = (Path(load.__code__.co_filename).parent / "mappings" / "adp.toml").read_text()
    mapping = tmp_path / "mine.toml"
    mapping.write_text(edited.replace('provider = "adp"', 'provider = "mine"'))
    (run,) = csv_runs((MADE / "adp.csv").read_bytes(), mapping=str(mapping))
    assert run.provider == "mine"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "bad_options"),
        ({"provider": "unknown"}, "bad_options"),
        ({"provider": "adp", "mapping": "x.toml"}, "bad_options"),
        ({"provider": "adp", "splitting": "none"}, "bad_options"),
        ({"mapping": "/nowhere/x.toml"}, "bad_mapping"),
        ({"mapping": MAPPING | {"amounts": {"Gross": {"kind": "wages", "category": "Gross"}}}}, "bad_mapping"),
        ({"mapping": MAPPING | {"encoding": "nonsense"}}, "bad_mapping"),
        ({"mapping": MAPPING | {"thousands": ","}}, "bad_mapping"),
        ({"mapping": {}}, "bad_mapping"),
    ],
)
def test_options_and_mappings_are_checked(options: dict[str, object], reason: str) -> None:
    assert csv_refused(made_csv(*ROWS), **options).reason == reason


def test_the_mapping_in_the_documents_is_one() -> None:
    page = (ROOT / "docs" / "payroll-sources.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    _, mapping = load(NormaliseContext(options={"mapping": tomllib.loads(example)}))
    assert mapping.amounts["Income tax"].sign == -1
    assert mapping.run == ("Run",)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_mapping_is_in_order(provider: str) -> None:
    _, mapping = load(NormaliseContext(options={"provider": provider}))
    assert not mapping.amounts.keys() & mapping.checks.keys()
    kinds = {kind.removeprefix("-") for kinds in mapping.checks.values() for kind in kinds}
    assert kinds <= {meaning.kind for meaning in mapping.amounts.values()}


def test_the_file_is_left_open_for_its_owner() -> None:
    file = BytesIO(made_csv(*ROWS))
    list(SOURCES["payroll-csv"].pieces(file, NormaliseContext(options={"mapping": MAPPING})))
    assert not file.closed


Change = Callable[[list[list[str]]], None]


def _dropped_cell(rows: list[list[str]]) -> None:
    del rows[-2][3]


def _shifted_right(rows: list[list[str]]) -> None:
    rows[-2].insert(3, "")
    rows[-2].pop()


def _total_in_the_middle(rows: list[list[str]]) -> None:
    rows.insert(-2, rows[-1])


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("change", [_dropped_cell, _shifted_right, _total_in_the_middle])
def test_every_export_that_was_damaged_is_refused(provider: str, change: Change) -> None:
    rows = list(csv.reader(io.StringIO((MADE / f"{provider}.csv").read_text())))
    change(rows)
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    rejected = csv_refused(out.getvalue().encode(), provider=provider)
    for name in ("Quenby", "Thistlewood", "Okonjo", "Sefu"):
        assert name not in repr(rejected)
