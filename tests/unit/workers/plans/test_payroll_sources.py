"""From the documents of each provider to entries in the sample books: nothing that is standard is parked."""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources

import pytest

from schemas.payroll import RunPaid
from tests.unit.producers.payroll.made_runs import (
    GUSTO,
    MADE,
    PROVIDERS,
    XERO_AU,
    changed,
    made,
    normalised,
    only_run,
)
from tests.unit.producers.payroll.made_runs import csv_runs as runs_of
from tests.unit.workers.plans.runs import ANY_BOOKS, entries, moved
from workers.books.payroll import PayrollPolicy
from workers.plans.writes import Parked


def told(source: str, document: bytes, **options: object) -> RunPaid:
    [event] = normalised(source, document, **options).events
    assert isinstance(event.data, RunPaid)
    return event.data


@pytest.mark.parametrize("name", ["payroll-show-object.processed", "payroll-list.example"])
def test_gustos_own_example_becomes_the_worked_entry(name: str) -> None:
    data = told("gusto", (GUSTO / f"{name}.json").read_bytes())
    [entry] = entries(data, ANY_BOOKS).values()
    assert str(entry.date) == "2021-02-22"
    assert moved([entry]) == {
        "Wages": Decimal("130635.89"),
        "Payroll Tax Expense": Decimal("6917.19"),
        "Payroll Tax Payable": Decimal("-42463.91"),
        "Deductions Payable": Decimal("-13336.23"),
        "Net Pay Payable": Decimal("-81752.94"),
    }


def test_xeros_own_example_becomes_the_worked_entry() -> None:
    data = told("xero-payroll", (XERO_AU / "payruns-payrunid.json").read_bytes())
    assert moved(entries(data, ANY_BOOKS).values()) == {
        "Wages": Decimal("205.40"),
        "Reimbursed Expenses": Decimal("77.00"),
        "Deductions Payable": Decimal("-37.00"),
        "Net Pay Payable": Decimal("-245.40"),
    }


@pytest.mark.parametrize(
    ("source", "name", "own"),
    [
        ("gusto", "gusto-full", {"Parking": "deductions_payable"}),
        ("finch", "finch-run", {"Travel": "Travel Expense"}),
        ("xero-payroll", "xero-nz", {}),
        ("xero-payroll", "xero-uk", {}),
    ],
)
def test_only_words_of_the_company_itself_must_be_mapped(source: str, name: str, own: dict[str, str]) -> None:
    data = told(source, (MADE / f"{name}.json").read_bytes())
    if own:
        with pytest.raises(Parked) as parked:
            entries(data, ANY_BOOKS)
        assert parked.value.reason == f"unmapped:payroll:{next(iter(own))}"
    policy = PayrollPolicy.model_validate({"categories": {data.provider: own}})
    [entry] = entries(data, ANY_BOOKS.model_copy(update={"payroll": policy})).values()
    assert entry.amount > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_file_of_each_shipped_mapping_becomes_entries(provider: str) -> None:
    found = runs_of((MADE / f"{provider}.csv").read_bytes(), provider=provider)
    assert found
    assert all(list(entries(data, ANY_BOOKS)) == [data.fact] for data in found)


def _amounts(provider: str) -> Iterator[tuple[str, str, str]]:
    text = resources.files("producers").joinpath(f"payroll/exports/mappings/{provider}.toml").read_text()
    mapping = tomllib.loads(text)
    for column in mapping["amounts"].values():
        if column["category"] not in {"*", "employee_paycheck_tips", "Donations"}:  # what only the books' owner knows
            yield mapping["provider"], column["kind"], column["category"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_column_of_the_shipped_mappings_has_its_place(provider: str) -> None:
    policy = PayrollPolicy()
    for name, kind, category in _amounts(provider):
        place = policy.destination_of(name, kind, category)  # type: ignore[arg-type]  # kinds as the samples write them
        assert place is not None, (name, kind, category)
        assert place.targets(kind) is not None, (name, kind, category)  # type: ignore[arg-type]  # kinds as the samples write them


@pytest.mark.parametrize(
    ("source", "name", "path", "category"),
    [
        ("gusto", "gusto-full", "employee_compensations.0.deductions.1.name", "unnamed_deductions"),
        ("finch", "finch-run", "pay_statements.0.employee_deductions.0.name", "custom_post_tax"),
    ],
)
def test_a_deduction_whose_name_is_not_told_parks_the_run_until_somebody_says_where_it_goes(
    source: str, name: str, path: str, category: str
) -> None:
    document = changed(made(name), path, "Loan Zebediah")
    document = changed(document, path.replace("name", "type"), "custom_post_tax") if source == "finch" else document
    data = only_run(source, document)
    with pytest.raises(Parked) as parked:
        entries(data, ANY_BOOKS)
    assert f'"{category}"' in str(parked.value)
    assert "say where all such go" in str(parked.value)
    assert "Zebediah" not in f"{parked.value!r} {parked.value}"
