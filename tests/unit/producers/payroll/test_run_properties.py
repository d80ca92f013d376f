"""Whatever people earn: the entry balances and is the sum of the people; damage leads to a refusal, nothing else."""

import copy
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.normalising import Rejected
from producers.payroll.tally import fingerprint
from schemas.envelope import decode, encode
from schemas.payroll import RunPaid
from tests.searching import examples, search
from tests.unit.producers.payroll.made_people import DOCUMENTS, Person, csv_bytes, csv_rows, money, total
from tests.unit.producers.payroll.made_runs import csv_runs, lines, normalised, paid, sums, tried

CENTS = st.integers(0, 5_000_00)
PEOPLE = st.lists(
    st.builds(
        Person,
        gross=st.integers(60_000_00, 90_000_00),
        tax=CENTS,
        social=CENTS,
        pension=CENTS,
        garnished=CENTS,
        reimbursed=CENTS,
        employer=CENTS,
        benefit=CENTS,
    ),
    min_size=1,
    max_size=6,
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["-1.00", "1e9", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in a document."""
    if path:
        yield path
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield from places(inner, (*path, key))


def spoilt(document: object, path: tuple[Any, ...], value: object) -> object:
    """A copy with another value at the path."""
    copied = copy.deepcopy(document)
    inner: Any = copied
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copied


def check(run: RunPaid, people: list[Person]) -> None:
    found = {kind: int(amount * 100) for kind, amount in sums(run).items()}
    withheld = total(people, "pension") + total(people, "garnished")
    assert found.get("wages", 0) == total(people, "gross")
    assert found.get("reimbursement", 0) == total(people, "reimbursed")
    assert found.get("employee_tax", 0) == total(people, "tax") + total(people, "social")
    assert found.get("deduction", 0) + found.get("garnishment", 0) == withheld
    assert found.get("employer_benefit", 0) == total(people, "benefit")
    assert found.get("net_pay", 0) == total(people, "net") + total(people, "reimbursed")


@search
@pytest.mark.parametrize("name", DOCUMENTS)
@given(people=PEOPLE)
@settings(max_examples=examples(15))
def test_a_run_is_the_sum_of_its_people(name: str, people: list[Person]) -> None:
    source, make = DOCUMENTS[name]
    (event,) = normalised(source, make(people)).events
    check(paid(event), people)
    assert decode(encode(event)) == event
    assert len(paid(event).lines) <= 15


@search
@given(people=PEOPLE)
@settings(max_examples=examples(15))
def test_an_export_is_the_sum_of_its_people(people: list[Person]) -> None:
    (run,) = csv_runs(csv_bytes(csv_rows(people)), provider="adp")
    check(run, people)


@search
@pytest.mark.parametrize("name", DOCUMENTS)
@given(data=st.data(), people=PEOPLE)
@settings(max_examples=examples(40))
def test_a_damaged_document_is_read_or_refused_and_nothing_else(
    name: str, data: st.DataObject, people: list[Person]
) -> None:
    source, make = DOCUMENTS[name]
    document: object = make(people[:2])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(document))))
        document = spoilt(document, path, data.draw(ANYTHING))
    found = tried(source, document)
    if isinstance(found, Rejected):
        assert found.__context__ is None
        assert found.__cause__ is None
        assert found.reason != "invalid_document"
    else:
        assert found.events or found.ignored


@given(raw=st.binary(max_size=200), name=st.sampled_from(["gusto", "finch", "xero-payroll"]))
def test_any_bytes_are_refused(raw: bytes, name: str) -> None:
    found = tried(name, raw)
    if isinstance(found, Rejected):
        assert found.__context__ is None


@search
@given(data=st.data(), people=PEOPLE)
@settings(max_examples=examples(25))
def test_a_damaged_export_is_read_or_refused_and_nothing_else(data: st.DataObject, people: list[Person]) -> None:
    rows = csv_rows(people)
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    rows[row][column] = data.draw(st.text(st.characters(codec="utf-8"), max_size=12))
    reason = None
    try:
        csv_runs(csv_bytes(rows), provider="adp")
    except Rejected as rejected:
        reason = rejected.reason
    assert reason != "invalid_document"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_fingerprint_is_of_the_content(name: str) -> None:
    source, make = DOCUMENTS[name]
    people = [Person(300_000, 30_000, 20_000, 10_000, 5_000, 1_000, 20_000, 9_000) for _ in range(2)]
    (first,) = normalised(source, make(people)).events
    (again,) = normalised(source, make(people), entity="another").events
    (other,) = normalised(source, make([*people, people[0]])).events
    assert fingerprint(first) == fingerprint(again)
    assert fingerprint(first) != fingerprint(other)
    later = first.model_copy(update={"data": paid(first).model_copy(update={"version": 7, "fact": "x"})})
    assert fingerprint(later) == fingerprint(first)
    moved = paid(first).model_copy(update={"lines": paid(first).lines[::-1]})
    assert fingerprint(first.model_copy(update={"data": moved})) == fingerprint(first)


@pytest.mark.parametrize("field", ["pay_date", "period_start", "period_end"])
def test_a_moved_date_is_another_content(field: str) -> None:
    people = [Person(300_000, 30_000, 20_000, 10_000, 5_000, 1_000, 20_000, 9_000)]
    (event,) = normalised("gusto", DOCUMENTS["gusto"][1](people)).events
    moved = event.model_copy(update={"data": paid(event).model_copy(update={field: date(2026, 5, 1)})})
    assert fingerprint(moved) != fingerprint(event)


def test_two_categories_of_one_kind_do_not_mix() -> None:
    people = [Person(300_000, 30_000, 20_000, 10_000, 5_000, 1_000, 20_000, 9_000)]
    (event,) = normalised("finch", DOCUMENTS["finch"][1](people)).events
    assert lines(paid(event))["employee_tax", "Social", None] == money(20_000)
    assert Decimal(money(-105)) == Decimal("-1.05")
